"""The cells of one sheet of a workbook, as text.

Belongs here: what the library's values - texts, numbers, dates - are as text. Does not: which sheet is read and where
its table is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any

import polars as pl

from pipelines.intake.reading.parts import damaged
from pipelines.intake.reading.screen import Outline
from pipelines.intake.reading.table import (
    MOST_CELL_CHARACTERS,
    MOST_ROWS,
    UnreadableFileError,
    refuse_size,
    refuse_text,
)

_ROWS_AT_ONCE = 5_000
# Above this a double no longer tells each whole number from the next.
_LONGEST_EXACT = 10**15
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

Texts = list[str | None]


@contextmanager
def as_damaged() -> Iterator[None]:
    """Turn whatever the library makes of a file into one sentence, since its own words may quote the contents."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except UnreadableFileError:
            raise
        except Exception:  # noqa: BLE001 - the library raises of every kind
            raise damaged() from None


@dataclass(frozen=True)
class Sheet:
    """A sheet of an opened workbook: its number, the library's object for it and what it holds."""

    number: int
    source: Any
    outline: Outline

    def first_rows(self, most: int) -> list[tuple[int, Sequence[str]]]:
        """Return the first rows that are not blank, each with its number and its cells from column A on."""
        with as_damaged():
            rows = ((number, [text or "" for text in texts]) for number, texts in self._rows(_Maker()))
            return list(islice((row for row in rows if any(map(str.strip, row[1]))), most))

    def cells(self, first_row: int = 1, most: int = MOST_ROWS) -> Cells:
        """Return the rows from one on that are not empty."""
        maker = _Maker()
        with as_damaged():
            rows = ((number, texts) for number, texts in self._rows(maker) if number >= first_row)
            return _framed(islice(rows, most), self._width, maker)

    @property
    def _width(self) -> int:
        from openpyxl.utils import column_index_from_string

        return int(column_index_from_string(self.outline.last_column)) if self.outline.last_column else 0

    def _rows(self, maker: _Maker) -> Iterator[tuple[int, Texts]]:
        if not self._width:
            return
        self.source.reset_dimensions()
        # No further than the last row, since the library fails over settings behind it that it does not know.
        rows = islice(self.source.iter_rows(max_col=self._width, values_only=True), self.outline.last_row)
        for number, values in enumerate(rows, start=1):
            if any(value is not None for value in values):
                yield number, maker.row(values)


@dataclass(frozen=True)
class Cells:
    """Rows of text with their numbers; `long_numbers` says that some numbers are rounded."""

    frame: pl.DataFrame
    rows: pl.Series
    long_numbers: bool


def _framed(rows: Iterator[tuple[int, Texts]], width: int, maker: _Maker) -> Cells:
    schema = {str(place): pl.String for place in range(width)}
    frames = [pl.DataFrame(schema=schema)]
    numbers: list[int] = []
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        numbers.extend(number for number, _ in some)
        refuse_size(len(numbers), width)
        frames.append(pl.DataFrame([texts for _, texts in some], schema=schema, orient="row"))
    return Cells(pl.concat(frames), pl.Series("row_number", numbers, dtype=pl.Int64), maker.long_numbers)


@dataclass
class _Maker:
    """Makes texts of the library's values."""

    long_numbers: bool = False
    _size: int = 0
    _of: dict[type, Callable[[Any], str]] = field(init=False)

    def __post_init__(self) -> None:
        self._of = {
            str: self._text,
            int: self._number,
            float: self._number,
            bool: lambda value: "true" if value else "false",
            datetime: _moment,
            date: date.isoformat,
            time: _time,
            timedelta: lambda value: number_text(value / timedelta(days=1)),
        }

    def row(self, values: Sequence[Any]) -> Texts:
        """Return the cells of a row as text."""
        of = self._of
        return [None if value is None else of[type(value)](value) for value in values]

    def _text(self, value: str) -> str:
        self._size += len(value)
        refuse_text(self._size)
        if len(value) > MOST_CELL_CHARACTERS:
            msg = f"A cell of the workbook holds more than {MOST_CELL_CHARACTERS:,} characters; take the text out."
            raise UnreadableFileError(msg)
        if "_x" not in value:
            return value
        from openpyxl.utils.escape import unescape

        return str(unescape(value)).translate(_SURROGATES)

    def _number(self, value: float) -> str:
        self.long_numbers |= abs(value) >= _LONGEST_EXACT
        return number_text(value)


def number_text(value: float) -> str:
    """Return a number as a spreadsheet with wide columns shows it: whole ones without a point, no exponents."""
    if not isfinite(value):
        raise damaged()
    text = str(value).removesuffix(".0")
    return f"{Decimal(text):f}" if "e" in text else text


def _moment(value: datetime) -> str:
    """Leave out a time of exactly midnight: a spreadsheet keeps a bare date as just that."""
    return f"{value.date()} {_time(value.time())}".removesuffix(" 00:00:00")


def _time(value: time) -> str:
    return value.isoformat(timespec="milliseconds").removesuffix(".000")
