"""Recognising direct identifiers, so that a file that carries them is refused before anything of it is kept.

Decides per column, by its header and by the shape of its cells; thresholds are data (`data_contracts/rules/identifiers.yaml`,
from disclosure.md section 8). Returns columns and rule ids, never a cell.
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
    found = []
    for index, name in enumerate(cells.columns):
        rules = _child_rules(cells[name], policy) if name in child_columns else _header_rules(name, policy)
        if name not in child_columns and name not in date_columns:
            rules = chain(rules, _value_rules(cells[name], policy, episode_year))
        rule_id = next(rules, None)
        if rule_id:
            found.append(IdentifierFinding(rule_id, index, name, policy["messages"][rule_id]))
    return found


def _child_rules(column: pl.Series, policy: dict[str, Any]) -> Iterator[str]:
    filled = column.drop_nulls()
    ((rule_id, rule),) = policy["pseudonym"].items()
    if filled.len() and _share(filled.str.contains(rule["pattern"])) <= rule["share"]:
        yield rule_id


def _header_rules(name: str, policy: dict[str, Any]) -> Iterator[str]:
    folded = re.sub(r"[^a-z0-9]", "", name.casefold())
    return (rule_id for rule_id, rule in policy["headers"].items() if re.search(rule["pattern"], folded))


def _value_rules(column: pl.Series, policy: dict[str, Any], episode_year: float | None) -> Iterator[str]:
    filled = column.drop_nulls()
    if not filled.len() or filled.str.contains(_PSEUDONYM).all():
        return
    yield from (rule_id for rule_id, rule in policy["values"].items() if _alarmed(filled, rule))
    ((rule_id, rule),) = policy["birth_dates"].items()
    dates = filled.filter(filled.str.contains(_DATE))
    if dates.len() < rule["at_least"] or dates.len() / filled.len() <= rule["share"]:
        return
    year = _median_year(dates.to_frame(), dates.to_frame().columns)
    if episode_year is None or year is None or year <= episode_year - rule["years_before"]:
        yield rule_id


def _median_year(cells: pl.DataFrame, columns: list[str]) -> float | None:
    """Median of the four-digit years written in the columns."""
    years = [cells[name].str.extract(r"((?:19|20)\d{2})").cast(pl.Float64) for name in columns]
    median = pl.concat(years).median() if years else None
    return float(median) if isinstance(median, float) else None


def _alarmed(filled: pl.Series, rule: dict[str, Any]) -> bool:
    if "pattern" in rule:
        matches = filled.str.contains(rule["pattern"])
        return int(matches.sum()) >= rule["at_least"] and _share(matches) > rule["share"]
    candidates, is_valid = _DETECTORS[rule["detector"]]
    shaped = filled.filter(filled.str.contains(candidates))
    if shaped.len() < rule["at_least"]:
        return False
    sample = shaped.unique().sort().head(_SAMPLE)
    valid = sum(map(is_valid, sample)) / sample.len()
    return valid > rule["share"] and shaped.len() / filled.len() > rule["share"]


def _share(matches: pl.Series) -> float:
    return float(matches.sum()) / matches.len()


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
