"""A small warehouse of made-up children for the tests of the pages: real SQL, invented deliveries, simple rounding.

The tables come from `sql/` as they do in a run. Only the disclosure step is replaced, by rounding every count on its
own, because the pages must not care how a published count came about. No real child is behind any of it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.schema import accepted_schema
from pipelines.history.filing import HISTORY_TABLES, record_flags
from pipelines.recurrence.tables import build_recurrence
from pipelines.region import Area, load_region
from pipelines.uncertainty.tables import build_public, build_restricted
from pipelines.warehouse.connection import connect, register_frame
from pipelines.warehouse.graph import Table, build_table, load_tables, tables_needed
from pipelines.warehouse.load import create_delivered_tables, load_reference

AS_AT = datetime(2026, 4, 21, 9)  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse
RELEASE = "test-1"
FIRST_DAY = datetime(2024, 4, 1)  # noqa: DTZ001 - local clock time of a delivery
DAYS = 749
SILENT = "trafford"  # sends no interviews
LATE = "oldham"  # has not sent the last months
REFUSED = "wigan"  # had one file refused
WITHDRAWN = "salford"  # took one file back
REREAD = "stockport"  # has a file whose rows are all replaced by a later one
# Two notes on how systems record: the first concerns interviews offered in two boroughs, the second everything in one.
OFFERED_NOTE = "Offered is read from the date on which a letter was sent."
DATES_NOTE = "The extract holds dates without times."
NOTED = ("bury", "wigan")
DATED = "tameside"

SENTINEL = "f00dfeed"  # first characters of the pseudonym of a child known to two boroughs

PAIRED, PARTNER = "c0ffee01", "c0ffee02"  # two children who go missing together; the second is another borough's

_REJECTED_REASON = "This file holds a direct identifier."


def build_site_warehouse(path: Path, *, seed: int = 7, children: int = 240) -> None:
    """Write the warehouse to a new file. Same arguments, same tables."""
    with connect(path, read_only=False) as connection:
        load_reference(connection)
        _load_run(connection, _deliveries(seed, children))
        before, after = _parted(load_tables())
        for table in before:
            build_table(connection, table)
        record_flags(connection, None)
        _publish(connection)
        for table in after:
            build_table(connection, table)
        build_public(connection)
        build_restricted(connection)
        _estimate(connection)


def build_public_warehouse(path: Path, *, published: Path | None = None, seed: int = 7, children: int = 240) -> None:
    """Write a warehouse that has what public pages are made of, and the restricted tables beneath, to a new file.

    Args:
        path: the new file.
        published: another such warehouse, whose published counts are taken. The true ones are then others: every third
            episode is joined by one of another child, and interviews went otherwise; what was received is the same.
        seed: of the deliveries.
        children: how many there are.
    """
    with connect(path, read_only=False) as connection:
        load_reference(connection)
        rows = _deliveries(seed, children)
        _load_run(connection, _with_more(rows) if published else rows)
        later = {"published.indicator", "published.figure_note", "published.note", "published.comparability_note"}
        tables = tables_needed((*later, *_COUNTED))
        for table in tables:
            if not table.reads & {*later, "published.count_cell", "published.parameter"} | {table.qualified} & later:
                build_table(connection, table)
        _publish(connection)
        if published:
            connection.execute(f"attach '{published}' as taken_from (read_only)")
            connection.execute("create or replace table published.count_cell as from taken_from.published.count_cell")
            connection.execute("detach taken_from")
        for table in load_tables():
            if table.qualified in later:
                build_table(connection, table)
        build_public(connection)


# Restricted tables that public pages must not depend on.
_COUNTED = ("statistics.indicator", "quality.data_cut", "core.missing_episode", "quality.reconciliation")


def _with_more(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The same deliveries with more children and other answers; no day or month more is covered than before."""
    episodes, interviews = rows["missing_episode"], rows["return_interview"]
    more = [
        row
        | {
            "episode_id": f"M{row['episode_id']}",
            "child_id": hashlib.sha256(f"more {place // 2}".encode()).hexdigest(),
            "age_at_start": 10 + place % 7,
            "sex": ("male", "female", "other", "unknown")[place % 4],
            "looked_after": ("yes", "no")[place % 2],
        }
        for place, row in enumerate(episodes)
        if place % 3 == 0
    ]
    changed = [
        row
        if place % 2
        else row
        | {
            "accepted": "no",
            "held_at": None,
            "declined_reason": "child_declined",
            "offered": ("yes", "no")[place % 4 > 0],
        }
        for place, row in enumerate(interviews)
    ]
    return {"missing_episode": [*episodes, *more], "return_interview": changed}


