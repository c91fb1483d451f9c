"""At full size the demonstration comes to the published numbers, and is written in seconds."""

import time
from pathlib import Path

import polars as pl
import pytest

from pipelines.synthetic import summary, write_demonstration
from pipelines.synthetic.settings import load_settings

CONTRACTS = Path(__file__).parents[2] / "data_contracts"
SEED = 2026


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, float, pl.DataFrame]:
    """Every measure, the processor seconds it took, and what must be found."""
    folder = tmp_path_factory.mktemp("full")
    began = time.process_time()
    written = write_demonstration(folder / "landing", seed=SEED, contracts=CONTRACTS)
    spent = time.process_time() - began
    return summary(written.truth, CONTRACTS), spent, pl.read_parquet(written.truth / "to_find.parquet")


def test_each_measure_of_the_region_is_within_its_target(full: tuple[pl.DataFrame, float, pl.DataFrame]) -> None:
    region = full[0].filter(pl.col("area_code").is_null() & pl.col("low").is_not_null())
    means = region.group_by("measure").agg(pl.col("value").mean(), pl.col("low", "high").first())
    missed = means.filter(~pl.col("value").is_between("low", "high"))
    assert missed.is_empty(), missed.rows()


def test_every_year_has_its_number_of_incidents_and_children(full: tuple[pl.DataFrame, float, pl.DataFrame]) -> None:
    counts = full[0].filter(pl.col("measure").is_in(["incidents", "children"]))
    assert counts.height == 10
    assert counts["value"].is_between(counts["low"], counts["high"]).all()


def test_authorities_looked_after_children_are_near_the_published_year(
    full: tuple[pl.DataFrame, float, pl.DataFrame],
) -> None:
    means = full[0].drop_nulls("area_code").group_by("measure", "area_code").agg(pl.col("value").mean())
    found = {(measure, code): value for measure, code, value in means.iter_rows()}
    for code, row in load_settings(CONTRACTS).looked_after.items():
        assert found["looked_after_incidents", code] == pytest.approx(row.incidents, rel=0.10)
        assert found["looked_after_children", code] == pytest.approx(row.children, rel=0.18)
        assert found["looked_after_away_incidents", code] == pytest.approx(row.away_incidents, rel=0.20, abs=1.5)


def test_every_pattern_is_arranged_as_often_as_planned(full: tuple[pl.DataFrame, float, pl.DataFrame]) -> None:
    each = full[2].group_by("case", "case_id").agg(pl.col("child").n_unique())
    sizes = {name: sorted(rows["child"]) for (name,), rows in each.group_by("case")}
    assert sizes["co_missing"] == [*[2] * 14, 3, 3, 4, 5]
    assert sizes["across_boroughs"] == [1] * 10
    assert sizes["linked_pseudonyms"] == [1] * 6
    assert len(sizes["two_records"]) == 56
    assert len(sizes["setting_cluster"]) == 6
    assert min(sizes["setting_cluster"]) >= 4


def test_the_whole_is_written_in_seconds(full: tuple[pl.DataFrame, float, pl.DataFrame]) -> None:
    # Processor seconds, so that a busy machine does not fail it; about 5 when alone.
    assert full[1] < 12
