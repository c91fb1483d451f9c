"""How the cells of one column look: counts by shape, check digits, years.

Answers questions about a column for `identifiers`, which decides. Works on the different cells of a column and how
often each stands there, so that a column of a few codes costs next to nothing. No threshold is known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from stdnum.gb import nhs, upn

_SAMPLE = 2_000
_NO_LIMIT = 1 << 40
_PSEUDONYM_LENGTH = 64
_NO_CELLS = pl.DataFrame(schema={"cell": pl.String, "many": pl.UInt32, "length": pl.UInt32})
_NO_YEARS = pl.DataFrame(schema={"cell": pl.String, "year": pl.Float64, "many": pl.UInt32})
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY_MONTH = r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])"
_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
# The year is what stands in the group. A whole number of eight digits is a date only where month and day fit.
_DATES = (
    r"^\s*((?:19|20)\d{2})[-/.]\d{1,2}[-/.]\d{1,2}(?:\D|$)",
    r"^\s*\d{1,2}[-/. ]\d{1,2}[-/. ](\d{4}|\d{2})(?:\D|$)",
    rf"^(?i)\s*(?:[a-z]{{3,9}},?\s+)?\d{{1,2}}(?:st|nd|rd|th)?[-/.\s]*{_MONTH}[-/.,\s]*(\d{{4}}|\d{{2}})(?:\D|$)",
    rf"^(?i)\s*{_MONTH}\s*\d{{1,2}}(?:st|nd|rd|th)?[\s,]+(\d{{4}})(?:\D|$)",
    rf"^\s*((?:19|20)\d{{2}}){_MONTH_DAY}(?:[T ]?\d{{4}}(?:\d{{2}})?)?(?:\.0)?\s*$",
    rf"^\s*{_DAY_MONTH}((?:19|20)\d{{2}})(?:\.0)?\s*$",
)
_LAST_TWO_DIGIT_YEAR = 40  # 12/03/40 is read as 2040, 12/03/41 as 1941
# Excel counts days from 1899-12-30; whole numbers of five digits are 1927 to 2173.
_SERIAL = r"^\s*\d{5}(?:\.\d+)?\s*$"
_SERIAL_ZERO_YEAR = 1899 + 364 / 365.2425
_DAYS_A_YEAR = 365.2425
_SHORTEST_DATE, _LONGEST_DATE = 5, 40
# Cheap to ask before the patterns above: a date starts with a number or with a word before one.
_DATE_STARTS = r"^\s*(?:\d|[A-Za-z]{3,9}[,.]?\s*\d)"


@dataclass(frozen=True)
class Shape:
    """What a cell that looks like something looks like, compiled from a rule of the policy."""

    pattern: str
    shortest: int
    longest: int | None
    besides: str | None
    without_words: str | None
    codes_do_not_count: bool


def shape_of(rule: dict[str, Any], label_words: Collection[str]) -> Shape:
    """Compile a value rule's pattern."""
    shortest, longest = rule["length"]
    pattern = rule["pattern"] if rule.get("anywhere") else rf"^\s*(?:{rule['pattern']})\s*$"
    words = "|".join(re.escape(word) for word in sorted(label_words))
    return Shape(
        pattern=f"(?i){pattern}",
        shortest=shortest,
        longest=longest,
        besides=f"(?i){rule['except']}" if "except" in rule else None,
        without_words=rf"(?i)(?:^|[^\p{{L}}'])(?:{words})(?:[^\p{{L}}']|$)" if rule.get("labels") else None,
        codes_do_not_count=bool(rule.get("codes")),
    )


@dataclass(frozen=True)
class Column:
    """The different filled cells of a column (`cell`), how often each occurs (`many`) and its bytes (`length`).

    `possible` holds the patterns that a first look at the whole table found in the column; None before such a look.
    """

    cells: pl.Series
    counted: pl.DataFrame
    codes: Collection[str] = ()
    possible: frozenset[str] | None = None

    @cached_property
    def filled(self) -> int:
        """How many cells are filled."""
        return int(self.counted["many"].sum())

    def that_look_like(self, shape: Shape) -> pl.DataFrame:
        """Different cells of a shape, with `many`."""
        if not self._may_hold(shape.pattern):
            return _NO_CELLS
        found = self.counted.filter(pl.col("length").is_between(shape.shortest, shape.longest or _NO_LIMIT))
        if found.height:
            found = found.filter(pl.col("cell").str.contains(shape.pattern))
        if found.height and shape.besides:
            found = found.filter(~pl.col("cell").str.contains(shape.besides))
        if found.height and shape.without_words:
            found = found.filter(~pl.col("cell").str.contains(shape.without_words))
        if found.height and shape.codes_do_not_count and self.codes:
            found = found.filter(~_is_known(pl.col("cell"), self.codes))
        return found

    def share(self, pattern: str) -> float:
        """Share of the filled cells that match."""
        found = self.counted.filter(pl.col("cell").str.contains(pattern))
        return float(found["many"].sum()) / max(1, self.filled)

    def years(self) -> pl.DataFrame:
        """Different cells that are dates: `cell`, `year` and `many`."""
        return years_among([self.counted]) if self._may_hold(_DATE_STARTS) else _NO_YEARS

    def serial_years(self) -> pl.DataFrame:
        """Different cells that can be Excel's day numbers: `cell`, `year` with its fraction, and `many`."""
        if not self._may_hold(_SERIAL):
            return _NO_YEARS
        return self.counted.select("cell", _serial_year().alias("year"), "many").drop_nulls("year")

    def _may_hold(self, pattern: str) -> bool:
        return self.possible is None or pattern in self.possible

    def only_rises(self) -> bool:
        """Tell whether the filled cells, read as numbers, rise from row to row."""
        numbers = self.cells.drop_nulls().cast(pl.Float64, strict=False)
        return bool((numbers.diff().drop_nulls() > 0).all())


