"""What SQL starts from: receipts, findings and accepted rows, reference figures, rules, and the as-at instant.

Brings files into tables as they are. What was received or decided after the as-at instant is not loaded at all, so an
earlier instant gives the tables of that time; neither are rows past the retention their borough agreed. Any change to
a row belongs in `sql/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.agreement import load_agreement, recording_note_frame
from pipelines.contracts.catalogue import cross_file_rules, needs
from pipelines.contracts.contract import load_contracts
from pipelines.contracts.dfe_figures import dfe_figure_frame
from pipelines.contracts.field_notes import field_note_frame
from pipelines.contracts.flag_reasons import flag_reason_frame
from pipelines.contracts.indicators import indicator_frame, load_indicators, measure_frame
from pipelines.contracts.patterns import load_patterns, pattern_frame
from pipelines.contracts.publication import publication_frame
from pipelines.contracts.schema import create_table
from pipelines.contracts.series_breaks import series_break_frame
from pipelines.contracts.yaml_text import read_yaml
from pipelines.disclosure.policy_file import load_policy, policy_path
from pipelines.home import CONTRACTS, SQL, Home
from pipelines.intake.links import Link, instants, link_entries, load_links
from pipelines.intake.receipt import Receipt, read_receipts
from pipelines.intake.sources import load_sources
from pipelines.intake.withdrawal import WITHDRAW, WithdrawalEvent, read_events
from pipelines.reference.vintages import read_vintages, vintage_rows
from pipelines.region import load_region
from pipelines.warehouse.connection import register_frame, replace_table

# Tables made of what boroughs delivered, besides one for each contract; column name to DuckDB type.
_DELIVERED: dict[str, dict[str, str]] = {
    "intake.receipt": {
        "delivery_id": "varchar",
        "borough": "varchar",
        "file_name": "varchar",
        "sha256": "varchar",
        "received_at": "timestamp",
        "status": "varchar",
        "reason": "varchar",
        "dataset": "varchar",
        "source": "varchar",
        "source_version": "varchar",
        "rows_read": "bigint",
        "rows_accepted": "bigint",
        "rows_quarantined": "bigint",
        "rows_duplicate": "bigint",
        "synthetic": "boolean",
        "rules_key": "varchar",
    },
    "intake.finding": {
        "delivery_id": "varchar",
        "dataset": "varchar",
        "row_number": "bigint",
        "rule_id": "varchar",
        "severity": "varchar",
        "column_name": "varchar",
        "column_letter": "varchar",
    },
    "intake.rule_outcome": {
        "delivery_id": "varchar",
        "dataset": "varchar",
        "rule_id": "varchar",
        "severity": "varchar",
        "outcome": "varchar",
        "rows": "bigint",
        "reason": "varchar",
    },
    "intake.trapped_value": {
        "delivery_id": "varchar",
        "borough": "varchar",
        "dataset": "varchar",
        "row_number": "bigint",
        "column_name": "varchar",
        "raw_value": "varchar",
        "mapped_value": "varchar",
        "source": "varchar",
        "source_version": "varchar",
        "note_id": "varchar",
    },
    "intake.delivery_note": {"delivery_id": "varchar", "source": "varchar", "note_id": "varchar"},
    "intake.quarantined_month": {"delivery_id": "varchar", "month": "date", "rows": "bigint"},
    "intake.withdrawal": {
        "delivery_id": "varchar",
        "withdrawn_at": "timestamp",
        "reason": "varchar",
        "asked_by": "varchar",
    },
    "intake.link_entry": {
        "link_id": "varchar",
        "borough": "varchar",
        "child_id": "varchar",
        "decided_at": "timestamp",
        "decided_by": "varchar",
        "reason": "varchar",
        "ended_at": "timestamp",
        "ended_by": "varchar",
        "end_reason": "varchar",
    },
    "reference.population_added": {
        "vintage": "varchar",
        "area_code": "varchar",
        "sex": "varchar",
        "age": "varchar",
        "mid_year": "bigint",
        "population": "bigint",
        "source": "varchar",
        "published": "varchar",
        "licence": "varchar",
        "added_at": "timestamp",
    },
    "intake.past_retention": {"delivery_id": "varchar", "dataset": "varchar", "rows": "bigint"},
    "rules.agreement": {
        "borough": "varchar",
        "reference": "varchar",
        "retention_years": "integer",
        "keep_from": "timestamp",
    },
}


def delivered_table_names(contracts: Path = CONTRACTS) -> tuple[str, ...]:
    """Tables of what was delivered by the as-at instant, of that instant, and of what may be kept at it."""
    datasets = (f"intake.{dataset}" for dataset in load_contracts(contracts))
    return (*_DELIVERED, *datasets, "run.parameter")


LOADED_FROM_DELIVERIES = delivered_table_names()
LOADED_FROM_CONTRACTS = (
    "reference.area",
    "reference.dfe_missing",
    "reference.population_stated",
    "reference.looked_after_stated",
    "rules.pattern",
    "rules.flag_reason",
    "rules.episode",
    "rules.police_system",
    "rules.lead_list",
    "rules.indicator",
    "rules.measure",
    "rules.publication",
    "rules.source_note",
    "rules.series_break",
    "rules.recording_note",
    "rules.field_note",
    "rules.cross_file_rule",
    "rules.cross_file_need",
)
# Tables that are loaded, not selected: the roots of the graph.
LOADED_TABLES = (*LOADED_FROM_DELIVERIES, *LOADED_FROM_CONTRACTS)
# The as-at instant of a home to which nothing has ever come.
_NOTHING_YET = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse


def create_delivered_tables(connection: duckdb.DuckDBPyConnection, contracts: Path = CONTRACTS) -> None:
    """Make every table of deliveries anew, empty."""
    connection.execute("create schema if not exists intake; create schema if not exists rules")
    connection.execute("create schema if not exists reference")
    for table, columns in _DELIVERED.items():
        stated = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create or replace table {table} ({stated})")
    for dataset, contract in load_contracts(contracts).items():
        connection.execute(create_table(contract, f"intake.{dataset}"))


def load_intake(
    connection: duckdb.DuckDBPyConnection, home: Home, as_at: datetime | None, contracts: Path = CONTRACTS
) -> datetime:
    """Load everything received by the as-at instant.

    Args:
        connection: the working file.
        home: run-time home.
        as_at: the instant; None is the newest arrival, withdrawal, decision about a link or vintage of populations. No
            clock is read: without anything new a second run has the same instant and gives the same tables.
        contracts: folder of contracts and agreements.

    Returns:
        The instant (UTC, without zone).
    """
    receipts, events, links = read_receipts(home), read_events(home), load_links(home.links_file, contracts)
    known = [*_instants(receipts, events, links), *_vintage_instants(home)]
    chosen = _utc(as_at) if as_at else max(known, default=_NOTHING_YET)
    receipts = [receipt for receipt in receipts if _instant(receipt.received_at) <= chosen]
    create_delivered_tables(connection, contracts)
    load_parameters(connection, chosen, contracts)
    insert_rows(connection, "intake.receipt", [_receipt_row(receipt) for receipt in receipts])
    insert_rows(connection, "intake.withdrawal", _withdrawn(events, chosen, {r.delivery_id for r in receipts}))
    insert_rows(connection, "intake.link_entry", link_entries(links, chosen))
    load_populations(connection, home, chosen)
    insert_rows(connection, "intake.delivery_note", _notes(receipts))
    insert_rows(connection, "intake.quarantined_month", _quarantined_months(receipts))
    _load_files(connection, "intake.finding", home, [r.findings_file for r in receipts])
    _load_files(connection, "intake.rule_outcome", home, [r.outcomes_file for r in receipts])
    _load_files(connection, "intake.trapped_value", home, [r.trapped_file for r in receipts])
    _load_agreements(connection, chosen, contracts)
    _load_rows(connection, home, receipts, contracts)
    return chosen


def load_populations(connection: duckdb.DuckDBPyConnection, home: Home, as_at: datetime | None = None) -> None:
    """Load the vintages of populations that were added by the as-at instant (UTC, without zone); by default all."""
    for vintage in read_vintages(home):
        added_at = _instant(vintage.added_at)
        if as_at is None or added_at <= as_at:
            stated = {name: getattr(vintage, name) for name in ("source", "published", "licence")}
            rows = vintage_rows(home, vintage).with_columns(
                pl.lit(vintage.vintage_id).alias("vintage"),
                pl.col("age").cast(pl.String),
                pl.lit(added_at).alias("added_at"),
                **{name: pl.lit(value) for name, value in stated.items()},
            )
            insert_rows(connection, "reference.population_added", rows)


def load_reference(connection: duckdb.DuckDBPyConnection, contracts: Path = CONTRACTS) -> None:
    """Load reference figures and rules."""
    connection.execute("create schema if not exists reference; create schema if not exists rules")
    replace_table(connection, "reference.dfe_missing", dfe_figure_frame(contracts))
    replace_table(connection, "reference.area", _reference_file(contracts, "area"))
    replace_table(connection, "reference.population_stated", _reference_file(contracts, "population"))
    replace_table(connection, "reference.looked_after_stated", _reference_file(contracts, "looked_after"))
    catalogue = load_indicators(contracts)
    replace_table(connection, "rules.pattern", pattern_frame(load_patterns(contracts)))
    replace_table(connection, "rules.flag_reason", flag_reason_frame(contracts))
    episodes = _yaml(contracts, "episodes")
    systems = pl.DataFrame({"system": episodes.pop("police_systems")})
    replace_table(connection, "rules.episode", pl.DataFrame([episodes]))
    replace_table(connection, "rules.police_system", systems)
    replace_table(connection, "rules.lead_list", pl.DataFrame([_yaml(contracts, "lead_list")]))
    replace_table(connection, "rules.indicator", indicator_frame(catalogue))
    replace_table(connection, "rules.measure", measure_frame(catalogue))
    policy = load_policy(policy_path(contracts))
    replace_table(connection, "rules.publication", publication_frame(policy, catalogue))
    replace_table(connection, "rules.source_note", _source_notes(contracts))
    replace_table(connection, "rules.series_break", series_break_frame(contracts))
    replace_table(connection, "rules.recording_note", recording_note_frame(contracts))
    replace_table(connection, "rules.field_note", field_note_frame(contracts))
    replace_table(connection, "rules.cross_file_rule", _cross_file_rules(contracts))
    replace_table(connection, "rules.cross_file_need", _cross_file_needs(contracts))


def _reference_file(contracts: Path, name: str) -> pl.DataFrame:
    """Rows of a reference file; when something was published is text, since some sources say no more than the year."""
    path = contracts / "reference" / f"{name}.csv"
    return pl.read_csv(path, infer_schema_length=None, schema_overrides={"published": pl.String, "age": pl.String})


def load_parameters(connection: duckdb.DuckDBPyConnection, as_at: datetime, contracts: Path = CONTRACTS) -> None:
    """Load the as-at instant (UTC, without zone) and what the contracts say of expected days."""
    connection.execute("create schema if not exists run")
    expected_day = load_contracts(contracts)["missing_episode"].expected_day
    frame = pl.DataFrame(
        {"as_at": [as_at], "expected_day": [expected_day]},
        schema={"as_at": pl.Datetime("us"), "expected_day": pl.Int32},
    )
    replace_table(connection, "run.parameter", frame)


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows of a table."""
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])  # noqa: S608 - our own names


