"""Recognising direct identifiers, so that a file that carries them is refused before anything of it is kept.

Decides per column, by its header and by the shape of its cells; patterns and thresholds are data
(`data_contracts/rules/identifiers.yaml`, from disclosure.md section 8), and so is what cannot be told and must not be
relied on. Returns columns and rule ids, never a cell. What a borough agreed to is read in `identifier_exceptions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS
from pipelines.intake.identifier_shapes import (
    CHECKS,
    Column,
    Shape,
    columns_of,
    median_year,
    shape_of,
    share_that_pass,
    years_among,
)
from pipelines.intake.read import column_letter

_PSEUDONYM_LENGTH = 64
_LONGEST_HEADER_SAID = 60
_LONGEST_HEADER_READ = 120  # the patterns would take long over a header made to be long


@dataclass(frozen=True)
class IdentifierFinding:
    """A column that holds a direct identifier.

    `column_index` is the spreadsheet's (0 is A). `where` names another sheet, and is blank in the table itself;
    `cells` of `filled` cells look so, the first in row `first_row`, where the cells and not the header decided.
    """

    rule_id: str
    column_index: int
    column_name: str
    meaning: str
    remedy: str = ""
    where: str = ""
    cells: int = 0
    filled: int = 0
    first_row: int | None = None

    @property
    def letter(self) -> str:
        """Spreadsheet letter of the column."""
        return column_letter(self.column_index)

    @property
    def sentence(self) -> str:
        """What a person reads, without what to do and without a full stop."""
        name = " ".join(self.column_name.split())
        short = name if len(name) <= _LONGEST_HEADER_SAID else f"{name[:_LONGEST_HEADER_SAID]}..."
        column = f"{self.where[:1].upper()}{self.where[1:]}, column {self.letter}," if self.where else ""
        column = column or f"Column {self.letter} ({short})"
        row = f", first in row {self.first_row}" if self.first_row is not None else ""
        count = f" in {self.cells} of its {self.filled} filled cells{row}" if self.cells else ""
        return f"{column} {self.meaning}{count}"

    @property
    def message(self) -> str:
        """What a person reads, with what to do."""
        return f"{self.sentence}. {self.remedy}".strip()


@dataclass(frozen=True)
class _ValueRule:
    rule_id: str
    shape: Shape
    under: str | None
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """`identifiers.yaml`, its patterns ready for use."""

    headers: Mapping[str, str]
    values: tuple[_ValueRule, ...]
    births: tuple[str, Mapping[str, Any]]
    serials: tuple[str, Mapping[str, Any]]
    pseudonym: tuple[str, Mapping[str, Any]]
    never_by_header: frozenset[str]
    never_at_all: frozenset[str]
    messages: Mapping[str, str]
    remedies: Mapping[str, str]


@cache
def load_policy(contracts: Path = CONTRACTS) -> Policy:
    """Read the policy."""
    raw: dict[str, Any] = read_yaml(contracts / "rules" / "identifiers.yaml")

    def spelt_out(pattern: str) -> str:
        for name, words in raw["words"].items():
            pattern = pattern.replace(f"<{name}>", words)
        return pattern

    labels = raw["label_words"].split()
    return Policy(
        headers={rule_id: spelt_out(rule["pattern"]) for rule_id, rule in raw["headers"].items()},
        values=tuple(_value_rule(rule, spelt_out, labels) for rule in raw["values"]),
        births=next(iter(raw["birth_dates"].items())),
        serials=next(iter(raw["birth_serials"].items())),
        pseudonym=next(iter(raw["pseudonym"].items())),
        never_by_header=frozenset(raw["never_excepted"]["by_header"]),
        never_at_all=frozenset(raw["never_excepted"]["at_all"]),
        messages=raw["messages"],
        remedies=raw["remedies"],
    )


def _value_rule(rule: dict[str, Any], spelt_out: Callable[[str], str], label_words: list[str]) -> _ValueRule:
    rule = rule | {key: spelt_out(rule[key]) for key in ("pattern", "under") if key in rule}
    return _ValueRule(rule["rule"], shape_of(rule, label_words), rule.get("under"), rule)


@dataclass(frozen=True)
class _Alarm:
    """A rule that holds for a column, and the different cells that made it hold (none: the header did)."""

    rule_id: str
    looks: pl.DataFrame | None = None


def find_identifiers(
    cells: pl.DataFrame,
    *,
    child_columns: Collection[str] = (),
    date_columns: Collection[str] = (),
    contracts: Path = CONTRACTS,
    coded_columns: Mapping[str, Collection[str]] | None = None,
    exceptions: Collection[tuple[str, str]] = (),
    others: Sequence[pl.DataFrame] = (),
    first_column: int = 0,
    row_numbers: pl.Series | None = None,
) -> list[IdentifierFinding]:
    """List the columns that hold direct identifiers, in header order, one finding a column, other sheets last.

    Args:
        cells: the delivered text, one column a header cell.
        child_columns: columns that must hold pseudonyms.
        date_columns: columns in which the layout declares dates.
        contracts: folder of the policy.
        coded_columns: the codes that the layout knows, by header; they are neither names nor free text.
        exceptions: (header in lower case, rule id) pairs that the borough agreed to. What a header calls an identifier
            of a person, and a child column without pseudonyms, is found all the same.
        others: cells of the workbook's other sheets; they have no headers, so only their cells are judged.
        first_column: spreadsheet column of the first column (a table that starts in column B has 1).
        row_numbers: row numbers of `cells` as a spreadsheet shows them, to say where the first such cell stands.
    """
    policy = load_policy(contracts)
    codes = {header.casefold(): known for header, known in (coded_columns or {}).items()}
    shapes = [rule.shape for rule in policy.values]
    columns = columns_of(cells, shapes, {name: codes.get(name.casefold(), ()) for name in cells.columns})
    dates = [columns[name].counted for name in cells.columns if name in date_columns]
    episode_year = median_year(years_among(dates, with_serials=True))
    found: list[IdentifierFinding] = []
    for index, (name, column) in enumerate(columns.items()):
        excepted = frozenset(rule_id for header, rule_id in exceptions if header == name.casefold())
        alarms = _alarms_in_table(
            name,
            column,
            policy,
            is_child=name in child_columns,
            dates_before=None if name in date_columns else _Before(episode_year),
            excepted=excepted,
        )
        found += _first_finding(alarms, column, policy, index + first_column, name, rows=row_numbers)
    for sheet in others:
        found += _in_other_sheet(sheet, policy, _Before(episode_year))
    return found


@dataclass(frozen=True)
class _Before:
    """Dates years before this year are dates of birth; where the table has no dates to compare with, any date is."""

    year: float | None


def _in_other_sheet(sheet: pl.DataFrame, policy: Policy, before: _Before) -> Iterator[IdentifierFinding]:
    for name, column in columns_of(sheet, [rule.shape for rule in policy.values]).items():
        alarms = (_Alarm(rule.rule_id, looks) for rule, looks in _value_alarms("", column, policy, other_sheet=True))
        births = _birth_alarms(column, policy, before)
        yield from _first_finding([*alarms, *births], column, policy, _index_of(name), name, where="another sheet")


def _index_of(letters: str) -> int:
    """0-based column of a spreadsheet letter."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _first_finding(
    alarms: Iterator[_Alarm] | list[_Alarm],
    column: Column,
    policy: Policy,
    index: int,
    name: str,
    *,
    where: str = "",
    rows: pl.Series | None = None,
) -> Iterator[IdentifierFinding]:
    alarm = next(iter(alarms), None)
    if alarm is None:
        return
    looks = alarm.looks
    first = (
        rows.filter(column.cells.is_in(looks["cell"].implode())).min()
        if rows is not None and looks is not None
        else None
    )
    yield IdentifierFinding(
        alarm.rule_id,
        index,
        name,
        policy.messages[alarm.rule_id],
        policy.remedies[alarm.rule_id],
        where,
        cells=0 if looks is None else int(looks["many"].sum()),
        filled=column.filled if looks is not None else 0,
        first_row=first if isinstance(first, int) else None,
    )


