"""From a raw native extract to a delivery: keyed pseudonym, date of birth to age, every other identifier left out.

Runs at the borough, with a key the pipeline never sees. Only columns that the layout maps come out, so a column
nobody thought of cannot slip through. The extract's own words (codes, dates) are kept: mapping happens at intake,
where it is versioned.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from pipelines.home import CONTRACTS
from pipelines.intake.examine import RefusedFileError, refuse_identifiers
from pipelines.intake.layout import Pseudonymise, Source
from pipelines.intake.read import Table
from pipelines.intake.typed import read_times
from pipelines.region import Area

_LEAST_KEY_BYTES = 32


class PseudonymiseError(Exception):
    """The extract or the key cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Pseudonymised:
    """The delivery's cells and what was done to get them, in columns and counts."""

    cells: pl.DataFrame
    left_out: tuple[str, ...]
    rows: int
    rows_without_age: int


def read_key(path: Path) -> bytes:
    """Read a key file: at least 64 hexadecimal characters (32 bytes).

    Raises:
        PseudonymiseError: missing, not hexadecimal or too short. The message never holds the key.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        msg = f"The key file {path} cannot be read; ask whoever holds the region's key."
        raise PseudonymiseError(msg) from error
    except ValueError as error:
        msg = f"The key file {path} does not hold hexadecimal text; it may be the wrong file."
        raise PseudonymiseError(msg) from error
    if len(key) < _LEAST_KEY_BYTES:
        msg = f"The key file {path} is too short; a key is {_LEAST_KEY_BYTES} bytes (64 hexadecimal characters)."
        raise PseudonymiseError(msg)
    return key


def pseudonym(identifier: str, key: bytes, borough: str, scope: str, numbers_of: str = "") -> str:
    """Return the 64-character pseudonym of an identifier.

    The message is separated by domain and, for identifiers that only the borough knows, by borough: the same number in
    two boroughs' systems is two children. So it is in the borough's own systems and in those of another body
    (`numbers_of`). White space and case are normalised first, or one child becomes two.
    """
    normal = (f"{numbers_of}:" if numbers_of else "") + re.sub(r"\s+", "", identifier).upper()
    holder = "region" if scope == "regional" else borough
    return hmac.new(key, f"mfh:child:v1|{holder}|{normal}".encode(), hashlib.sha256).hexdigest()


def pseudonymise(table: Table, source: Source, borough: Area, key: bytes, contracts: Path = CONTRACTS) -> Pseudonymised:
    """Turn a raw extract into the cells of a delivery.

    Every row comes out, including rows whose child or dates are blank or unreadable: intake decides about those.

    Raises:
        PseudonymiseError: the layout has no pseudonymisation, the extract lacks its child column, a row is ragged, or
            an identifier would remain in a column that is kept.
    """
    steps = _steps(source, table)
    header = table.header
    (child, *_) = source.cells_of(steps.child, header)
    births = source.first_cells(steps.birth_columns, header)
    starts = source.first_cells(steps.age_at, header)
    kept = [name for name in header if source.knows(name) and name not in births]
    cells = table.frame.with_columns(_pseudonyms(table.frame[child], key, borough, steps))
    if births and starts:
        born, started = (
            read_times(table.frame.select(pl.coalesce(names).alias("cell"))["cell"], source.reading)["value"].dt.date()
            for names in (births, starts)
        )
        cells = cells.with_columns(_age(born, started, steps.age_not_born).alias(steps.age_column))
        replaced = source.cells_of(steps.age_column, header)
        kept = [name for name in kept if name not in replaced]
        kept.insert(kept.index(child) + 1, steps.age_column)
    result = cells.select(kept)
    _refuse_what_remains(replace(table, frame=result, others=()), source, borough, contracts)
    return Pseudonymised(
        cells=result,
        left_out=tuple(name for name in table.header if name not in kept),
        rows=result.height,
        rows_without_age=result[steps.age_column].null_count() if steps.age_column in kept else result.height,
    )


def _steps(source: Source, table: Table) -> Pseudonymise:
    if source.pseudonymise is None:
        msg = f"The layout {source.id} is already pseudonymised; nothing to do."
        raise PseudonymiseError(msg)
    missing = source.lacking(table.header)
    if missing:
        msg = f"The file is not a {source.id} extract; it lacks the columns: {', '.join(missing)}."
        raise PseudonymiseError(msg)
    if table.ragged:
        rows = ", ".join(map(str, table.ragged[:20]))
        msg = f"Rows have more or fewer cells than the header, so values may stand in wrong columns: rows {rows}."
        raise PseudonymiseError(msg)
    return source.pseudonymise


def _pseudonyms(children: pl.Series, key: bytes, borough: Area, steps: Pseudonymise) -> pl.Series:
    unique = children.drop_nulls().unique()
    made = [pseudonym(identifier, key, borough.slug, steps.scope, steps.numbers_of) for identifier in unique]
    return children.replace_strict(unique, made, default=None, return_dtype=pl.String)


def _age(born: pl.Series, started: pl.Series, not_born: str | None) -> pl.Series:
    """Completed years at the start; blank where either date is unreadable or the birth is after the start.

    A layout may ask for a mark (`not_born`) where the birth is on or after the start.
    """
    had_birthday = _month_and_day(pl.col("start")) >= _month_and_day(pl.col("born"))
    years = pl.col("start").dt.year() - pl.col("born").dt.year() - (~had_birthday).cast(pl.Int32)
    age = pl.when(years >= 0).then(years).cast(pl.String)
    if not_born is not None:
        age = pl.when(pl.col("born") >= pl.col("start")).then(pl.lit(not_born)).otherwise(age)
    return pl.DataFrame({"born": born, "start": started}).select(age.alias("age")).to_series()


def _month_and_day(day: pl.Expr) -> pl.Expr:
    """A number that orders days within a year; polars keeps a month in 8 bits, which 100 times 12 does not fit."""
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day()


def _refuse_what_remains(kept: Table, source: Source, borough: Area, contracts: Path) -> None:
    try:
        refuse_identifiers(kept, source, borough, datetime.now(UTC).date(), contracts)
    except RefusedFileError as refused:
        names = ", ".join(f"{f.column_name} ({f.meaning})" for f in refused.columns)
        msg = f"A column that would be kept still carries direct identifiers: {names}. Take it out and try again."
        raise PseudonymiseError(msg) from refused


def letters(names: tuple[str, ...], table: Table) -> str:
    """Spreadsheet letters and names of columns, for the screen."""
    return ", ".join(f"{table.letter(name)} ({name})" for name in names)
