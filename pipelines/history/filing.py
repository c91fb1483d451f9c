"""Comparing the flags of an as-at instant with those of the one before, and filing what changed.

The flags of an instant are a pure function of what had arrived and been decided by then, so an instant that nobody
filed - a run was killed, a home was rebuilt - is worked out afterwards from the same SQL. One that is filed is not
worked out again: it records what the region was told. Where rules, corrections or code changed since, the newest
instant is filed a second time, with the reason. What counts as a change and why it happened is in `sql/filing/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from os import getpid
from pathlib import Path
from shutil import rmtree

import duckdb
import polars as pl

from pipelines.history.chain import EVENT, Entry, Header, HistoryError, append, paths, read_chain
from pipelines.home import CONTRACTS, SQL, Home
from pipelines.intake.store import sweep_partials
from pipelines.warehouse.connection import connect, query_frame, replace_table
from pipelines.warehouse.graph import build_table, tables_needed, tables_read_by
from pipelines.warehouse.load import (
    LOADED_FROM_CONTRACTS,
    as_at_instants,
    insert_rows,
    load_intake,
    load_reference,
)

# The tables made here: every change by the as-at instant, and the instants.
HISTORY_TABLES = ("history.event", "history.instant")
Progress = Callable[[str, int, int], None]

# Run in this order, each into a temporary table of its name.
_FILING = ("stood", "gone", "raised")
_READ_BY_HEADERS = ("intake.link_entry", "intake.receipt", "intake.withdrawal", "rules.pattern", "run.parameter")
_INSTANT = {"sequence": pl.Int32(), "as_at": pl.Datetime("us")}


@dataclass(frozen=True)
class Recorded:
    """What was recorded: how many instants the history has, and how many of them were filed now."""

    instants: int
    filed: int


def tables_compared() -> tuple[str, ...]:
    """Tables that must be built before flags can be recorded."""
    read = {name for query in _FILING for name in tables_read_by(SQL / "filing" / f"{query}.sql")}
    return tuple(sorted((read | set(_READ_BY_HEADERS)) - set(HISTORY_TABLES)))


def record_flags(
    connection: duckdb.DuckDBPyConnection,
    home: Home | None,
    contracts: Path = CONTRACTS,
    progress: Progress | None = None,
) -> Recorded:
    """Make the tables of the history, and file what is not filed yet.

    An instant is filed when nothing later is: what an analyst works out for an instant of the past is shown, but the
    region was never told it. Neither is an instant filed at which nothing arrived and nothing was decided.

    Args:
        connection: the working file, in which `tables_compared()` are built.
        home: where the history is; None for tables that come from no home, whose only instant is their own.
        contracts: folder of contracts and rules, for instants that nobody filed.
        progress: told how many of those are done.

    Raises:
        HistoryError: the files of the history cannot be used.
    """
    chain = read_chain(home) if home else []
    as_at = _as_at(connection)
    told = [entry for entry in chain if entry.as_at <= as_at]
    filed = len(told)
    files_to = home if filed == len(chain) else None
    if files_to:
        told += _file_missing(files_to, told, as_at, contracts, progress)
    entry, events = _compare(connection, told)
    if _is_news(entry, events, told):
        if files_to and _belongs_on_file(entry, told, files_to, contracts):
            entry = append(files_to, entry, events)
        told.append(entry)
        _add(connection, entry, events)
    return Recorded(len(told), len(paths(told)) - filed)


def _file_missing(
    home: Home, told: Sequence[Entry], as_at: datetime, contracts: Path, progress: Progress | None
) -> list[Entry]:
    """File the instants between the last that is filed and the as-at instant."""
    missing = [at for at in as_at_instants(home, contracts) if at < as_at and (not told or at > told[-1].as_at)]
    if not missing:
        return []
    filed: list[Entry] = []
    with _scratch(home) as connection:
        load_reference(connection, contracts)
        for done, instant in enumerate(missing):
            if progress:
                progress("flags of past instants", done, len(missing))
            load_intake(connection, home, instant.replace(tzinfo=UTC), contracts)
            for table in tables_needed(tables_compared()):
                build_table(connection, table)
            entry, events = _compare(connection, [*told, *filed])
            filed.append(append(home, entry, events))
    return filed


@contextmanager
def _scratch(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database for tables of the past; it stays inside the home and goes afterwards."""
    sweep_partials(home.warehouse)
    path = home.warehouse / f".past.{getpid()}.partial"
    try:
        with connect(path, read_only=False) as connection:
            yield connection
    finally:
        _remove(home.warehouse.glob(f"{path.name}*"))
        # What a killed run left beside a database that has just been swept away.
        _remove(left for left in home.warehouse.glob(".past.*.partial.*") if not left.with_suffix("").exists())


