"""What holds for every process of the tests. Read before polars and NumPy are imported, which look only then."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Two workers share the cores. Frames and matrices here are small, and threads that wait for each other took a fifth of
# the time. Whole runs, in `integration`, have the threads that they have at a person's machine.
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
os.environ.update({name: os.environ.get(name, threads) for name, threads in ONE_THREAD.items()})


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder with the small warehouse `current.duckdb` and its `site`, to be read only.

    Built by the worker that asks first; the other finds it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "small-home"
    with _alone(folder.with_suffix(".lock")):
        if not (folder / "site").exists():
            _build(folder)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other worker is between the same lines; a worker that dies lets the next one in."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(folder: Path) -> None:
    from dashboards.site import build_site
    from pipelines.home import CONTRACTS
    from pipelines.warehouse.connection import connect
    from tests.site_data import build_site_warehouse

    warehouse = folder / "current.duckdb"
    warehouse.unlink(missing_ok=True)
    build_site_warehouse(warehouse)
    with connect(warehouse, read_only=True) as connection:
        build_site(connection, folder / "site", contracts=CONTRACTS)
