"""Who counts, where and in which period; what was not received; look-back, populations and intervals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from scipy import stats

from pipelines.checks.tables import load_table_checks
from pipelines.contracts.contract import load_contracts
from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, area_codes, cases, delivery, recorded, utc
from tests.builders.warehouse import SmallWarehouse, small_warehouse

BOLTON, BURY, TRAFFORD, REGION = (*(area_codes()[slug] for slug in ("bolton", "bury", "trafford")), "E47000001")
ELSEWHERE = "E08000011"
# Missing in the March after everything else, so that every period before it is over.
LATER = EpisodeRow(
    episode_id="later", child="zoe", borough="wigan", started="2026-03-20 10:00", found="2026-03-20 11:00"
)
COUNTS = """
    select measure, area_code, period_type, period_start, basis, breakdown, breakdown_value, count from
    (select * from statistics.incident_count union all select * from statistics.child_count)
    union all
    select measure, area_code, period_type, period_start, basis, breakdown, breakdown_value, count
    from statistics.interview_count
    union all
    select measure, area_code, period_type, period_start, basis, breakdown, breakdown_value, count
    from statistics.incident_period
    where measure <> 'incidents' or breakdown <> 'total' or period_type = 'rolling_12_months'
    union all
    select measure, area_code, 'rolling_12_months', period_start, basis, 'total', 'Total', count
    from statistics.child_rolling
"""
COUNTED = ("incident_count", "child_count", "interview_count", "incident_period", "child_rolling")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


class Counted:
    """Counts by their coordinates; what is not there is nought."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._counts = {tuple(row.values())[:7]: row["count"] for row in rows}

    def of(
        self,
        measure: str,
        area: str = BOLTON,
        period: tuple[str, date] = ("month", date(2024, 5, 1)),
        *,
        basis: str = "A",
        breakdown: tuple[str, str] = ("total", "Total"),
    ) -> int:
        """One count."""
        return self._counts.get((measure, area, *period, basis, *breakdown), 0)


def counted(warehouse: SmallWarehouse, *rows: EpisodeRow | InterviewRow | Delivery) -> Counted:
    """Count rows or deliveries; rows are sent in one delivery together with the later episode."""
    deliveries = [row for row in rows if isinstance(row, Delivery)] or [delivery(*rows, LATER)]
    warehouse.load(*deliveries)
    warehouse.build(*(f"statistics.{table}" for table in COUNTED))
    return Counted(warehouse.rows(COUNTS))


def absence(started: str = "2024-05-10 10:00", **given: Any) -> EpisodeRow:
    """A missing episode of a minute in May."""
    return EpisodeRow(**{"episode_id": started, "started": started, "found": started, "returned": started} | given)


def month(year: int, number: int) -> tuple[str, date]:
    """A month as a period."""
    return "month", date(year, number, 1)


def year_to_march(year: int) -> tuple[str, date]:
    """The year that ends in March of a year."""
    return "year_to_march", date(year - 1, 4, 1)


# Who counts


def test_children_under_18_and_of_unknown_age_count_in_their_band(warehouse: SmallWarehouse) -> None:
    ages = {"under 10": (9,), "10 to 11": (10, 11), "12 to 14": (12, 14), "15 to 17": (15, 17), "unknown": (None,)}
    counts = counted(warehouse, cases({str(age): (absence(age=age),) for band in ages.values() for age in band}))
    for band, members in ages.items():
        assert counts.of("incidents", breakdown=("age_band", band)) == len(members)
        assert counts.of("children", breakdown=("age_band", band)) == len(members)
    assert (counts.of("incidents"), counts.of("children"), counts.of("children_10_17")) == (8, 8, 6)


def test_18_and_over_never_counts(warehouse: SmallWarehouse) -> None:
    counts = counted(warehouse, absence(age=18))
    for measure in ("incidents", "children", "fields_expected", "rhi_eligible"):
        assert counts.of(measure) == 0


@pytest.mark.parametrize("status", ["away", "absent"])
def test_away_and_absent_never_count(warehouse: SmallWarehouse, status: str) -> None:
    counts = counted(warehouse, absence(status=status))
    for measure in ("incidents", "children", "rhi_eligible"):
        assert counts.of(measure) == 0


def test_nightly_reports_are_one_incident(warehouse: SmallWarehouse) -> None:
    nights = [absence(f"2024-05-{day:02} 22:00", found=f"2024-05-{day + 1:02} 22:00") for day in range(1, 6)]
    assert counted(warehouse, *nights).of("incidents") == 1


