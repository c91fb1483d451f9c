"""`mfh pseudonymise`: write the delivery of a raw native extract."""

from __future__ import annotations

import io
from pathlib import Path

import click

from pipelines.commands.inputs import borough_named, source_named, table_in
from pipelines.errors import CommandError
from pipelines.intake.pseudonymise import PseudonymiseError, letters, pseudonymise, read_key
from pipelines.intake.store import write_bytes


def pseudonymise_file(path: Path, borough_slug: str, source_id: str, key_file: Path, out: Path) -> None:
    """Pseudonymise a file and say, in columns and counts, what was done."""
    borough = borough_named(borough_slug)
    table = table_in(path, borough)
    source = source_named(source_id, table, borough)
    if out.suffix.lower() != ".csv":
        msg = f"{out.name} must end in .csv; the delivery is written as CSV."
        raise CommandError(msg)
    try:
        made = pseudonymise(table, source, borough, read_key(key_file))
    except PseudonymiseError as error:
        raise CommandError(str(error)) from error
    buffer = io.BytesIO()
    made.cells.write_csv(buffer)
    write_bytes(out, buffer.getvalue())
    click.echo(f"{made.rows} rows written to {out}.")
    if made.left_out:
        click.echo(f"Left out: columns {letters(made.left_out, table)}.")
    if made.rows_without_age:
        click.echo(
            f"{made.rows_without_age} rows have no age, because a date of birth or a start is blank or unreadable."
        )
