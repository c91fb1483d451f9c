"""Funnel plots: which areas differ from all areas together by more than chance, with and without over-dispersion.

An area's value is compared with the pooled value of all areas on a scale on which its standard error depends on the
size of the area alone: the square root of a rate, the arcsine of the square root of a proportion; on both it is
1 / (2 * sqrt(size)). Limits are made on that scale and turned back. Areas differ for reasons that are not chance and
not of interest either (who lives there, how things are recorded, one child with many episodes), so most would lie
outside such limits. The excess is estimated from the areas' z scores, the most extreme of them drawn in, and added to
the variance of each.

Which areas are compared, and what is drawn, is decided by the callers.

Sources: Spiegelhalter, D. J. (2005) Funnel plots for comparing institutional performance, Statistics in Medicine 24,
1185-1202 (funnel, z scores, winsorising, phi); Spiegelhalter, D. J. et al. (2012) Statistical methods for healthcare
regulation: rating, screening and surveillance, Journal of the Royal Statistical Society A 175, 1-47 (transformations,
additive over-dispersion by the method of moments of DerSimonian and Laird 1986).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipelines.uncertainty.rules import FunnelRules

Floats = NDArray[np.float64]
Kind = Literal["rate", "proportion"]


@dataclass(frozen=True)
class Limits:
    """Lower and upper limits of each area, on the scale of the values."""

    lower_inner: Floats
    upper_inner: Floats
    lower_outer: Floats
    upper_outer: Floats


@dataclass(frozen=True)
class Funnel:
    """What is expected of each area if it differed from all of them by chance only.

    Attributes:
        target: the pooled value: all events over all sizes.
        phi: mean square of the winsorised z scores; 1 is what chance alone gives. Not a number with too few areas.
        tau_squared: variance between areas on the transformed scale that chance does not explain; 0 where none is
            found or there are too few areas to tell.
        standing: for each area -2 below the outer limit, -1 below the inner, 0 between the inner limits (on a limit
            is inside), 1 above the inner, 2 above the outer; by the widened limits.
        chance: the limits without over-dispersion.
        widened: the limits with it; the same where tau_squared is 0.
    """

    target: float
    phi: float
    tau_squared: float
    standing: NDArray[np.int64]
    chance: Limits
    widened: Limits


def funnel(events: Floats, sizes: Floats, kind: Kind, rules: FunnelRules) -> Funnel:
    """Compare areas with all of them together.

    Args:
        events: of each area, the numerator.
        sizes: of each area, the denominator: children at risk, episodes, population; above 0.
        kind: rate (events may come again) or proportion (each of the size once at most).
        rules: limits, winsorising and the fewest areas.

    Returns:
        Target, over-dispersion and limits per unit of size, areas in the order given.

    Raises:
        ValueError: there is no area, a size is not above 0, or a proportion is above 1.
    """
    _check(events, sizes, kind)
    target = float(events.sum() / sizes.sum())
    centre = _forward(np.array([target]), kind)[0]
    error = 0.5 / np.sqrt(sizes)
    scores = (_forward(events / sizes, kind) - centre) / error
    phi, tau_squared = _over_dispersion(scores, error, rules)
    wide = np.sqrt(error**2 + tau_squared)
    return Funnel(
        target=target,
        phi=phi,
        tau_squared=tau_squared,
        standing=_standing(scores * error / wide, rules),
        chance=_limits(centre, error, kind, rules),
        widened=_limits(centre, wide, kind, rules),
    )


def winsorised(scores: Floats, share: float) -> Floats:
    """Draw the scores beyond the quantiles `share` and 1 - `share` in to these (linear between scores)."""
    low, high = np.quantile(scores, [share, 1 - share])
    return np.clip(scores, low, high)


def _check(events: Floats, sizes: Floats, kind: Kind) -> None:
    if not len(sizes) or not (sizes > 0).all():
        msg = "A funnel needs at least one area, and every area a size above 0; leave the others out."
        raise ValueError(msg)
    if kind == "proportion" and (events > sizes).any():
        msg = "A proportion has more events than its size; compare it as a rate or leave the area out."
        raise ValueError(msg)


def _over_dispersion(scores: Floats, error: Floats, rules: FunnelRules) -> tuple[float, float]:
    areas = len(scores)
    if areas < rules.fewest_areas:
        return np.nan, 0.0
    phi = float(np.mean(winsorised(scores, rules.winsorise) ** 2))
    weights = error**-2
    spread = weights.sum() - (weights**2).sum() / weights.sum()
    return phi, max(0.0, float((areas * phi - (areas - 1)) / spread))


def _standing(scores: Floats, rules: FunnelRules) -> NDArray[np.int64]:
    # An area that lies on a limit must not fall outside by a rounding of the last bit.
    beyond = [np.abs(scores) > _deviations(level) + 1e-9 for level in (rules.inner, rules.outer)]
    return np.sign(scores).astype(np.int64) * (beyond[0].astype(np.int64) + beyond[1])


def _limits(centre: float, error: Floats, kind: Kind, rules: FunnelRules) -> Limits:
    inner, outer = (_deviations(level) * error for level in (rules.inner, rules.outer))
    return Limits(
        lower_inner=_back(centre - inner, kind),
        upper_inner=_back(centre + inner, kind),
        lower_outer=_back(centre - outer, kind),
        upper_outer=_back(centre + outer, kind),
    )


def _deviations(level: float) -> float:
    """Standard deviations of a two-sided normal probability: 1.96 for 0.95, 3.09 for 0.998."""
    return float(special.ndtri((1 + level) / 2))


def _forward(values: Floats, kind: Kind) -> Floats:
    roots = np.sqrt(values)
    return np.arcsin(roots) if kind == "proportion" else roots


def _back(values: Floats, kind: Kind) -> Floats:
    """Turn back, ending at the least and the greatest value there can be."""
    if kind == "rate":
        return np.maximum(values, 0) ** 2
    return np.sin(np.clip(values, 0, np.pi / 2)) ** 2
