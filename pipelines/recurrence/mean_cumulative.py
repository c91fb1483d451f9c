"""The mean number of further episodes per child by days since the first (mean cumulative function).

At each further episode the mean rises by one over the children still observed (Nelson and Aalen's estimate, for events
that come again). Children stop being observed at different times and are not counted after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipelines.recurrence.columns import Columns
from pipelines.uncertainty.resampling import FEWEST_CHILDREN, RESAMPLES, batches, draw, limits

# Each week of a year, and the days at which the share gone again is told.
DAYS = np.array(sorted({*range(0, 365, 7), 90, 180, 365}), dtype=np.float64)


@dataclass(frozen=True)
class Course:
    """What was observed of some children.

    Attributes:
        observed: days for which each child was observed after its first episode began.
        child: for each further episode, which child's it is (a row of `observed`).
        days: for each further episode, days since the child's first; never more than that child was observed.
    """

    observed: NDArray[np.float64]
    child: NDArray[np.int64]
    days: NDArray[np.float64]


def mean_cumulative(course: Course, random: np.random.Generator, resamples: int = RESAMPLES) -> Columns:
    """Estimate the function at each of `DAYS`, with limits bootstrapped over children.

    Returns:
        Columns days, at_risk (children observed that long), further_episodes, lower_95, upper_95; not a number
        beyond what was observed of any child, limits also where there are too few children.
    """
    children = len(course.observed)
    steps = _Steps.of(course)
    named = steps.episodes.shape[1]
    estimate = steps.means(np.ones((named, 1), dtype=np.int64), children)[:, 0]
    lower = upper = np.full(len(DAYS), np.nan)
    if children >= FEWEST_CHILDREN:
        goes = (draw(random, named, children, number) for number in batches(named, resamples))
        lower, upper = limits(np.concatenate([steps.means(counts, children) for counts in goes], axis=1))
    at_risk = children - np.searchsorted(np.sort(course.observed), DAYS, side="left")
    means = {"further_episodes": estimate, "lower_95": lower, "upper_95": upper}
    told = {name: np.where(at_risk > 0, values, np.nan) for name, values in means.items()}
    return {"days": DAYS, "at_risk": at_risk, **told}


@dataclass(frozen=True)
class _Steps:
    """Further episodes gathered into steps that share a stretch between two of `DAYS` and a number still observed.

    Only children with a further episode, or not observed for the whole of `DAYS`, are named: the others are alike and
    matter by their number only.

    Attributes:
        episodes: steps x named children, how many further episodes.
        unobserved: for each step, how many children were no longer observed before it.
        until: for each of `DAYS`, how many steps it includes.
        leaving: named children in the order in which they stop being observed.
    """

    episodes: sparse.csr_array
    unobserved: NDArray[np.int64]
    until: NDArray[np.int64]
    leaving: NDArray[np.int64]

    @classmethod
    def of(cls, course: Course) -> _Steps:
        within = course.days <= DAYS[-1]
        child, days = course.child[within], course.days[within]
        is_named = course.observed < DAYS[-1]
        is_named[child] = True
        observed = course.observed[is_named]
        leaving = np.argsort(observed, kind="stable")
        stretch = np.searchsorted(DAYS, days, side="left")
        unobserved = np.searchsorted(observed[leaving], days, side="left")
        step, row = np.unique(stretch * (len(observed) + 1) + unobserved, return_inverse=True)
        column = (np.cumsum(is_named) - 1)[child]
        ones = np.ones(len(row), dtype=np.int64)
        return cls(
            episodes=sparse.coo_array((ones, (row, column)), shape=(len(step), len(observed))).tocsr(),
            unobserved=step % (len(observed) + 1),
            until=np.searchsorted(step // (len(observed) + 1), np.arange(len(DAYS)), side="right"),
            leaving=leaving,
        )

    def means(self, counts: NDArray[np.int64], children: int) -> NDArray[np.float64]:
        """The function at each of `DAYS` (rows) where named children count that often (one column a resample)."""
        gone = np.zeros((int(self.unobserved.max(initial=0)) + 1, counts.shape[1]), dtype=np.int64)
        np.cumsum(counts[self.leaving[: len(gone) - 1]], axis=0, out=gone[1:])
        observed = children - gone[self.unobserved]
        # Where nobody drawn is observed any longer, nobody drawn has an episode either.
        rises = (self.episodes @ counts) / np.maximum(observed, 1)
        return np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(rises, axis=0)])[self.until]
