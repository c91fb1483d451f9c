"""When a child counts as gone missing again, until when it is watched, and what the estimates and their limits say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.recurrence.concentration import concentration
from pipelines.recurrence.mean_cumulative import DAYS, Course, mean_cumulative
from pipelines.recurrence.survival import daily, median, survival, weekly_hazard
from pipelines.recurrence.tables import RECURRENCE_TABLES, build_recurrence
from pipelines.uncertainty.resampling import FEWEST_CHILDREN, draw, generator
from pipelines.warehouse.connection import connect, replace_table
from pipelines.warehouse.graph import build_table, load_tables
from tests.builders.rows import EpisodeRow, Row, area_codes, as_child, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse

BOLTON, BURY, OLDHAM, WIGAN = (area_codes()[slug] for slug in ("bolton", "bury", "oldham", "wigan"))
REGION = "E47000001"
MINUTE = 1 / 1440


def absence(started: str, found: str | None, **given: Any) -> EpisodeRow:
    """A missing episode."""
    return EpisodeRow(**{"episode_id": started, "started": started, "found": found} | given)


MAY = absence("2024-05-10 10:00", "2024-05-10 12:00")
# Sent by Bolton, with a row in every month, unless said otherwise. Bury is cut on 10 June at 10:00, Wigan skips June.
CASES: dict[str, tuple[Row, ...]] = {
    "28 days": (MAY, absence("2024-06-07 12:00", "2024-06-07 13:00")),
    "a minute more": (MAY, absence("2024-06-07 12:01", "2024-06-07 13:00")),
    "clock put back": (
        absence("2024-10-19 10:00", "2024-10-19 12:00"),
        absence("2024-11-16 11:00", "2024-11-16 13:00"),
    ),
    "clock put forward": (
        absence("2025-03-10 10:00", "2025-03-10 12:00"),
        absence("2025-04-07 12:59", "2025-04-07 13:30"),
    ),
    "365 days": (MAY, absence("2025-05-10 10:00", "2025-05-10 13:00")),
    "more than 365 days": (MAY, absence("2025-05-10 10:01", "2025-05-10 13:00")),
    "in another borough": (MAY, absence("2024-05-20 12:00", "2024-05-20 13:00", borough="bury")),
    "end by day": (absence("2024-05-10 10:00", "2024-05-12"), absence("2024-05-20 00:00", "2024-05-20 13:00")),
    "start by day": (MAY, absence("2024-05-20", "2024-05-21 13:00")),
    "end in the repeated hour": (
        absence("2024-10-26 10:00", "2024-10-27 01:30"),
        absence("2024-11-10 12:00", "2024-11-10 13:00"),
    ),
    "still missing": (absence("2024-05-10 10:00", None),),
    "end not recorded": (absence("2024-05-10 10:00", None), absence("2024-05-20 12:00", "2024-05-20 13:00")),
    "open, then at 18": (
        absence("2024-05-10 10:00", None, age=17),
        absence("2024-05-30 12:00", "2024-05-30 13:00", age=18),
    ),
    "last day at 17": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", age=17),
        absence("2024-05-30 12:00", "2024-05-30 13:00", age=18),
        absence("2024-06-30 12:00", "2024-06-30 13:00", age=18),
    ),
    "at 18": (absence("2024-05-10 10:00", "2024-05-10 12:00", age=18),),
    "away": (MAY, absence("2024-05-20 12:00", "2024-05-20 13:00", status="away")),
    "in care later": (MAY, absence("2024-05-20 12:00", "2024-05-20 13:00", looked_after="yes")),
    "in care": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", looked_after="yes"),
        absence("2024-05-20 12:00", "2024-05-20 13:00", looked_after="no"),
    ),
    "two years": (
        absence("2024-03-31 23:58", "2024-03-31 23:59"),
        absence("2024-04-01 00:01", "2024-04-01 00:02"),
        absence("2025-03-30 12:00", "2025-03-30 13:00"),
        absence("2025-04-01 12:00", "2025-04-01 13:00"),
    ),
    "alone": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", borough="oldham"),
        absence("2024-06-07 12:00", "2024-06-07 13:00", borough="oldham"),
    ),
    "month not sent": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", borough="wigan"),
        absence("2024-07-20", "2024-07-20 13:00", borough="wigan"),
    ),
    "before the month not sent": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", borough="wigan"),
        absence("2024-05-31 23:59", "2024-06-02 13:00", borough="wigan"),
    ),
    "at the cut": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", borough="bury"),
        absence("2024-06-10 10:00", "2024-06-10 13:00"),
    ),
    "after the cut": (
        absence("2024-05-10 10:00", "2024-05-10 12:00", borough="bury"),
        absence("2024-06-10 10:01", "2024-06-10 13:00"),
    ),
}
EVERY_MONTH = [
    absence(f"{year}-{month:02}-28 12:00", f"{year}-{month:02}-28 13:00", child=f"filler {year} {month}")
    for year, month in [(2024, month) for month in range(3, 13)] + [(2025, month) for month in range(1, 7)]
]
BURY_IN_JUNE = absence("2024-06-01 12:00", "2024-06-01 13:00", borough="bury", child="bury in June")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    """Every case, followed and estimated."""
    sent = [row for name, rows in CASES.items() for row in as_child(name, *rows)]
    bury = [row for row in sent if row.borough == "bury"]
    others = [row for row in sent if row.borough != "bury"]
    with small_warehouse() as opened:
        opened.load(
            delivery(*bury, BURY_IN_JUNE, received="2024-06-10 09:00", name="bury"),
            delivery(*others, *EVERY_MONTH, received="2025-07-01 09:00"),
        )
        opened.build(
            "statistics.child",
            "statistics.recurrence_event",
            "statistics.concentration_curve",
            "statistics.repeat_meaning",
            "statistics.incident_count",
            "statistics.child_count",
        )
        build_recurrence(opened.connection)
        yield opened


def followed(warehouse: SmallWarehouse, name: str, area: str = BOLTON, year: int = 2025) -> dict[str, Any]:
    """What became of a case after its first episode of the year to March; nothing where it had none in the area."""
    rows = warehouse.rows(
        "select * from statistics.recurrence_gap inner join statistics.child using (child_number) "
        "where basis = 'A' and child_key = $name and area_code = $area and period_start = $first",
        name=name,
        area=area,
        first=date(year - 1, 4, 1),
    )
    assert len(rows) <= 1
    return rows[0] if rows else {}


@pytest.mark.parametrize(
    ("name", "days", "is_exact"),
    [
        ("28 days", 28, True),
        ("a minute more", 28 + MINUTE, True),
        ("clock put back", 28, True),
        ("clock put forward", 28 - MINUTE, True),
        ("in another borough", 10, True),
        ("end by day", 8, False),
        ("start by day", 9.5, False),
        ("end in the repeated hour", 14.5 - 30 * MINUTE, False),
    ],
)
def test_time_is_elapsed_from_the_end_to_the_next_missing_start(
    warehouse: SmallWarehouse, name: str, days: float, is_exact: bool
) -> None:
    case = followed(warehouse, name)
    assert case["days"] == pytest.approx(days, abs=1e-9)
    assert (case["days"] <= 28) == (days <= 28)
    assert (case["is_gone_again"], case["left_out"], case["is_exact"]) == (True, None, is_exact)


@pytest.mark.parametrize(
    ("name", "area", "days", "gone_again"),
    [
        ("last day at 17", BOLTON, 20, False),  # a start at 18 ends the watch and is not an event
        ("away", BOLTON, 416.5, False),  # to the end of the last month sent, which is before the data cut
        ("month not sent", WIGAN, 21.5, False),
        ("before the month not sent", WIGAN, 21.5 - MINUTE, True),
        ("at the cut", BURY, 31 - 2 / 24, True),
        ("after the cut", BURY, 31 - 2 / 24, False),  # known to another borough, later than Bury is known
    ],
)
def test_a_child_is_watched_as_long_as_its_borough_is_known(
    warehouse: SmallWarehouse, name: str, area: str, days: float, gone_again: bool
) -> None:
    for place in (area, REGION):
        case = followed(warehouse, name, place)
        assert (case["days"], case["is_gone_again"]) == (pytest.approx(days, abs=1e-9), gone_again)
        assert case["is_exact"]  # a start by day that is not seen makes nothing less exact


def test_a_first_episode_without_an_end_is_counted_apart(warehouse: SmallWarehouse) -> None:
    left_out = {
        "still missing": "still_missing",
        "end not recorded": "end_not_recorded",
        "open, then at 18": "end_not_recorded",
    }
    for name, reason in left_out.items():
        case = followed(warehouse, name)
        assert (case["left_out"], case["days"], case["is_gone_again"]) == (reason, None, False)
    assert followed(warehouse, "at 18") == {}


def test_each_area_and_year_has_its_own_first_episode(warehouse: SmallWarehouse) -> None:
    assert followed(warehouse, "two years", year=2024)["days"] == pytest.approx(2 * MINUTE)
    assert followed(warehouse, "two years", year=2025)["days"] == pytest.approx(
        363.5 - 2 * MINUTE - 1 / 24 * 0, abs=0.1
    )
    assert followed(warehouse, "two years", year=2026) == {}  # not over at the data cut
    assert followed(warehouse, "in another borough", BURY)["is_gone_again"] is False
    assert followed(warehouse, "in another borough", REGION)["is_gone_again"] is True


def test_looked_after_is_that_of_the_first_episode(warehouse: SmallWarehouse) -> None:
    assert [followed(warehouse, name)["looked_after"] for name in ("in care", "in care later")] == ["yes", "no"]


def test_further_episodes_are_counted_within_365_days_and_while_watched(warehouse: SmallWarehouse) -> None:
    rows = warehouse.rows(
        "select child_key, count(*) as number from statistics.recurrence_event inner join statistics.child using "
        "(child_number) where basis = 'A' and area_code = $area and period_start = '2024-04-01' group by child_key",
        area=REGION,
    )
    numbers = {row["child_key"]: row["number"] for row in rows}
    expected = {"365 days": 1, "two years": 1, "at the cut": 1, "end not recorded": 1}
    assert {name: numbers.get(name, 0) for name in expected} == expected
    assert numbers.keys().isdisjoint(
        {"more than 365 days", "after the cut", "away", "last day at 17", "month not sent"}
    )


# The tables


def test_every_child_is_timed_or_counted_apart(warehouse: SmallWarehouse) -> None:
    assert warehouse.values(
        "select count(*) from recurrence.summary where children <> timed + still_missing + end_not_recorded"
    ) == [0]
    unlike = """
        select count(*) from recurrence.summary as summary
        full join (from statistics.child_count where measure = 'children' and period_type = 'year_to_march') as counted
        using (basis, area_code, period_start, breakdown, breakdown_value)
        where breakdown = 'total' and summary.children is distinct from counted.count
    """
    assert warehouse.values(unlike) == [0]
    region = "select * from recurrence.summary where area_code = $area and basis = 'A' and period_start = '2024-04-01'"
    by_value = {row["breakdown_value"]: row for row in warehouse.rows(region, area=REGION)}
    assert by_value.keys() == {"Total", "yes", "no"}
    assert [by_value["Total"][name] for name in ("still_missing", "end_not_recorded", "aged_17")] == [1, 2, 1]
    assert by_value["Total"]["timed"] - by_value["Total"]["timed_exactly"] == 3
    assert by_value["yes"]["children"] == 1


def test_every_estimate_lies_between_its_limits(warehouse: SmallWarehouse) -> None:
    estimates = {
        "survival": "survival",
        "gone_again": "share",
        "hazard": "hazard",
        "mean_cumulative": "further_episodes",
        "concentration_interval": "estimate",
    }
    for table, value in estimates.items():
        rows = warehouse.rows(f"from recurrence.{table} where upper_95 > lower_95")
        assert rows, table
        assert all(row["lower_95"] <= row[value] <= row["upper_95"] for row in rows), table


def test_looked_after_children_have_their_own_further_episodes_only(warehouse: SmallWarehouse) -> None:
    assert warehouse.values(
        "select distinct further_episodes from recurrence.mean_cumulative where basis = 'A' and days in (14, 365) "
        "and period_start = '2024-04-01' and breakdown_value = 'yes'"
    ) == [1]


def test_beyond_what_was_watched_nothing_is_told(warehouse: SmallWarehouse) -> None:
    rows = warehouse.rows(
        "select area_code, share, of_those_within_a_year from recurrence.gone_again "
        "where basis = 'A' and period_start = '2024-04-01' and area_code <> $region order by area_code, days",
        region=REGION,
    )
    found = {code: [tuple(row.values())[1:] for row in rows if row["area_code"] == code] for code in (OLDHAM, WIGAN)}
    alone = "select median_days from recurrence.summary where basis = 'A' and area_code = $area"
    assert warehouse.values(alone, area=OLDHAM) == [28]
    assert found == {OLDHAM: [(0, 0), (1, 1), (1, 1), (1, 1), (1, 1)], WIGAN: [(0, None), *[(None, None)] * 4]}


def test_the_same_children_in_another_order_give_the_same_tables(warehouse: SmallWarehouse) -> None:
    before = {table: warehouse.rows(f"from {table}") for table in RECURRENCE_TABLES}
    assert all(before.values())
    for table in ("recurrence_gap", "recurrence_event", "concentration_curve"):
        warehouse.connection.execute(
            f"create or replace table statistics.{table} as from statistics.{table} order by hash({table})"
        )
    build_recurrence(warehouse.connection)
    assert {table: warehouse.rows(f"from {table}") for table in RECURRENCE_TABLES} == before


def test_the_two_meanings_of_repeat_stand_side_by_side(warehouse: SmallWarehouse) -> None:
    unlike = """
        select count(*) from statistics.repeat_meaning as meaning
        inner join statistics.incident_count as counted using (basis, area_code, period_start)
        where counted.period_type = 'year_to_march' and counted.measure = 'incidents_of_repeaters'
        and meaning.incidents_of_repeat_children_in_year <> counted.count
    """
    assert warehouse.values(unlike) == [0]
    assert warehouse.values("select count(*) from statistics.repeat_meaning where second_or_later_365_days <> 0") == [0]


def test_looking_back_needs_a_year_before() -> None:
    by_child = {
        "before the year": ("2024-03-20 10:00", "2024-04-10 10:00"),
        "twice": ("2024-05-01 10:00", "2024-06-01 10:00"),
        "once": ("2024-05-01 10:00",),
    }
    rows = [absence(start, start, child=name, episode_id=name + start) for name in by_child for start in by_child[name]]
    last = absence("2025-03-10 10:00", "2025-03-10 10:00", child="last")
    with small_warehouse() as opened:
        for first, looked_back in (("2023-04-30 12:00", [2, 3, 2]), ("2023-05-01 12:00", [None, None, None])):
            opened.load(delivery(*rows, last, absence(first, first, child="first")))
            opened.build("statistics.repeat_meaning")
            (found,) = opened.rows(
                "from statistics.repeat_meaning "
                "where basis = 'A' and area_code = $area and period_start = '2024-04-01'",
                area=BOLTON,
            )
            assert list(found.values())[3:] == [5, 4, 1, 2, 1, *looked_back]
        opened.load(delivery(rows[-1], received="2024-06-10 09:00"))  # in a year that is not over
        opened.build("statistics.recurrence_event", "statistics.concentration_curve")
        assert build_recurrence(opened.connection) == dict.fromkeys(RECURRENCE_TABLES, 0)


def test_slices_are_whole_children_and_all_who_tie() -> None:
    incidents = {
        "exact": [9, 5, 5, *[1] * 17],  # a twentieth is one child, three twentieths are three
        "tied": [9, 5, 5, 5, *[1] * 17],
        "half": [4, 2, 1, 1],
        "equal": [2, 2, 2, 2, 2],
        "alone": [3],
    }
    rows = [(frame, number) for frame, numbers in enumerate(incidents.values()) for number in numbers]
    with connect(Path(":memory:"), read_only=False) as connection:
        connection.execute("create schema statistics")
        frame = pl.DataFrame(
            [(number, "A", area, "year_to_march", date(2024, 4, 1)) for number, area in enumerate(incidents)],
            schema=["frame_number", "basis", "area_code", "period_type", "period_start"],
            orient="row",
        )
        replace_table(connection, "statistics.frame", frame)
        child_period = pl.DataFrame(rows, schema=["frame_number", "incidents"], orient="row")
        replace_table(connection, "statistics.child_period", child_period)
        for table in load_tables():
            if table.qualified in ("statistics.concentration_curve", "statistics.concentration"):
                build_table(connection, table)
        query = "select area_code, slice, children, incidents, incidents_each from statistics.concentration"
        slices = {row[:2]: row[2:] for row in connection.execute(query).fetchall()}
    assert slices == {
        ("exact", "top_5_percent"): (1, 9, 9),
        ("exact", "top_15_percent"): (3, 19, 5),
        ("exact", "half_of_incidents"): (3, 19, 5),
        ("tied", "top_5_percent"): (4, 24, 5),
        ("tied", "top_15_percent"): (4, 24, 5),
        ("tied", "half_of_incidents"): (4, 24, 5),
        ("half", "top_5_percent"): (1, 4, 4),
        ("half", "top_15_percent"): (1, 4, 4),
        ("half", "half_of_incidents"): (1, 4, 4),
        ("equal", "top_5_percent"): (5, 10, 2),
        ("equal", "top_15_percent"): (5, 10, 2),
        ("equal", "half_of_incidents"): (3, 6, 2),
        ("alone", "top_5_percent"): (1, 3, 3),
        ("alone", "top_15_percent"): (1, 3, 3),
        ("alone", "half_of_incidents"): (1, 3, 3),
    }


# Estimates and their limits


def test_nobody_gone_again_and_one_child_alone() -> None:
    days = np.array([1.0, 400.0])
    nobody = survival(days, np.array([False, False]))
    assert set(daily(nobody)["survival"]) == {1}
    assert np.isnan(median(nobody)).all()
    alone = daily(survival(np.array([28.0]), np.array([True])))
    assert [alone["survival"][day] for day in (27, 28, 365)] == [1, 0, 0]
    assert np.isnan(alone["lower_95"]).all()


def test_a_week_ends_with_its_last_instant() -> None:
    hazard = weekly_hazard(np.array([7.0, 7 + MINUTE, 14.0]), np.array([True, True, True]))
    assert hazard["events"].tolist()[:3] == [1, 2, 0]
    assert hazard["at_risk"].tolist()[:3] == [3, 2, 0]
    assert hazard["hazard"][1] == pytest.approx(2 / ((MINUTE + 7) / 7))
    limits = [hazard[name][1] * hazard["child_weeks"][1] for name in ("lower_95", "upper_95")]
    assert limits == pytest.approx([stats.chi2.ppf(0.025, 4) / 2, stats.chi2.ppf(0.975, 6) / 2])
    assert (hazard["lower_95"][0] > 0, np.isnan(hazard["hazard"][2])) == (True, True)


def test_the_same_coordinates_draw_the_same_children() -> None:
    one, again, other = (draw(generator("A", area), 30, 50, 20) for area in ("E1", "E1", "E2"))
    assert (one == again).all()
    assert (one != other).any()
    assert one.sum(axis=0).mean() == pytest.approx(30, abs=3)
    assert one.sum(axis=0).max() <= 50
    assert draw(generator("A"), 0, 50, 20).shape == (0, 20)


def course(seed: int, children: int) -> Course:
    """Some children who go missing three times a year on average, a few of them very often; half are lost early."""
    random = np.random.default_rng(seed)
    observed = np.where(random.random(children) < 0.5, 365.0, random.uniform(60, 365, children))
    number = random.poisson(3 * random.gamma(0.5, 2, children))
    days = random.uniform(0, 365, number.sum())
    child = np.repeat(np.arange(children), number)
    seen = days <= observed[child]
    return Course(observed, child[seen], days[seen])


def test_limits_over_children_cover_the_truth_about_as_often_as_they_say() -> None:
    place = int(np.flatnonzero(DAYS == 182)[0])
    covered = 0
    for seed in range(100):
        columns = mean_cumulative(course(seed, 80), generator(str(seed)))
        covered += columns["lower_95"][place] <= 3 * 182 / 365 <= columns["upper_95"][place]
    assert 87 <= covered <= 99


def test_too_few_children_have_no_limits() -> None:
    for children in (FEWEST_CHILDREN - 1, FEWEST_CHILDREN):
        limits = [
            mean_cumulative(course(1, children), generator("a"))["upper_95"][10],
            concentration(np.array([3, 1]), np.array([2, children - 2]), generator("a"))["upper_95"][0],
        ]
        assert np.isnan(limits).tolist() == [children < FEWEST_CHILDREN] * 2


def test_concentration_is_between_its_limits() -> None:
    each, children = np.array([1, 2, 5, 20]), np.array([300, 100, 40, 10])
    columns = concentration(each, children, generator("a"))
    assert columns["slice"].tolist() == ["top_5_percent", "top_15_percent", "half_of_incidents"]
    # 450 children and 900 incidents: the top 22.5 have 20 each, then 5; half of the incidents are 10 x 20 and 50 more.
    assert columns["estimate"] == pytest.approx([(200 + 12.5 * 5) / 900, (400 + 17.5 * 2) / 900, (50 + 25) / 450])
    assert (columns["lower_95"] < columns["estimate"]).all()
    assert (columns["estimate"] < columns["upper_95"]).all()
    assert (columns["upper_95"] - columns["lower_95"] < 0.2).all()