def _remove(files: Iterable[Path]) -> None:
    for file in list(files):
        if file.is_dir():
            rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)


def _compare(connection: duckdb.DuckDBPyConnection, told: Sequence[Entry]) -> tuple[Entry, pl.DataFrame]:
    """Load the history so far, and return the next instant with what changed since the last."""
    _load(connection, told)
    entry = Entry(len(told) + 1, _as_at(connection), _header(connection))
    _state_own(connection, entry, told[-1] if told else None)
    for query in _FILING:
        text = (SQL / "filing" / f"{query}.sql").read_text(encoding="utf-8")
        connection.execute(f"create or replace temp table {query} as {text}")
    columns = ", ".join(EVENT)
    changes = f"select {columns} from gone union all by name select {columns} from raised order by change, flag_id"  # noqa: S608 - our own names
    _require_words(connection)
    return entry, query_frame(connection, changes).cast(EVENT)  # type: ignore[arg-type] # a schema is a mapping of types


def _require_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse to file a change that nobody could put into words.

    Raises:
        HistoryError: a code has no words.
    """
    unsaid = _texts(
        connection,
        """
        select distinct change.change || ' ' || coalesce(change.because, 'without a reason')
        from (select change, because from gone union all select change, because from raised) as change
        anti join rules.flag_reason as reason on change.change = reason.change and change.because = reason.code
        where change.change <> 'changed'
        """,
    )
    if unsaid:
        msg = f"No words in rules/flag_reasons.yaml for: {', '.join(unsaid)}. Nothing was filed."
        raise HistoryError(msg)


def _load(connection: duckdb.DuckDBPyConnection, told: Sequence[Entry]) -> None:
    """Make the tables of the history from what is filed, except flags of which nothing may be kept any longer."""
    connection.execute("create schema if not exists history")
    replace_table(connection, "history.event", pl.DataFrame(schema=EVENT))
    instants = [(entry.sequence, entry.as_at) for entry in told]
    replace_table(connection, "history.instant", pl.DataFrame(instants, schema=_INSTANT, orient="row"))
    if not told:
        return
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in paths(told))
    connection.execute(f"create or replace temp view arrived_flag_event as select * from read_parquet([{listed}])")  # noqa: S608 - our own names
    past = (SQL / "retention" / "flag_event.sql").read_text(encoding="utf-8")
    connection.execute(f"create or replace temp table past as {past}")
    connection.execute(
        "insert into history.event by name select arrived.* from arrived_flag_event as arrived "
        "anti join past on arrived.flag_id = past.flag_id order by arrived.sequence, arrived.change, arrived.flag_id"
    )
    connection.execute("drop table past; drop view arrived_flag_event")


def _add(connection: duckdb.DuckDBPyConnection, entry: Entry, events: pl.DataFrame) -> None:
    insert_rows(connection, "history.event", events)
    insert_rows(connection, "history.instant", pl.DataFrame([(entry.sequence, entry.as_at)], _INSTANT, orient="row"))


def _is_news(entry: Entry, events: pl.DataFrame, told: Sequence[Entry]) -> bool:
    """Whether an instant says anything that is not filed already."""
    if not told or told[-1].as_at < entry.as_at:
        return True
    return not events.is_empty() or told[-1].header.rules != entry.header.rules


def _belongs_on_file(entry: Entry, told: Sequence[Entry], home: Home, contracts: Path) -> bool:
    """Whether anybody running at this instant, or later, must find it: otherwise it came only from `--as-at`."""
    is_revision = bool(told) and told[-1].as_at == entry.as_at
    return is_revision or entry.as_at in as_at_instants(home, contracts)


def _state_own(connection: duckdb.DuckDBPyConnection, entry: Entry, before: Entry | None) -> None:
    """Make `own`, the one row that tells the queries of `sql/filing/` what was decided between two instants."""
    header = entry.header
    earlier = before.header if before else replace(header, rules=(), links=(), withdrawn=())
    is_same = earlier.method == header.method and (
        before is None or earlier.derived == _derived(connection, before.as_at)
    )
    connection.execute(
        """
        create or replace temp table own as select
            $sequence::integer as sequence,
            $as_at::timestamp as as_at,
            $previous_as_at::timestamp as previous_as_at,
            $is_same_method::boolean as is_same_method,
            $previous_rules::varchar[] as previous_rules,
            $new_links::varchar[] as new_links,
            $ended_links::varchar[] as ended_links,
            $new_withdrawn::varchar[] as new_withdrawn,
            $reinstated::varchar[] as reinstated
        """,
        {
            "sequence": entry.sequence,
            "as_at": entry.as_at,
            "previous_as_at": before.as_at if before else None,
            "is_same_method": is_same,
            "previous_rules": list(earlier.rules),
            "new_links": sorted(set(header.links) - set(earlier.links)),
            "ended_links": sorted(set(earlier.links) - set(header.links)),
            "new_withdrawn": sorted(set(header.withdrawn) - set(earlier.withdrawn)),
            "reinstated": sorted(set(earlier.withdrawn) - set(header.withdrawn)),
        },
    )


def _header(connection: duckdb.DuckDBPyConnection) -> Header:
    return Header(
        rules=_texts(connection, "select rule_id || ' ' || version from rules.pattern where is_current"),
        links=_texts(connection, "select distinct link_id from intake.link_entry where ended_at is null"),
        withdrawn=_texts(connection, "select delivery_id from intake.withdrawal"),
        method=_method(connection),
        derived=_derived(connection, _as_at(connection)),
    )


def _method(connection: duckdb.DuckDBPyConnection) -> str:
    """Digest of everything but the deliveries that decides which flags there are: SQL, and the rules it reads."""
    tables = tables_needed(("history.standing",))
    stated = {name for table in tables for name in table.reads} & set(LOADED_FROM_CONTRACTS)
    parts = [path.read_text(encoding="utf-8") for path in sorted((SQL / "macros").glob("*.sql"))]
    parts += [table.query for table in sorted(tables, key=lambda table: table.qualified)]
    for name in sorted(stated):
        parts += _texts(connection, f"select stated::varchar from {name} as stated")  # noqa: S608 - our own names
    return _digest(parts)


def _derived(connection: duckdb.DuckDBPyConnection, until: datetime) -> str:
    """Digest of the rules, corrections and mappings by which the deliveries received by an instant were read."""
    query = "select concat_ws(' ', delivery_id, rules_key) from intake.receipt where received_at <= $until"
    return _digest(_texts(connection, query, until=until))


def _texts(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> tuple[str, ...]:
    """One column of text, sorted."""
    return tuple(sorted(query_frame(connection, query, **parameters).to_series().to_list()))


def _digest(parts: Sequence[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _as_at(connection: duckdb.DuckDBPyConnection) -> datetime:
    as_at: datetime = query_frame(connection, "select as_at from run.parameter").item()
    return as_at
