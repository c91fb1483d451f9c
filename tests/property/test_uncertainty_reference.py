"""Funnels, control charts and intervals over children equal what a slow textbook finds."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.uncertainty.bootstrap import ratio_interval
from pipelines.uncertainty.control_chart import control_chart
from pipelines.uncertainty.funnel import funnel
from pipelines.uncertainty.resampling import generator
from pipelines.uncertainty.rules import load_control_rules, load_funnel_rules
from tests.property.reference import uncertainty as reference

FUNNEL = load_funnel_rules()
CONTROL = load_control_rules()
areas = st.lists(
    st.integers(20, 5000).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))), min_size=1, max_size=12
)
# Few different counts, so that equal neighbours, months on the mean and long stretches are common.
counts = st.integers(0, 12)
stretches = st.one_of(
    st.lists(counts, max_size=20),
    st.tuples(counts, st.integers(2, 12)).map(lambda one: [one[0] + step for step in range(one[1])]),
    st.tuples(counts, st.integers(2, 12)).map(lambda one: [one[0] + one[1] - step for step in range(one[1])]),
    st.tuples(counts, st.integers(1, 9)).map(lambda one: [one[0]] * one[1]),
    st.just([None]),
)
series = st.lists(stretches, max_size=6).map(lambda parts: [value for part in parts for value in part])


@given(compared=areas, kind=st.sampled_from(("rate", "proportion")))
@settings(max_examples=150, deadline=None)
def test_a_funnel_equals_the_textbook(compared: list[tuple[int, int]], kind: str) -> None:
    events, sizes = (np.array(part, dtype=np.float64) for part in zip(*compared, strict=True))
    found = funnel(events, sizes, kind, FUNNEL)  # type: ignore[arg-type]
    variance, standing = reference.funnel(events.tolist(), sizes.tolist(), kind, FUNNEL)
    assert found.tau_squared == pytest.approx(variance, rel=1e-9, abs=1e-15)
    assert found.standing.tolist() == standing


@given(compared=areas, kind=st.sampled_from(("rate", "proportion")), order=st.randoms())
@settings(max_examples=100, deadline=None)
def test_limits_say_what_the_standing_says_in_whatever_order(
    compared: list[tuple[int, int]], kind: str, order: random.Random
) -> None:
    events, sizes = (np.array(part, dtype=np.float64) for part in zip(*compared, strict=True))
    found = funnel(events, sizes, kind, FUNNEL)  # type: ignore[arg-type]
    values, wide, chance = events / sizes, found.widened, found.chance
    slack = 1e-7
    for standing, outside in ((1, values > wide.upper_inner), (2, values > wide.upper_outer)):
        assert (values[found.standing >= standing] > wide.upper_inner[found.standing >= standing] - slack).all()
        assert not (outside & (values > wide.upper_outer + slack) & (found.standing < standing)).any()
    assert (wide.lower_outer <= chance.lower_outer + slack).all()
    for limits in (wide, chance):
        ordered = (limits.lower_outer, limits.lower_inner, np.full(len(sizes), found.target), limits.upper_inner)
        assert all((low <= high + slack).all() for low, high in pairwise(ordered))
    shuffled = order.sample(range(len(sizes)), len(sizes))
    again = funnel(events[shuffled], sizes[shuffled], kind, FUNNEL)  # type: ignore[arg-type]
    assert again.tau_squared == pytest.approx(found.tau_squared, rel=1e-9, abs=1e-15)
    assert again.standing.tolist() == found.standing[shuffled].tolist()


@given(values=series)
@settings(max_examples=400, deadline=None)
def test_the_signs_of_a_control_chart_equal_a_look_at_every_window(values: list[int | None]) -> None:
    chart = control_chart(np.array([np.nan if v is None else v for v in values], dtype=np.float64), CONTROL)
    expected = reference.control_signs(values, CONTROL)
    assert {name: getattr(chart, name).tolist() for name in expected} == expected
    assert all(np.isnan(centre) for centre, value in zip(chart.centre, values, strict=True) if value is None)


@pytest.mark.parametrize(
    ("name", "heaviest"), [("alike", 1), ("a few episodes", 6), ("some with many", 30), ("one with most", 250)]
)
def test_limits_over_children_equal_those_of_drawing_children_one_by_one(name: str, heaviest: int) -> None:
    """Fixed seeds: the same on every run. Each limit must lie where the reference's resamples put it, give or take."""
    draw = random.Random(name)  # noqa: S311 - test data
    episodes = [heaviest if child == 0 else draw.randint(1, min(heaviest, 30)) for child in range(200)]
    sums = [(sum(draw.random() < 0.4 for _ in range(number)), number) for number in episodes]
    numerator, denominator = (np.array(part) for part in zip(*sums, strict=True))
    random_numbers = generator("reference", name)
    found = ratio_interval(numerator, denominator, np.ones(200, dtype=np.int64), random_numbers, resamples=4000)
    ratios = reference.resampled_ratios(sums, draw, 4000)
    assert found.estimate == sum(one for one, _ in sums) / sum(episodes)
    for limit, share in ((found.lower, 0.025), (found.upper, 0.975)):
        below = sum(ratio <= limit for ratio in ratios) / len(ratios)
        assert below == pytest.approx(share, abs=0.015), name  # six standard errors of the two shares


@given(
    kinds=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(1, 40)), min_size=2, max_size=12),
    order=st.randoms(),
)
@settings(max_examples=60, deadline=None)
def test_the_same_children_give_the_same_limits_in_whatever_order(
    kinds: list[tuple[int, int, int]], order: random.Random
) -> None:
    shuffled = order.sample(kinds, len(kinds))
    one, other = (
        ratio_interval(*(np.array(part) for part in zip(*given_, strict=True)), generator("order"))  # type: ignore[arg-type]
        for given_ in (kinds, shuffled)
    )
    np.testing.assert_equal(vars(one), vars(other))
    children = sum(number for *_, number in kinds)
    if children >= 100:
        assert one.lower <= one.estimate <= one.upper
