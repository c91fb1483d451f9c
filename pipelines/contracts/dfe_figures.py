"""DfE's published figures of looked-after children who were missing or away, read from `reference/dfe_missing.csv`.

One row a year, area and indicator, with the value as printed, how it is rounded, where and when it was published and
the licence. Every row is checked, and figures that belong together must agree: a slip of the pen here would look like
a difference in somebody's data. How DfE rounds and hides is in `dfe_publication`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import NoReturn

import polars as pl

from pipelines.contracts.contract import ContractError
from pipelines.contracts.dfe_publication import (
    HIDDEN,
    LOCAL_AUTHORITY,
    DfeIndicator,
    DfePublication,
    load_dfe_publication,
)
from pipelines.home import CONTRACTS
from pipelines.region import load_region

_NAME = "reference/dfe_missing.csv"
_COLUMNS = ("year", "area_code", "indicator", "value", "rounded", "table", "edition", "published", "licence")
_LICENCE = "Open Government Licence v3.0"
# The first year for which DfE collected the module.
_FIRST_YEAR = 2015
_NUMBER = {"count": r"[0-9]+", "percentage": r"[0-9]{1,3}", "average": r"[0-9]+(\.[0-9])?"}
_ROUNDED = {"percentage": "whole per cent", "average": "1 decimal"}


@dataclass(frozen=True)
class DfeFigure:
    """One printed figure: a number as text, or a symbol; `meaning` is the same in today's symbols.

    `indicator` is DfE's wording.
    """

    year: int
    area_code: str
    indicator: str
    value: str
    meaning: str
    rounded: str
    table: str
    edition: str
    published: date
    licence: str
    line: int

    @property
    def is_number(self) -> bool:
        """Whether a number is printed and not a symbol."""
        return self.value[:1].isdigit()


@cache
def load_dfe_figures(contracts: Path = CONTRACTS) -> tuple[DfeFigure, ...]:
    """Read and check the file.

    Raises:
        ContractError: with the line and what is wrong with it.
    """
    return _Checked(contracts).figures


def dfe_figure_frame(contracts: Path = CONTRACTS) -> pl.DataFrame:
    """Make the rows of `reference.dfe_missing`: the file's columns, `meaning` and `indicator_id`."""
    ids = {one.wording: one.indicator_id for one in load_dfe_publication(contracts).indicators}
    rows = [
        (*(getattr(figure, name) for name in _COLUMNS), figure.meaning, ids[figure.indicator])
        for figure in load_dfe_figures(contracts)
    ]
    schema = {"year": pl.Int32, "published": pl.Date}
    columns = {name: schema.get(name, pl.String) for name in (*_COLUMNS, "meaning", "indicator_id")}
    return pl.DataFrame(rows, schema=columns, orient="row")