def _estimate(connection: duckdb.DuckDBPyConnection) -> None:
    """Estimate recurrence for the region alone: no page shows it of a borough, and each place takes its time."""
    region = load_region().area.code
    for table in ("recurrence_gap", "recurrence_event", "concentration_curve"):
        connection.execute(f"delete from statistics.{table} where area_code <> $region", {"region": region})  # noqa: S608 - names of our own tables
    build_recurrence(connection)


_LEDGER = "published.ledger_cell"  # what earlier releases said; here nothing has been published before


def _parted(tables: Sequence[Table]) -> tuple[list[Table], list[Table]]:
    """Tables that are made before flags are recorded and counts published, and after; none that read the ledger."""
    after: set[str] = set()
    of_releases = {table.qualified for table in tables if _LEDGER in table.reads}
    tables = [table for table in tables if table.qualified not in of_releases]
    for table in tables:
        later = {name for name in table.reads if name.startswith("published.") or name in {*after, *HISTORY_TABLES}}
        if table.schema == "published" or later:
            after.add(table.qualified)
    return (
        [table for table in tables if table.qualified not in after],
        [table for table in tables if table.qualified in after],
    )


def _deliveries(seed: int, children: int) -> dict[str, list[dict[str, Any]]]:
    draw = random.Random(seed)  # noqa: S311 - test data
    rows: dict[str, list[dict[str, Any]]] = {"missing_episode": [], "return_interview": []}
    boroughs = load_region().boroughs
    _add_pair(rows, boroughs[2], boroughs[3])
    for number in range(children):
        borough = boroughs[number % len(boroughs)]
        child = hashlib.sha256(f"{seed}-{number}".encode()).hexdigest()
        if number == 0:
            child = SENTINEL + child[8:]
        _add_child(draw, rows, borough, child, boroughs[1] if number == 0 else None)
    return rows


def _add_pair(rows: dict[str, list[dict[str, Any]]], home: Area, other: Area) -> None:
    """Two children who go missing from one borough within minutes of each other; another borough sends the second."""
    for place, (child, sender) in enumerate(((PAIRED, home), (PARTNER, other))):
        for number in range(6):
            started = AS_AT - timedelta(days=60 - 9 * number, hours=11 * number, minutes=10 * place)
            rows["missing_episode"].append(
                {
                    "borough": sender.slug,
                    "episode_id": f"P{place}-{number}",
                    "child_id": child * 8,
                    "pseudonym_scope": "regional",
                    "status": "missing",
                    "started_at": started,
                    "found_at": started + timedelta(hours=5),
                    "returned_at": started + timedelta(hours=5),
                    "age_at_start": 14,
                    "sex": "female",
                    "ethnicity": "unknown",
                    "looked_after": "no",
                    "responsible_authority": sender.code,
                    "area_missing_from": home.code,
                    "missing_from_setting": "home",
                }
            )


def _add_child(draw: random.Random, rows: dict[str, Any], home: Area, child: str, other: Area | None) -> None:
    looked_after = draw.random() < 0.25
    age, sex = draw.randint(9, 16), draw.choice(["female", "male"])
    started = FIRST_DAY + timedelta(days=draw.random() * DAYS)
    last_day = datetime(2025, 11, 1) if home.slug == LATE else AS_AT - timedelta(days=1)  # noqa: DTZ001
    often = min(40, 1 + int(draw.expovariate(0.12 if looked_after else 0.4)))
    if other:  # a child known to two boroughs, still on both lists at the end
        started, often = AS_AT - timedelta(days=70), 12
    for number in range(often):
        started += timedelta(days=5 if other else draw.expovariate(1 / 12)) if number else timedelta()
        returned = started + timedelta(hours=1 + draw.expovariate(1 / 14))
        if started.replace(tzinfo=None) > last_day:
            return
        sender, area = (other.slug, other.code) if other and number % 3 == 2 else (home.slug, home.code)
        episode = {
            "borough": sender,
            "episode_id": f"E{len(rows['missing_episode'])}",
            "child_id": child,
            "pseudonym_scope": "regional",
            "status": "missing",
            "started_at": started.replace(second=0, microsecond=0),
            "found_at": returned.replace(second=0, microsecond=0),
            "returned_at": returned.replace(second=0, microsecond=0) if draw.random() < 0.9 else None,
            "age_at_start": age,
            "sex": sex,
            "ethnicity": draw.choice(["unknown", "white_british"]),
            "looked_after": "yes" if looked_after else "no",
            "responsible_authority": home.code,
            "area_missing_from": area,
            "missing_from_setting": "home",
        }
        rows["missing_episode"].append(episode)
        if sender != SILENT and draw.random() < 0.75:
            rows["return_interview"].append(_interview(draw, episode, returned))


