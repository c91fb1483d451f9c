"""How sure the concentration of incidents on few children is: limits bootstrapped over children.

The estimates are read off the curve of `statistics.concentration_curve` at exactly 5% and 15% of the children, between
children where need be. `statistics.concentration` takes whole children and all who tie, and says how many those are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.recurrence.columns import Columns
from pipelines.uncertainty.resampling import FEWEST_CHILDREN, RESAMPLES, limits

_TOP = {"top_5_percent": 0.05, "top_15_percent": 0.15}
_HALF = "half_of_incidents"
SLICES = (*_TOP, _HALF)


def concentration(
    incidents_each: NDArray[np.int64],
    children: NDArray[np.int64],
    random: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Columns:
    """Estimate each slice with its limits.

    Args:
        incidents_each: numbers of incidents that a child has.
        children: how many children have that number.
        random: the estimate's random numbers.
        resamples: how often to draw as many children again.

    Returns:
        Columns slice, estimate (of a top slice its share of incidents, of half_of_incidents the share of children
        behind them), lower_95, upper_95 (not a number where there are too few children).
    """
    order = np.argsort(-incidents_each)
    each, number = incidents_each[order], children[order]
    total = int(number.sum())
    estimate = _shares(each, number[np.newaxis, :])[:, 0]
    lower = upper = np.full(len(SLICES), np.nan)
    if total >= FEWEST_CHILDREN:
        # Children with equally many incidents are alike here, so it is enough to draw how many of each kind there are.
        lower, upper = limits(_shares(each, random.multinomial(total, number / total, size=resamples)))
    return {"slice": np.array(SLICES), "estimate": estimate, "lower_95": lower, "upper_95": upper}


def _shares(each: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.float64]:
    """Slices x resamples, from numbers of children (resamples x kinds, most incidents first)."""
    incidents = number * each
    children_above, incidents_above = (np.cumsum(part, axis=1) - part for part in (number, incidents))
    children_total, incidents_total = (part.sum(axis=1, keepdims=True) for part in (number, incidents))
    shares = [
        (np.clip(share * children_total - children_above, 0, number) * each).sum(axis=1) / incidents_total[:, 0]
        for share in _TOP.values()
    ]
    needed = np.clip(incidents_total / 2 - incidents_above, 0, incidents) / each
    return np.stack([*shares, needed.sum(axis=1) / children_total[:, 0]])
