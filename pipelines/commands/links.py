"""`mfh links`: which pseudonyms are one child by `links.yaml`, who decided, and what each link does.

An analyst's command: it shows the first characters of pseudonyms, as the restricted pages do, and never a whole one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import click

from pipelines.commands.inputs import current_warehouse
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.intake.links import Link, LinksError, load_links
from pipelines.warehouse.connection import query_frame

_LINKS = """
select
    link_id,
    case when is_in_force then 'in force' else 'ended' end as state,
    list_sort(list(distinct borough)) as boroughs,
    strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ') as decided_at,
    decided_by,
    reason,
    strftime(ended_at, '%Y-%m-%dT%H:%M:%SZ') as ended_at,
    ended_by,
    end_reason,
    sum(rows)::bigint as rows,
    sum(episodes)::bigint as episodes,
    count_if(not is_delivered)::bigint as never_delivered,
    count_if(sex_differs or age_differs)::bigint as contradicts,
    list(
        {
            'borough': borough,
            'child': left(child_id, 8),
            'is_delivered': is_delivered,
            'rows': rows,
            'episodes': episodes,
            'sex_differs': sex_differs,
            'age_differs': age_differs
        }
        order by borough, child_id
    ) as pseudonyms
from quality.link_pseudonym
group by all
order by state desc, link_id
"""
# Which decisions the tables know.
_KNOWN = "select distinct link_id, ended_at is not null as is_ended from intake.link_entry"


def show_links(home: Home, *, as_json: bool) -> int:
    """Print the links.

    Returns:
        1 where a link in force names a pseudonym that nobody delivered, or joins episodes that contradict each other,
        else 0.
    """
    try:
        written = load_links(home.links_file)
    except LinksError as error:
        msg = f"{error}."
        raise CommandError(msg) from error
    with current_warehouse(home) as connection:
        links = query_frame(connection, _LINKS).to_dicts()
        known = dict(query_frame(connection, _KNOWN).rows())
    report: dict[str, list[Any]] = {"links": links, "not_in_the_tables": _unknown(written, known)}
    click.echo(json.dumps(report, indent=1) if as_json else _for_people(report))
    return int(any(link["state"] == "in force" and (link["never_delivered"] or link["contradicts"]) for link in links))


def _unknown(written: Sequence[Link], known: dict[str, bool]) -> list[str]:
    """Links that were written down, or ended, and that no run has taken into the tables."""
    return [link.link_id for link in written if known.get(link.link_id) != (link.ended is not None)]


def _for_people(report: dict[str, list[Any]]) -> str:
    links = report["links"]
    lines = [_grid(links) if links else "No pseudonyms are linked in the tables."]
    lines += [
        f"{link['link_id']} was ended {link['ended_at']} by {link['ended_by']}: {link['end_reason']}"
        for link in links
        if link["state"] == "ended"
    ]
    if report["not_in_the_tables"]:
        lines.append(f"Written down and not yet in the tables: {', '.join(report['not_in_the_tables'])}.")
    return "\n".join(lines)


def _grid(links: Sequence[dict[str, Any]]) -> str:
    """One line a pseudonym; what is said of the whole link stands on its first."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = io.StringIO()
    headings = ("link", "state", "decided (UTC)", "by", "reason", "borough", "child", "rows", "episodes", "look at")
    grid = Table(*headings, title=f"{len(links)} links")
    for link in links:
        said = [link[name] for name in ("link_id", "state", "decided_at", "decided_by", "reason")]
        for place, pseudonym in enumerate(link["pseudonyms"], start=1):
            counted = [str(pseudonym[name]) for name in ("borough", "child", "rows", "episodes")]
            cells = [*(said if place == 1 else [""] * len(said)), *counted, ", ".join(_worries(pseudonym))]
            grid.add_row(*map(escape, cells), end_section=place == len(link["pseudonyms"]))
    Console(file=out, width=200, highlight=False).print(grid)
    return out.getvalue().rstrip()


def _worries(pseudonym: dict[str, Any]) -> list[str]:
    told = {
        "never delivered": not pseudonym["is_delivered"],
        "another sex": pseudonym["sex_differs"],
        "another age": pseudonym["age_differs"],
    }
    return [words for words, holds in told.items() if holds]