def test_a_child_in_two_boroughs_counts_in_both_and_once_in_the_region(warehouse: SmallWarehouse) -> None:
    rows = (absence("2024-05-10 10:00"), absence("2024-05-20 10:00", borough="bury"))
    counts = counted(warehouse, *rows)
    assert [counts.of("children", area) for area in (BOLTON, BURY, REGION)] == [1, 1, 1]
    assert [counts.of("incidents", area) for area in (BOLTON, BURY, REGION)] == [1, 1, 2]
    assert [counts.of("children_repeat", area) for area in (BOLTON, BURY, REGION)] == [0, 0, 1]


def test_a_pseudonym_of_borough_scope_is_two_children_in_the_region(warehouse: SmallWarehouse) -> None:
    rows = (absence("2024-05-10 10:00", scope="borough"), absence("2024-05-20 10:00", scope="borough", borough="bury"))
    counts = counted(warehouse, *rows)
    assert (counts.of("children", REGION), counts.of("children_repeat", REGION)) == (2, 0)


def test_basis_a_is_the_area_missing_from_and_basis_b_the_responsible_authority(warehouse: SmallWarehouse) -> None:
    counts = counted(warehouse, absence(area=BURY, responsible=TRAFFORD))
    found = {
        (basis, area): counts.of("incidents", area, basis=basis)
        for basis in "AB"
        for area in (BOLTON, BURY, TRAFFORD, REGION)
    }
    assert {place for place, number in found.items() if number} == {
        ("A", BURY),
        ("A", REGION),
        ("B", TRAFFORD),
        ("B", REGION),
    }


def test_an_area_outside_the_region_counts_nowhere_on_its_basis(warehouse: SmallWarehouse) -> None:
    counts = counted(warehouse, absence(responsible=ELSEWHERE))
    assert (counts.of("incidents", REGION), counts.of("incidents", REGION, basis="B")) == (1, 0)


def test_what_has_no_area_is_shown_under_the_borough_that_sent_it(warehouse: SmallWarehouse) -> None:
    rows = [
        absence(area="unknown"),
        absence("2024-05-20 10:00", area="unknown"),
        absence(episode_id="ben", child="ben", area="unknown", age=18),
    ]
    counts = counted(warehouse, *rows)
    assert counts.of("incidents", REGION) == 0
    warehouse.build("statistics.unattributed")
    unplaced = "select basis, area_code, incidents, children from statistics.unattributed where period_type = 'quarter'"
    assert sorted(tuple(row.values()) for row in warehouse.rows(unplaced)) == [("A", BOLTON, 2, 1), ("A", REGION, 2, 1)]


def test_a_child_has_one_value_of_each_breakdown(warehouse: SmallWarehouse) -> None:
    rows = (
        absence("2024-05-10 10:00", sex="unknown", age=14, looked_after="no"),
        absence("2024-05-20 10:00", sex="female", age=15, looked_after="yes"),
    )
    counts = counted(warehouse, *rows)
    for place in (("sex", "female"), ("age_band", "12 to 14"), ("looked_after", "yes")):
        assert counts.of("children", breakdown=place) == 1
    for place in (("sex", "unknown"), ("age_band", "15 to 17"), ("looked_after", "no")):
        assert (counts.of("children", breakdown=place), counts.of("incidents", breakdown=place)) == (0, 1)


# Periods


@pytest.mark.parametrize(
    ("started", "ends"), [("2024-03-31 23:59", 2024), ("2024-04-01 00:00", 2025), ("2023-03-31 23:59", 2023)]
)
def test_a_year_to_march_ends_at_local_midnight(warehouse: SmallWarehouse, started: str, ends: int) -> None:
    counts = counted(warehouse, absence(started))
    assert [counts.of("incidents", period=year_to_march(year)) for year in (2023, 2024, 2025)] == [
        int(year == ends) for year in (2023, 2024, 2025)
    ]


@pytest.mark.parametrize(
    ("started", "expected"),
    [
        ("2024-06-30 23:59", (month(2024, 6), ("quarter", date(2024, 4, 1)))),
        ("2024-07-01 00:00", (month(2024, 7), ("quarter", date(2024, 7, 1)))),
        ("2024-12-31 23:59", (month(2024, 12), ("quarter", date(2024, 10, 1)))),
        ("2025-01-01 00:00", (month(2025, 1), ("quarter", date(2025, 1, 1)))),
    ],
)
def test_months_and_quarters_end_at_local_midnight(
    warehouse: SmallWarehouse, started: str, expected: tuple[tuple[str, date], ...]
) -> None:
    counts = counted(warehouse, absence(started))
    assert [counts.of("incidents", period=period) for period in expected] == [1, 1]
    assert counts.of("incidents", REGION, period=year_to_march(2025)) == 1


@pytest.mark.parametrize(("received", "months"), [("2024-05-31 22:59", 0), ("2024-05-31 23:00", 1)])
def test_a_month_is_reported_once_it_is_over_at_the_data_cut(
    warehouse: SmallWarehouse, received: str, months: int
) -> None:
    counts = counted(warehouse, delivery(absence("2024-05-10 10:00"), received=received))
    assert counts.of("incidents") == months


