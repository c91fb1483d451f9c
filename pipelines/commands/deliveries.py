"""`mfh deliveries`: the delivery log: every file received, or the file versions that fed one published figure."""

from __future__ import annotations

import io
import json
from typing import Any

import click

from pipelines.commands.inputs import current_warehouse
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.warehouse.connection import query_frame

_LOG = """
select * replace (strftime(received_at, '%Y-%m-%d %H:%M') as received_at)
from intake.delivery
where $borough = '' or borough = $borough
order by received_at desc, borough, file_name
"""
_FIGURE = """
select delivery.* replace (strftime(delivery.received_at, '%Y-%m-%d %H:%M') as received_at), fed.rows_used
from quality.figure_delivery as fed
inner join intake.delivery as delivery on fed.delivery_id = delivery.delivery_id
where fed.figure_id = $figure
order by delivery.borough, delivery.received_at, delivery.file_name
"""
_SHOWN = {
    "borough": "borough",
    "file_name": "file",
    "received_at": "received (UTC)",
    "status": "status",
    "source": "layout",
    "rows_read": "read",
    "rows_accepted": "accepted",
    "rows_quarantined": "quarantined",
    "rows_live": "count now",
    "rows_used": "rows used",
    "reason": "reason",
    "delivery_id": "delivery",
}


def show_deliveries(home: Home, borough: str, figure_id: str, *, as_json: bool) -> None:
    """Print the log."""
    with current_warehouse(home) as connection:
        if figure_id:
            rows = query_frame(connection, _FIGURE, figure=figure_id).to_dicts()
        else:
            rows = query_frame(connection, _LOG, borough=borough).to_dicts()
    if figure_id and not rows:
        msg = f"No delivery feeds a published figure {figure_id}; ids stand in the CSV files of the public page."
        raise CommandError(msg)
    click.echo(json.dumps(rows, indent=1, default=str) if as_json else _for_people(rows))


def _for_people(rows: list[dict[str, Any]]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = io.StringIO()
    columns = [name for name in _SHOWN if rows and name in rows[0]]
    grid = Table(title=f"{len(rows)} deliveries")
    for name in columns:
        grid.add_column(_SHOWN[name], overflow="fold")
    for row in rows:
        grid.add_row(*(escape(str(row[name])) for name in columns))
    Console(file=out, width=220, highlight=False).print(grid)
    return out.getvalue().rstrip()
