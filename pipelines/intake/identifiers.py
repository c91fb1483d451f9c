"""Recognising direct identifiers, so that a file that carries them is refused before anything of it is kept.

Decides per column, by its header and by the shape of its cells; thresholds are data
(`data_contracts/rules/identifiers.yaml`, from disclosure.md section 8). Returns columns and rule ids, never a cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.home import CONTRACTS
from pipelines.intake.read import column_letter

_DATE = r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}$|^\d{4}-\d{2}-\d{2}"
_PSEUDONYM = r"^[0-9a-f]{64}$"
_SAMPLE = 2_000
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


@dataclass(frozen=True)
class IdentifierFinding:
    """A column that holds a direct identifier."""

    rule_id: str
    column_index: int
    column_name: str
    meaning: str

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return f"Column {column_letter(self.column_index)} ({self.column_name}) {self.meaning}"


@cache
def _policy(contracts: Path) -> dict[str, Any]:
    text = (contracts / "rules" / "identifiers.yaml").read_text(encoding="utf-8")
    policy: dict[str, Any] = yaml.safe_load(text)
    return policy


def find_identifiers(
    cells: pl.DataFrame,
    *,
    child_columns: Collection[str] = (),
    date_columns: Collection[str] = (),
    contracts: Path = CONTRACTS,
) -> list[IdentifierFinding]:
    """List the columns that hold direct identifiers, in header order, one finding a column.

    Args:
        cells: the delivered text, one column a header cell.
        child_columns: columns that must hold pseudonyms.
        date_columns: columns in which the layout declares dates.
        contracts: folder of the policy.
    """
    policy = _policy(contracts)
    episode_year = _median_year(cells, [name for name in cells.columns if name in date_columns])
    counts = _count_shapes(cells, _patterns(policy))
    found = []
    for index, name in enumerate(cells.columns):
        column = _Column(cells[name], counts[index])
        rules = _child_rules(column, policy) if name in child_columns else _header_rules(name, policy)
        if name not in child_columns and name not in date_columns:
            rules = chain(rules, _value_rules(column, policy, episode_year))
        rule_id = next(rules, None)
        if rule_id:
            found.append(IdentifierFinding(rule_id, index, name, policy["messages"][rule_id]))
    return found


@dataclass(frozen=True)
class _Column:
    """A column and how many of its cells have each shape; the shape "" is "filled"."""

    cells: pl.Series
    shapes: dict[str, int]

    def share(self, pattern: str) -> float:
        return self.shapes[pattern] / max(1, self.shapes[""])

    def alarms(self, pattern: str, rule: dict[str, Any]) -> bool:
        return bool(self.shapes[pattern] >= rule["at_least"] and self.share(pattern) > rule["share"])


def _patterns(policy: dict[str, Any]) -> list[str]:
    values = [rule.get("pattern") or _DETECTORS[rule["detector"]][0] for rule in _all(policy, "values")]
    return [*values, *(rule["pattern"] for rule in _all(policy, "pseudonym")), _PSEUDONYM, _DATE]


def _all(policy: dict[str, Any], section: str) -> list[dict[str, Any]]:
    return list(policy[section].values())


def _count_shapes(cells: pl.DataFrame, patterns: list[str]) -> list[dict[str, int]]:
    """Count the cells of every column that match every pattern, in one pass over the table."""
    wanted = list(dict.fromkeys(patterns))
    counts = cells.select(
        expression.alias(f"{column}|{shape}")
        for column, name in enumerate(cells.columns)
        for shape, expression in enumerate(
            [pl.col(name).count(), *(pl.col(name).str.contains(pattern).sum() for pattern in wanted)]
        )
    ).row(0)
    width = len(wanted) + 1
    rows = [counts[start : start + width] for start in range(0, len(counts), width)]
    return [dict(zip(["", *wanted], map(int, row), strict=True)) for row in rows]


def _child_rules(column: _Column, policy: dict[str, Any]) -> Iterator[str]:
    ((rule_id, rule),) = policy["pseudonym"].items()
    if column.shapes[""] and column.share(rule["pattern"]) <= rule["share"]:
        yield rule_id


def _header_rules(name: str, policy: dict[str, Any]) -> Iterator[str]:
    folded = re.sub(r"[^a-z0-9]", "", name.casefold())
    return (rule_id for rule_id, rule in policy["headers"].items() if re.search(rule["pattern"], folded))


def _value_rules(column: _Column, policy: dict[str, Any], episode_year: float | None) -> Iterator[str]:
    if not column.shapes[""] or column.share(_PSEUDONYM) == 1:
        return
    yield from (rule_id for rule_id, rule in policy["values"].items() if _alarmed(column, rule))
    ((rule_id, rule),) = policy["birth_dates"].items()
    if column.alarms(_DATE, rule):
        year = _median_year(column.cells.to_frame(), [column.cells.name])
        if episode_year is None or year is None or year <= episode_year - rule["years_before"]:
            yield rule_id


def _median_year(cells: pl.DataFrame, columns: list[str]) -> float | None:
    """Median of the four-digit years written in the columns."""
    years = [cells[name].str.extract(r"((?:19|20)\d{2})").cast(pl.Float64) for name in columns]
    median = pl.concat(years).median() if years else None
    return float(median) if isinstance(median, float) else None


def _alarmed(column: _Column, rule: dict[str, Any]) -> bool:
    if "pattern" in rule:
        return column.alarms(rule["pattern"], rule)
    candidates, is_valid = _DETECTORS[rule["detector"]]
    if not column.alarms(candidates, rule):
        return False
    sample = column.cells.filter(column.cells.str.contains(candidates)).unique().sort().head(_SAMPLE)
    return bool(sum(map(is_valid, sample)) / sample.len() > rule["share"])


def _is_nhs_number(text: str) -> bool:
    from stdnum.gb import nhs

    return bool(nhs.is_valid(text))


def _is_upn(text: str) -> bool:
    """Check letter only: the list of authorities in stdnum is older than several authorities of today."""
    digits = text[1:]
    if not digits.isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(2, 14), strict=True))
    return _UPN_LETTERS[total % 23] == text[0].upper()


_DETECTORS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "nhs_number": (r"^\d{3}[ -]?\d{3}[ -]?\d{4}$", _is_nhs_number),
    "upn": (r"^[A-Za-z]\d{12}$", _is_upn),
}