def test_a_quarter_and_a_year_are_reported_once_all_their_months_are_over(warehouse: SmallWarehouse) -> None:
    quarter, year = ("quarter", date(2025, 1, 1)), year_to_march(2025)
    row, last = absence("2025-01-10 10:00"), absence("2025-03-10 10:00", child="ben")
    for received, number in (("2025-03-31 22:59", 0), ("2025-03-31 23:00", 2)):
        counts = counted(warehouse, delivery(row, last, received=received))
        assert [counts.of("incidents", period=period) for period in (month(2025, 1), quarter, year)] == [
            1,
            number,
            number,
        ]


@pytest.mark.parametrize(("second", "repeat"), [("2025-05-10 09:59", 1), ("2025-05-10 10:00", 0)])
def test_second_or_later_looks_back_less_than_365_days(warehouse: SmallWarehouse, second: str, repeat: int) -> None:
    counts = counted(warehouse, absence("2024-05-10 10:00"), absence(second))
    assert counts.of("incidents_second_or_later", period=month(2025, 5)) == repeat
    assert counts.of("incidents_second_or_later", period=month(2024, 5)) == 0


def test_the_two_readings_of_repeat_are_counted_apart(warehouse: SmallWarehouse) -> None:
    days = {"three times": (10, 12, 14), "twice": (10, 12), "once": (10,)}
    rows = {name: [absence(f"2024-05-{day} 10:00") for day in each] for name, each in days.items()}
    counts = counted(warehouse, cases(rows))
    measures = ("incidents", "incidents_second_or_later", "incidents_of_repeaters", "children", "children_repeat")
    assert [counts.of(measure) for measure in measures] == [6, 3, 5, 3, 2]


def test_three_in_28_days_belongs_to_the_period_and_area_of_the_start_that_completes_it(
    warehouse: SmallWarehouse,
) -> None:
    rows = (absence("2024-05-25 10:00"), absence("2024-05-30 10:00"), absence("2024-06-02 10:00", borough="bury"))
    counts = counted(warehouse, *rows)
    for measure in ("children_3_in_28", "children_3_in_90"):
        assert counts.of(measure, BURY, month(2024, 6)) == counts.of(measure, REGION, month(2024, 6)) == 1
        assert counts.of(measure, BOLTON, month(2024, 5)) == counts.of(measure, REGION, month(2024, 5)) == 0


# Return interviews

RETURN = absence("2024-05-10 10:00", found="2024-05-10 12:00", returned="2024-05-10 14:00")


def cascade(warehouse: SmallWarehouse, *rows: EpisodeRow | InterviewRow) -> dict[str, tuple[int, int]]:
    """Answers of the interview cascade for Bolton in May: count and not measurable."""
    counted(warehouse, *rows)
    found = warehouse.rows(
        "select measure, count, not_measurable from statistics.interview_count "
        "where area_code = $area and basis = 'A' and period_type = 'month' and period_start = date '2024-05-01'",
        area=BOLTON,
    )
    return {row["measure"].removeprefix("rhi_"): (row["count"], row["not_measurable"]) for row in found}


def about(*names: str, **given: Any) -> InterviewRow:
    """An interview about the episodes of these names."""
    return InterviewRow(**{"interview_id": "I", "episode_ids": names} | given)


@pytest.mark.parametrize(("received", "eligible"), [("2024-06-03 12:59", 0), ("2024-06-03 13:00", 1)])
def test_an_episode_is_eligible_once_72_hours_are_over_at_the_data_cut(
    warehouse: SmallWarehouse, received: str, eligible: int
) -> None:
    row = absence("2024-05-31 10:00", found="2024-05-31 12:00", returned="2024-05-31 14:00")
    counts = counted(warehouse, delivery(row, received=received))
    assert counts.of("rhi_eligible") == eligible
    assert counts.of("incidents") == 1


def test_an_open_episode_is_not_eligible(warehouse: SmallWarehouse) -> None:
    assert cascade(warehouse, EpisodeRow(episode_id="1", started="2024-05-10 10:00")) == {}


def test_an_episode_open_again_is_not_eligible(warehouse: SmallWarehouse) -> None:
    again = EpisodeRow(episode_id="2", started="2024-05-10 12:00")
    assert cascade(warehouse, RETURN, again) == {}


def test_an_interview_counts_in_the_month_of_the_return(warehouse: SmallWarehouse) -> None:
    row = absence("2024-05-31 22:00", found="2024-06-01 00:00", returned="2024-06-01 00:00")
    counts = counted(warehouse, row)
    assert [counts.of("rhi_eligible", period=month(2024, number)) for number in (5, 6)] == [0, 1]


