"""Applying a layout: source cells to canonical text columns, and what is kept beside them of the raw cells.

Text to text: dates and numbers are parsed in `typed`, values judged in `judge`. A row's year, which decides among
yearly differences, is that of its own start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import polars as pl

from pipelines.intake.layout import ColumnMap, Part, Source, Years
from pipelines.intake.layout_files import BOROUGH
from pipelines.intake.typed import read_times

TRAPPED_SCHEMA: dict[str, pl.DataType] = {
    "row_number": pl.Int64(),
    "column_name": pl.String(),
    "raw_value": pl.String(),
    "mapped_value": pl.String(),
    "note_id": pl.String(),
}
# Names beside those of cells; no header cell has a line break.
_YEAR, _MAPPED = "year\nto March", "mapped\ncolumns"
_MIDNIGHT = r"[T ]0?0:00(?::00(?:\.0+)?)?$"
_FIRST_MONTH = 4
_DIGEST_BYTES = 12


def map_part(source: Source, part: Part, cells: pl.DataFrame, borough_code: str) -> pl.DataFrame:
    """Map cells to the canonical text columns of one dataset.

    Args:
        source: the layout, whose yearly differences and row filter apply.
        part: the dataset and how its columns are filled.
        cells: source cells as text, one column a header cell, plus `row_number`.
        borough_code: ONS code of the sender, for the mapping's `@borough`.

    Returns:
        `row_number`, `source_version` and one text column per mapped canonical column. A code that the mapping does not
        know is kept as it came, so that the contract's rule on codes reports it.
    """
    cells = _rows_of(source, part, cells)
    mapping = _Mapping(source, cells.columns, borough_code)
    if source.old_codes:
        cells = cells.with_columns(start_years(source, cells).alias(_YEAR))
    mapped = [mapping.column(name, column).alias(name) for name, column in part.columns.items()]
    return cells.select("row_number", mapping.version().alias("source_version"), *mapped)


def set_aside(source: Source, cells: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are no episodes by the layout's rule: `row_number`, and `column` as the header names it."""
    where = source.rows_kept
    header = source.cells_of(where.column, cells.columns) if where else []
    kept = _is_episode(source, cells.columns)
    return cells.filter(~kept).select("row_number", pl.lit(header[0] if header else "").alias("column"))


def trapped_values(source: Source, part: Part, cells: pl.DataFrame, mapped: pl.DataFrame) -> pl.DataFrame:
    """Return what a mapping with a known trap made of a cell, beside the cell (`TRAPPED_SCHEMA`).

    Args:
        source: the layout.
        part: one dataset of it.
        cells: the source cells, as given to `map_part`.
        mapped: what `map_part` made of them.
    """
    mapping = _Mapping(source, cells.columns, "")
    traps: list[tuple[str, pl.Expr, pl.Expr, str | None]] = [
        (name, mapping.raw(column), pl.col(_MAPPED).struct[name], column.note_id)
        for name, column in part.columns.items()
        if column.note_id
    ]
    for name in part.temporal if source.midnight_note_id else ():
        if part.is_read(name):
            raw = mapping.raw(part.columns[name])
            midnight = pl.when(raw.str.contains(_MIDNIGHT)).then(raw)
            traps.append((name, midnight, midnight.str.replace(_MIDNIGHT, ""), source.midnight_note_id))
    if not traps:
        return pl.DataFrame(schema=TRAPPED_SCHEMA)
    made = mapped.select("row_number", pl.struct(pl.exclude("row_number")).alias(_MAPPED))
    rows = cells.join(made, on="row_number", how="inner", maintain_order="left")
    frames = [
        rows.select(
            pl.col("row_number").cast(pl.Int64),
            pl.lit(name).alias("column_name"),
            raw.alias("raw_value"),
            value.alias("mapped_value"),
            pl.lit(note_id).alias("note_id"),
        ).filter(pl.col("raw_value").is_not_null() | pl.col("mapped_value").is_not_null())
        for name, raw, value, note_id in traps
    ]
    return pl.concat(frames)


def old_name_sentences(source: Source, cells: pl.DataFrame, letter_of: Callable[[str], str]) -> list[str]:
    """Say where a file uses a column's old name and has rows of years in which the column was not called that."""
    in_use = source.old_names_in(cells.columns)
    years = pl.DataFrame({_YEAR: start_years(source, cells)}) if in_use else pl.DataFrame()
    others = [years.filter(~_covers(old.years)).height for old, _ in in_use]
    return [
        f"Column {letter_of(cell)} has the name that {old.column} had in {old.years.words}, but {_elsewhere(rows)}; "
        "check that the extract is the one you meant to send."
        for (old, cell), rows in zip(in_use, others, strict=True)
        if rows
    ]


def _elsewhere(rows: int) -> str:
    return "1 row starts in another year" if rows == 1 else f"{rows} rows start in other years"


def start_years(source: Source, cells: pl.DataFrame) -> pl.Series:
    """Return the year to March in which each row starts; null where its start is blank or no date."""
    started = _Mapping(source, cells.columns, "").raw(source.main.columns["started_at"])
    start = read_times(cells.select(started.alias("start"))["start"], source.reading)["value"]
    return start.dt.year() + (start.dt.month() >= _FIRST_MONTH).cast(pl.Int32)


