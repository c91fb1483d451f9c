"""Parquet: plain columns to a table of text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TypeVar

import polars as pl

from pipelines.intake.reading.header import HeaderRow, checked_names, plain
from pipelines.intake.reading.pages import damaged, refuse_pages
from pipelines.intake.reading.sheet import number_text
from pipelines.intake.reading.table import Table, UnreadableFileError, finished, refuse_size

T = TypeVar("T")


def read_columnar(data: bytes) -> Table:
    """Read Parquet; its header is its schema, shown as row 1."""
    refuse_pages(data)
    schema = _opened(lambda: pl.scan_parquet(io.BytesIO(data)).collect_schema())
    names = checked_names(HeaderRow(1, [plain(name) for name in schema]))
    if len(names) != len(schema) or not names[0]:
        msg = "The Parquet file has a column without a name; name it or take it out."
        raise UnreadableFileError(msg)
    if any(kind.is_nested() or kind == pl.Object for kind in schema.dtypes()):
        raise damaged()
    frame = _opened(lambda: pl.read_parquet(io.BytesIO(data)))
    refuse_size(frame.height, frame.width)
    texts = _opened(lambda: frame.select(_text(name, kind) for name, kind in schema.items()))
    return finished(texts, names, pl.Series("row_number", range(2, texts.height + 2), dtype=pl.Int64))


def _opened(read: Callable[[], T]) -> T:
    try:
        return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
        # Without the cause, whose words may quote the contents.
        raise damaged() from None


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind.is_float():
        # A whole number with a blank beside it becomes a float in pandas; 14.0 is 14.
        numbers = column.cast(pl.Float64).fill_nan(None)
        return numbers.map_batches(_number_texts, return_dtype=pl.String)
    return column.cast(pl.String)


def _number_texts(numbers: pl.Series) -> pl.Series:
    texts = numbers.cast(pl.String).str.strip_suffix(".0")
    exponents = texts.filter(texts.str.contains("e", literal=True)).unique()
    if not len(exponents):
        return texts
    return texts.replace(exponents, pl.Series([number_text(float(text)) for text in exponents], dtype=pl.String))