def test_without_an_interview_none_was_offered(warehouse: SmallWarehouse) -> None:
    found = cascade(warehouse, RETURN)
    assert found.pop("eligible") == (1, 0)
    assert set(found.values()) == {(0, 0)}


YES, NO, UNCLEAR = "yes", "no", "not_measurable"


def test_each_answer_is_yes_no_or_cannot_be_told(warehouse: SmallWarehouse) -> None:
    answers: dict[str, tuple[dict[str, str], tuple[str, str, str]]] = {
        "within 72 hours": ({"held": "2024-05-13 14:00"}, (YES, YES, YES)),
        "a minute more": ({"held": "2024-05-13 14:01"}, (YES, YES, NO)),
        "only the day": ({"held": "2024-05-13"}, (YES, YES, UNCLEAR)),
        "before the return": ({"held": "2024-05-09 14:00"}, (YES, YES, UNCLEAR)),
        "held without an offer": ({"held": "2024-05-13 14:00", "offered": "unknown"}, (YES, YES, YES)),
        "accepted": ({"accepted": "yes"}, (YES, UNCLEAR, UNCLEAR)),
        "declined": ({"accepted": "no"}, (YES, NO, NO)),
        "unknown": ({"offered": "unknown", "accepted": "unknown"}, (UNCLEAR, UNCLEAR, UNCLEAR)),
        "not offered": ({"offered": "no", "accepted": "unknown"}, (NO, NO, NO)),
        "not applicable": ({"offered": "not_applicable", "accepted": "not_applicable"}, (NO, NO, NO)),
    }
    by_name = {name: (RETURN, about(RETURN.episode_id, **given)) for name, (given, _) in answers.items()}
    counts = counted(warehouse, cases(by_name))
    found = warehouse.rows(
        "select child_key, offered, held, within_72_hours, declined"
        " from statistics.interview_verdict inner join core.missing_episode using (episode_key)"
    )
    assert {row["child_key"]: tuple(row.values())[1:4] for row in found} == {
        name: v for name, (_, v) in answers.items()
    }
    assert {row["child_key"] for row in found if row["declined"]} == {"declined"}
    measures = ("eligible", "offered", "completed", "completed_of_offered", "completed_72h", "declined")
    assert [counts.of(f"rhi_{measure}") for measure in measures] == [10, 7, 5, 5, 2, 1]
    unclear = (
        "select measure, not_measurable from statistics.interview_count "
        "where area_code = $area and period_type = 'month' and basis = 'A'"
    )
    assert {row["measure"]: row["not_measurable"] for row in warehouse.rows(unclear, area=BOLTON)} == {
        "rhi_eligible": 0,
        "rhi_offered": 1,
        "rhi_completed": 2,
        "rhi_completed_of_offered": 1,
        "rhi_completed_72h": 4,
        "rhi_declined": 0,
        "rhi_overtaken": 0,
        "rhi_eligible_elsewhere": 0,
        "rhi_completed_elsewhere": 0,
        "rhi_completed_72h_elsewhere": 0,
    }


def test_one_interview_about_two_episodes_completes_both(warehouse: SmallWarehouse) -> None:
    second = absence("2024-05-12 10:00", found="2024-05-12 12:00", returned="2024-05-12 12:00")
    found = cascade(warehouse, RETURN, second, about(RETURN.episode_id, second.episode_id, held="2024-05-14 10:00"))
    assert (found["eligible"], found["completed"], found["completed_72h"]) == ((2, 0), (2, 0), (1, 0))


def test_a_declined_interview_does_not_hide_a_held_one(warehouse: SmallWarehouse) -> None:
    declined = about(RETURN.episode_id, interview_id="first", accepted="no")
    held = about(RETURN.episode_id, interview_id="second", held="2024-05-12 10:00")
    found = cascade(warehouse, RETURN, declined, held)
    assert (found["completed"], found["declined"]) == ((1, 0), (0, 0))


def test_overtaken_is_missing_again_within_72_hours_before_any_interview(warehouse: SmallWarehouse) -> None:
    pair = (RETURN, absence("2024-05-13 13:59"))
    edges = {
        "71:59": pair,
        "72:00": (RETURN, absence("2024-05-13 14:00")),
        "heard before": (*pair, about(RETURN.episode_id, held="2024-05-11 10:00")),
        "heard on the day of the return": (*pair, about(RETURN.episode_id, held="2024-05-10")),
        "heard after": (*pair, about(RETURN.episode_id, held="2024-05-14 10:00")),
    }
    assert counted(warehouse, cases(edges)).of("rhi_overtaken") == 2
    overtaken = """
        select distinct child_key from statistics.interview_verdict inner join core.missing_episode using (episode_key)
        where overtaken = 'yes'
    """
    assert set(warehouse.values(overtaken)) == {"71:59", "heard after"}