def as_at_instants(home: Home, contracts: Path = CONTRACTS) -> list[datetime]:
    """Return the instants (UTC, without zone) at which something came or was decided, from the first arrival on."""
    receipts = read_receipts(home)
    known = _instants(receipts, read_events(home), load_links(home.links_file, contracts))
    known += _vintage_instants(home)
    arrived = [_instant(receipt.received_at) for receipt in receipts]
    return sorted({instant for instant in known if instant >= min(arrived)}) if arrived else []


def _instants(receipts: Sequence[Receipt], events: Sequence[WithdrawalEvent], links: Sequence[Link]) -> list[datetime]:
    arrived = [_instant(receipt.received_at) for receipt in receipts]
    return [*arrived, *(_instant(event.at) for event in events), *instants(links)]


def _instant(text: str) -> datetime:
    return _utc(datetime.fromisoformat(text))


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _receipt_row(receipt: Receipt) -> dict[str, Any]:
    row = {name: getattr(receipt, name) for name in _DELIVERED["intake.receipt"]}
    return row | {"received_at": _instant(receipt.received_at)}


def _vintage_instants(home: Home) -> list[datetime]:
    return [_instant(vintage.added_at) for vintage in read_vintages(home)]


def _withdrawn(events: Sequence[WithdrawalEvent], as_at: datetime, received: set[str]) -> list[dict[str, Any]]:
    """The deliveries whose last decision by the as-at instant was to withdraw them."""
    last = {event.delivery_id: event for event in events if _instant(event.at) <= as_at}
    return [
        {"delivery_id": e.delivery_id, "withdrawn_at": _instant(e.at), "reason": e.reason, "asked_by": e.asked_by}
        for e in last.values()
        if e.action == WITHDRAW and e.delivery_id in received
    ]


