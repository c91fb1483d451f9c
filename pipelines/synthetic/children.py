"""Invented children and the moments at which they go missing, as arrays.

Belongs here: the random process (arrivals, background, self-excitation), durations, and keeping one child's
episodes apart. Does not: places, authorities and attributes (`region`), or anything a borough writes down
(`records`). Times are days since the first day of the demonstration, 00:00 UTC; a birth is a number of days too, and
goes no further than `region`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.synthetic.settings import Behaviour

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

YEAR = 365.2425
ADULT = 18
BURN_IN_YEARS = 4  # children who arrived earlier are still going missing when the demonstration begins
MINUTES = 24 * 60
# A child is back for at least this long before the next absence: longer than the two hours within which a police record
# and an authority's are taken to be of one absence.
APART = 2.5 / 24


@dataclass(frozen=True)
class Moments:
    """When children of one group go missing.

    Attributes:
        child: Child number of each episode, from 0, shape (episodes,).
        start: Start of each episode in days, rising within a child, shape (episodes,).
        found: When found, in days, shape (episodes,).
        returned: When back, in days, shape (episodes,).
        born: Birth of each child in days (negative), shape (children,).
    """

    child: Ints
    start: Floats
    found: Floats
    returned: Floats
    born: Floats

    def keep(self, mask: Bools) -> "Moments":
        """The episodes where `mask` holds; children keep their numbers."""
        return Moments(self.child[mask], self.start[mask], self.found[mask], self.returned[mask], self.born)

    @property
    def age(self) -> Ints:
        """Completed years of age at each start, shape (episodes,)."""
        return np.floor((self.start - self.born[self.child]) / YEAR).astype(np.int64)


def draw_moments(
    rng: np.random.Generator,
    behaviour: Behaviour,
    *,
    days: int,
    scale: float,
    first_age: Mapping[int, float],
    raw: Mapping[str, Any],
) -> Moments:
    """Draw one group's episodes over the demonstration.

    Args:
        rng: Source of chance.
        behaviour: The group's rates.
        days: Length of the demonstration in days.
        scale: Multiplier of the number of children.
        first_age: Weights of completed years of age at the first episode.
        raw: The plain settings `duration_hours`, `return_delay_hours` and `start_hour`.

    Returns:
        Episodes that start in the demonstration before the child turns 18, none overlapping another of the
        same child.
    """
    horizon = float(days)
    arrived, child, day = _cascade(rng, behaviour, horizon=horizon, scale=scale)
    inside = (day >= -1) & (day < horizon)  # a day early: long absences shadow what follows them
    child, day = child[inside], day[inside]
    start = np.floor(day) + clock_times(rng, raw["start_hour"], day.size)
    born = arrived - _ages(rng, first_age, arrived.size) * YEAR
    found, returned = absences(rng, start, raw)
    drawn = Moments(child, start, found, returned, born)
    drawn = drawn.keep(drawn.age < ADULT)
    drawn = drawn.keep(apart(drawn.child, drawn.start, drawn.returned))
    return _renumbered(drawn.keep((drawn.start >= 0) & (drawn.start < horizon)))


def clock_times(rng: np.random.Generator, hour_weights: Sequence[float], count: int) -> Floats:
    """Times of day as fractions of a day, to the minute, by weights of the 24 hours; shape (count,)."""
    weights = np.asarray(hour_weights, dtype=np.float64)
    hour = rng.choice(24, size=count, p=weights / weights.sum())
    return (hour * 60 + rng.integers(0, 60, count)) / MINUTES


def absences(rng: np.random.Generator, start: Floats, raw: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """When each absence that starts at `start` (days) ends: found and returned, in days, to the minute."""
    mixture = raw["duration_hours"]
    shares = np.array([part["share"] for part in mixture])
    part = rng.choice(len(mixture), size=start.size, p=shares / shares.sum())
    median = np.array([row["median"] for row in mixture])[part]
    sigma = np.array([row["sigma"] for row in mixture])[part]
    hours = median * np.exp(sigma * rng.standard_normal(start.size))
    delay = rng.exponential(raw["return_delay_hours"], start.size)
    found = start + np.maximum(np.round(hours * 60), 5) / MINUTES
    return found, found + np.round(delay * 60) / MINUTES


def apart(child: Ints, start: Floats, returned: Floats) -> Bools:
    """Which episodes start after every earlier one of the same child is over; input in any order.

    Args:
        child: Child numbers, shape (episodes,).
        start: Starts in days, shape (episodes,).
        returned: Ends in days, shape (episodes,).

    Returns:
        A mask in the order of the input, shape (episodes,).
    """
    order = np.lexsort((start, child))
    # Children are laid end to end on one axis, so that a running maximum never crosses from one to the next.
    shift = child[order] * 1e5
    over = np.maximum.accumulate(returned[order] + shift)
    free = np.ones(order.size, dtype=np.bool_)
    free[1:] = start[order][1:] + shift[1:] >= over[:-1] + APART
    mask = np.empty_like(free)
    mask[order] = free
    return mask


def _cascade(
    rng: np.random.Generator, behaviour: Behaviour, *, horizon: float, scale: float
) -> tuple[Floats, Ints, Floats]:
    """First days of all children, and child number and day of every episode (a branching process)."""
    span = BURN_IN_YEARS * YEAR + horizon
    count = int(rng.poisson(behaviour.arrivals_per_year * scale * span / YEAR))
    arrived = rng.uniform(-BURN_IN_YEARS * YEAR, horizon, count)
    active = rng.exponential(behaviour.active_years * YEAR, count)
    excitation = behaviour.excitation_cap * rng.beta(behaviour.excitation_a, behaviour.excitation_b, count)
    shape = behaviour.background_shape
    rate = rng.gamma(shape, behaviour.background_per_year / shape, count)
    again = rng.poisson(rate * active / YEAR)
    child = np.concatenate([np.arange(count), np.repeat(np.arange(count), again)])
    later = np.repeat(active, again) * rng.random(int(again.sum()))
    day = np.concatenate([arrived, np.repeat(arrived, again) + later])
    children, days = [child], [day]
    while child.size:
        followers = rng.poisson(excitation[child])
        child = np.repeat(child, followers)
        day = np.repeat(day, followers) + _lag(rng, behaviour, child.size)
        child, day = child[day < horizon], day[day < horizon]
        children.append(child)
        days.append(day)
    return arrived, np.concatenate(children), np.concatenate(days)


def _lag(rng: np.random.Generator, behaviour: Behaviour, count: int) -> Floats:
    quick = rng.exponential(behaviour.quick_days, count)
    slow = behaviour.slow_median_days * np.exp(behaviour.slow_sigma * rng.standard_normal(count))
    return 0.6 + np.where(rng.random(count) < behaviour.quick_share, quick, slow)


def _ages(rng: np.random.Generator, first_age: Mapping[int, float], count: int) -> Floats:
    years = np.array(list(first_age), dtype=np.float64)
    weights = np.array(list(first_age.values()), dtype=np.float64)
    return rng.choice(years, size=count, p=weights / weights.sum()) + rng.random(count)


def _renumbered(drawn: Moments) -> Moments:
    """Episodes sorted by child and start, children renumbered from 0 without gaps."""
    order = np.lexsort((drawn.start, drawn.child))
    known, child = np.unique(drawn.child[order], return_inverse=True)
    return Moments(
        child.astype(np.int64),
        drawn.start[order],
        drawn.found[order],
        drawn.returned[order],
        drawn.born[known],
    )