def _interview(draw: random.Random, episode: dict[str, Any], returned: datetime) -> dict[str, Any]:
    held = draw.random() < 0.62
    held_at = (returned + timedelta(hours=draw.expovariate(1 / 60))).replace(second=0, microsecond=0)
    return {
        "borough": episode["borough"],
        "interview_id": f"I{episode['episode_id']}",
        "child_id": episode["child_id"],
        "pseudonym_scope": "regional",
        "episode_ids": episode["episode_id"],
        "offered": "yes",
        "accepted": "yes" if held else "no",
        "declined_reason": None if held else "child_declined",
        "held_at": held_at if held and held_at < AS_AT else None,
        "interviewer": "independent",
        **_voice(int(episode["episode_id"][1:])),
    }


def _voice(number: int) -> dict[str, str | None]:
    """What the child said and what was done: every kind of answer in turn."""
    return {
        "child_account_recorded": ("yes", "no", "unknown")[number % 3],
        "push_factors": ("family_conflict", "boundaries;bullying", None)[number % 3],
        "pull_factors": ("friends", None)[number % 2],
        "harms_disclosed": ("none_disclosed", "substance_use", None, None)[number % 4],
        "actions": ("safety_plan;strategy_meeting", "no_further_action", None, "referral")[number % 4],
    }


def _load_run(connection: duckdb.DuckDBPyConnection, rows: dict[str, list[dict[str, Any]]]) -> None:
    create_delivered_tables(connection)
    connection.execute("create schema if not exists run")
    connection.execute(
        "create table run.parameter as select $as_at::timestamp as as_at, 20::integer as expected_day", {"as_at": AS_AT}
    )
    receipts = []
    for dataset, contract in load_contracts().items():
        delivered = rows.get(dataset, [])
        schema = accepted_schema(contract)
        complete = [_accepted(row, dataset, number, schema) for number, row in enumerate(delivered, start=2)]
        register_frame(connection, "incoming", pl.DataFrame(complete, schema=schema))
        connection.execute(f"insert into intake.{dataset} by name select * from incoming")  # noqa: S608
        connection.unregister("incoming")
        for slug in load_region().slugs:
            count = sum(row["borough"] == slug for row in delivered)
            if count:
                receipts.append(_receipt(slug, dataset, count))
    receipts += _files_apart()
    register_frame(connection, "incoming", pl.DataFrame(receipts, infer_schema_length=None))
    connection.execute("insert into intake.receipt by name select * from incoming")
    connection.unregister("incoming")
    connection.execute(
        "insert into intake.withdrawal values ($delivery, $at, 'Sent for the wrong year.', 'data officer')",
        {"delivery": f"{WITHDRAWN}.withdrawn", "at": AS_AT},
    )
    _load_findings(connection)
    _load_outcomes(connection)
    _load_notes(connection)


def _files_apart() -> list[dict[str, Any]]:
    """Files none of whose rows count: one refused, one withdrawn, one replaced; their names are not tame."""
    refused = _receipt(REFUSED, None, 0) | {
        "delivery_id": f"{REFUSED}.refused",
        "file_name": "<script>alert(1)</script>\u202egpj.csv",
        "status": "rejected",
        "reason": _REJECTED_REASON,
        "rows_read": 40,
        "rows_quarantined": 40,
    }
    withdrawn = _receipt(WITHDRAWN, "missing_episode", 12) | {
        "delivery_id": f"{WITHDRAWN}.withdrawn",
        "file_name": f"{'very-' * 60}long.csv",
    }
    replaced = _receipt(REREAD, "missing_episode", 7) | {"delivery_id": f"{REREAD}.replaced"}
    return [refused, withdrawn, replaced]


def _load_findings(connection: duckdb.DuckDBPyConnection) -> None:
    """One critical row and many rows with a warning in every file of episodes."""
    connection.execute(
        """
        insert into intake.finding by name
        select
            delivery_id, dataset, 3::bigint as row_number, 'ssda903.567' as rule_id, 'critical' as severity,
            'found_at' as column_name, 'F' as column_letter
        from intake.receipt
        where dataset = 'missing_episode'
        union all
        select
            delivery_id, dataset, unnest(range(5, 25)), 'missing_episode.reported_before_started', 'warning',
            'reported_at', 'E'
        from intake.receipt
        where dataset = 'missing_episode'
        """
    )