class _Mapping:
    """The expressions of a layout over one file's header."""

    def __init__(self, source: Source, header: list[str], borough_code: str) -> None:
        self._source, self._header, self._borough_code = source, header, borough_code

    def raw(self, column: ColumnMap) -> pl.Expr:
        """The first filled cell of those that fill the column."""
        cells = self._source.first_cells(column.sources, self._header)
        return pl.coalesce(cells) if cells else pl.lit(None, dtype=pl.String)

    def cell(self, name: str) -> pl.Expr:
        return self.raw(ColumnMap(sources=(name,)))

    def column(self, name: str, column: ColumnMap) -> pl.Expr:
        if column.constant is not None:
            return self._constant(column.constant)
        if column.derived_from:
            return _derived_identifier([self.cell(cell) for cell in column.derived_from], column.prefix)
        value = self._coded(name, column)
        if column.when is not None:
            other, accepted = column.when
            value = pl.when(self.cell(other).str.to_lowercase().is_in(list(accepted))).then(value)
        if column.prefix:
            value = pl.lit(column.prefix + "-") + value
        return value.fill_null(self._constant(column.otherwise)) if column.otherwise is not None else value

    def version(self) -> pl.Expr:
        """The mapping's version, with the years whose differences were applied to the row."""
        used = dict.fromkeys(str(old.years) for old, _ in self._source.old_names_in(self._header))
        version = self._source.version + "".join(f"+{years}" for years in used)
        marks = [
            pl.when(_covers(old.years)).then(pl.lit(f"+{old.years}")).otherwise(pl.lit(""))
            for old in self._source.old_codes
            if str(old.years) not in used
        ]
        return pl.concat_str(pl.lit(version), *marks) if marks else pl.lit(version)

    def _coded(self, name: str, column: ColumnMap) -> pl.Expr:
        value = _looked_up(self.raw(column), column.codes, column.filled)
        for old in self._source.old_codes:
            if name in old.codes:
                codes = {**(column.codes or {}), **old.codes[name]}
                value = (
                    pl.when(_covers(old.years))
                    .then(_looked_up(self.raw(column), codes, column.filled))
                    .otherwise(value)
                )
        return value

    def _constant(self, text: str) -> pl.Expr:
        return pl.lit(self._borough_code if text == BOROUGH else text)


def _looked_up(raw: pl.Expr, codes: Mapping[str, str | None] | None, filled: str | None) -> pl.Expr:
    otherwise = raw if filled is None else pl.when(raw.is_not_null()).then(pl.lit(filled))
    if codes is None:
        return otherwise
    key = raw.fill_null("").str.to_lowercase()
    return key.replace_strict(dict(codes), default=otherwise, return_dtype=pl.String)


def _covers(years: Years) -> pl.Expr:
    year = pl.col(_YEAR)
    return year.is_between(years.first, years.last) if years.last is not None else year >= years.first


def _rows_of(source: Source, part: Part, cells: pl.DataFrame) -> pl.DataFrame:
    cells = cells.filter(_is_episode(source, cells.columns))
    if part.where_any_filled:
        asked = source.first_cells(part.where_any_filled, cells.columns)
        cells = cells.filter(pl.any_horizontal(pl.col(asked).is_not_null()) if asked else pl.lit(value=False))
    return cells


def _is_episode(source: Source, header: list[str]) -> pl.Expr:
    where = source.rows_kept
    if where is None:
        return pl.lit(value=True)
    asked = source.cells_of(where.column, header)
    return pl.coalesce(asked).fill_null("").str.to_lowercase().is_in(list(where.accepted))


def _derived_identifier(cells: list[pl.Expr], prefix: str) -> pl.Expr:
    """Identify a row by a digest of its own cells, with a running number where several rows share them."""
    joined = pl.concat_str([cell.fill_null("").str.to_uppercase() for cell in cells], separator="|")
    return pl.lit(prefix + "-") + joined.map_batches(_numbered_digests, return_dtype=pl.String)


def _numbered_digests(texts: pl.Series) -> pl.Series:
    """Digest each text; the second and later rows of a text carry their number."""
    sha256 = hashlib.sha256
    digests = pl.Series([sha256(text.encode()).digest()[:_DIGEST_BYTES] for text in texts], dtype=pl.Binary)
    frame = pl.DataFrame({"digest": digests.bin.encode("hex")}).with_row_index("row")
    shared = frame.filter(pl.col("digest").is_duplicated())
    number = pl.int_range(1, pl.len() + 1).over("digest")
    later = shared.with_columns(number.alias("number")).filter(pl.col("number") > 1)
    suffix = pl.lit("-") + pl.col("number").cast(pl.String)
    return (
        frame.join(later.select("row", suffix.alias("suffix")), on="row", how="left", maintain_order="left")
        .select(pl.col("digest") + pl.col("suffix").fill_null(""))
        .to_series()
    )
