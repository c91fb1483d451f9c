"""`mfh reference`: which population estimates there are, and adding a release of the Office for National Statistics.

How a file is read and checked is in `pipelines.reference`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import duckdb

from pipelines.commands.inputs import file_bytes
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.intake.read import UnreadableFileError
from pipelines.reference.population_file import (
    Estimates,
    Known,
    PopulationError,
    check_estimates,
    children,
    children_ages,
    population_contract,
    read_estimates,
)
from pipelines.reference.vintages import LICENCE, Vintage, digest, keep_vintage, read_vintages
from pipelines.region import load_region
from pipelines.warehouse.connection import connect, query_frame
from pipelines.warehouse.graph import build_table, tables_needed
from pipelines.warehouse.load import create_delivered_tables, load_populations, load_reference

_SOURCE = "Office for National Statistics, mid-year population estimates"
# How many mid-years the screen has room for; the series of ONS goes back to 2011.
_MOST_YEARS = 15
_VINTAGES = """
select
    mid_year,
    vintage,
    published,
    strftime(added_at, '%Y-%m-%dT%H:%M:%SZ') as added_at,
    source,
    licence,
    boroughs,
    is_used
from reference.population_vintage
order by mid_year, is_used desc, published desc, vintage
"""


def add_population(
    home: Home, file: Path, *, source: str, published: str, mid_year: int | None, accept_change: bool
) -> None:
    """Check a file and keep it as a vintage; or say in one sentence what is wrong, and keep nothing."""
    data = file_bytes(file)
    same = next((vintage for vintage in read_vintages(home) if vintage.sha256 == digest(data)), None)
    if same:
        click.echo(f"These bytes are vintage {same.vintage_id} already, added {same.added_at}; nothing was changed.")
        return
    region = load_region()
    with _populations(home) as before:
        try:
            estimates = read_estimates(file.name, data, region, mid_year)
            check_estimates(estimates, region, Known(_children_in_use(before)), accept_change=accept_change)
        except (PopulationError, UnreadableFileError) as error:
            msg = f"{file.name}: {error}"
            raise CommandError(msg) from error
        used = _used(before)
    vintage = _vintage(file.name, data, estimates, accept_change=accept_change)
    vintage = replace(vintage, source=source or _SOURCE, published=published or vintage.added_at[:10])
    vintage = replace(vintage, vintage_id=f"{vintage.published}-{vintage.sha256[:8]}")
    keep_vintage(home, vintage, estimates.rows, data)
    with _populations(home) as after:
        click.echo(_change(vintage, estimates, used, _used(after)))


def show_vintages(home: Home, *, as_json: bool) -> None:
    """List every vintage of each mid-year, and which of them rates use."""
    with _populations(home) as connection:
        rows = query_frame(connection, _VINTAGES).to_dicts()
    click.echo(json.dumps({"population": rows}, indent=1) if as_json else _grid(rows))


def _vintage(name: str, data: bytes, estimates: Estimates, *, accept_change: bool) -> Vintage:
    return Vintage(
        vintage_id="",
        sha256=digest(data),
        file_name=name,
        layout=estimates.layout,
        source="",
        published="",
        licence=LICENCE,
        added_at=datetime.now(UTC).replace(microsecond=0).isoformat(),
        mid_years=estimates.mid_years,
        sexes=estimates.sexes,
        contract_version=population_contract().version,
        accepted_change=accept_change,
    )


@contextmanager
def _populations(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the tables of populations in memory, as a run with every vintage there is would have them."""
    with connect(Path(":memory:"), read_only=False) as connection:
        create_delivered_tables(connection)
        load_reference(connection)
        load_populations(connection, home)
        for table in tables_needed(("reference.population",)):
            build_table(connection, table)
        yield connection


def _used(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Mid-year to the vintage in use."""
    return dict(
        connection.execute("select mid_year, vintage from reference.population_vintage where is_used").fetchall()
    )


def _children_in_use(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    """Number of children in use by area code and mid-year, of the ages whose change must be plausible."""
    first, last = children_ages()
    rows = connection.execute(
        "select area_code, mid_year, population from reference.population where age_band = $band",
        {"band": f"{first}-{last}"},
    ).fetchall()
    return {(area, year): number for area, year, number in rows}


def _change(
    vintage: Vintage,
    estimates: Estimates,
    before: Mapping[int, str],
    after: Mapping[int, str],
) -> str:
    """Say what was added and what it changes, on one screen."""
    added = children(estimates, *children_ages())
    told = f"{vintage.source}, layout {vintage.layout}, {_years(vintage.mid_years)}"
    lines = [f"Added vintage {vintage.vintage_id}: {told}, {len({area for area, _ in added})} boroughs."]
    changed = [year for year, name in after.items() if before.get(year) != name]
    for year in sorted(changed)[-_MOST_YEARS:]:
        total = sum(number for (_, mid_year), number in added.items() if mid_year == year)
        was = f"instead of {before[year]}" if year in before else "new"
        lines.append(f"  mid-{year}: used from the next run on ({was}); {total:,} children in the region.")
    if not changed:
        lines.append("  No mid-year uses it: a newer vintage holds each of them.")
    kept = [year for year, name in after.items() if name != vintage.vintage_id]
    if kept and changed:
        lines.append(f"  {_years(kept)} stay with earlier vintages; rates that cross from one to the other say so.")
    return "\n".join(lines)


def _years(years: Iterable[int]) -> str:
    ordered = sorted(years)
    return f"mid-{ordered[0]}" if len(ordered) == 1 else f"mid-{ordered[0]} to mid-{ordered[-1]}"


def _grid(rows: list[dict[str, Any]]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = io.StringIO()
    grid = Table("mid-year", "vintage", "used", "published", "added (UTC)", "source", title="Population estimates")
    for row in rows:
        added = row["added_at"] or "with the contracts"
        used = "yes" if row["is_used"] else "no"
        cells = [f"mid-{row['mid_year']}", row["vintage"], used, row["published"], added, row["source"] or ""]
        grid.add_row(*map(escape, cells))
    Console(file=out, width=200, highlight=False).print(grid)
    return out.getvalue().rstrip()
