"""Bootstrap over children: which children are drawn is decided by what is estimated, never by a clock or a machine.

Children are the unit that is drawn, because the episodes of one child come in runs: limits that take episodes for
independent would be far too narrow.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 200
# With fewer children than this, percentiles of resamples say next to nothing of the uncertainty.
FEWEST_CHILDREN = 10
_LIMITS = (0.025, 0.975)
# How many numbers are held at once; more resamples than that are drawn in several goes.
_AT_ONCE = 4_000_000


def generator(*coordinates: str) -> np.random.Generator:
    """Start the random numbers of one estimate: the same coordinates always have the same ones."""
    digest = sha256("|".join(coordinates).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype="<u4").tolist())


def batches(children: int, resamples: int = RESAMPLES) -> list[int]:
    """Split resamples so that one go fits into memory."""
    most = max(1, _AT_ONCE // max(children, 1))
    whole, rest = divmod(resamples, most)
    return [most] * whole + [rest] * (rest > 0)


def draw(random: np.random.Generator, named: int, children: int, resamples: int) -> NDArray[np.int64]:
    """Draw as many children as there are, with replacement, again and again.

    Args:
        random: the random numbers of the estimate.
        named: children who are told apart; the others are alike, and how often each is drawn makes no difference.
        children: all children.
        resamples: how often to draw.

    Returns:
        How often each named child (row) was drawn in each resample (column).
    """
    drawn = random.binomial(children, named / children, size=resamples)
    resample = np.repeat(np.arange(resamples), drawn)
    cell = random.integers(0, max(named, 1), size=len(resample)) * resamples + resample
    return np.bincount(cell, minlength=named * resamples).reshape(named, resamples)


def limits(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95% limits of each row of resampled values (percentiles)."""
    lower, upper = np.quantile(values, _LIMITS, axis=1)
    return lower, upper
