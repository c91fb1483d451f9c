"""Reading what a person typed: a borough, a layout, a file, a home that has been run. Each error is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import CommandError
from pipelines.home import CONTRACTS, Home
from pipelines.intake.examine import opened
from pipelines.intake.layout import CANONICAL, Source
from pipelines.intake.read import Table, UnreadableFileError
from pipelines.intake.sources import UnrecognisedFileError, layout_named, recognise
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


def table_in(path: Path, borough: Area) -> Table:
    """Read a file as a table."""
    try:
        return opened(path.name, file_bytes(path), borough)
    except UnreadableFileError as error:
        raise CommandError(str(error)) from error


def source_named(source_id: str, table: Table, borough: Area) -> Source:
    """Return a native layout by its id; of its variants the one that the table's header fits."""
    try:
        return layout_named(source_id, table.header, CONTRACTS, borough.slug)
    except UnrecognisedFileError as error:
        raise CommandError(str(error)) from error


def source_of(table: Table, borough: Area) -> Source:
    """Return the layout that a header is recognised as, in the borough's own wording."""
    try:
        return recognise(table.header, CONTRACTS, borough.slug)
    except UnrecognisedFileError as error:
        raise CommandError(str(error)) from error


def require_layout(table: Table, source_id: str, borough: Area) -> None:
    """Refuse a file whose header is another layout than the one the person named."""
    if source_id != CANONICAL:
        source_named(source_id, table, borough)
    found = source_of(table, borough)
    if source_id not in {found.id, found.name}:
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
