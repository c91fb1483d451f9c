"""Dagster's instance for a run in this process: that of the home, with an event log whose files stay open.

A run logs a thousand events. Dagster's own log opens a file and works out its statements anew for each of them, which
takes a fifth of a small run. Files and what stands in them are the same, so `mfh up` shows the runs as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine

_BUSY_SECONDS = 30  # how long to wait while another process writes; as long as Dagster waits


class EventLog(SqliteEventLogStorage):
    """Dagster's event log in SQLite files, with connections that are kept until the instance is closed."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        """Take the folder of the files."""
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> EventLog:
        """Make one as an instance asks for it."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Give every statement its connection, in a transaction of its own."""
        if shard not in self._engines:
            with super()._connect(shard):  # makes the file where there is none
                self._engines[shard] = create_engine(
                    self.conn_string_for_shard(shard), connect_args={"timeout": _BUSY_SECONDS}
                )
        with self._db_lock, self._engines[shard].begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the files."""
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()


def open_instance(folder: str) -> dg.DagsterInstance:
    """Open the instance of a folder; one whose dagster.yaml names a storage of its own keeps that."""
    ref, usual = InstanceRef.from_dir(folder), InstanceRef.config_defaults(folder)
    if ref.storage_data == usual["storage"] and (log := usual["event_log_storage"]):
        kept_open = {"module": __name__, "class": EventLog.__name__, "config": log.config_dict}
        ref = InstanceRef.from_dir(folder, overrides={"event_log_storage": kept_open})
    return dg.DagsterInstance.from_ref(ref)
