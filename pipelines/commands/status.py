"""`mfh status`: the grid of boroughs and months, the account of rows, and every refused file with its sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from pipelines.commands.inputs import current_warehouse
from pipelines.home import Home
from pipelines.warehouse.connection import query_frame
from pipelines.warehouse.grid import grid_at

_MONTHS_SHOWN = 12
_COUNTS = {
    "files": "files",
    "rows_read": "read",
    "rows_accepted": "accepted",
    "rows_quarantined": "quarantined",
    "rows_duplicate": "duplicates",
    "rows_live": "count now",
    "rows_superseded": "superseded",
    "rows_past_retention": "past retention",
    "withdrawn": "files withdrawn",
}
_MARKS = {
    "received": "received",
    "late": "LATE",
    "failed": "FAILED",
    "quarantined": "QUARANTINED",
    "not due": "not due",
}


def show_status(home: Home, *, as_json: bool) -> int:
    """Print the grid.

    Returns:
        0 where every month that is due was received and no file was refused, else 1.
    """
    with current_warehouse(home) as connection:
        months = grid_at(connection, datetime.now(UTC).replace(tzinfo=None)).to_dicts()
        deliveries = query_frame(
            connection,
            "select borough, count(*) as files, sum(rows_read)::bigint as rows_read, "
            "sum(rows_accepted)::bigint as rows_accepted, sum(rows_quarantined)::bigint as rows_quarantined, "
            "sum(rows_duplicate)::bigint as rows_duplicate, sum(rows_live)::bigint as rows_live, "
            "sum(rows_superseded)::bigint as rows_superseded, "
            "sum(rows_past_retention)::bigint as rows_past_retention, "
            "count_if(status = 'withdrawn')::bigint as withdrawn "
            "from intake.delivery group by borough order by borough",
        ).to_dicts()
        refused = query_frame(
            connection,
            "select borough, file_name, reason from intake.delivery where status = 'rejected' "
            "order by borough, file_name",
        ).to_dicts()
    report = {"months": months, "deliveries": deliveries, "refused": refused}
    click.echo(json.dumps(report, indent=1) if as_json else _for_people(report))
    return int(bool(refused) or any(m["status"] not in {"received", "not due"} for m in months))


def _for_people(report: dict[str, list[dict[str, Any]]]) -> str:
    import io

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = io.StringIO()
    console = Console(file=out, width=160, highlight=False)
    months = sorted({m["month"] for m in report["months"]})[-_MONTHS_SHOWN:]
    cells = {(m["borough"], m["month"]): m for m in report["months"]}
    grid = Table("borough", *months, title="Episodes accepted by month of start")
    for borough in sorted({m["borough"] for m in report["months"]}):
        grid.add_row(borough, *(_cell(cells[borough, month]) for month in months))
    rows = Table("borough", *_COUNTS.values(), title="Rows of all deliveries")
    for d in report["deliveries"]:
        rows.add_row(d["borough"], *(str(d[name]) for name in _COUNTS))
    console.print(grid)
    console.print(rows)
    for r in report["refused"]:
        line = f"refused: {r['borough']}/{r['file_name']}: {r['reason']}"
        console.print(escape(line), soft_wrap=True)
    return out.getvalue().rstrip()


def _cell(month: dict[str, Any]) -> str:
    return str(month["rows_accepted"]) if month["status"] == "received" else _MARKS[month["status"]]