class _Checked:
    """The file against the rules, row by row and then row against row."""

    def __init__(self, contracts: Path) -> None:
        self._rules: DfePublication = load_dfe_publication(contracts)
        self._indicators = {one.wording: one for one in self._rules.indicators}
        self._levels = {area.code: area.level for area in self._rules.areas}
        self._levels |= dict.fromkeys((area.code for area in load_region(contracts).boroughs), LOCAL_AUTHORITY)
        self.figures = tuple(self._figure(line, row) for line, row in _rows(contracts / "reference/dfe_missing.csv"))
        self._refuse_doubles()
        self._refuse_disagreement()

    def _figure(self, line: int, row: Mapping[str, str]) -> DfeFigure:
        if row["indicator"] not in self._indicators:
            _fail(line, "indicator", "this is none of DfE's wordings; they stand in rules/dfe_publication.yaml")
        if row["area_code"] not in self._levels:
            _fail(line, "area_code", "this is neither a borough nor an area of rules/dfe_publication.yaml")
        if not re.fullmatch("[0-9]{4}", row["year"]) or int(row["year"]) < _FIRST_YEAR:
            _fail(line, "year", f"this must be the year in which a year to March ends, {_FIRST_YEAR} or later")
        if row["licence"] != _LICENCE:
            _fail(line, "licence", f"this must be {_LICENCE}")
        for name in ("table", "edition"):
            if not row[name].strip():
                _fail(line, name, "this must say where the figure was published")
        indicator, level = self._indicators[row["indicator"]], self._levels[row["area_code"]]
        symbols = self._rules.symbols_of(int(row["year"]))
        if row["value"] not in symbols:
            self._require_number(line, row["value"], indicator, level, symbols)
        if row["rounded"] != self._rounded(indicator, level):
            _fail(line, "rounded", f"for this figure and area this must be '{self._rounded(indicator, level)}'")
        texts = {name: row[name] for name in _COLUMNS if name not in {"year", "published"}}
        return DfeFigure(
            year=int(row["year"]),
            published=_day(line, row["published"]),
            line=line,
            meaning=symbols.get(row["value"], row["value"]),
            **texts,
        )

    def _rounded(self, indicator: DfeIndicator, level: str) -> str:
        base = self._rules.count_base[level]
        return _ROUNDED.get(indicator.form) or ("unrounded" if base == 1 else f"nearest {base}")

    def _require_number(
        self, line: int, value: str, indicator: DfeIndicator, level: str, symbols: Iterable[str]
    ) -> None:
        if not re.fullmatch(_NUMBER[indicator.form], value):
            _fail(line, "value", f"this must be a number as DfE prints it, or one of {', '.join(symbols)}")
        if indicator.form != "count":
            return
        count, base = int(value), self._rules.count_base[level]
        if count % base:
            _fail(line, "value", f"counts of this area are printed to the nearest {base}")
        if base == 1 and self._rules.printed_count(count) == HIDDEN:
            _fail(line, "value", f"DfE prints no count of {self._rules.hidden_from} to {self._rules.hidden_to}")

    def _refuse_doubles(self) -> None:
        seen: dict[tuple[int, str, str], int] = {}
        for figure in self.figures:
            first = seen.setdefault((figure.year, figure.area_code, figure.indicator), figure.line)
            if first != figure.line:
                _fail(figure.line, "indicator", f"line {first} has the same year, area and indicator")

    def _refuse_disagreement(self) -> None:
        by_area: dict[tuple[int, str], dict[tuple[str, str], DfeFigure]] = {}
        for figure in self.figures:
            indicator = self._indicators[figure.indicator]
            if indicator.form == "count" and figure.is_number:
                by_area.setdefault((figure.year, figure.area_code), {})[indicator.total, indicator.status] = figure
        for figure in self.figures:
            indicator = self._indicators[figure.indicator]
            counts = by_area.get((figure.year, figure.area_code), {})
            if indicator.form != "count" and figure.is_number:
                self._require_quotient(figure, indicator, counts)
        for counts in by_area.values():
            for status in ("M", "A"):
                _require_order(counts, status)

    def _require_quotient(
        self, figure: DfeFigure, indicator: DfeIndicator, counts: Mapping[tuple[str, str], DfeFigure]
    ) -> None:
        """A printed percentage or average must be one that the printed counts allow, as far as they are rounded."""
        above = counts.get((indicator.total, indicator.status))
        below = counts.get((indicator.per, indicator.status)) or counts.get((indicator.per, ""))
        if above is None or below is None or not int(below.value):
            return
        reach = self._rules.count_base[self._levels[figure.area_code]] // 2
        value, (least, most) = float(figure.value), self._possible(indicator, int(above.value), int(below.value), reach)
        if not least <= value <= most:
            _fail(figure.line, "value", f"this does not follow from lines {above.line} and {below.line}")

    def _possible(self, indicator: DfeIndicator, above: int, below: int, reach: int) -> tuple[float, float]:
        ends = ((max(above - reach, 0), below + reach), (above + reach, max(below - reach, 1)))
        printed = [self._rules.printed_share(indicator.form, *end) for end in ends]
        least, most = (float(text) if text[:1].isdigit() else 0.0 for text in printed)
        return least, most


def _require_order(counts: Mapping[tuple[str, str], DfeFigure], status: str) -> None:
    """More than once is at most once or more, which is at most the incidents and at most those looked after."""
    keys = (("children_repeat", status), ("children", status), ("incidents", status))
    pairs = [*((keys[0], key) for key in keys[1:]), (keys[1], keys[2]), (keys[1], ("looked_after", ""))]
    for smaller, larger in pairs:
        if smaller in counts and larger in counts and int(counts[smaller].value) > int(counts[larger].value):
            line = counts[larger].line
            _fail(counts[smaller].line, "value", f"this is more than line {line} allows, of which it is a part")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header: Sequence[str] = next(reader, [])
        if tuple(header) != _COLUMNS:
            msg = f"{_NAME}, line 1: the columns must be {', '.join(_COLUMNS)}."
            raise ContractError(msg)
        for cells in reader:
            if len(cells) != len(_COLUMNS):
                msg = f"{_NAME}, line {reader.line_num}: there must be {len(_COLUMNS)} cells."
                raise ContractError(msg)
            yield reader.line_num, dict(zip(_COLUMNS, cells, strict=True))


def _day(line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(line, "published", "this must be a day, such as 2024-11-14")


def _fail(line: int, column: str, problem: str) -> NoReturn:
    msg = f"{_NAME}, line {line}, {column}: {problem}."
    raise ContractError(msg)
