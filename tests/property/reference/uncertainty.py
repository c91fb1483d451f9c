"""Funnels, control charts and intervals over children, one number at a time and as the sources write them down."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist

from pipelines.uncertainty.rules import ControlRules, FunnelRules

Signs = dict[str, list[int]]


def funnel(events: Sequence[int], sizes: Sequence[int], kind: str, rules: FunnelRules) -> tuple[float, list[int]]:
    """Variance between areas, and where each stands."""
    forward = (lambda value: math.asin(math.sqrt(value))) if kind == "proportion" else math.sqrt
    target = forward(sum(events) / sum(sizes))
    errors = [1 / (2 * math.sqrt(size)) for size in sizes]
    scores = [
        (forward(event / size) - target) / error for event, size, error in zip(events, sizes, errors, strict=True)
    ]
    variance = _between(scores, errors, rules) if len(sizes) >= rules.fewest_areas else 0.0
    normal = NormalDist()
    limits = [normal.inv_cdf((1 + level) / 2) for level in (rules.inner, rules.outer)]
    standing = []
    for score, error in zip(scores, errors, strict=True):
        wide = score * error / math.sqrt(error**2 + variance)
        beyond = sum(abs(wide) > limit + 1e-9 for limit in limits)
        standing.append(beyond if wide > 0 else -beyond)
    return variance, standing


def _between(scores: Sequence[float], errors: Sequence[float], rules: FunnelRules) -> float:
    low, high = (_quantile(sorted(scores), share) for share in (rules.winsorise, 1 - rules.winsorise))
    squares = [min(max(score, low), high) ** 2 for score in scores]
    weights = [error**-2 for error in errors]
    spread = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
    return max(0.0, (sum(squares) - (len(scores) - 1)) / spread)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def control_signs(values: Sequence[int | None], rules: ControlRules) -> Signs:
    """The four signs of each month, by looking at every window of every run; of counts, so that nothing is rounded."""
    found: Signs = {name: [0] * len(values) for name in ("beyond", "shift", "trend", "near")}
    for start, run in _runs(values):
        if len(run) >= rules.fewest_months:
            for name, months in _signs(run, rules).items():
                for month, sign in months.items():
                    found[name][start + month] = sign
    return found


def _runs(values: Sequence[int | None]) -> list[tuple[int, list[int]]]:
    runs: list[tuple[int, list[int]]] = []
    for place, value in enumerate(values):
        if value is None:
            continue
        if place and values[place - 1] is not None:
            runs[-1][1].append(value)
        else:
            runs.append((place, [value]))
    return runs


def _signs(run: Sequence[int], rules: ControlRules) -> dict[str, dict[int, int]]:
    centre = Fraction(sum(run), len(run))
    ranges = [abs(after - before) for before, after in pairwise(run)]
    reach = Fraction(str(rules.limit_ranges)) * Fraction(sum(ranges), len(ranges))
    near = Fraction(rules.near_share).limit_denominator(100) * reach
    signs: dict[str, dict[int, int]] = {"beyond": {}, "shift": {}, "trend": {}, "near": {}}
    for side in (1, -1):
        away = [side * (value - centre) for value in run]
        signs["beyond"] |= {month: side for month, far in enumerate(away) if far > reach}
        for start in range(len(run) - rules.shift_months + 1):
            window = range(start, start + rules.shift_months)
            if all(away[month] > 0 for month in window):
                signs["shift"] |= dict.fromkeys(window, side)
        for start in range(len(run) - rules.near_months + 1):
            window = [month for month in range(start, start + rules.near_months) if away[month] > near]
            if len(window) >= rules.near_least:
                signs["near"] |= dict.fromkeys(window, side)
    signs["trend"] = _trend(run, rules.trend_months)
    return signs


def _trend(run: Sequence[int], months: int) -> dict[int, int]:
    """Windows from the last to the first, so that where two meet the one that begins there is kept."""
    found: dict[int, int] = {}
    for start in range(len(run) - months + 1):
        window = run[start : start + months]
        for side in (1, -1):
            if all(side * (after - before) > 0 for before, after in pairwise(window)):
                found |= dict.fromkeys(range(start, start + months), side)
    return found


def resampled_ratios(sums: Sequence[tuple[int, int]], draw: random.Random, resamples: int) -> list[float]:
    """Ratios of resamples of whole children with replacement, in order of size."""
    ratios = []
    for _ in range(resamples):
        drawn = draw.choices(sums, k=len(sums))
        whole = sum(one for _, one in drawn)
        if whole:
            ratios.append(sum(one for one, _ in drawn) / whole)
    return sorted(ratios)
