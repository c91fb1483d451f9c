"""Patterns arranged across children, records that police and authority both have, and the links between pseudonyms.

Belongs here: what the truth demands to be found can be found, by the rules' own words. Does not: whether the pipeline
finds it (`tests/integration/test_planted_patterns.py`).
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.commands.demo import write_demo
from pipelines.errors import CommandError
from pipelines.synthetic import Demonstration
from pipelines.synthetic.links import MARK, linked, write_links
from tests.synthetic_files import read, write

HOURS_6, HOURS_2 = timedelta(hours=6), timedelta(hours=2)
Links = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return write(tmp_path_factory.mktemp("patterns"))


@pytest.fixture(scope="module")
def episodes(made: Demonstration) -> pl.DataFrame:
    return pl.read_parquet(made.truth / "episodes.parquet")


@pytest.fixture(scope="module")
def to_find(made: Demonstration, episodes: pl.DataFrame) -> pl.DataFrame:
    """Every record to find, with where it was."""
    where = episodes.select("episode_key", "area_missing_from", "setting_id", "status", "pseudonym_scope", "delivered")
    return pl.read_parquet(made.truth / "to_find.parquet").join(where, on="episode_key", maintain_order="left")


@pytest.fixture(scope="module")
def links(made: Demonstration) -> Links:
    text = made.links.read_text(encoding="utf-8")
    assert text.startswith(MARK)
    content: Links = yaml.safe_load(text)["links"]
    return content


def of(to_find: pl.DataFrame, case: str) -> pl.DataFrame:
    return to_find.filter(pl.col("case") == case)


def span(rows: pl.DataFrame) -> pl.DataFrame:
    """How long each case lasts, from its first start to its last."""
    return rows.group_by("case_id").agg((pl.col("started_at").max() - pl.col("started_at").min()).alias("span"))


def pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Every two children of a case on each occasion."""
    both = rows.join(rows, on=["case_id", "occasion"], suffix="_other").filter(pl.col("child") < pl.col("child_other"))
    return both.with_columns(
        (pl.col("started_at") - pl.col("started_at_other")).abs().alias("apart"),
        (pl.col("found_at") - pl.col("found_at_other")).abs().alias("found_apart"),
        (pl.max_horizontal("started_at", "started_at_other") < pl.min_horizontal("found_at", "found_at_other")).alias(
            "overlap"
        ),
    )


class TestAll:
    def test_a_small_demonstration_has_some_of_each(self, to_find: pl.DataFrame) -> None:
        counted = dict(to_find.group_by("case").agg(pl.col("case_id").n_unique()).iter_rows())
        assert counted.pop("two_records") >= 12
        assert 5 <= counted.pop("co_missing") <= 7
        assert counted == {"across_boroughs": 10, "linked_pseudonyms": 6, "setting_cluster": 6}

    def test_all_of_it_is_missing_and_was_delivered(self, to_find: pl.DataFrame) -> None:
        assert (to_find["status"] == "missing").all()
        assert to_find["delivered"].all()

    def test_a_child_has_a_part_in_one_case(self, to_find: pl.DataFrame) -> None:
        parts = to_find.filter(pl.col("case") != "two_records").select("child", "case_id").unique()
        assert parts["child"].is_unique().all()

    def test_a_short_demonstration_needs_none(self, tmp_path: Path) -> None:
        short = write(tmp_path, scale=0.01, first_month=date(2024, 1, 1), last_month=date(2024, 1, 1))
        assert short.totals["episodes"] > 0
        assert yaml.safe_load(short.links.read_text(encoding="utf-8")) is not None


class TestTogether:
    def test_groups_go_missing_together_three_to_six_times_in_half_a_year(self, to_find: pl.DataFrame) -> None:
        groups = of(to_find, "co_missing")
        times = groups.group_by("case_id", "child").len()
        assert times["len"].is_between(3, 6).all()
        assert (times.group_by("case_id").agg(pl.col("len").n_unique())["len"] == 1).all()
        assert (span(groups)["span"] < timedelta(days=180)).all()

    def test_each_time_from_one_place_within_six_hours_and_sometimes_found_together(
        self, to_find: pl.DataFrame
    ) -> None:
        both = pairs(of(to_find, "co_missing"))
        assert (both["apart"] <= HOURS_6).all()
        assert (both["area_missing_from"] == both["area_missing_from_other"]).all()
        found_together = both["overlap"] & (both["found_apart"] <= timedelta(minutes=10))
        assert 0.1 < found_together.mean() < 0.7  # type: ignore[operator]
        # From one setting, from homes, and from outside the region, told of by different boroughs.
        kinds = both.select(setting=pl.col("setting_id").is_null(), told=pl.col("borough") == pl.col("borough_other"))
        assert {(False, True), (True, True)} <= set(kinds.rows())
        assert not both.filter(pl.col("borough") != pl.col("borough_other")).is_empty()

    def test_they_are_together_more_often_than_chance_would_have_it(
        self, to_find: pl.DataFrame, episodes: pl.DataFrame
    ) -> None:
        groups = of(to_find, "co_missing")
        often = dict(episodes.group_by("child").len().iter_rows())
        for one, other, times in pairs(groups).group_by("child", "child_other").len().iter_rows():
            # Starts on the same of 180 days, three times over.
            assert times > 3 * often[one] * often[other] / 180


