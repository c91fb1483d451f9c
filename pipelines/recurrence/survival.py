"""Time to the next episode: product-limit survival (scipy), its median, and the hazard by week since the end.

Each child waits `days` from the end of an episode and either went missing again then or was no longer observed. A
child who ends observed on the day another goes missing again was still waiting then.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipelines.recurrence.columns import Columns

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

YEAR = 365
WEEK = 7
# A median is where half are left; products of fractions that should give one half may miss it by a rounding.
_HALF = 0.5 + 1e-9
_LOWER, _UPPER = 0.025, 0.975


@dataclass(frozen=True)
class Survival:
    """The curve as steps: from each of `times` on, `left` of the children have not gone missing again.

    Attributes:
        times: days at which a child went missing again or was no longer observed, ascending.
        left: survival from there on.
        lower: its lower 95% limit (log-log), not a number where all or none are left.
        upper: its upper 95% limit, likewise.
        waiting: days of every child, ascending.
        gone: days of the children who went missing again, ascending.
    """

    times: Floats
    left: Floats
    lower: Floats
    upper: Floats
    waiting: Floats
    gone: Floats


def survival(days: Floats, gone_again: Flags) -> Survival:
    """Estimate the curve of at least one child."""
    from scipy import stats  # costs a second

    sample = stats.CensoredData.right_censored(days, ~gone_again)
    with warnings.catch_warnings():
        # scipy warns that limits are undefined where all or none are left; there they stay undefined.
        warnings.simplefilter("ignore", RuntimeWarning)
        curve = stats.ecdf(sample).sf
        limits = curve.confidence_interval(method="log-log")
    return Survival(
        times=np.asarray(curve.quantiles, dtype=np.float64),
        left=np.asarray(curve.probabilities, dtype=np.float64),
        lower=limits.low.probabilities,  # type: ignore[attr-defined]  # the stubs take the limits for numbers
        upper=limits.high.probabilities,  # type: ignore[attr-defined]  # as above
        waiting=np.sort(days),
        gone=np.sort(days[gone_again]),
    )


def daily(curve: Survival, last: int = YEAR) -> Columns:
    """Read the curve at each whole day.

    Returns:
        Columns days, at_risk (not gone again and still observed before that day is over), events (in the day that then
        ends), survival, lower_95, upper_95; not a number from where no child was observed any longer.
    """
    days = np.arange(last + 1, dtype=np.float64)
    step = np.searchsorted(curve.times, days, side="right")
    told = (days <= curve.waiting[-1]) | (curve.left[-1] == 0)
    return {
        "days": days,
        "at_risk": len(curve.waiting) - np.searchsorted(curve.waiting, days, side="left"),
        "events": np.diff(np.searchsorted(curve.gone, days, side="right"), prepend=0),
        "survival": np.where(told, np.insert(curve.left, 0, 1)[step], np.nan),
        "lower_95": np.where(told, np.insert(curve.lower, 0, np.nan)[step], np.nan),
        "upper_95": np.where(told, np.insert(curve.upper, 0, np.nan)[step], np.nan),
    }


def median(curve: Survival) -> tuple[float, float, float]:
    """Days by which half have gone missing again, and its 95% limits: where the limits of the curve reach one half.

    Not a number where they do not.
    """
    return _first(curve, curve.left), _first(curve, curve.lower), _first(curve, curve.upper)


def weekly_hazard(days: Floats, gone_again: Flags, weeks: int = YEAR // WEEK) -> Columns:
    """Events for each child-week waited, by week since the end.

    Returns:
        Columns week (1 is the first seven days, its last instant included), at_risk (waiting when it begins), events,
        child_weeks, hazard, lower_95, upper_95 (exact Poisson); not a number where no child waited.
    """
    begins = np.arange(weeks) * float(WEEK)
    waited = np.sort(days)
    week_of_event = np.maximum(np.ceil(days[gone_again] / WEEK).astype(np.int64), 1)
    events = np.bincount(week_of_event, minlength=weeks + 1)[1 : weeks + 1]
    at_risk = len(waited) - np.searchsorted(waited, begins, side="right")
    at_risk[:1] = len(waited)
    child_weeks = np.diff(_waited_by(waited, np.append(begins, weeks * float(WEEK)))) / WEEK
    divisor = np.where(child_weeks > 0, child_weeks, np.nan)
    lower = np.where(events > 0, special.gammaincinv(np.maximum(events, 1), _LOWER), 0)
    return {
        "week": np.arange(1, weeks + 1),
        "at_risk": at_risk,
        "events": events,
        "child_weeks": child_weeks,
        "hazard": events / divisor,
        "lower_95": lower / divisor,
        "upper_95": special.gammaincinv(events + 1, _UPPER) / divisor,
    }


def _waited_by(waited: Floats, days: Floats) -> Floats:
    """Days that all children together have waited by each of some days."""
    over = np.searchsorted(waited, days, side="right")
    sums = np.insert(np.cumsum(waited), 0, 0)
    return np.asarray(sums[over] + (len(waited) - over) * days, dtype=np.float64)


def _first(curve: Survival, values: Floats) -> float:
    reached = np.flatnonzero(values <= _HALF)  # not a number is not at most anything
    return float(curve.times[reached[0]]) if len(reached) else np.nan
