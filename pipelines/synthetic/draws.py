"""Small draws from weights, shared by the modules of this package.

Belongs here: drawing columns from tables of weights. Does not: what is drawn, or how often.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray


def shares(values: Sequence[float]) -> NDArray[np.float64]:
    """Weights as shares that add up to 1."""
    array = np.asarray(values, dtype=np.float64)
    whole = float(array.sum())
    return array / whole


def pick(rng: np.random.Generator, weights: Mapping[str, float], count: int) -> pl.Series:
    """Draw `count` names by weight, as a text column."""
    names = pl.Series(list(weights), dtype=pl.String)
    return names.gather(rng.choice(len(names), size=count, p=shares(list(weights.values()))))


def yes_no(mask: NDArray[np.bool_]) -> pl.Series:
    """A mask as the codes "yes" and "no"."""
    return pl.Series(["no", "yes"]).gather(mask.astype(np.int64))


def chosen(rng: np.random.Generator, candidates: pl.Series, count: int) -> pl.Series:
    """At most `count` of the candidates (distinct rows), drawn without replacement, in their own order."""
    size = min(count, len(candidates))
    return candidates.gather(np.sort(rng.choice(len(candidates), size=size, replace=False)))