def _load_outcomes(connection: duckdb.DuckDBPyConnection) -> None:
    """One rule passed, one failed and one that could not be checked, in every file of episodes."""
    connection.execute(
        """
        insert into intake.rule_outcome by name
        select receipt.delivery_id, receipt.dataset, outcome.*
        from intake.receipt as receipt
        cross join (
            values
                ('ssda903.567', 'critical', 'failed', 1, ''),
                ('ssda903.574', 'critical', 'passed', 0, ''),
                ('ssda903.571.collection_year', 'warning', 'not_applicable', 0, 'The file is not one year''s return.'),
                ('missing_episode.reported_before_started', 'warning', 'failed', 20, '')
        ) as outcome (rule_id, severity, outcome, rows, reason)
        where receipt.dataset = 'missing_episode'
        """
    )


def _load_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """Notes of an invented layout, and which files they go with."""
    connection.execute(
        """
        insert into rules.source_note by name
        select 'canonical' as source, 'letter' as note_id, $offered as text, ['rhi_offered'] as measures
        union all
        select 'canonical', 'dates', $dates, ['*']
        """,
        {"offered": OFFERED_NOTE, "dates": DATES_NOTE},
    )
    connection.execute(
        """
        insert into intake.delivery_note by name
        select delivery_id, source, 'letter' as note_id
        from intake.receipt
        where dataset = 'return_interview' and list_contains($noted, borough)
        union all
        select delivery_id, source, 'dates'
        from intake.receipt
        where dataset = 'missing_episode' and borough = $dated
        """,
        {"noted": list(NOTED), "dated": DATED},
    )


def _accepted(row: dict[str, Any], dataset: str, number: int, schema: dict[str, Any]) -> dict[str, Any]:
    given = row | {"delivery_id": f"{row['borough']}.{dataset}", "source": "canonical", "row_number": number}
    precision = {
        name: "minute" if given.get(name.removesuffix("_precision")) else None
        for name in schema
        if name.endswith("_precision")
    }
    return {name: given.get(name, precision.get(name)) for name in schema}


def _receipt(slug: str, dataset: str | None, count: int) -> dict[str, Any]:
    return {
        "delivery_id": f"{slug}.{dataset}",
        "borough": slug,
        "file_name": f"{slug}-{dataset or 'unreadable'}.csv",
        "sha256": hashlib.sha256(f"{slug}{dataset}".encode()).hexdigest(),
        "received_at": AS_AT - timedelta(days=1 if dataset else 2),
        "status": "accepted",
        "reason": None,
        "dataset": dataset,
        "source": "canonical",
        "source_version": "1",
        "rows_read": count + (3 if dataset else 0),
        "rows_accepted": count,
        "rows_quarantined": 1 if dataset else 0,
        "rows_duplicate": 2 if dataset else 0,
        "synthetic": True,
    }


# The publication plan of data_contracts/rules/disclosure.yaml, as far as the pages can tell the difference.
_PLAN = """
    (basis = 'A' and measure in ('incidents', 'children') and period_type = 'year_to_march')
    or (basis = 'A' and measure in ('incidents', 'children') and period_type = 'quarter' and breakdown = 'total')
    or (basis = 'A' and measure = 'incidents' and period_type = 'month' and breakdown = 'total'
        and area_code like 'E47%')
    or (basis = 'A' and period_type = 'year_to_march' and measure in (
        'children_repeat', 'incidents_second_or_later', 'incidents_of_repeaters', 'children_3_in_28',
        'children_3_in_90'))
    or (basis = 'B' and period_type in ('quarter', 'year_to_march') and measure in (
        'rhi_eligible', 'rhi_offered', 'rhi_completed', 'rhi_completed_72h', 'rhi_declined'))
"""


def _publish(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists published")
    connection.execute(
        "create or replace table published.parameter as select $release as release_id, 5::bigint as base, "
        "20::bigint as minimum_percentage_base, '1' as policy_version, $as_at::timestamp as as_at, "
        "(select max(data_to) from quality.data_cut) as data_to, true as synthetic",
        {"release": RELEASE, "as_at": AS_AT},
    )
    connection.execute(
        "create or replace table published.count_cell as select cell_id, measure, basis, area_code, period_type, "  # noqa: S608
        "period_start, period_end, breakdown, breakdown_value, "
        "case when coverage <> 'none' then (round(count / 5.0) * 5)::bigint end as count, "
        "case coverage when 'none' then 'x' when 'partial' then 'u' else '' end as symbol, "
        f"'controlled_rounding' as method from statistics.count_cell where {_PLAN}"
    )
