"""What is told of each incident by itself, at its boundaries: hours, days, flags, places, months' ends, settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.builders.rows import EpisodeRow, area_codes, cases, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse

BOLTON, BURY = (area_codes()[slug] for slug in ("bolton", "bury"))
OUTSIDE = "E08000011"
# Missing in the March after everything else, so that every period before it is over.
LATER = EpisodeRow(
    episode_id="later", child="zoe", borough="wigan", started="2026-03-20 10:00", found="2026-03-20 11:00"
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


def told(warehouse: SmallWarehouse, *rows: EpisodeRow, table: str = "incident_month") -> dict[str, tuple[int, int]]:
    """Count and not measurable of every undivided measure of Bolton on basis A, summed over months."""
    warehouse.load(delivery(*rows, LATER))
    warehouse.build(f"statistics.{table}")
    divided = "and breakdown = 'total'" if table == "incident_month" else ""
    found = warehouse.rows(
        f"select measure, sum(count)::bigint, sum(not_measurable)::bigint from statistics.{table} "  # noqa: S608 - our own table
        f"where basis = 'A' and area_code = $area {divided} group by measure",
        area=BOLTON,
    )
    return {measure: (count, unclear) for measure, count, unclear in (row.values() for row in found)}


def values(warehouse: SmallWarehouse, breakdown: str, *rows: EpisodeRow) -> dict[str, int]:
    """Incidents of Bolton on basis A by the values of a breakdown."""
    warehouse.load(delivery(*rows, LATER))
    warehouse.build("statistics.incident_month")
    found = warehouse.rows(
        "select breakdown_value, sum(count)::bigint as count from statistics.incident_month "
        "where measure = 'incidents' and basis = 'A' and area_code = $area and breakdown = $breakdown group by all",
        area=BOLTON,
        breakdown=breakdown,
    )
    return {row["breakdown_value"]: row["count"] for row in found}


def absence(started: str = "2024-05-10 10:00", found: str | None = "2024-05-10 12:00", **given: object) -> EpisodeRow:
    return EpisodeRow(episode_id=started, started=started, found=found, **given)  # type: ignore[arg-type] # any column


@pytest.mark.parametrize(
    ("found", "within_24", "within_48", "timed"),
    [
        ("2024-05-11 10:00", (1, 0), (1, 0), (1, 0)),
        ("2024-05-11 10:01", (0, 0), (1, 0), (1, 0)),
        ("2024-05-12 10:00", (0, 0), (1, 0), (1, 0)),
        ("2024-05-12 10:01", (0, 0), (0, 0), (1, 0)),
        ("2024-05-11", (0, 1), (0, 1), (0, 1)),
        (None, (0, 0), (0, 0), (0, 0)),
    ],
)
def test_located_within_hours_that_are_told_to_the_minute(
    warehouse: SmallWarehouse, found: str | None, within_24: object, within_48: object, timed: object
) -> None:
    counts = told(warehouse, absence(found=found))
    assert counts.get("incidents_within_24_hours", (0, 0)) == within_24
    assert counts.get("incidents_within_48_hours", (0, 0)) == within_48
    assert counts.get("incidents_timed", (0, 0)) == timed


def test_24_hours_are_elapsed_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    spring = absence("2024-03-30 12:00", "2024-03-31 13:00")
    autumn = absence("2024-10-26 12:00", "2024-10-27 12:00", child="ben")
    assert told(warehouse, spring)["incidents_within_24_hours"] == (1, 0)
    assert told(warehouse, autumn).get("incidents_within_24_hours", (0, 0)) == (0, 0)


def test_durations_are_days_of_the_calendar(warehouse: SmallWarehouse) -> None:
    ends = {
        "2024-05-10 23:59": "under 1 day",
        "2024-05-11 00:01": "1 to 2 days",
        "2024-05-12 23:00": "1 to 2 days",
        "2024-05-13 01:00": "3 to 7 days",
        "2024-05-17 01:00": "3 to 7 days",
        "2024-05-18 01:00": "8 to 10 days",
        "2024-05-20 01:00": "8 to 10 days",
        "2024-05-21 01:00": "11 to 15 days",
        "2024-05-25 01:00": "11 to 15 days",
        "2024-05-26 01:00": "16 to 20 days",
        "2024-05-30 01:00": "16 to 20 days",
        "2024-05-31 01:00": "21 to 30 days",
        "2024-06-09 01:00": "21 to 30 days",
        "2024-06-10 01:00": "over 30 days",
    }
    for found, band in ends.items():
        assert values(warehouse, "duration", absence(found=found)) == {band: 1}, found
    assert values(warehouse, "duration", absence(found=None)) == {"no end recorded": 1}


def test_a_flag_is_live_from_its_own_day_and_without_a_date_cannot_be_told(warehouse: SmallWarehouse) -> None:
    given = {
        "on the day": {"cse_flag_date": "2024-05-10"},
        "the day after": {"cse_flag_date": "2024-05-11"},
        "no date": {"cse_flag": "yes"},
        "none": {"cse_flag": "no"},
        "the other kind": {"cce_flag_date": "2024-01-01"},
    }
    counts = told(warehouse, *cases({name: (absence(**cells),) for name, cells in given.items()}).rows)
    assert counts["incidents_cse_flag_live"] == (1, 1)
    assert counts["incidents_cce_flag_live"] == (1, 0)
    assert counts["incidents_exploitation_flag_live"] == (2, 1)


def test_places_of_looked_after_children(warehouse: SmallWarehouse) -> None:
    given = {
        "own": {},
        "elsewhere": {"responsible": BURY},
        "outside": {"responsible": OUTSIDE},
        "unknown": {"responsible": "unknown"},
    }
    rows = cases({name: (absence(looked_after="yes", **cells),) for name, cells in given.items()}).rows
    counts = told(warehouse, *rows, absence("2024-06-01 10:00", "2024-06-01 11:00", child="no", responsible=BURY))
    assert counts["incidents_looked_after"] == (4, 0)
    assert counts["incidents_looked_after_elsewhere"] == (2, 1)
    assert counts["incidents_looked_after_out_of_region"] == (1, 1)


def test_missing_at_the_end_of_a_month(warehouse: SmallWarehouse) -> None:
    ends = {
        "found at midnight": ("2024-05-31 20:00", "2024-06-01 00:00", 1),
        "found a minute before": ("2024-05-31 20:00", "2024-05-31 23:59", 0),
        "7 days to the minute": ("2024-05-25 00:00", "2024-06-01 12:00", 1),
    }
    for name, (started, found, standing) in ends.items():
        counts = told(warehouse, absence(started, found), table="incident_open")
        assert counts.get("open_at_month_end", (0, 0)) == (standing, 0), name
        assert counts.get("open_over_7_days", (0, 0)) == (0, 0), name
    longer = told(warehouse, absence("2024-05-24 23:59", "2024-06-01 12:00"), table="incident_open")
    assert longer["open_over_7_days"] == (1, 0)


def test_an_end_that_nobody_recorded_cannot_be_told_once_the_child_is_missing_again(warehouse: SmallWarehouse) -> None:
    unended, again = absence("2024-05-05 10:00", None), absence("2024-05-20 10:00")
    counts = told(warehouse, unended, again, table="incident_open")
    assert counts["open_at_month_end"][0] == 0
    assert counts["open_at_month_end"][1] > 0


def test_the_ten_settings_with_most(warehouse: SmallWarehouse) -> None:
    at_homes = [
        absence(f"2024-05-{day:02} {hour:02}:00", f"2024-05-{day:02} {hour:02}:30", child=f"c{home}-{hour}",
                setting="childrens_home", setting_id=f"home {home:02}")
        for home, times in enumerate([3, *[2] * 9, 1, 1])
        for hour in range(times)
        for day in (home + 1,)
    ]  # fmt: skip
    nameless = absence("2024-06-20 10:00", "2024-06-20 11:00", child="x", setting="foster_care")
    warehouse.load(delivery(*at_homes, nameless, LATER))
    warehouse.build("statistics.setting_top_ten")
    found = warehouse.rows(
        "select measure, count, not_measurable from statistics.setting_top_ten "
        "where basis = 'A' and period_start = $year order by measure",
        year=date(2024, 4, 1),
    )
    assert [tuple(row.values()) for row in found] == [
        ("incidents_care_setting", 23, 1),
        ("incidents_ten_settings", 21, 1),
    ]


@pytest.mark.parametrize(
    ("again", "measured"),
    [("2024-06-07 12:00", (1, 1)), ("2024-06-07 12:01", (0, 1)), (None, (0, 1))],
)
def test_missing_again_within_exactly_28_days_of_the_end(
    warehouse: SmallWarehouse, again: str | None, measured: tuple[int, int]
) -> None:
    rows = [absence()] + ([absence(again, None)] if again else [])
    every_month = [
        absence(f"2024-{month:02}-28 10:00", f"2024-{month:02}-28 11:00", child=f"m{month}") for month in range(5, 13)
    ]
    warehouse.load(delivery(*rows, *every_month, LATER))
    warehouse.build("statistics.child", "statistics.recurrence_gap", "statistics.child_again")
    number = warehouse.values("select child_number from statistics.child where child_key = 'anna'")[0]
    found = warehouse.rows(
        "select is_gone_again and days <= 28 as again, followed_days >= 28 as followed from statistics.recurrence_gap "
        "where child_number = $number and basis = 'A' and area_code = $area and period_start = date '2024-04-01'",
        number=number,
        area=BOLTON,
    )
    assert [(int(row["again"]), int(row["followed"])) for row in found] == [measured]


@pytest.mark.parametrize(
    ("second", "ends_with_both", "ends_with_neither"),
    [("2024-04-30 10:00", date(2023, 5, 1), date(2024, 6, 1))],
)
def test_twelve_rolling_months_hold_a_child_from_its_month_to_eleven_later(
    warehouse: SmallWarehouse, second: str, ends_with_both: date, ends_with_neither: date
) -> None:
    first = absence("2023-05-01 10:00", "2023-05-01 11:00")
    early = absence("2022-01-10 10:00", "2022-01-10 11:00", child="zoe")
    warehouse.load(delivery(early, first, absence(second, None), LATER))
    warehouse.build("statistics.child_rolling")
    found = {
        (row["measure"], row["period_start"]): row["count"]
        for row in warehouse.rows(
            "select measure, period_start, count from statistics.child_rolling where basis = 'A' and area_code = $area",
            area=BOLTON,
        )
    }
    assert found["children_repeat", ends_with_both] == 1
    assert ("children_repeat", date(2023, 6, 1)) not in found
    assert found["children", date(2023, 6, 1)] == 1
    assert ("children", ends_with_neither) not in found
