"""Reading what a person typed: a borough, a layout, a file, a home that has been run. Each error is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.intake.read import Table, UnreadableFileError, read_table
from pipelines.intake.sources import CANONICAL, Source, UnrecognisedFileError, load_sources, recognise
from pipelines.region import Area, load_region
from pipelines.warehouse.connection import connect


def borough_named(slug: str) -> Area:
    """Return the borough of a slug."""
    try:
        return load_region().borough(slug)
    except KeyError as error:
        raise CommandError(str(error.args[0])) from error


def file_bytes(path: Path) -> bytes:
    """Return the bytes of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read; check the name and its permissions."
        raise CommandError(msg) from error


def table_in(path: Path) -> Table:
    """Read a file as a table."""
    try:
        return read_table(path.name, file_bytes(path))
    except UnreadableFileError as error:
        raise CommandError(str(error)) from error


def source_named(source_id: str) -> Source:
    """Return a native layout by its id."""
    sources = load_sources()
    if source_id not in sources:
        msg = f"'{source_id}' is not a layout we know; choose one of: {', '.join(sources)}."
        raise CommandError(msg)
    return sources[source_id]


def source_of(table: Table) -> Source:
    """Return the layout that a header is recognised as."""
    try:
        return recognise(table.header)
    except UnrecognisedFileError as error:
        raise CommandError(str(error)) from error


def require_layout(table: Table, source_id: str) -> None:
    """Refuse a file whose header is another layout than the one the person named."""
    if source_id != CANONICAL:
        source_named(source_id)
    found = source_of(table)
    if found.id != source_id:
        msg = f"The header is the layout {found.id}, not {source_id}."
        raise CommandError(msg)


@contextmanager
def current_warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the snapshot of a home that has been run."""
    if not home.current_database.exists():
        msg = f"Nothing has been run in {home.root} yet; run `mfh run` first."
        raise CommandError(msg)
    with connect(home.current_database, read_only=True) as connection:
        yield connection
