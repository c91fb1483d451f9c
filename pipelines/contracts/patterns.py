"""The repeat-missing patterns as rules: the region's, and the thresholds that a borough switched on for itself.

Read strictly from `data_contracts/rules/patterns.yaml` and `data_contracts/boroughs/<slug>/patterns.yaml`: every entry
has exactly the parameters of its kind, the versions of an id are 1, 2, 3 without a gap, and one of them is current.
Each error is a `ContractError` that names the file, the entry and the key. What a kind does with its parameters is in
`sql/patterns/hit_<kind>.sql`; no number of a rule stands anywhere but in these files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS
from pipelines.region import load_region

Evidence = Literal["window", "listed"]
Value = int | float | tuple[int, ...] | tuple[str, ...]
REGION = "region"
COUNTING = "window"


@dataclass(frozen=True)
class Kind:
    """What a kind of pattern needs, and where its evidence is.

    `window`: every missing episode of the child in the window. `listed`: the episode that completes the pattern, and
    those that `sql/patterns/evidence_<kind>.sql` lists for it.
    """

    parameters: tuple[str, ...]
    evidence: Evidence


KINDS: Mapping[str, Kind] = {
    COUNTING: Kind(("episodes", "window_days"), "window"),
    "exploitation": Kind(("episodes", "window_days"), "window"),
    "unheard": Kind(("episodes", "window_days"), "window"),
    "out_of_area": Kind(("episodes", "window_days"), "window"),
    "home_and_care": Kind(("window_days",), "window"),
    "rapid": Kind(("window_days",), "window"),
    "before_interview": Kind(("window_hours",), "window"),
    "after_move": Kind(("episodes", "window_days", "moves"), "window"),
    "absence": Kind(("episodes", "window_days"), "listed"),
    "escalation": Kind(("gaps", "times_median", "over_hours", "earlier_episodes"), "window"),
    "long": Kind(("hours", "over_days"), "listed"),
    "night": Kind(("night_from", "night_to", "run_days"), "listed"),
    "young": Kind(("under_age", "run_days"), "listed"),
    "late_flag": Kind(("episodes",), "window"),
    "co_missing": Kind(
        ("within_hours", "found_within_minutes", "pairings", "window_days", "most_together", "over_chance"), "listed"
    ),
    "setting_cluster": Kind(("window_days", "percentile", "least_starts", "least_children"), "listed"),
}
_LAST_HOUR = 24
_ALL_PERCENT = 100


def _hour(keys: Keys, name: str) -> int:
    hour = keys.whole(name)
    if hour > _LAST_HOUR:
        keys.fail(name, f"this must be an hour of the day, 0 to {_LAST_HOUR}")
    return hour


def _percent(keys: Keys, name: str) -> float:
    percent = keys.number(name)
    if percent >= _ALL_PERCENT:
        keys.fail(name, f"this must be below {_ALL_PERCENT}")
    return percent


def _codes(keys: Keys, name: str) -> tuple[str, ...]:
    codes = keys.texts(name)
    if not codes:
        keys.fail(name, "this must list at least one code")
    return codes


def _at_least_one(keys: Keys, name: str) -> int:
    return keys.whole(name, least=1)


def _at_least_two(keys: Keys, name: str) -> int:
    return keys.whole(name, least=2)


def _rising(keys: Keys, name: str) -> tuple[int, ...]:
    return keys.wholes(name, least=1)


# Every parameter: how it is read, and its type in `rules.pattern`.
_PARAMETERS: Mapping[str, tuple[Callable[[Keys, str], Value], pl.DataType]] = {
    "episodes": (_at_least_one, pl.Int32()),
    "window_days": (_at_least_one, pl.Int32()),
    "window_hours": (_at_least_one, pl.Int32()),
    "run_days": (_at_least_one, pl.Int32()),
    "hours": (_rising, pl.List(pl.Int32())),
    "over_days": (_rising, pl.List(pl.Int32())),
    "gaps": (_at_least_two, pl.Int32()),
    "times_median": (Keys.number, pl.Float64()),
    "over_hours": (_at_least_one, pl.Int32()),
    "earlier_episodes": (_at_least_one, pl.Int32()),
    "under_age": (_at_least_one, pl.Int32()),
    "within_hours": (_at_least_one, pl.Int32()),
    "found_within_minutes": (_at_least_one, pl.Int32()),
    "pairings": (_at_least_one, pl.Int32()),
    "most_together": (_at_least_one, pl.Int32()),
    "over_chance": (Keys.number, pl.Float64()),
    "percentile": (_percent, pl.Float64()),
    "least_starts": (_at_least_one, pl.Int32()),
    "least_children": (_at_least_one, pl.Int32()),
    "night_from": (_hour, pl.Int32()),
    "night_to": (_hour, pl.Int32()),
    "moves": (_codes, pl.List(pl.String())),
}
_TEXTS = ("title", "summary", "meaning", "lead", "caveat", "source")
_FORM_OF_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_PLACEHOLDER = "{episodes}"


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One version of one pattern, or of a borough's own threshold.

    `scope` is the region or a borough's slug; `raised_from` is the first local day on which a borough's threshold is
    raised; `needs` are datasets, or columns of them, without which it cannot be.
    """

    rule_id: str
    version: int
    is_current: bool
    kind: str
    parameters: Mapping[str, Value]
    on_list: bool
    title: str
    summary: str
    meaning: str
    lead: str
    caveat: str
    source: str
    scope: str = REGION
    raised_from: date | None = None
    needs: tuple[str, ...] = field(default=())

    @property
    def evidence(self) -> Evidence:
        """Where the evidence of its flags is."""
        return KINDS[self.kind].evidence


