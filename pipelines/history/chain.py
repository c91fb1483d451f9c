"""The files of the flag history (`<home>/flags`): one for each as-at instant, numbered, only ever added to.

A file holds what changed since the one before: the flags raised, the flags gone, and those that stand on other rows;
its header says under which rules, links and withdrawals. A file that is there is never written again: it records what
the region was told. Nothing here knows what a flag is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.intake.store import sweep_partials, write_parquet

# Columns of a file, and of history.event.
EVENT: dict[str, pl.DataType] = {
    "sequence": pl.Int32(),
    "as_at": pl.Datetime("us"),
    "change": pl.String(),
    "flag_id": pl.String(),
    "rule_id": pl.String(),
    "rule_version": pl.Int32(),
    "child_key": pl.String(),
    "borough": pl.String(),
    "raised_at": pl.Datetime("us"),
    "last_hit_at": pl.Datetime("us"),
    "episodes": pl.Int32(),
    "content": pl.UInt64(),
    "oldest_at": pl.Datetime("us"),
    "newest_at": pl.Datetime("us"),
    "evidence": pl.List(pl.UInt64()),
    "because": pl.String(),
    "month": pl.Date(),
    "replaced_by": pl.String(),
    "known_since": pl.Datetime("us"),
}
_NAME = re.compile(r"(\d{6})-(\d{8}T\d{6}\.\d{6})Z\.parquet")
_INSTANT = "%Y%m%dT%H%M%S.%f"


class HistoryError(Exception):
    """The flag history on disk cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Header:
    """What an instant was worked out under, besides the deliveries of that time.

    `rules` are the rules in force with their versions, `links` the ids of the links in force, `withdrawn` the
    deliveries that did not count; `method` is a digest of rules and SQL, `derived` one of how deliveries were read.
    """

    rules: tuple[str, ...]
    links: tuple[str, ...]
    withdrawn: tuple[str, ...]
    method: str
    derived: str


@dataclass(frozen=True)
class Entry:
    """One instant of the history; `path` is None where it is not filed."""

    sequence: int
    as_at: datetime
    header: Header
    path: Path | None = None


def read_chain(home: Home) -> list[Entry]:
    """Read the headers of all files, in order, and clear away what a killed run was writing.

    Raises:
        HistoryError: a file is missing from the middle, stands out of order or cannot be read.
    """
    sweep_partials(home.flags)
    entries = [_read(path) for path in sorted(home.flags.glob("*.parquet"))]
    for place, entry in enumerate(entries, start=1):
        if entry.sequence != place or (place > 1 and entry.as_at < entries[place - 2].as_at):
            msg = f"The flag history is broken before {entry.path}: bring back the file that is missing there."
            raise HistoryError(msg)
    return entries


def append(home: Home, entry: Entry, events: pl.DataFrame) -> Entry:
    """File an instant after all others, whole or not at all."""
    path = home.flags / f"{entry.sequence:06}-{entry.as_at:{_INSTANT}}Z.parquet"
    write_parquet(path, events.select(*EVENT), metadata={"header": json.dumps(asdict(entry.header))})
    return Entry(entry.sequence, entry.as_at, entry.header, path)


def paths(entries: Sequence[Entry]) -> list[str]:
    """Where the changes of filed instants are."""
    return [str(entry.path) for entry in entries if entry.path]


def _read(path: Path) -> Entry:
    name = _NAME.fullmatch(path.name)
    try:
        stated = json.loads(pl.read_parquet_metadata(path)["header"]) if name else None
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
        stated = None
    if name is None or stated is None:
        msg = f"{path} is not a file of the flag history; bring back the one that was there, or take this one away."
        raise HistoryError(msg)
    lists = {key: tuple(stated[key]) for key in ("rules", "links", "withdrawn")}
    header = Header(**lists, method=stated["method"], derived=stated["derived"])
    # A time of the warehouse: UTC, without zone.
    return Entry(int(name[1]), datetime.strptime(name[2], _INSTANT), header, path)  # noqa: DTZ007
