"""Indicators, patterns, rules and layouts as their files word them, and the contracts' columns, for pages to quote.

Nothing is counted or judged here; wording that the rule files do not hold is in the templates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from dashboards.words import Measure, Unit, listed
from pipelines.contracts.catalogue import Code, all_rules, dfe_codes
from pipelines.contracts.contract import load_contracts
from pipelines.contracts.dictionary import Entry, data_dictionary
from pipelines.contracts.indicators import Catalogue, Count, load_indicators
from pipelines.contracts.indicators import Indicator as IndicatorRule
from pipelines.contracts.patterns import REGION, load_patterns
from pipelines.contracts.patterns import Pattern as PatternRule
from pipelines.contracts.yaml_text import read_yaml
from pipelines.history.explanation import PARAMETERS
from pipelines.intake.judge import messages_by_rule
from pipelines.intake.sources import load_sources
from pipelines.uncertainty.rules import ControlRules, FunnelRules, load_control_rules, load_funnel_rules

_UNITS: dict[str, Unit] = {
    "count": "count",
    "proportion": "share",
    "rate": "rate",
    "ratio": "ratio",
    "concentration": "share",
    "not_delivered": "share",
}
_METHODS = {
    "count": "count",
    "proportion": "proportion, Wilson's 95% interval",
    "rate": "rate, Byar's 95% interval (exact below 10)",
    "ratio": "ratio, no interval",
    "concentration": "share of a slice",
    "not_delivered": "not available: nothing is delivered to count it from",
}
_OTHERWISE = {
    "concentration": "the children with most incidents and their incidents (statistics.concentration)",
    "not_delivered": "nothing is delivered to count it from",
}
_PERIODS = {
    "month": "month",
    "quarter": "quarter",
    "year_to_march": "year to March",
    "rolling_12_months": "rolling 12 months",
}


@dataclass(frozen=True)
class Indicator:
    """One reading of an indicator: its id, words and how its values are written."""

    indicator_id: str
    variant: str
    version: int
    title: str
    question: str
    unit: str
    method: str
    numerator: str
    denominator: str
    # What is divided by what, in words.
    definition: str
    bases: tuple[str, ...]
    periods: tuple[str, ...]
    breakdowns: tuple[str, ...]
    # By what only the year to March is divided besides.
    breakdowns_of_year: tuple[str, ...]
    look_back_months: int
    # Nought where there is no denominator.
    minimum_base: int
    caveats: tuple[str, ...]
    source: str
    measure: Measure
    # What is counted for it, numerator and denominator; a population is not counted.
    measures: frozenset[str]


@dataclass(frozen=True)
class Pattern:
    """One version of a repeat-missing pattern, or of a borough's own threshold, as its rule file words it.

    `scope` is the region or a borough's slug; `on_list` says whether it puts a child on a lead's list; `parameters` are
    its numbers in words.
    """

    rule_id: str
    version: int
    is_current: bool
    scope: str
    kind: str
    on_list: bool
    title: str
    meaning: str
    lead: str
    caveat: str
    source: str
    parameters: str

    @property
    def is_regional(self) -> bool:
        """Whether it holds in every borough."""
        return self.scope == REGION


@dataclass(frozen=True)
class Dataset:
    """One delivery contract with its columns."""

    name: str
    title: str
    version: str
    columns: tuple[Entry, ...]


@dataclass(frozen=True)
class SourceSheet:
    """One layout that deliveries are read by, the version of its mapping, and the comparability notes it brings."""

    title: str
    version: str
    notes: frozenset[str]


@dataclass(frozen=True)
class Rulebook:
    """Everything the pages quote from `data_contracts/`."""

    indicators: tuple[Indicator, ...]
    # Every version, in the order of the files; a borough's own thresholds after the region's patterns.
    patterns: tuple[Pattern, ...]
    datasets: tuple[Dataset, ...]
    # What a person reads for each rule that a row can break.
    messages: Mapping[str, str]
    dfe_codes: tuple[Code, ...]
    # The only layout a rule holds for; blank where it holds for every layout.
    layout_of_rule: Mapping[str, str]
    sources: tuple[SourceSheet, ...]
    # What research says, by the figure that it stands beside.
    research: Mapping[str, tuple[str, ...]]
    funnel: FunnelRules
    control: ControlRules

    def indicator(self, indicator_id: str, variant: str = "") -> Indicator:
        """Return one reading of an indicator.

        Raises:
            KeyError: the rule file does not have it.
        """
        for indicator in self.indicators:
            if (indicator.indicator_id, indicator.variant) == (indicator_id, variant):
                return indicator
        msg = f"no indicator {indicator_id} {variant}".strip()
        raise KeyError(msg)

    def titled(self, readings: Iterable[tuple[str, str]]) -> str:
        """Name readings of indicators (id and variant) by their titles, as a heading does.

        Words that all titles begin with are said once: "Return interview offered, held and declined".

        Raises:
            KeyError: the rule file does not have one.
        """
        titles = [title.split() for title in dict.fromkeys(self.indicator(*reading).title for reading in readings)]
        alike = takewhile(lambda words: len(set(words)) == 1, zip(*titles, strict=False))
        shared = len(list(alike)) if len(titles) > 1 else 0
        first, *others = [" ".join(title[shared:]) for title in titles]
        together = listed([first, *(other[:1].lower() + other[1:] for other in others)])
        return " ".join([*titles[0][:shared], together])

    def mappings(self, note_ids: Collection[str]) -> tuple[str, ...]:
        """Name the mappings, with their versions, that bring comparability notes.

        Args:
            note_ids: each the source's id, a full stop, and the id of the note in its file.
        """
        return tuple(f"{sheet.title}, mapping {sheet.version}" for sheet in self.sources if sheet.notes & set(note_ids))

    def current_patterns(self, borough: str = "") -> tuple[Pattern, ...]:
        """Return the patterns in force: the region's, and after them the thresholds of a borough's own."""
        return tuple(pattern for pattern in self.patterns if pattern.is_current and pattern.scope in {REGION, borough})

    def pattern(self, rule_id: str, version: int | None = None) -> Pattern:
        """Return one version of a pattern, or the one in force.

        Raises:
            KeyError: the rule files do not have it.
        """
        for pattern in self.patterns:
            if pattern.rule_id == rule_id and (pattern.version == version or (version is None and pattern.is_current)):
                return pattern
        msg = f"no pattern {rule_id}" + (f" version {version}" if version else "")
        raise KeyError(msg)


def load_rulebook(contracts: Path) -> Rulebook:
    """Read indicators, patterns and contracts of a folder such as `data_contracts/`."""
    catalogue = load_indicators(contracts)
    return Rulebook(
        indicators=tuple(_indicator(stated, catalogue) for stated in catalogue.indicators),
        patterns=tuple(_pattern(rule) for rule in load_patterns(contracts)),
        datasets=tuple(
            Dataset(contract.dataset, contract.title, contract.version, tuple(data_dictionary(contract)))
            for contract in load_contracts(contracts).values()
        ),
        messages=messages_by_rule(contracts),
        dfe_codes=dfe_codes(contracts),
        layout_of_rule={rule.rule_id: rule.source for rule in all_rules(contracts)},
        sources=tuple(
            SourceSheet(source.title, source.version, frozenset(note.note_id for note in source.notes))
            for source in load_sources(contracts).values()
        ),
        research=_research(contracts),
        funnel=load_funnel_rules(contracts),
        control=load_control_rules(contracts),
    )


def _rules(contracts: Path, name: str) -> list[dict[str, Any]]:
    raw = read_yaml(contracts / "rules" / f"{name}.yaml")
    rows: list[dict[str, Any]] = raw[name]
    return rows


def _research(contracts: Path) -> dict[str, tuple[str, ...]]:
    said: dict[str, tuple[str, ...]] = {}
    for row in _rules(contracts, "research"):
        said[row["figure"]] = (*said.get(row["figure"], ()), f"{row['text']} Source: {row['source']}.")
    return said


def _indicator(stated: IndicatorRule, catalogue: Catalogue) -> Indicator:
    return Indicator(
        indicator_id=stated.indicator_id,
        variant=stated.variant,
        version=stated.version,
        title=stated.title,
        question=stated.question,
        unit=stated.unit,
        method=_METHODS[stated.method],
        numerator=_name(stated.numerator),
        denominator=_name(stated.denominator),
        definition=_definition(stated, catalogue),
        bases=stated.bases,
        periods=tuple(_PERIODS[period] for period in stated.periods),
        breakdowns=tuple(map(_breakdown, stated.breakdowns)),
        breakdowns_of_year=tuple(map(_breakdown, stated.breakdowns_of_year)),
        look_back_months=stated.look_back_months,
        minimum_base=stated.minimum_base if stated.denominator else 0,
        caveats=stated.caveats,
        source=stated.source,
        measure=Measure(_UNITS[stated.method], stated.decimals),
        measures=frozenset(count.measure for count in stated.counts),
    )


def _breakdown(name: str) -> str:
    return "DfE's age bands" if name == "age_dfe" else name.replace("_", " ")


def _name(count: Count | None) -> str:
    if count is None:
        return ""
    if count.band:
        return f"population aged {count.band}"
    return " ".join(filter(None, (count.measure, count.breakdown, count.value)))


def _definition(stated: IndicatorRule, catalogue: Catalogue) -> str:
    """Say in words what is divided by what."""
    parts = [_in_words(count, catalogue) for count in (stated.numerator, stated.denominator) if count]
    return _OTHERWISE[stated.method] if not parts else "; divided by ".join(parts)


def _in_words(count: Count, catalogue: Catalogue) -> str:
    if count.band:
        return f"the mid-year estimate of the population aged {count.band}"
    if not count.is_counted:
        return "children looked after at any time in the year, as DfE publishes it"
    only = f", only {count.breakdown.replace('_', ' ')}: {count.value}" if count.breakdown else ""
    return catalogue.measures[count.measure].says + only + (" (undivided)" if count.is_undivided else "")


def _pattern(rule: PatternRule) -> Pattern:
    return Pattern(
        rule_id=rule.rule_id,
        version=rule.version,
        is_current=rule.is_current,
        scope=rule.scope,
        kind=rule.kind,
        on_list=rule.on_list,
        title=rule.title,
        meaning=rule.meaning,
        lead=rule.lead,
        caveat=rule.caveat,
        source=rule.source,
        parameters="; ".join(
            PARAMETERS[name].format(" or ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}")
            for name, value in rule.parameters.items()
        ),
    )