def columns_of(
    cells: pl.DataFrame, shapes: Iterable[Shape], codes: Mapping[str, Collection[str]] | None = None
) -> dict[str, Column]:
    """Count the different cells of every column, and look once for every shape and for dates in all of them together.

    A question a column costs much more than one question about all. A column of nothing but 64-character cells is left
    to be asked: those are pseudonyms, and many.
    """
    texts = cells.select(pl.nth(place).cast(pl.String).alias(str(place)) for place in range(cells.width))
    long = texts.unpivot(variable_name="place", value_name="cell").drop_nulls("cell")
    counted = long.group_by("place", "cell").agg(pl.len().alias("many"))
    counted = counted.with_columns(length=pl.col("cell").str.len_bytes())
    possible = _first_look(counted, shapes)
    parts = counted.partition_by("place", as_dict=True, include_key=False)
    return {
        name: Column(
            cells[name].cast(pl.String).alias("cell"),
            parts.get((str(place),), _NO_CELLS),
            (codes or {}).get(name, ()),
            possible.get(str(place)),
        )
        for place, name in enumerate(cells.columns)
    }


def _first_look(counted: pl.DataFrame, shapes: Iterable[Shape]) -> dict[str, frozenset[str]]:
    """Patterns that cells of each column match; no entry for a column of pseudonyms."""
    others = counted.filter((pl.col("length") != _PSEUDONYM_LENGTH).any().over("place"))
    windows = {shape.pattern: (shape.shortest, shape.longest or _NO_LIMIT) for shape in shapes}
    windows |= {_DATE_STARTS: (_SHORTEST_DATE, _LONGEST_DATE), _SERIAL: (_SHORTEST_DATE, _LONGEST_DATE)}
    found = (
        others.select("place", *(_in_window(*window, pattern) for pattern, window in windows.items()))
        .group_by("place")
        .agg(pl.all().any())
    )
    return {
        place: frozenset(pattern for pattern, seen in zip(windows, flags, strict=True) if seen)
        for place, *flags in found.iter_rows()
    }


def years_among(counted: Sequence[pl.DataFrame], *, with_serials: bool = False) -> pl.DataFrame:
    """Different cells of columns that are dates: `cell`, `year` (fractions only from Excel's day numbers), `many`."""
    if not counted:
        return _NO_YEARS
    dates = pl.concat(counted).filter(
        pl.col("length").is_between(_SHORTEST_DATE, _LONGEST_DATE), pl.col("cell").str.contains(_DATE_STARTS)
    )
    written = pl.coalesce(pl.col("cell").str.extract(pattern) for pattern in _DATES)
    year = _whole_year(written.cast(pl.Float64))
    if with_serials:
        year = pl.coalesce(year, _serial_year())
    return dates.select("cell", year.alias("year"), "many").drop_nulls("year")


def _in_window(shortest: int, longest: int, pattern: str) -> pl.Expr:
    """Whether a cell of some length matches; the pattern is not asked of cells of another length."""
    text = pl.when(pl.col("length").is_between(shortest, longest)).then("cell")
    return text.str.contains(pattern).alias(pattern)


def _whole_year(year: pl.Expr) -> pl.Expr:
    century = pl.when(year <= _LAST_TWO_DIGIT_YEAR).then(2000).otherwise(1900)
    return pl.when(year < 100).then(year + century).otherwise(year)  # noqa: PLR2004 - a year written in two digits


def _serial_year() -> pl.Expr:
    days = pl.when(pl.col("cell").str.contains(_SERIAL)).then(pl.col("cell")).str.strip_chars().cast(pl.Float64)
    return days / _DAYS_A_YEAR + _SERIAL_ZERO_YEAR


def _is_known(cell: pl.Expr, codes: Collection[str]) -> pl.Expr:
    """Tell whether a cell is a known code, or a list of known codes."""
    known = [code.casefold() for code in codes]
    parts = cell.str.to_lowercase().str.replace_all(r"\s*[;|,]\s*", ";").str.strip_chars().str.split(";")
    listed = parts.list.eval(pl.element().is_in(known)).list.all()
    return listed | cell.str.to_lowercase().str.strip_chars().is_in(known)


def median_year(dates: pl.DataFrame) -> float | None:
    """Year in the middle of all cells, each counted as often as it occurs."""
    if not dates.height:
        return None
    ordered = dates.sort("year").with_columns(below=pl.col("many").cum_sum())
    return float(ordered.filter(pl.col("below") * 2 >= pl.col("many").sum())["year"][0])


def share_that_pass(cells: pl.Series, passes: Callable[[str], bool]) -> float:
    """Share of different cells that pass a check digit; of many, an even sample in their order as text."""
    ordered = cells.sort()
    sample = ordered.gather_every(max(1, ordered.len() // _SAMPLE))
    return sum(map(passes, sample)) / sample.len()


def _is_nhs_number(text: str) -> bool:
    return bool(nhs.is_valid(re.sub(r"\D", "", text.strip().removesuffix(".0"))))


def _is_upn(text: str) -> bool:
    """Check letter only: the list of authorities in stdnum is older than several authorities of today."""
    number = text.strip().upper()
    return bool(upn.calc_check_digit(number[1:]) == number[0])


CHECKS: dict[str, Callable[[str], bool]] = {"nhs_number": _is_nhs_number, "upn": _is_upn}