def test_a_host_borough_is_not_held_to_an_interview_that_another_authority_owes(warehouse: SmallWarehouse) -> None:
    counts = counted(warehouse, absence(responsible=ELSEWHERE))
    assert (counts.of("rhi_eligible", basis="A"), counts.of("rhi_eligible", basis="B")) == (1, 0)


# Fields


def test_a_field_is_unfilled_where_nothing_was_recorded(warehouse: SmallWarehouse) -> None:
    rows = {
        "all but two": (absence(),),
        "no return": (absence(returned=None),),
        "no finding": (absence(found=None),),
        "neither": (absence(found=None, returned=None),),
        "interviewed": (absence(ethnicity="not_obtained", looked_after="unknown"), about(absence().episode_id)),
    }
    counts = counted(warehouse, cases(rows))
    unfilled = {
        "ethnicity": 1,
        "special need or disability": 5,
        "looked after": 1,
        "time found": 2,
        "time returned": 2,
        "return interview": 4,
    }
    for field, number in unfilled.items():
        assert counts.of("fields_unknown", breakdown=("field", field)) == number, field
        assert counts.of("fields_expected", breakdown=("field", field)) == 5
    assert (counts.of("fields_expected"), counts.of("fields_unknown")) == (30, sum(unfilled.values()))


# Coverage, look-back and population: two years of one episode a month, Bury without one May, Trafford without anything

MONTHS = [
    (year, number) for year in (2023, 2024, 2025) for number in range(1, 13) if (2023, 4) <= (year, number) <= (2025, 3)
]


@pytest.fixture(scope="module")
def two_years() -> Iterator[SmallWarehouse]:
    rows: list[EpisodeRow | InterviewRow] = []
    for year, number in MONTHS:
        start = f"{year}-{number:02}-10 10:00"
        rows.append(absence(start, child=f"child {start}"))
        rows.append(InterviewRow(interview_id=start, episode_ids=(start,), held=start, child=f"child {start}"))
        if (year, number) != (2024, 5):
            rows.append(absence(start, borough="bury", child=f"child {start}", scope="borough"))
    with small_warehouse() as opened:
        opened.load(delivery(*rows, received="2025-04-20 09:00"))
        opened.build("statistics.indicator")
        yield opened


def figure(two_years: SmallWarehouse, indicator: str, area: str, period: tuple[str, date], **at: str) -> dict[str, Any]:
    """One cell of `statistics.indicator`, the undivided one on basis A unless given."""
    place = {"basis": "A", "breakdown": "total", "breakdown_value": "Total"} | at
    (row,) = two_years.rows(
        "select * from statistics.indicator where indicator_id = $indicator and area_code = $area "
        "and period_type = $period_type and period_start = $period_start and basis = $basis "
        "and breakdown = $breakdown and breakdown_value = $breakdown_value",
        indicator=indicator,
        area=area,
        period_type=period[0],
        period_start=period[1],
        **place,
    )
    return row


@pytest.mark.parametrize(
    ("area", "period", "numerator", "symbol"),
    [
        (BOLTON, year_to_march(2025), 12, ""),
        (BURY, year_to_march(2024), 12, ""),
        (BURY, year_to_march(2025), 11, "u"),
        (BURY, ("quarter", date(2024, 4, 1)), 2, "u"),
        (BURY, month(2024, 5), None, "x"),
        (BURY, month(2024, 6), 1, ""),
        (TRAFFORD, month(2024, 5), None, "x"),
        (TRAFFORD, year_to_march(2025), None, "x"),
        (REGION, year_to_march(2025), 23, "u"),
    ],
)
def test_what_was_not_received_is_never_nought(
    two_years: SmallWarehouse, area: str, period: tuple[str, date], numerator: int | None, symbol: str
) -> None:
    for indicator in ("I01", "I02"):
        row = figure(two_years, indicator, area, period)
        assert (row["numerator"], row["symbol"]) == (numerator, symbol)
        assert row["value"] == numerator


def test_nought_is_nought_where_the_month_was_received(two_years: SmallWarehouse) -> None:
    row = figure(two_years, "I01", BOLTON, month(2024, 5), breakdown="sex", breakdown_value="male")
    assert (row["numerator"], row["symbol"]) == (0, "")


@pytest.mark.parametrize(("area", "symbol"), [(BOLTON, ""), (BURY, "x"), (REGION, "u")])
def test_interviews_that_a_borough_does_not_send_are_not_received(
    two_years: SmallWarehouse, area: str, symbol: str
) -> None:
    row = figure(two_years, "I28", area, year_to_march(2024))
    assert (row["symbol"], row["numerator"] is None) == (symbol, symbol == "x")


