"""Indicators, patterns, rules and layouts as their files word them, and the contracts' columns, for pages to quote.

Nothing is counted or judged here; wording that the rule files do not hold is in the templates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards.words import Measure, Unit
from pipelines.contracts.catalogue import Code, all_rules, dfe_codes
from pipelines.contracts.contract import load_contracts
from pipelines.contracts.dictionary import Entry, data_dictionary
from pipelines.intake.judge import messages_by_rule
from pipelines.intake.sources import load_sources

_UNITS: dict[str, Unit] = {"count": "count", "proportion": "share", "rate": "rate", "ratio": "ratio"}


@dataclass(frozen=True)
class Indicator:
    """One reading of an indicator: its id, words and how its values are written."""

    indicator_id: str
    variant: str
    title: str
    unit: str
    method: str
    numerator: str
    denominator: str
    look_back_months: int
    source: str
    measure: Measure
    # What is counted for it, numerator and denominator; a population is not counted.
    measures: frozenset[str]


@dataclass(frozen=True)
class Pattern:
    """One repeat-missing pattern as its rule file words it."""

    rule_id: str
    version: int
    title: str
    meaning: str
    caveat: str
    source: str


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
    patterns: tuple[Pattern, ...]
    datasets: tuple[Dataset, ...]
    # What a person reads for each rule that a row can break.
    messages: Mapping[str, str]
    dfe_codes: tuple[Code, ...]
    # The only layout a rule holds for; blank where it holds for every layout.
    layout_of_rule: Mapping[str, str]
    sources: tuple[SourceSheet, ...]

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

    def mappings(self, note_ids: Collection[str]) -> tuple[str, ...]:
        """Name the mappings, with their versions, that bring comparability notes.

        Args:
            note_ids: each the source's id, a full stop, and the id of the note in its file.
        """
        return tuple(f"{sheet.title}, mapping {sheet.version}" for sheet in self.sources if sheet.notes & set(note_ids))

    def pattern(self, rule_id: str) -> Pattern:
        """Return one pattern.

        Raises:
            KeyError: the rule file does not have it.
        """
        for pattern in self.patterns:
            if pattern.rule_id == rule_id:
                return pattern
        msg = f"no pattern {rule_id}"
        raise KeyError(msg)


def load_rulebook(contracts: Path) -> Rulebook:
    """Read indicators, patterns and contracts of a folder such as `data_contracts/`."""
    return Rulebook(
        indicators=tuple(_indicator(row) for row in _rules(contracts, "indicators")),
        patterns=tuple(_pattern(row) for row in _rules(contracts, "patterns")),
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
    )


def _rules(contracts: Path, name: str) -> list[dict[str, Any]]:
    raw = yaml.safe_load((contracts / "rules" / f"{name}.yaml").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = raw[name]
    return rows


def _indicator(row: dict[str, Any]) -> Indicator:
    numerator = " ".join(filter(None, [row["numerator_measure"], row["numerator_breakdown"], row["numerator_value"]]))
    band = row["denominator_band"]
    return Indicator(
        indicator_id=row["indicator_id"],
        variant=row["variant"],
        title=row["title"],
        unit=row["unit"],
        method=row["method"],
        numerator=numerator,
        denominator=row["denominator_measure"] or (f"population aged {band}" if band else ""),
        look_back_months=row["look_back_months"],
        source=row["source"],
        measure=Measure(_UNITS[row["method"]], row["decimals"]),
        measures=frozenset(filter(None, (row["numerator_measure"], row["denominator_measure"]))),
    )


def _pattern(row: dict[str, Any]) -> Pattern:
    return Pattern(row["id"], row["version"], row["title"], row["meaning"], row["caveat"], row["source"])