def _notes(receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    return [
        {"delivery_id": receipt.delivery_id, "source": receipt.source, "note_id": note}
        for receipt in receipts
        for note in receipt.source_notes
    ]


def _quarantined_months(receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    return [
        {"delivery_id": receipt.delivery_id, "month": f"{month}-01", "rows": rows}
        for receipt in receipts
        for month, rows in receipt.quarantined_months.items()
    ]


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]] | pl.DataFrame) -> None:
    """Add rows to a table by the names of their columns."""
    if len(rows):
        register_frame(connection, "incoming", pl.DataFrame(rows, infer_schema_length=None))
        connection.execute(f"insert into {table} by name select * from incoming")  # noqa: S608 - our own names
        connection.unregister("incoming")


def _load_files(connection: duckdb.DuckDBPyConnection, table: str, home: Home, files: Sequence[str]) -> None:
    paths = [str(home.root / file) for file in files if file]
    if paths:
        insert = f"insert into {table} by name select * from read_parquet($files)"  # noqa: S608 - our own names
        connection.execute(insert, {"files": paths})


def _load_agreements(connection: duckdb.DuckDBPyConnection, as_at: datetime, contracts: Path) -> None:
    """One row a borough with an agreement: its reference, and the first instant that may still be kept."""
    agreements = [load_agreement(borough.slug, contracts) for borough in load_region(contracts).boroughs]
    frame = pl.DataFrame(
        [(a.borough, a.reference, a.retention_years) for a in agreements if a],
        schema={"borough": pl.String, "reference": pl.String, "retention_years": pl.Int32},
        orient="row",
    )
    keep_from = pl.lit(as_at).dt.offset_by("-" + pl.col("retention_years").cast(pl.String) + "y")
    insert_rows(connection, "rules.agreement", frame.with_columns(keep_from.alias("keep_from")))