@pytest.mark.parametrize(
    ("indicator", "period", "symbol"),
    [
        ("I06", month(2024, 3), "z"),
        ("I06", month(2024, 4), ""),
        ("I06", year_to_march(2024), "z"),
        ("I06", year_to_march(2025), ""),
        ("I09", month(2023, 6), "z"),
        ("I09", month(2023, 7), ""),
        ("I10", month(2023, 4), "z"),
        ("I10", month(2023, 5), ""),
        ("I08", month(2023, 4), ""),
    ],
)
def test_without_the_months_before_a_look_back_does_not_apply(
    two_years: SmallWarehouse, indicator: str, period: tuple[str, date], symbol: str
) -> None:
    row = figure(two_years, indicator, BOLTON, period)
    assert (row["symbol"], row["numerator"]) == (symbol, None if symbol else 0)
    assert (row["value"] is None) == bool(symbol)


@pytest.mark.parametrize(
    ("period", "mid_year"),
    [
        (month(2023, 5), 2022),
        (month(2023, 6), 2023),
        (month(2024, 2), 2023),
        (("quarter", date(2023, 4, 1)), 2023),
        (year_to_march(2024), 2023),
        (year_to_march(2025), 2023),
    ],
    ids=["before 30 June", "30 June inside", "after", "quarter", "year to March 2024", "newest earlier one"],
)
def test_the_population_is_of_the_30_june_inside_the_period(
    two_years: SmallWarehouse, period: tuple[str, date], mid_year: int
) -> None:
    row = figure(two_years, "I04", BOLTON, period)
    known = (
        "select population from reference.population where area_code = $area and age_band = '0-17' and mid_year = $year"
    )
    assert [row["denominator"]] == two_years.values(known, area=BOLTON, year=mid_year)
    assert row["population_year"] == mid_year


def test_a_rate_has_byars_limits_and_a_proportion_wilsons(two_years: SmallWarehouse) -> None:
    rate = figure(two_years, "I04", BOLTON, year_to_march(2025))
    assert rate["value"] == pytest.approx(10_000 * 12 / rate["denominator"])
    lower, upper = byar(12)
    assert rate["lower_95"] == pytest.approx(10_000 * lower / rate["denominator"])
    assert rate["upper_95"] == pytest.approx(10_000 * upper / rate["denominator"])
    share = figure(two_years, "I28", BOLTON, year_to_march(2025))
    assert (share["numerator"], share["denominator"], share["value"]) == (12, 12, 1.0)
    wilson = stats.binomtest(12, 12).proportion_ci(method="wilson")
    assert (share["lower_95"], share["upper_95"]) == pytest.approx((wilson.low, wilson.high))


def test_the_matrix_is_complete(two_years: SmallWarehouse) -> None:
    expected = """
        select count(*)
        from rules.measure as measure
        inner join reference.area as area on measure.area_type = area.area_type
        inner join statistics.period as period on measure.period_type = period.period_type
    """
    assert two_years.values("select count(*) from statistics.count_cell") == two_years.values(expected)
    assert two_years.values("select count(distinct figure_id) - count(*) from statistics.indicator") == [0]


ONE_MORE = "update statistics.count_cell set count = count + 1 where "
SUMS = "breakdowns_sum_to_their_total"
BREAKING = [
    ("children_are_no_more_than_incidents", ONE_MORE + "measure = 'children' and count > 0"),
    (SUMS, ONE_MORE + "measure = 'incidents' and breakdown = 'setting' and breakdown_value = 'home'"),
    (SUMS, ONE_MORE + "measure = 'children' and breakdown = 'ethnicity' and breakdown_value = 'white'"),
    (SUMS, "update statistics.count_cell set count = 0 where measure = 'children' and breakdown = 'setting'"),
    (SUMS, "update statistics.count_cell set count = 99 where measure = 'children' and breakdown_value = 'home'"),
    ("no_part_is_more_than_its_whole", ONE_MORE + "measure = 'children_repeat' and breakdown = 'total'"),
]


@pytest.mark.parametrize(("check_id", "breaking"), BREAKING)
def test_each_check_on_counts_holds_and_can_fail(two_years: SmallWarehouse, check_id: str, breaking: str) -> None:
    checks = {check.id: check for check in load_table_checks() if check.table == "statistics.count_cell"}
    assert set(checks) == {check for check, _ in BREAKING}
    (query,) = (check.query for check in checks.values() if check.id == check_id)
    assert two_years.values(query) == [0]
    two_years.connection.execute("begin")
    two_years.connection.execute(breaking)
    (broken,) = two_years.values(query)
    two_years.connection.execute("rollback")
    assert broken > 0


def test_limits_lie_around_their_value(two_years: SmallWarehouse) -> None:
    limited = (
        "select lower_95 <= value and value <= upper_95 as holds from statistics.indicator where lower_95 is not null"
    )
    found = two_years.values(limited)
    assert len(found) > 1000
    assert all(found)


