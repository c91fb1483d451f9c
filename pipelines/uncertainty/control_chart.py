"""XmR control charts: does a monthly series vary as it always does, or has something changed?

The centre is the mean of the months, and limits lie 2.66 mean moving ranges (absolute differences of neighbouring
months) to either side. Four signs say that a month is not like the others: it lies beyond a limit; it is one of many
in a row on one side of the mean (shift); one of many in a row that only rise or only fall (trend); or one of two of
three in a row that come near to the same limit.

A month without a complete figure ends a run of months: nothing is filled in, no range and no sign reaches across the
gap. Each run long enough has its own centre and limits; a shorter one has none. Numbers are in the rule file; what a
sign means in words is in `dashboards`.

Sources: Wheeler, D. J. (1993) Understanding Variation; NHS England, Making Data Count (2019), and the R package of the
NHS-R community that implements it (NHSRplotthedots): shift and trend of seven points, two of three near a limit. The
third of the three may lie anywhere, and a month beyond a limit is near it too, as in the Western Electric handbook
(1956).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.uncertainty.rules import ControlRules

Floats = NDArray[np.float64]
Signs = NDArray[np.int64]
# Two numbers that differ by less than this are taken for equal: means of counts carry roundings of the last bits.
_EQUAL = 1e-9


@dataclass(frozen=True)
class ControlChart:
    """A series month by month. Not a number, and no sign, where a month belongs to no run that is long enough.

    Attributes:
        run: number of the run of complete months, from 1; 0 where the month is not complete.
        run_months: length of that run.
        moving_range: difference from the month before in the run.
        centre: mean of the run.
        lower: lower limit, never below 0.
        upper: upper limit.
        beyond: 1 above the upper limit, -1 below the lower one, else 0 (on a limit is inside).
        shift: 1 in a row of months above the mean that is long enough, -1 below, else 0.
        trend: 1 in a rise that is long enough, -1 in a fall, else 0; where both meet, what begins there.
        near: 1 near the upper limit with enough others nearby, -1 near the lower, else 0.
    """

    run: Signs
    run_months: Signs
    moving_range: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    beyond: Signs
    shift: Signs
    trend: Signs
    near: Signs


def control_chart(values: Floats, rules: ControlRules) -> ControlChart:
    """Chart a series.

    Args:
        values: one for each month, in order and without a month left out; not a number where it is not complete.
        rules: what is unusual.
    """
    months = len(values)
    complete = ~np.isnan(values)
    begins = complete & ~np.concatenate([[False], complete[:-1]])[:months]
    run = np.where(complete, np.cumsum(begins), 0)
    lengths = np.bincount(run)
    unknown, none = np.full(months, np.nan), np.zeros(months, dtype=np.int64)
    chart = ControlChart(
        run=run,
        run_months=np.where(complete, lengths[run], 0),
        moving_range=unknown,
        centre=unknown.copy(),
        lower=unknown.copy(),
        upper=unknown.copy(),
        beyond=none,
        shift=none.copy(),
        trend=none.copy(),
        near=none.copy(),
    )
    for number in range(1, len(lengths)):
        if lengths[number] >= rules.fewest_months:
            _chart_run(chart, np.flatnonzero(run == number), values, rules)
    return chart


def _chart_run(chart: ControlChart, months: NDArray[np.intp], values: Floats, rules: ControlRules) -> None:
    """Fill in the months of one run."""
    here = values[months]
    ranges = np.abs(np.diff(here))
    centre, reach = float(here.mean()), rules.limit_ranges * float(ranges.mean())
    away = here - centre
    away[np.abs(away) < _EQUAL * max(1.0, abs(centre))] = 0
    side = np.sign(away).astype(np.int64)
    chart.moving_range[months[1:]] = ranges
    chart.centre[months] = centre
    chart.lower[months] = max(0.0, centre - reach)
    chart.upper[months] = centre + reach
    chart.beyond[months] = _further(away, reach)
    chart.shift[months] = np.where(_stretches(side) >= rules.shift_months, side, 0)
    chart.trend[months] = _trend(here, rules.trend_months)
    chart.near[months] = _near(_further(away, reach * rules.near_share), rules)


def _further(away: Floats, reach: float) -> Signs:
    """The side of the months that lie further away than `reach`."""
    return np.where(np.abs(away) > reach + _EQUAL * max(1.0, reach), np.sign(away), 0).astype(np.int64)


def _stretches(signs: Signs) -> Signs:
    """For each place, how many neighbours have the same sign without a break; 0 for places without a sign."""
    begins = np.concatenate([[True], signs[1:] != signs[:-1]])[: len(signs)]
    stretch = np.cumsum(begins) - 1
    return np.where(signs == 0, 0, np.bincount(stretch)[stretch])


def _trend(values: Floats, months: int) -> Signs:
    steps = np.sign(np.diff(values)).astype(np.int64)
    steps[_stretches(steps) < months - 1] = 0
    into, out_of = np.concatenate([[0], steps]), np.concatenate([steps, [0]])
    return np.where(out_of != 0, out_of, into)


def _near(sides: Signs, rules: ControlRules) -> Signs:
    """Keep the sides of months that lie in a window with enough months near the same limit."""
    found = np.zeros_like(sides)
    for side in (-1, 1):
        is_near = sides == side
        enough = np.lib.stride_tricks.sliding_window_view(is_near, rules.near_months).sum(axis=1) >= rules.near_least
        padded = np.concatenate([enough, np.zeros(rules.near_months - 1, dtype=np.bool_)])
        in_window = np.logical_or.reduce([np.roll(padded, shift) for shift in range(rules.near_months)])
        found[is_near & in_window] = side
    return found
