"""A public page that holds more than is published, in a run: the step fails, says where, and the run can say it too."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets.house import House
from pipelines.assets.publication import site
from pipelines.commands.run import _sentence
from pipelines.home import Home
from pipelines.warehouse.connection import connect


@pytest.fixture
def home(small_home: Path, tmp_path: Path) -> Home:
    """A home whose snapshot has a published figure that its published counts do not give."""
    home = Home(tmp_path)
    home.warehouse.mkdir()
    shutil.copyfile(small_home / "current.duckdb", home.current_database)
    with connect(home.current_database, read_only=False) as connection:
        connection.execute("update published.indicator set numerator = numerator + 3 where indicator_id = 'I28'")
    return home


def test_the_step_fails_and_the_run_names_the_places_without_a_value(home: Home) -> None:
    result = dg.materialize([site], resources={"house": House(root=str(home.root), as_at="")}, raise_on_error=False)
    assert not result.success
    (said,) = [_sentence(event) for event in result.all_events if event.is_step_failure]
    assert said.startswith("site failed: The public pages were not replaced, since")
    assert "data/changed-held" in said
    assert "numerator: not derived from published counts (derived)" in said
    assert not (home.site / "public").exists()
    assert (home.site / "boroughs" / "bury" / "index.html").is_file()
