"""Rules that compare the rows of a delivery, against a reference that looks at every pair of rows and every day.

Rows fall on each other's edges: same day, nested, open, of no length, known to the minute or to the day, in any order.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.catalogue import all_rules, needs
from pipelines.intake.cross_row import run_cross_row
from tests.property.reference.rules import Written, earliest, latest, of_inconsistent_age, overlapping

OVERLAP, AGE = "ssda903.574", "missing_episode.age_inconsistent"
DAYS = st.sampled_from([date(2024, 2, 27) + timedelta(days=n) for n in range(5)])
CLOCKS = st.sampled_from(["", "", " 00:00", " 10:00", " 10:01", " 23:59"])
LENGTHS = st.sampled_from([0, 0, 1, 2, 3])


@st.composite
def periods(draw: st.DrawFn) -> Written:
    """A row that starts near a leap day, lasts a few days at most or is open, and does not end before it starts."""
    day = draw(DAYS)
    started = f"{day}{draw(CLOCKS)}"
    ended = f"{day + timedelta(days=draw(LENGTHS))}{draw(CLOCKS)}"
    is_open = draw(st.sampled_from([True, False, False]))
    lasts = not is_open and latest(ended) >= earliest(started)
    return Written(draw(st.sampled_from("ab")), started, ended if lasts else None, None)


@st.composite
def aged(draw: st.DrawFn) -> Written:
    """A row of a child of about fourteen, a few years and a few days apart from the others."""
    years = draw(st.integers(-2, 2))
    day = draw(
        st.sampled_from([date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2), date(2024, 12, 31)])
    )
    if (day.month, day.day) == (2, 29) and years:
        day += timedelta(days=1)
    day = day.replace(year=day.year + years)
    age = draw(st.sampled_from([None, *[14 + years + off for off in (-1, 0, 0, 1)]]))
    return Written(draw(st.sampled_from("ab")), f"{day}{draw(CLOCKS)}", None, age)


def found(rule_id: str, rows: Sequence[Written], order: Sequence[int]) -> set[int]:
    """Places in `rows` of those that the rule reports, when the table holds them in some order."""
    (rule,) = (rule for rule in all_rules() if rule.rule_id == rule_id)
    frame = pl.DataFrame(
        [
            {
                "delivery_id": 0,
                "row_number": place + 2,
                "child_id": "ab".index(rows[place].child),
                "started_at_earliest": earliest(rows[place].started),
                "started_at_latest": latest(rows[place].started),
                "found_at_earliest": earliest(rows[place].ended) if rows[place].ended and place % 2 else None,
                "returned_at_earliest": earliest(rows[place].ended) if rows[place].ended and not place % 2 else None,
                "age_at_start": rows[place].age,
            }
            for place in order
        ],
        schema_overrides={
            "delivery_id": pl.UInt32,
            "found_at_earliest": pl.Datetime("us"),
            "returned_at_earliest": pl.Datetime("us"),
            "age_at_start": pl.Float64,
        },
    )
    failures, _ = run_cross_row(frame, [rule], needs())
    assert failures["rule_id"].unique().to_list() in ([], [rule_id])
    return {row_number - 2 for row_number in failures["row_number"]}


@settings(deadline=None, max_examples=150)
@given(rows=st.lists(periods(), min_size=1, max_size=7), data=st.data())
def test_574_reports_a_row_that_any_earlier_row_reaches(rows: list[Written], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    assert found(OVERLAP, rows, order) == overlapping(rows)


@settings(deadline=None, max_examples=150)
@given(rows=st.lists(aged(), min_size=1, max_size=5), data=st.data())
def test_ages_are_consistent_where_a_day_of_birth_fits_every_pair(rows: list[Written], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    assert found(AGE, rows, order) == of_inconsistent_age(rows)


NESTED = [
    Written("a", "2024-02-01", "2024-03-30", None),
    Written("a", "2024-02-05", "2024-02-06", None),
    Written("a", "2024-02-10", "2024-02-11", None),
    Written("a", "2024-03-30", "2024-04-02", None),
]
OPEN_BEHIND = [
    Written("a", "2024-02-01", None, None),
    Written("a", "2024-02-05", "2024-02-06", None),
    Written("a", "2024-02-10", "2024-02-11", None),
]
SAME_DAY = [
    Written("a", "2024-02-05", "2024-02-05", None),
    Written("a", "2024-02-05", "2024-02-05", None),
    Written("a", "2024-02-05 10:00", "2024-02-05 12:00", None),
    Written("a", "2024-02-05 11:59", "2024-02-05 13:00", None),
    Written("a", "2024-02-05 13:00", "2024-02-06", None),
]


@pytest.mark.parametrize(("rows", "places"), [(NESTED, {1, 2}), (OPEN_BEHIND, {1, 2}), (SAME_DAY, {3})])
@pytest.mark.parametrize("order", [list, lambda places: list(reversed(places))])
def test_574_sees_past_the_row_before(
    rows: list[Written], places: set[int], order: Callable[[range], list[int]]
) -> None:
    assert overlapping(rows) == places
    assert found(OVERLAP, rows, order(range(len(rows)))) == places
