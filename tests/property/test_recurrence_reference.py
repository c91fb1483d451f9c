"""Who is followed from when to when, and every estimate made of it, equal a slow textbook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.recurrence.concentration import concentration
from pipelines.recurrence.mean_cumulative import DAYS, Course, mean_cumulative
from pipelines.recurrence.survival import daily, median, survival, weekly_hazard
from pipelines.region import load_region
from pipelines.uncertainty.resampling import generator
from tests.builders.histories import Sent, sent
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference import recurrence as reference
from tests.property.reference.deliveries import data_to, live_episodes
from tests.property.reference.episodes import resolve
from tests.property.reference.statistics import Region

MICROSECONDS = 8.64e10  # a day
# Days of ties and edges: whole weeks, minutes to either side, the end of the year.
waits = st.sampled_from(
    (0.5, 1.0, 6.999, 7.0, 7.001, 14.0, 27.99, 28.0, 28.01, 90.0, 180.0, 364.0, 365.0, 365.5, 800.0)
)
children = st.lists(st.tuples(waits, st.booleans()), min_size=1, max_size=40)
courses = st.lists(
    st.tuples(waits, st.lists(waits, max_size=5)).map(lambda one: (one[0], sorted({d for d in one[1] if d <= one[0]}))),
    min_size=1,
    max_size=25,
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


@given(history=sent(families=12))
@settings(max_examples=4, deadline=None)
def test_who_is_followed_and_for_how_long_equals_the_reference(warehouse: SmallWarehouse, history: Sent) -> None:
    warehouse.load(*history.deliveries, as_at=history.as_at.isoformat())
    made = ("child", "recurrence_event", "repeat_meaning", "concentration")
    warehouse.build(*(f"statistics.{table}" for table in made))
    live = live_episodes(history.deliveries, history.as_at)
    episodes = resolve(live)
    areas = load_region()
    region = Region(
        boroughs=frozenset(borough.code for borough in areas.boroughs),
        whole=areas.area.code,
        data_to=data_to(history.deliveries, history.as_at),
    )
    assert _gaps(warehouse) == reference.gaps(region, episodes, live)
    lived = reference.years(region, episodes)
    assert _repeats(warehouse) == _expected_repeats(lived)
    by_area = defaultdict(list)
    for (*place, _), inside in lived.items():
        by_area[tuple(place)].append(len(inside))
    found = warehouse.rows(
        "select basis, area_code, period_start, slice, children, incidents from statistics.concentration"
    )
    assert {tuple(row.values())[:4]: tuple(row.values())[4:] for row in found} == {
        (*place, slice_): numbers
        for place, incidents in by_area.items()
        for slice_, numbers in reference.slices(incidents).items()
    }


def _gaps(warehouse: SmallWarehouse) -> dict[reference.Key, reference.Gap]:
    further = defaultdict(list)
    place = "basis, area_code, period_start, child_key"
    events = f"select {place}, days from statistics.recurrence_event inner join statistics.child using (child_number)"  # noqa: S608 - our own names
    for row in warehouse.rows(events):
        *place_of, days = row.values()
        further[tuple(place_of)].append(_elapsed(days))
    rows = warehouse.rows(
        f"select {place}, observed_days, days, is_gone_again, is_exact, left_out, looked_after "  # noqa: S608 - as above
        "from statistics.recurrence_gap inner join statistics.child using (child_number)"
    )
    found: dict[reference.Key, reference.Gap] = {}
    for row in rows:
        basis, area, first, child, observed, days, gone_again, exact, left_out, looked_after = row.values()
        key = (basis, area, first, child)
        found[key] = reference.Gap(
            observed=_elapsed(observed),
            waited=None if days is None else _elapsed(days),
            gone_again=gone_again,
            exact=exact,
            left_out=left_out,
            looked_after=looked_after,
            further=tuple(sorted(further[key])),
        )
    assert len(found) == len(rows)
    return found


def _elapsed(days: float) -> timedelta:
    return timedelta(microseconds=round(days * MICROSECONDS))


def _repeats(warehouse: SmallWarehouse) -> dict[tuple[str, str, date], tuple[int, ...]]:
    rows = warehouse.rows(
        "select basis, area_code, period_start, incidents, children, second_or_later_in_year, "
        "incidents_of_repeat_children_in_year, children_repeat_in_year from statistics.repeat_meaning"
    )
    return {tuple(row.values())[:3]: tuple(row.values())[3:] for row in rows}


def _expected_repeats(lived: dict[reference.Key, list[Any]]) -> dict[tuple[str, str, date], tuple[int, ...]]:
    each = defaultdict(list)
    for (basis, area, first, _), inside in lived.items():
        each[basis, area, first].append(len(inside))
    return {
        place: (
            sum(numbers),
            len(numbers),
            sum(number - 1 for number in numbers),
            sum(number for number in numbers if number >= 2),
            sum(number >= 2 for number in numbers),
        )
        for place, numbers in each.items()
    }


@given(waited=children)
@settings(max_examples=25, deadline=None)
def test_survival_median_and_hazard_equal_the_textbook(waited: list[tuple[float, bool]]) -> None:
    days, gone = [list(part) for part in zip(*waited, strict=True)]
    curve = survival(np.array(days), np.array(gone))
    columns, hazard = daily(curve), weekly_hazard(np.array(days), np.array(gone))
    steps = reference.product_limit(days, gone)
    for day in (0, 1, 7, 14, 28, 90, 180, 364, 365):
        left = next((share for when, share in reversed(steps) if when <= day), 1)
        told = day <= max(days) or left == 0
        limits = reference.log_log_limits(days, gone, day) if told else None
        assert columns["survival"][day] == pytest.approx(float(left) if told else np.nan, nan_ok=True)
        assert [columns[name][day] for name in ("lower_95", "upper_95")] == pytest.approx(
            list(limits or (np.nan, np.nan)), nan_ok=True
        )
        assert columns["at_risk"][day] == sum(other >= day for other in days)
        assert columns["events"][day] == sum(day - 1 < other <= day and is_gone for other, is_gone in waited)
    half = next((when for when, share in steps if 2 * share <= 1), np.nan)
    assert median(curve)[0] == pytest.approx(half, nan_ok=True)
    for week in (1, 2, 4, 5, 13, 52):
        assert hazard["events"][week - 1] == sum(
            7 * (week - 1) < day <= 7 * week and is_gone for day, is_gone in waited
        )
        assert hazard["child_weeks"][week - 1] == pytest.approx(reference.child_weeks(days, week), abs=1e-9)


@given(lived=courses)
@settings(max_examples=25, deadline=None)
def test_mean_number_of_further_episodes_equals_the_textbook(lived: list[tuple[float, list[float]]]) -> None:
    observed = [one for one, _ in lived]
    events = [own for _, own in lived]
    course = Course(
        np.array(observed),
        np.array([child for child, own in enumerate(events) for _ in own], dtype=np.int64),
        np.array([day for own in events for day in own]),
    )
    columns = mean_cumulative(course, generator("a"), resamples=3)
    for place in (0, 1, 2, 4, 13, 26, len(DAYS) - 2, len(DAYS) - 1):
        there = sum(other >= DAYS[place] for other in observed)
        expected = float(reference.mean_further(observed, events, DAYS[place])) if there else np.nan
        assert columns["at_risk"][place] == there
        assert columns["further_episodes"][place] == pytest.approx(expected, nan_ok=True)


@given(each=st.lists(st.integers(1, 12), min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_a_slice_read_between_children_lies_where_whole_children_put_it(each: list[int]) -> None:
    kinds = sorted(set(each))
    columns = concentration(
        np.array(kinds), np.array([each.count(kind) for kind in kinds]), generator("a"), resamples=3
    )
    estimate = dict(zip(columns["slice"], columns["estimate"], strict=True))
    whole = reference.slices(each)
    half, total = whole["half_of_incidents"][0] / len(each), sum(each)
    assert half - 1 / len(each) < estimate["half_of_incidents"] <= half + 1e-12
    for percent in (5, 15):
        of_children = percent / 100 * len(each)
        ordered = sorted(each, reverse=True)
        exact = sum(ordered[: int(of_children)]) + (of_children % 1) * ordered[int(of_children)]
        assert estimate[f"top_{percent}_percent"] == pytest.approx(exact / total)
        assert exact <= whole[f"top_{percent}_percent"][1] + 1e-9