def _alarms_in_table(
    name: str, column: Column, policy: Policy, *, is_child: bool, dates_before: _Before | None, excepted: frozenset[str]
) -> Iterator[_Alarm]:
    """Rules that hold, the most certain first."""
    if is_child:
        yield from _child_alarms(column, policy)
    else:
        spared = excepted - policy.never_by_header
        yield from (_Alarm(rule_id) for rule_id in header_rules(name, policy) if rule_id not in spared)
    spared = excepted - policy.never_at_all
    yield from (
        _Alarm(rule.rule_id, looks) for rule, looks in _value_alarms(name, column, policy) if rule.rule_id not in spared
    )
    if dates_before and not is_child:
        yield from (alarm for alarm in _birth_alarms(column, policy, dates_before) if alarm.rule_id not in spared)


def _child_alarms(column: Column, policy: Policy) -> Iterator[_Alarm]:
    rule_id, rule = policy.pseudonym
    if column.filled and column.share(rule["pattern"]) <= rule["share"]:
        yield _Alarm(rule_id)


def header_rules(name: str, policy: Policy) -> list[str]:
    """List the rules that a header breaks whatever stands below it."""
    spellings = _spellings(name)
    return [
        rule_id
        for rule_id, pattern in policy.headers.items()
        if any(re.search(pattern, spelling) for spelling in spellings)
    ]