_COLUMNS: dict[str, pl.DataType] = {
    "rule_id": pl.String(),
    "version": pl.Int32(),
    "is_current": pl.Boolean(),
    "scope": pl.String(),
    "raised_from": pl.Date(),
    "kind": pl.String(),
    "evidence": pl.String(),
    "on_list": pl.Boolean(),
    **dict.fromkeys(_TEXTS, pl.String()),
    "needs": pl.List(pl.String()),
}


def pattern_frame(patterns: Sequence[Pattern]) -> pl.DataFrame:
    """Make the rows of `rules.pattern`: a column for every parameter, null where the kind has none.

    `rule_number` is the place in the file; it stands for id and version where many rows are counted.
    """
    types = {name: stated for name, (_, stated) in _PARAMETERS.items()}
    rows = [
        {name: getattr(pattern, name) for name in _COLUMNS} | {name: pattern.parameters.get(name) for name in types}
        for pattern in patterns
    ]
    frame = pl.DataFrame(rows, schema=_COLUMNS | types)
    return frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int16).alias("rule_number"))


@cache
def load_patterns(contracts: Path = CONTRACTS) -> tuple[Pattern, ...]:
    """Read the region's patterns in file order, and after them the boroughs' own thresholds.

    Raises:
        ContractError: a file is not as it must be.
    """
    region = _regional(contracts)
    current = {pattern.rule_id: pattern for pattern in region if pattern.is_current}
    boroughs = load_region(contracts).slugs
    return (*region, *(own for slug in boroughs for own in _of_borough(slug, current, contracts)))


def _regional(contracts: Path) -> tuple[Pattern, ...]:
    keys = Keys.of_file(contracts / "rules" / "patterns.yaml", "rules/patterns.yaml")
    keys.only({"patterns"}, {"patterns"})
    found = [_pattern(entry, contracts) for entry in keys.entries("patterns")]
    _check_versions(keys, found)
    return tuple(found)