def _load_rows(connection: duckdb.DuckDBPyConnection, home: Home, receipts: Sequence[Receipt], contracts: Path) -> None:
    """Load accepted rows except those that may no longer be kept, which are counted by delivery.

    Rows past retention never enter the file, not even to be deleted: its free blocks would still hold them.
    """
    datasets = load_contracts(contracts)
    for dataset in datasets:
        files = [str(home.root / r.accepted[dataset]) for r in receipts if dataset in r.accepted]
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        rows = f"read_parquet([{listed}], union_by_name = true)" if files else f"intake.{dataset}"
        connection.execute(f"create or replace temp view arrived_{dataset} as select * from {rows}")  # noqa: S608 - our names
    for dataset in datasets:
        past = (SQL / "retention" / f"{dataset}.sql").read_text(encoding="utf-8")
        connection.execute(f"create or replace temp table past as {past}")
        connection.execute(
            "insert into intake.past_retention select delivery_id, $dataset, count(*) from past group by delivery_id",
            {"dataset": dataset},
        )
        connection.execute(
            f"insert into intake.{dataset} by name select arrived.* from arrived_{dataset} as arrived "  # noqa: S608 - our names
            "anti join past on arrived.delivery_id = past.delivery_id and arrived.row_number = past.row_number"
        )
    connection.execute("drop table past")
    for dataset in datasets:
        connection.execute(f"drop view arrived_{dataset}")


def _yaml(contracts: Path, name: str) -> dict[str, Any]:
    raw: dict[str, Any] = read_yaml(contracts / "rules" / f"{name}.yaml")
    return raw


def _cross_file_rules(contracts: Path) -> pl.DataFrame:
    """One row per rule that compares deliveries."""
    return pl.DataFrame(
        [(r.rule_id, r.dataset, r.column, r.severity, r.message) for r in cross_file_rules(contracts)],
        schema=["rule_id", "dataset", "column_name", "severity", "message"],
        orient="row",
    )


def _cross_file_needs(contracts: Path) -> pl.DataFrame:
    """One row per rule that compares deliveries and thing it needs, in the order in which a lack is told."""
    known = needs(contracts)
    return pl.DataFrame(
        [
            (rule.rule_id, place, need, known[need].reason)
            for rule in cross_file_rules(contracts)
            for place, need in enumerate(rule.needs)
        ],
        schema=["rule_id", "place", "need_id", "reason"],
        orient="row",
    )


def _source_notes(contracts: Path) -> pl.DataFrame:
    """One row per note of a case system, with the measures it concerns."""
    notes = {
        (source.id, note.note_id): (source.id, note.note_id, note.text, list(note.measures))
        for source in load_sources(contracts).values()
        for note in source.notes
    }
    schema: dict[str, pl.DataType] = {
        "source": pl.String(),
        "note_id": pl.String(),
        "text": pl.String(),
        "measures": pl.List(pl.String()),
    }
    return pl.DataFrame(list(notes.values()), schema=schema, orient="row")