@pytest.mark.parametrize(("unclear", "symbol"), [(1, ""), (2, "u"), (4, "u"), (5, "x")])
def test_answers_that_cannot_be_told_make_a_figure_partial_above_5_and_unavailable_above_20_per_cent(
    warehouse: SmallWarehouse, unclear: int, symbol: str
) -> None:
    held = [None if number < unclear else "2024-05-11 10:00" for number in range(20)]
    warehouse.load(cases({str(n): (absence(), about(absence().episode_id, held=at)) for n, at in enumerate(held)}))
    warehouse.build("statistics.indicator")
    row = figure(warehouse, "I28", BOLTON, month(2024, 5))
    assert (row["symbol"], row["not_measurable"], row["denominator"]) == (symbol, unclear, 20)
    assert row["numerator"] == (None if symbol == "x" else 20 - unclear)


@pytest.mark.parametrize(("unclear", "symbol"), [(1, ""), (2, "u"), (4, "u"), (5, "x")])
def test_so_does_an_unknown_looked_after_status(warehouse: SmallWarehouse, unclear: int, symbol: str) -> None:
    status = ["unknown" if number < unclear else "yes" for number in range(20)]
    warehouse.load(cases({str(number): (absence(looked_after=known),) for number, known in enumerate(status)}))
    warehouse.build("statistics.indicator")
    for figure_of in ({}, {"breakdown": "variant", "breakdown_value": "of incidents"}):
        row = figure(warehouse, "I14", BOLTON, month(2024, 5), **figure_of)
        assert (row["symbol"], row["not_measurable"], row["denominator"]) == (symbol, unclear, 20)
        assert row["numerator"] == (None if symbol == "x" else 20 - unclear)


# Intervals


def byar(count: int) -> tuple[float, float]:
    """Byar's limits of a Poisson count, as the technical guide writes them."""
    z = stats.norm.ppf(0.975)
    upper = count + 1
    return (
        count * (1 - 1 / (9 * count) - z / (3 * count**0.5)) ** 3,
        upper * (1 - 1 / (9 * upper) + z / (3 * upper**0.5)) ** 3,
    )


def limits(warehouse: SmallWarehouse, expression: str, **numbers: int) -> tuple[float, ...]:
    """Result of one SQL expression with two columns."""
    (row,) = warehouse.rows(f"select {expression}", **numbers)
    return tuple(row.values())


@pytest.mark.parametrize("count", range(10))
def test_below_ten_the_limits_of_a_count_are_exact(warehouse: SmallWarehouse, count: int) -> None:
    lower = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    upper = stats.chi2.ppf(0.975, 2 * count + 2) / 2
    found = limits(warehouse, "poisson_lower($o) as lower, poisson_upper($o) as upper", o=count)
    assert found == pytest.approx((lower, upper), abs=1e-11)


@pytest.mark.parametrize("count", [10, 11, 57, 1234, 100_000])
def test_from_ten_the_limits_of_a_count_are_byars(warehouse: SmallWarehouse, count: int) -> None:
    found = limits(warehouse, "poisson_lower($o) as lower, poisson_upper($o) as upper", o=count)
    assert found == pytest.approx(byar(count), rel=1e-12)
    exact = stats.chi2.ppf(0.025, 2 * count) / 2, stats.chi2.ppf(0.975, 2 * count + 2) / 2
    assert found == pytest.approx(exact, rel=0.005)


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (777, 1000), (1, 100_000)])
def test_the_limits_of_a_proportion_are_wilsons(warehouse: SmallWarehouse, part: int, whole: int) -> None:
    wilson = stats.binomtest(part, whole).proportion_ci(method="wilson")
    found = limits(warehouse, "wilson_lower($x, $n) as lower, wilson_upper($x, $n) as upper", x=part, n=whole)
    assert found == pytest.approx((wilson.low, wilson.high), abs=1e-12)


@pytest.mark.parametrize("method", ["ratio", "proportion", "rate"])
def test_nothing_is_divided_by_nought(warehouse: SmallWarehouse, method: str) -> None:
    query = ", ".join(f"indicator_{part}('{method}', 0, 0, 1) as {part}" for part in ("value", "lower", "upper"))
    assert limits(warehouse, query) == (None, None, None)


@pytest.mark.parametrize("method", ["count", "ratio"])
def test_counts_and_ratios_have_no_limits(warehouse: SmallWarehouse, method: str) -> None:
    query = ", ".join(f"indicator_{part}('{method}', 6, 3, 1) as {part}" for part in ("value", "lower", "upper"))
    assert limits(warehouse, query) == ({"count": 6.0, "ratio": 2.0}[method], None, None)


# Deliveries


