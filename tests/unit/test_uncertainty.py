"""Funnel limits and over-dispersion, the signs of a control chart, and intervals over children, by worked examples."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

from pipelines.uncertainty.bootstrap import ratio_interval
from pipelines.uncertainty.control_chart import ControlChart, control_chart
from pipelines.uncertainty.funnel import funnel, winsorised
from pipelines.uncertainty.resampling import FEWEST_CHILDREN, generator, poisson
from pipelines.uncertainty.rules import UncertaintyRuleError, load_control_rules, load_funnel_rules

FUNNEL = load_funnel_rules()
CONTROL = load_control_rules()
# Normal deviates of 95% and 99.8%, as printed in tables.
INNER, OUTER = 1.959963984540054, 3.090232306167813


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


# Funnels


def test_the_limits_of_a_rate_are_made_on_the_square_root_scale() -> None:
    found = funnel(numbers(9, 16, 25), numbers(100, 100, 100), "rate", FUNNEL)
    root = math.sqrt(50 / 300)
    assert found.target == pytest.approx(50 / 300)
    assert found.chance.lower_inner == pytest.approx([(root - INNER * 0.05) ** 2] * 3)
    assert found.chance.upper_outer == pytest.approx([(root + OUTER * 0.05) ** 2] * 3)
    assert found.standing.tolist() == [-1, 0, 0]  # scores -2.16, -0.16 and 1.84


def test_the_limits_of_a_proportion_are_made_on_the_arcsine_scale() -> None:
    found = funnel(numbers(50, 150), numbers(100, 300), "proportion", FUNNEL)
    angle = math.asin(math.sqrt(0.5))
    for place, size in enumerate((100, 300)):
        reach = INNER / (2 * math.sqrt(size))
        assert found.chance.upper_inner[place] == pytest.approx(math.sin(angle + reach) ** 2)
        assert found.chance.lower_inner[place] == pytest.approx(1 - found.chance.upper_inner[place])


@pytest.mark.parametrize(("size", "share"), [(400, 0.5), (1000, 0.3), (2000, 0.1)])
def test_the_limits_of_a_proportion_are_close_to_those_of_the_binomial(size: int, share: float) -> None:
    found = funnel(numbers(share * 1e9, share * size), numbers(1e9, size), "proportion", FUNNEL)
    for level, lower, upper in (
        (FUNNEL.inner, found.chance.lower_inner, found.chance.upper_inner),
        (FUNNEL.outer, found.chance.lower_outer, found.chance.upper_outer),
    ):
        exact = [stats.binom.ppf(p, size, share) / size for p in ((1 - level) / 2, (1 + level) / 2)]
        assert [lower[1], upper[1]] == pytest.approx(exact, abs=1.5 / size)


def test_the_limits_of_a_rate_are_close_to_those_of_the_poisson() -> None:
    found = funnel(numbers(0.02 * 1e9, 400), numbers(1e9, 20_000), "rate", FUNNEL)
    exact = [stats.poisson.ppf(p, 400) / 20_000 for p in (0.001, 0.999)]
    assert [found.chance.lower_outer[1], found.chance.upper_outer[1]] == pytest.approx(exact, abs=3 / 20_000)


def test_limits_end_where_values_end() -> None:
    rare = funnel(numbers(1, 0, 0), numbers(10, 10, 10), "rate", FUNNEL)
    assert (rare.chance.lower_outer == 0).all()
    sure = funnel(numbers(9, 10, 10), numbers(10, 10, 10), "proportion", FUNNEL)
    assert (sure.chance.upper_outer == 1).all()
    assert sure.standing.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("more", "standing"), [(-1e-6, 0), (0.0, 0), (1e-6, 1)])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_value_on_the_inner_limit_is_inside(more: float, standing: int, side: int) -> None:
    few = replace(FUNNEL, fewest_areas=3)
    events = 100 * (0.5 + side * (INNER + more) * 0.05) ** 2
    found = funnel(numbers(2.5e11, events), numbers(1e12, 100), "rate", few)
    assert found.standing[1] == side * standing


@pytest.mark.parametrize(("more", "standing"), [(-1e-6, 1), (0.0, 1), (1e-6, 2)])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_value_on_the_outer_limit_is_inside_it(more: float, standing: int, side: int) -> None:
    few = replace(FUNNEL, fewest_areas=3)
    events = 100 * (0.5 + side * (OUTER + more) * 0.05) ** 2
    found = funnel(numbers(2.5e11, events), numbers(1e12, 100), "rate", few)
    assert found.standing[1] == side * standing


def test_scores_beyond_the_quantiles_are_drawn_in_to_them() -> None:
    assert winsorised(np.arange(11.0), 0.1).tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert winsorised(numbers(-9, 0, 9), 0).tolist() == [-9, 0, 9]


def test_over_dispersion_is_the_mean_square_of_the_scores_and_adds_to_their_variance() -> None:
    rules = replace(FUNNEL, winsorise=0.0)
    shares = numbers(0.3, 0.4, 0.5, 0.6, 0.7)
    found = funnel(shares * 400, np.full(5, 400.0), "proportion", rules)
    error = 1 / 40
    scores = [(math.asin(math.sqrt(share)) - math.asin(math.sqrt(0.5))) / error for share in shares]
    phi = sum(score**2 for score in scores) / 5
    # Equal weights w: the moment estimate is (I phi - (I - 1)) / (w (I - 1)).
    tau_squared = (5 * phi - 4) / (4 / error**2)
    assert found.phi == pytest.approx(phi)
    assert found.tau_squared == pytest.approx(tau_squared)
    reach = INNER * math.sqrt(error**2 + tau_squared)
    assert found.widened.upper_inner == pytest.approx([math.sin(math.asin(math.sqrt(0.5)) + reach) ** 2] * 5)
    assert found.standing.tolist() == [0, 0, 0, 0, 0]
    assert [bool(value) for value in shares > found.chance.upper_inner] == [False, False, False, True, True]


def test_areas_that_differ_no_more_than_chance_widen_nothing() -> None:
    found = funnel(numbers(48, 50, 52, 49, 51, 50), np.full(6, 100.0), "proportion", FUNNEL)
    assert found.phi < 1
    assert found.tau_squared == 0
    assert found.widened.upper_outer.tolist() == found.chance.upper_outer.tolist()


@pytest.mark.parametrize(("areas", "is_widened"), [(FUNNEL.fewest_areas - 1, False), (FUNNEL.fewest_areas, True)])
def test_with_too_few_areas_limits_are_not_widened(areas: int, is_widened: bool) -> None:
    events = np.linspace(100, 900, areas)
    found = funnel(events, np.full(areas, 1000.0), "proportion", FUNNEL)
    assert (found.tau_squared > 0) is is_widened
    assert math.isnan(found.phi) is not is_widened


def test_one_area_far_out_does_not_hide_itself_by_widening_the_limits() -> None:
    events = numbers(*[500] * 9, 900)
    sizes = np.full(10, 1000.0)
    assert funnel(events, sizes, "proportion", FUNNEL).standing[-1] == 2
    assert funnel(events, sizes, "proportion", replace(FUNNEL, winsorise=0.0)).standing[-1] == 1


@pytest.mark.parametrize(
    ("events", "sizes", "kind"), [((), (), "rate"), ((1,), (0,), "rate"), ((3, 1), (2, 2), "proportion")]
)
def test_what_cannot_be_compared_is_refused(events: tuple[float, ...], sizes: tuple[float, ...], kind: str) -> None:
    with pytest.raises(ValueError, match="leave"):
        funnel(numbers(*events), numbers(*sizes), kind, FUNNEL)  # type: ignore[arg-type]


# Control charts


def signs(chart: ControlChart) -> dict[str, list[int]]:
    return {name: getattr(chart, name).tolist() for name in ("beyond", "shift", "trend", "near")}


def quiet(months: int = 12, level: float = 100) -> np.ndarray:
    """A series that goes up and down by 2 and has no sign."""
    return np.array([level + (1 if month % 2 else -1) for month in range(months)], dtype=np.float64)


def test_centre_and_limits_of_wheelers_constant() -> None:
    chart = control_chart(quiet(), CONTROL)
    assert chart.centre.tolist() == [100] * 12
    assert chart.upper == pytest.approx([100 + 2.66 * 2] * 12)
    assert chart.lower == pytest.approx([100 - 2.66 * 2] * 12)
    assert np.nansum(chart.moving_range) == 22
    assert not any(any(found) for found in signs(chart).values())


def test_the_constant_is_three_over_the_expected_range_of_two_normal_values() -> None:
    assert pytest.approx(3 / (2 / math.sqrt(math.pi)), abs=0.005) == CONTROL.limit_ranges


@pytest.mark.parametrize(("months", "is_charted"), [(11, False), (12, True)])
def test_a_chart_needs_twelve_months(months: int, is_charted: bool) -> None:
    chart = control_chart(quiet(months), CONTROL)
    assert (~np.isnan(chart.centre)).all() == is_charted
    assert chart.run_months.tolist() == [months] * months


def test_a_month_that_was_not_received_breaks_the_series_and_is_no_zero() -> None:
    values = np.concatenate([quiet(11), [np.nan], quiet(12, 50)])
    chart = control_chart(values, CONTROL)
    assert np.isnan(chart.centre[:12]).all()
    assert chart.centre[12:].tolist() == [50] * 12
    assert np.isnan(chart.moving_range[12])  # no range across the gap
    assert (chart.run[11], chart.run_months[11]) == (0, 0)
    assert chart.run.tolist() == [1] * 11 + [0] + [2] * 12


def test_two_runs_have_limits_of_their_own() -> None:
    chart = control_chart(np.concatenate([quiet(12), [np.nan], quiet(15, 500)]), CONTROL)
    assert sorted(set(chart.centre[~np.isnan(chart.centre)].round())) == [100, 500]
    assert not any(any(found) for found in signs(chart).values())


def test_nothing_and_gaps_alone_are_charts_of_nothing() -> None:
    assert len(control_chart(numbers(), CONTROL).centre) == 0
    assert np.isnan(control_chart(np.full(14, np.nan), CONTROL).centre).all()


def test_months_that_are_all_alike_have_no_sign() -> None:
    for value in (0.0, 0.1, 1 / 3, 12345.0):
        chart = control_chart(np.full(30, value), CONTROL)
        assert not any(any(found) for found in signs(chart).values())
        assert chart.upper == pytest.approx([value] * 30)


def test_the_lower_limit_is_never_below_nought() -> None:
    chart = control_chart(numbers(*[0, 9] * 8), CONTROL)
    assert chart.lower.tolist() == [0] * 16
    assert not chart.beyond.any()


def test_a_month_on_the_limit_is_inside_and_one_above_it_is_not() -> None:
    # Centre 11, mean range 16 / 15: with this many ranges to the limit, the last month lies exactly on it.
    values = numbers(*[10] * 15, 26)
    on_it = replace(CONTROL, limit_ranges=(15 / 16) * 15)
    assert not control_chart(values, on_it).beyond.any()
    assert control_chart(values, replace(on_it, limit_ranges=on_it.limit_ranges - 1e-6)).beyond.tolist()[-1] == 1
    assert (
        control_chart(-values + 100, replace(on_it, limit_ranges=on_it.limit_ranges - 1e-6)).beyond.tolist()[-1] == -1
    )


@pytest.mark.parametrize(("months", "found"), [(6, False), (7, True)])
def test_a_shift_is_seven_months_on_one_side(months: int, found: bool) -> None:
    values = np.concatenate([quiet(9, 100), np.tile([110.0, 112.0], 4)[:months], quiet(9, 100)])
    chart = control_chart(values, CONTROL)
    assert chart.shift[9 : 9 + months].tolist() == [int(found)] * months
    mirrored = control_chart(250 - values, CONTROL)
    assert mirrored.shift.tolist() == (-chart.shift).tolist()


def test_a_month_on_the_mean_ends_a_shift() -> None:
    values = numbers(2, 2, 2, 2, 2, 2, 0, 2, -2, -2, -2, -2, -2, -2, 0, -2) + 10
    chart = control_chart(values, CONTROL)
    assert chart.centre[0] == 10
    assert not chart.shift.any()


@pytest.mark.parametrize(("steps", "found"), [(5, False), (6, True)])
def test_a_trend_is_seven_months_of_which_each_is_higher(steps: int, found: bool) -> None:
    values = np.concatenate([numbers(50, 60, 50, 60, 50), 50 + np.arange(1.0, steps + 1), numbers(50, 60, 50, 60)])
    chart = control_chart(values, CONTROL)
    assert chart.trend[4 : 5 + steps].tolist() == [int(found)] * (steps + 1)
    assert chart.trend[5 + steps :].tolist() == [0] * 4
    assert control_chart(200 - values, CONTROL).trend.tolist() == (-chart.trend).tolist()


def test_a_month_like_the_one_before_ends_a_trend() -> None:
    assert not control_chart(numbers(5, 1, 2, 3, 4, 4, 5, 6, 7, 3, 5, 3), CONTROL).trend.any()


def test_where_a_rise_meets_a_fall_the_fall_begins() -> None:
    chart = control_chart(np.concatenate([np.arange(10.0), np.arange(8.0, -1, -1)]), CONTROL)
    assert chart.trend.tolist() == [1] * 9 + [-1] * 10


@pytest.mark.parametrize(("gap", "found"), [(1, True), (2, True), (3, False)])
def test_two_of_three_months_near_a_limit(gap: int, found: bool) -> None:
    values = quiet(30, 100)
    values[[10, 10 + gap]] = 106.6
    chart = control_chart(values, CONTROL)
    two_thirds = chart.centre[0] + (chart.upper[0] - chart.centre[0]) * 2 / 3
    assert 102 < two_thirds < 106.6
    assert chart.near.tolist() == [int(found and month in (10, 10 + gap)) for month in range(30)]
    assert control_chart(200 - values, CONTROL).near.tolist() == (-chart.near).tolist()


def test_one_month_near_each_limit_is_no_sign() -> None:
    values = quiet(30, 100)
    values[10], values[11] = 106.6, 93.4
    assert not control_chart(values, CONTROL).near.any()


# Intervals over children


def test_the_estimate_is_the_ratio_of_the_sums() -> None:
    found = ratio_interval(np.array([1, 3]), np.array([2, 4]), np.array([30, 10]), generator("a"))
    assert found.estimate == (30 + 30) / (60 + 40)
    assert found.lower < found.estimate < found.upper


def test_a_rate_has_the_population_beneath_it() -> None:
    kinds = np.array([1, 2, 9]), np.array([0, 0, 0]), np.array([400, 100, 10])
    found = ratio_interval(*kinds, generator("rate"), population=60.0)
    assert found.estimate == 690 / 60
    # The variance of a sum over a Poisson number of children is the sum of their squares.
    spread = 1.96 * math.sqrt(400 + 100 * 4 + 10 * 81) / 60
    assert found.upper - found.lower == pytest.approx(2 * spread, rel=0.2)


@pytest.mark.parametrize(("children", "has_limits"), [(FEWEST_CHILDREN - 1, False), (FEWEST_CHILDREN, True)])
def test_with_too_few_children_there_are_no_limits(children: int, has_limits: bool) -> None:
    found = ratio_interval(np.array([1, 0]), np.array([1, 1]), np.array([children - 1, 1]), generator("few"))
    assert found.estimate == (children - 1) / children
    assert math.isnan(found.lower) is not has_limits


def test_without_a_denominator_there_is_no_ratio() -> None:
    found = ratio_interval(np.array([0]), np.array([0]), np.array([50]), generator("none"))
    assert all(math.isnan(value) for value in (found.estimate, found.lower, found.upper))


def test_what_every_child_does_is_certain() -> None:
    found = ratio_interval(np.array([2, 5]), np.array([2, 5]), np.array([40, 3]), generator("all"))
    assert (found.estimate, found.lower, found.upper) == (1, 1, 1)


def test_the_order_of_kinds_changes_nothing() -> None:
    kinds = np.array([1, 3, 0, 2]), np.array([2, 3, 1, 2]), np.array([30, 10, 25, 4])
    found = {
        ratio_interval(*(part[order] for part in kinds), generator("same")) for order in ([0, 1, 2, 3], [3, 1, 0, 2])
    }
    assert len(found) == 1


@pytest.mark.parametrize("children", [1, 2, 15, 16, 400])
def test_children_count_poisson_times_whether_looked_up_or_drawn(children: int) -> None:
    drawn = poisson(generator("poisson", str(children)), np.full(50, children), 2000)
    assert drawn.mean() == pytest.approx(children, abs=5 * math.sqrt(children / drawn.size))
    assert drawn.var() == pytest.approx(children, rel=0.03)
    share = float((drawn == children).mean())
    assert share == pytest.approx(stats.poisson.pmf(children, children), abs=0.008)


def test_limits_over_children_hold_what_they_promise_where_wilsons_do_not() -> None:
    """Children who differ in how often they go missing and in how likely each is to be heard; the truth is 0.5."""
    draw = np.random.default_rng(20140131)
    covered = {"children": 0, "episodes": 0}
    times = 300
    for time in range(times):
        episodes = draw.geometric(0.25, size=150)
        heard = draw.binomial(episodes, draw.beta(0.8, 0.8, size=150))
        found = ratio_interval(heard, episodes, np.ones(150, dtype=np.int64), generator("coverage", str(time)))
        wilson = stats.binomtest(int(heard.sum()), int(episodes.sum())).proportion_ci(method="wilson")
        covered["children"] += found.lower <= 0.5 <= found.upper
        covered["episodes"] += wilson.low <= 0.5 <= wilson.high
    assert covered["children"] / times > 0.91
    assert covered["episodes"] / times < 0.8


# Rules


@pytest.mark.parametrize(
    ("name", "path", "wrong", "told"),
    [
        ("funnel", ("limits", "inner"), 0.999, "the inner below the outer"),
        ("funnel", ("winsorise",), 0.5, "winsorise"),
        ("funnel", ("fewest_areas",), 1, "fewest_areas"),
        ("control_chart", ("shift_months",), 1, "shift_months"),
        ("control_chart", ("limit_ranges",), 0, "limit_ranges"),
        ("control_chart", ("near", "least"), 4, "least"),
        ("control_chart", ("near", "share_of_limit"), 1, "share_of_limit"),
    ],
)
def test_a_rule_that_cannot_be_followed_names_its_file(
    tmp_path: Path, name: str, path: tuple[str, ...], wrong: float, told: str
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    raw = yaml.safe_load((Path("data_contracts/rules") / f"{name}.yaml").read_text(encoding="utf-8"))
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    (rules / f"{name}.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    load = load_funnel_rules if name == "funnel" else load_control_rules
    with pytest.raises(UncertaintyRuleError, match=told) as refused:
        load(tmp_path)
    assert f"data_contracts/rules/{name}.yaml" in str(refused.value)
