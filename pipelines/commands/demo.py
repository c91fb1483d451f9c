"""`mfh demo`: synthetic deliveries in landing, and what was planted in them outside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from pipelines.errors import CommandError
from pipelines.home import CONTRACTS


def write_demo(out: Path, first: date, last: date, *, seed: int, scale: float, links: Path | None) -> None:
    """Write the deliveries and say what they are."""
    from pipelines.synthetic.demonstration import write_demonstration

    if last < first:
        msg = f"--to {last:%Y-%m} is before --from {first:%Y-%m}."
        raise CommandError(msg)
    if scale <= 0:
        raise CommandError("--scale must be above 0.")
    try:
        made = write_demonstration(
            out, first_month=first, last_month=last, seed=seed, scale=scale, contracts=CONTRACTS, links=links
        )
    except FileExistsError as error:
        msg = f"{error}; nothing was written. Name another file with --links, or another folder with --out."
        raise CommandError(msg) from error
    rows = sum(count for _, count in made.files)
    click.echo(
        f"{len(made.files)} synthetic deliveries with {rows} rows in {out}; what was planted is in {made.truth}, "
        f"which pseudonyms are one child in {made.links}."
    )