def _spellings(name: str) -> set[str]:
    """A header in lower case letters and digits: whole, without what stands in brackets, without digits at the end."""
    plain = {_folded(name), _folded(re.sub(r"[(\[].*?[)\]]", "", name))}
    return (plain | {spelling.rstrip("0123456789") for spelling in plain}) - {""}


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())[:_LONGEST_HEADER_READ]


def _value_alarms(
    name: str, column: Column, policy: Policy, *, other_sheet: bool = False
) -> Iterator[tuple[_ValueRule, pl.DataFrame]]:
    if _holds_pseudonyms_only(column, policy):
        return
    for rule in policy.values:
        if other_sheet and not rule.spec.get("sheets", True):
            continue
        if rule.under and not any(re.search(rule.under, spelling) for spelling in _spellings(name)):
            continue
        looks = column.that_look_like(rule.shape)
        if looks.height and _is_alarm(looks, rule.spec, column.filled):
            yield rule, looks


def _holds_pseudonyms_only(column: Column, policy: Policy) -> bool:
    lengths = column.counted["length"]
    return bool((lengths == _PSEUDONYM_LENGTH).all()) and column.share(policy.pseudonym[1]["pattern"]) == 1


def _is_alarm(looks: pl.DataFrame, rule: Mapping[str, Any], filled: int) -> bool:
    many, different = int(looks["many"].sum()), looks.height
    if many < rule["at_least"]:
        return False
    if "check" in rule:
        share = share_that_pass(looks["cell"], CHECKS[rule["check"]])
        different = round(share * different)
    else:
        share = many / filled
    if share <= rule["share"] or different < rule.get("at_least_different", 1):
        return False
    return bool(
        different / many >= rule.get("different_share", 0) or different >= rule.get("different_enough", different + 1)
    )


def _birth_alarms(column: Column, policy: Policy, before: _Before) -> Iterator[_Alarm]:
    rule_id, rule = policy.births
    dates = column.years()
    year = median_year(dates)
    many = int(dates["many"].sum())
    if many >= rule["at_least"] and many / column.filled > rule["share"] and year is not None:
        if before.year is None or year <= before.year - rule["years_before"]:
            yield _Alarm(rule_id, dates)
        return
    rule_id, rule = policy.serials
    serials = column.serial_years()
    if before.year is not None and _are_births(serials, rule, column, before.year):
        yield _Alarm(rule_id, serials)


def _are_births(serials: pl.DataFrame, rule: Mapping[str, Any], column: Column, year: float) -> bool:
    """Tell whether day numbers are dates of birth, and not five-digit ids."""
    many = int(serials["many"].sum())
    if many < rule["at_least"] or many / column.filled <= rule["share"]:
        return False
    of_an_age = serials.filter(pl.col("year").is_between(year - rule["oldest"], year + 1))
    middle = median_year(serials)
    first, last = serials["year"].quantile(0.1), serials["year"].quantile(0.9)
    return (
        int(of_an_age["many"].sum()) / many >= rule["of_an_age"]
        and middle is not None
        and middle <= year + 1 - rule["years_before"]
        and (last or 0) - (first or 0) >= rule["years_apart"]
        and not column.only_rises()
    )