class TestBorders:
    def test_each_of_three_boroughs_sees_one_of_three(self, to_find: pl.DataFrame, episodes: pl.DataFrame) -> None:
        rows = of(to_find, "across_boroughs")
        each = rows.group_by("child").agg(pl.len(), pl.col("area_missing_from", "delivered_child_id").n_unique())
        assert each.select(pl.exclude("child")).unique().rows() == [(3, 3, 1)]
        assert (span(rows)["span"] < timedelta(days=28)).all()
        assert episodes.filter(pl.col("child").is_in(rows["child"].implode())).height == rows.height

    def test_linked_pseudonyms_are_needed_to_see_three(self, to_find: pl.DataFrame, links: Links) -> None:
        rows = of(to_find, "linked_pseudonyms")
        assert (span(rows)["span"] < timedelta(days=28)).all()
        seen = rows.group_by("child", "borough", "delivered_child_id", "pseudonym_scope").len()
        assert seen.group_by("child").agg(pl.col("len").sort())["len"].to_list() == [[1, 2]] * 6
        assert (
            seen.group_by("child").agg(pl.col("pseudonym_scope").sort())["pseudonym_scope"].to_list()
            == [["borough", "regional"]] * 6
        )
        known = {frozenset((one["borough"], one["child_id"]) for one in link["pseudonyms"]) for link in links}
        for child in seen.partition_by("child"):
            assert frozenset(child.select("borough", "delivered_child_id").iter_rows()) in known


class TestClusters:
    def test_one_setting_has_many_starts_by_several_children_in_a_month(
        self, to_find: pl.DataFrame, episodes: pl.DataFrame
    ) -> None:
        rows = of(to_find, "setting_cluster")
        each = rows.group_by("case_id", "borough").agg(
            pl.col("setting_id", "child").n_unique(), pl.len().alias("starts")
        )
        assert (each["setting_id"] == 1).all()
        assert (each["child"] >= 4).all()
        assert (each["starts"] >= 8).all()
        assert (span(rows)["span"] < timedelta(days=28)).all()
        others = episodes.filter(
            ~pl.col("episode_key").is_in(rows["episode_key"].implode()) & (pl.col("status") == "missing")
        )
        settings = ["area_missing_from", "setting_id"]
        usual = (
            others.drop_nulls("setting_id").sort("started_at").rolling("started_at", period="28d", group_by=settings)
        )
        often = usual.agg(pl.len().alias("n")).group_by("area_missing_from").agg(pl.col("n").quantile(0.95))
        areas = rows.select("case_id", "area_missing_from").unique()
        assert (
            each.join(areas, on="case_id")
            .join(often, on="area_missing_from")
            .select(pl.col("starts") > pl.col("n"))
            .to_series()
            .all()
        )

    def test_its_starts_are_too_far_apart_to_be_together(self, to_find: pl.DataFrame) -> None:
        gaps = of(to_find, "setting_cluster").sort("case_id", "started_at")
        apart = gaps.select((pl.col("started_at") - pl.col("started_at").shift(1).over("case_id")).alias("gap"))
        assert apart["gap"].drop_nulls().min() > HOURS_6  # type: ignore[operator]


