"""Intervals over children, for ratios of events that come in runs: incidents per child, shares of incidents, rates.

Wilson's and Byar's limits take each event for independent of the others. Episodes of one child are not, so for such
ratios those limits are too narrow. Here whole children are drawn instead, with all of their episodes: how often a
child counts in a resample is Poisson with mean 1, which for many children is the same as drawing with replacement,
and lets the number of children vary too, as a rate needs. Children with the same sums are alike, and m of them
together count Poisson(m) times, so that a region of thousands of children costs as much as its different sums.

Limits are percentiles. How random numbers begin is in `resampling`; which ratios there are is in SQL
(`sql/statistics/child_ratio.sql`).

Sources: Field, C. A. and Welsh, A. H. (2007) Bootstrapping clustered data, Journal of the Royal Statistical Society B
69, 369-390; Hanley, J. A. and MacGibbon, B. (2006) Creating non-parametric bootstrap samples using Poisson
frequencies, Computer Methods and Programs in Biomedicine 83, 57-62; Davison, A. C. and Hinkley, D. V. (1997)
Bootstrap Methods and their Application (percentile limits).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.uncertainty.resampling import FEWEST_CHILDREN, RESAMPLES, batches, limits, poisson


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95% limits; limits are not numbers where there are too few children."""

    estimate: float
    lower: float
    upper: float


def ratio_interval(
    numerator_each: NDArray[np.int64],
    denominator_each: NDArray[np.int64],
    children: NDArray[np.int64],
    random: np.random.Generator,
    *,
    population: float | None = None,
    resamples: int = RESAMPLES,
) -> Interval:
    """Estimate the ratio of two sums over children.

    Args:
        numerator_each: what each kind of child adds to the numerator.
        denominator_each: what it adds to the denominator; not read where there is a population.
        children: how many children are of that kind. Kinds may stand in any order, which changes nothing.
        random: the estimate's random numbers.
        population: a denominator that is not made of these children, for a rate.
        resamples: how often children are drawn.

    Returns:
        The ratio; not a number where its denominator is 0.
    """
    order = np.lexsort((children, denominator_each, numerator_each))
    each = np.stack([numerator_each[order], denominator_each[order]]).astype(np.float64)
    number = children[order]
    whole = _ratios(each @ number[:, np.newaxis], population)
    if not len(whole):
        return Interval(np.nan, np.nan, np.nan)
    estimate = float(whole[0])
    if number.sum() < FEWEST_CHILDREN:
        return Interval(estimate, np.nan, np.nan)
    goes = (each @ poisson(random, number, go) for go in batches(len(number), resamples))
    lower, upper = limits(_ratios(np.concatenate(list(goes), axis=1), population)[np.newaxis])
    return Interval(estimate, float(lower[0]), float(upper[0]))


def _ratios(sums: NDArray[np.float64], population: float | None) -> NDArray[np.float64]:
    """Ratio of each column of sums; a resample in which nobody counts has none and is left out."""
    if population is not None:
        return np.asarray(sums[0] / population)
    known = sums[1] > 0
    return np.asarray(sums[0, known] / sums[1, known])
