"""The read-only snapshot: a copy of the working file, swapped into place in one step.

Readers keep the file they opened; the next reader gets the new one. A run killed half-way leaves the old snapshot.
"""

from __future__ import annotations

import os
import shutil

from pipelines.home import Home
from pipelines.warehouse.connection import connect


def publish_snapshot(home: Home) -> int:
    """Copy `working.duckdb` over `current.duckdb` atomically and return its size in bytes."""
    with connect(home.working_database, read_only=False) as connection:
        connection.execute("checkpoint")
    partial = home.warehouse / f".current.{os.getpid()}.partial"
    shutil.copyfile(home.working_database, partial)
    size = partial.stat().st_size
    partial.replace(home.current_database)
    return size
