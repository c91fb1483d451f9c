"""The Dagster ring: everything is in it once, checks block what they should, and runs start when they should."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets.house import House
from pipelines.assets.intake import BOROUGHS, RECEIVED, table_key
from pipelines.automation.schedule import all_boroughs, landing, monthly
from pipelines.checks.tables import load_table_checks
from pipelines.definitions import build_defs
from pipelines.region import load_region
from pipelines.warehouse.graph import load_tables
from pipelines.warehouse.load import LOADED_TABLES


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return build_defs(house=House(root="unused")).resolve_asset_graph()


def test_every_table_of_the_sql_folder_is_an_asset_with_the_dependencies_it_reads(graph: dg.AssetGraph) -> None:
    for table in load_tables():
        node = graph.get(table_key(table.qualified))
        assert node.parent_keys == {table_key(read) for read in table.reads}, table.qualified


def test_every_table_that_is_read_is_made_by_something(graph: dg.AssetGraph) -> None:
    made = set(graph.materializable_asset_keys)
    assert {table_key(read) for table in load_tables() for read in table.reads} <= made
    assert {table_key(name) for name in LOADED_TABLES} <= made


def test_intake_is_partitioned_by_borough(graph: dg.AssetGraph) -> None:
    assert graph.get(RECEIVED).partitions_def == BOROUGHS
    assert set(BOROUGHS.get_partition_keys()) == set(load_region().slugs)


def test_checks_that_guard_publication_block(graph: dg.AssetGraph) -> None:
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert "every_row_is_accounted_for" in blocking
    assert blocking >= {check.id for check in load_table_checks() if check.blocking}
    assert "every_borough_month_was_received" not in blocking


def test_the_schedule_runs_all_boroughs_the_day_after_deliveries_are_expected() -> None:
    assert monthly.cron_schedule == "0 6 21 * *"
    data = monthly.evaluate_tick(dg.build_schedule_context())
    assert [request.tags.items() >= all_boroughs().items() for request in data.run_requests or []] == [True]


def look(home: Path, cursor: str | None) -> tuple[str | None, list[str]]:
    """One look of the sensor: its new cursor and the run keys it asks for."""
    context = dg.build_sensor_context(cursor=cursor, resources={"house": House(root=str(home))})
    data = landing.evaluate_tick(context)
    return data.cursor or cursor, [str(request.run_key) for request in data.run_requests or []]


def test_the_sensor_waits_for_a_file_to_settle_and_asks_once_for_the_same_content(tmp_path: Path) -> None:
    file = tmp_path / "landing" / "bury" / "a.csv"
    assert look(tmp_path, None)[1] == []
    file.parent.mkdir(parents=True)
    file.write_text("half")
    cursor, asked = look(tmp_path, None)
    assert asked == []
    cursor, first = look(tmp_path, cursor)
    assert len(first) == 1
    os.utime(file, (1, 1))
    cursor, asked = look(tmp_path, cursor)
    assert asked == []
    cursor, touched = look(tmp_path, cursor)
    assert touched == first
    file.write_text("other")
    cursor, _ = look(tmp_path, cursor)
    _, changed = look(tmp_path, cursor)
    assert len(changed) == 1
    assert changed != first