def _of_borough(slug: str, regional: Mapping[str, Pattern], contracts: Path) -> tuple[Pattern, ...]:
    path = contracts / "boroughs" / slug / "patterns.yaml"
    if not path.exists():
        return ()
    keys = Keys.of_file(path, f"boroughs/{slug}/patterns.yaml")
    keys.only({"patterns"}, {"patterns"})
    found = [_threshold(entry, slug, regional) for entry in keys.entries("patterns")]
    _check_versions(keys, found)
    return tuple(found)


def _pattern(keys: Keys, contracts: Path) -> Pattern:
    kind = keys.one_of("kind", KINDS)
    stated = ("id", "version", "kind", "on_list", *_TEXTS, *KINDS[kind].parameters)
    keys.only({*stated, "current", "needs"}, stated)
    rule_id = keys.text("id")
    if not _FORM_OF_ID.fullmatch(rule_id):
        keys.fail("id", "this must be capital letters, figures and hyphens")
    return Pattern(
        rule_id=rule_id,
        version=keys.whole("version", least=1),
        is_current=keys.flag("current"),
        kind=kind,
        parameters=_parameters(keys, kind),
        on_list=keys.flag("on_list"),
        needs=_needs(keys, contracts),
        **_wording(keys),
    )


def _threshold(keys: Keys, slug: str, regional: Mapping[str, Pattern]) -> Pattern:
    counting = {rule_id: pattern for rule_id, pattern in regional.items() if pattern.kind == COUNTING}
    base = counting[keys.one_of("based_on", counting)]
    stated = ("based_on", "version", "from", *(name for name in _TEXTS if name != "caveat"))
    keys.only({*stated, "current", "caveat", *base.parameters}, stated)
    return Pattern(
        rule_id=f"{base.rule_id}.{slug}",
        version=keys.whole("version", least=1),
        is_current=keys.flag("current"),
        kind=COUNTING,
        parameters={**base.parameters, **_parameters(keys.only_these(base.parameters), COUNTING)},
        on_list=True,
        scope=slug,
        raised_from=keys.day("from"),
        **({"caveat": base.caveat} | _wording(keys)),
    )


def _parameters(keys: Keys, kind: str) -> dict[str, Value]:
    found = {name: _PARAMETERS[name][0](keys, name) for name in KINDS[kind].parameters if name in keys.raw}
    if "night_to" in found and keys.whole("night_to") <= keys.whole("night_from"):
        keys.fail("night_to", "this must be later than night_from")
    return found


def _wording(keys: Keys) -> dict[str, Any]:
    for name in _TEXTS:
        if name in keys.raw and not keys.text(name).strip():
            keys.fail(name, "this must not be blank")
    if re.search(r"[{}]", keys.text("summary").replace(_PLACEHOLDER, "")):
        keys.fail("summary", f"{_PLACEHOLDER} is the only thing that is filled in")
    return {name: keys.text(name) for name in _TEXTS if name in keys.raw}


def _needs(keys: Keys, contracts: Path) -> tuple[str, ...]:
    datasets = load_contracts(contracts)
    for need in keys.texts("needs"):
        dataset, _, column = need.partition(".")
        if dataset not in datasets or (column and column not in datasets[dataset].columns):
            keys.fail("needs", f"no contract has {need}; write a dataset, or a dataset, a full stop and its column")
    return keys.texts("needs")


def _check_versions(keys: Keys, patterns: Sequence[Pattern]) -> None:
    versions: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        versions.setdefault(pattern.rule_id, []).append(pattern)
    for rule_id, stated in versions.items():
        numbers = sorted(pattern.version for pattern in stated)
        if len(set(numbers)) < len(numbers):
            keys.fail("patterns", f"{rule_id} has the same version twice")
        if numbers != list(range(1, len(numbers) + 1)):
            keys.fail("patterns", f"the versions of {rule_id} are not 1, 2, 3 and so on; old versions stay in the file")
        if sum(pattern.is_current for pattern in stated) != 1:
            keys.fail("patterns", f"exactly one version of {rule_id} must have `current: true`")