class TestPolice:
    def test_both_records_are_one_absence_a_little_apart(self, to_find: pl.DataFrame) -> None:
        rows = of(to_find, "two_records")
        sides = {name: rows.filter(pl.col("recorded_by") == name) for name in ("authority", "police")}
        both = sides["authority"].join(sides["police"], on="episode_key", suffix="_police")
        assert both.height == sides["authority"].height == sides["police"].height
        assert (both["delivered_child_id"] != both["delivered_child_id_police"]).all()
        assert (both["started_at_police"] >= both["started_at"]).all()
        late = both.filter(pl.col("started_at_police") > pl.col("found_at"))
        assert 0 < late.height < both.height
        assert (
            both.filter(pl.col("borough") == "salford")
            .select(pl.col("started_at_police") - pl.col("found_at"))
            .to_series()
            < HOURS_2
        ).all()

    def test_the_files_hold_what_the_truth_says(self, to_find: pl.DataFrame, made: Demonstration) -> None:
        planted = pl.read_parquet(made.truth / "planted.parquet")
        names = planted.filter(pl.col("case") == "police_extract").select("borough", "file")
        told = [
            read(made.landing / borough / name).frame.select(
                pl.lit(borough).alias("borough"), "INCIDENT_REF", "NOMINAL_ID"
            )
            for borough, name in names.iter_rows()
        ]
        police = of(to_find, "two_records").filter(pl.col("recorded_by") == "police")
        assert set(names["borough"]) == {"oldham", "salford"}
        assert set(pl.concat(told).rows()) == set(police.select("borough", "episode_id", "delivered_child_id").rows())

    def test_every_police_pseudonym_is_linked_to_the_authoritys(self, to_find: pl.DataFrame, links: Links) -> None:
        rows = of(to_find, "two_records")
        known = {frozenset((one["borough"], one["child_id"]) for one in link["pseudonyms"]) for link in links}
        for child in rows.partition_by("child", "borough"):
            assert frozenset(child.select("borough", "delivered_child_id").unique().iter_rows()) in known


class TestLinks:
    def test_each_is_a_decision_of_its_own_made_before_any_delivery(self, links: Links) -> None:
        assert len({link["id"] for link in links}) == len(links) > 10
        assert {link["decided_at"].year for link in links} == {2021}
        assert all("synthetic" in link["decided_by"] and "synthetic" in link["reason"] for link in links)

    def test_a_file_of_decisions_is_never_overwritten(self, to_find: pl.DataFrame, tmp_path: Path) -> None:
        path = tmp_path / "links.yaml"
        path.write_text("links: []\n", encoding="utf-8")
        with pytest.raises(FileExistsError):
            write_links(path, linked(to_find))
        assert path.read_text(encoding="utf-8") == "links: []\n"

    def test_a_second_demonstration_in_a_home_keeps_the_links_of_the_first(
        self, to_find: pl.DataFrame, made: Demonstration, tmp_path: Path
    ) -> None:
        path = tmp_path / "home" / "links.yaml"
        write_links(path, [])
        assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"links": []}
        links = linked(to_find)
        write_links(path, links[::2])
        write_links(path, links[1:])
        assert path.read_bytes() == made.links.read_bytes()

    def test_the_command_says_whose_file_it_will_not_touch(self, tmp_path: Path) -> None:
        (tmp_path / "links.yaml").write_text("links: []\n", encoding="utf-8")
        month = date(2024, 1, 1)
        with pytest.raises(CommandError, match=r"links\.yaml is not a demonstration's; nothing was written"):
            write_demo(tmp_path / "landing", month, month, seed=1, scale=0.01, links=None)
        assert not (tmp_path / "landing").exists()
        write_demo(tmp_path / "landing", month, month, seed=1, scale=0.01, links=tmp_path / "other.yaml")
        assert (tmp_path / "landing").exists()
        assert (tmp_path / "links.yaml").read_text(encoding="utf-8") == "links: []\n"


def test_a_few_interviews_are_held_after_the_next_absence(made: Demonstration, episodes: pl.DataFrame) -> None:
    own = episodes.filter(pl.col("status") == "missing").sort("child", "delivered_by", "started_at")
    later = pl.col("returned_at").shift(-1).over("child", "delivered_by").alias("next_return")
    held = pl.read_parquet(made.truth / "interviews.parquet").filter(pl.col("cases") == "interview_after_next")
    both = held.join(own.select("episode_key", later), left_on="episode_keys", right_on="episode_key")
    assert both.height == held.height > 10
    assert (both["held_at"] > both["next_return"]).all()
    assert (both["accepted"] == "yes").all()


def test_interviewers_vary_within_a_borough(made: Demonstration) -> None:
    held = pl.read_parquet(made.truth / "interviews.parquet").drop_nulls("interviewer")
    kinds = held.group_by("delivered_by").agg(pl.col("interviewer").n_unique())
    assert (kinds["interviewer"] >= 3).all()
    assert (kinds.height, held["interviewer"].n_unique()) == (10, 5)