def test_a_month_without_a_row_is_late_once_the_day_its_delivery_was_due_is_over(warehouse: SmallWarehouse) -> None:
    due = load_contracts()["missing_episode"].expected_day
    for clock, status in (("22:59", "not due"), ("23:00", "late")):  # midnight in London, in June
        warehouse.load(delivery(absence("2024-04-10 10:00"), received=f"2024-06-{due:02} {clock}"))
        warehouse.build("quality.borough_month")
        found = warehouse.rows(
            "select month, status from quality.borough_month where borough = 'bolton' order by month"
        )
        assert [row["status"] for row in found] == ["received", status, "not due"]


def test_a_month_that_is_due_has_failed_where_the_newest_file_was_refused(warehouse: SmallWarehouse) -> None:
    warehouse.load(delivery(absence("2024-04-10 10:00"), received="2024-05-20 09:00"), as_at="2024-08-01 00:00")
    may = "select status from quality.borough_month where borough = 'bolton' and month = date '2024-05-01'"
    for at, status in (("2024-05-20 08:59", "late"), ("2024-07-15 09:00", "failed")):
        warehouse.connection.execute(
            "insert into intake.receipt by name select 'refused' as delivery_id, 'bolton' as borough, "
            "'rejected' as status, $at::timestamp as received_at",
            {"at": at},
        )
        warehouse.build("quality.borough_month")
        assert warehouse.values(may) == [status]


def test_the_data_cut_is_the_newest_extraction_else_the_arrival(warehouse: SmallWarehouse) -> None:
    warehouse.load(
        delivery(
            absence(extracted="2024-06-01 10:00"),
            absence("2024-05-11 10:00", extracted="2024-06-02"),
            absence(borough="bury"),
            InterviewRow(interview_id="1", episode_ids=("1",), borough="wigan"),
            received="2024-06-05 09:00",
        )
    )
    warehouse.build("quality.data_cut")
    cuts = dict(warehouse.connection.execute("select borough, data_to from quality.data_cut").fetchall())
    assert cuts == {
        "bolton": utc("2024-06-01 23:00"),
        "bury": utc("2024-06-05 09:00"),
        "wigan": utc("2024-06-05 09:00"),
    }


def test_rows_replaced_by_newer_versions_are_accounted_for(warehouse: SmallWarehouse) -> None:
    rows = [absence(f"2024-05-{day} 10:00") for day in (10, 12, 14)]
    warehouse.load(
        delivery(*rows, received="2024-06-01 09:00", name="one"),
        delivery(*rows[:1], received="2024-07-01 09:00", name="two"),
    )
    warehouse.build("intake.delivery")
    found = warehouse.rows("select status, rows_accepted, rows_superseded from intake.delivery order by received_at")
    assert [tuple(row.values()) for row in found] == [("superseded_in_part", 3, 1), ("accepted", 1, 0)]


# Metamorphic

HISTORY = (
    absence("2024-05-10 10:00"),
    absence("2024-05-12 10:00", borough="bury"),
    absence("2024-05-14 10:00", child="ben", looked_after="yes"),
    absence("2024-05-14 10:00", child="ben", borough="bury", scope="borough"),
    absence("2024-06-14 10:00", child="ben", area="unknown"),
    about("2024-05-10 10:00", held="2024-05-11 10:00"),
)


def everything(warehouse: SmallWarehouse, *deliveries: Delivery) -> list[dict[str, Any]]:
    """Every count, in the order of its coordinates."""
    counted(warehouse, *deliveries)
    return sorted(warehouse.rows(COUNTS), key=lambda row: [str(value) for value in row.values()])


def test_neither_order_nor_packing_of_rows_changes_a_count(warehouse: SmallWarehouse) -> None:
    rows = (*HISTORY, LATER)
    expected = everything(warehouse, delivery(*rows))
    assert expected
    assert everything(warehouse, delivery(*reversed(rows))) == expected
    assert everything(warehouse, delivery(*rows[:3], name="one"), delivery(*rows[3:], name="two")) == expected
    again = delivery(*rows, received="2026-07-01 09:00", name="again")
    assert everything(warehouse, delivery(*rows), again) == expected


def test_renaming_boroughs_renames_their_counts_and_changes_none(warehouse: SmallWarehouse) -> None:
    names = {"bolton": "oldham", "bury": "salford", "wigan": "tameside"}
    codes = {area_codes()[old]: area_codes()[new] for old, new in names.items()}
    before = counted(warehouse, *HISTORY)._counts
    rows = [type(row)(**vars(row) | {"borough": names[row.borough]}) for row in (*HISTORY, LATER)]
    after = counted(warehouse, delivery(*rows))._counts
    assert {(key[0], codes.get(key[1], key[1]), *key[2:]): number for key, number in before.items()} == after


def test_a_recorded_time_keeps_its_precision() -> None:
    assert recorded("2024-05-01") == (datetime.fromisoformat("2024-05-01"), "date")
    assert recorded("2024-05-01 00:00") == (datetime.fromisoformat("2024-05-01"), "minute")
