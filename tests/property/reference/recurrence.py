"""Going missing again, by the textbook: follow each child by hand, multiply fractions, add one over who is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import exp, log, sqrt
from typing import Any

from tests.property.reference.clock import to_london, to_utc
from tests.property.reference.deliveries import Live, Moment
from tests.property.reference.episodes import Episode, by_child, first_known, lead_value, start_of
from tests.property.reference.statistics import Region

YEAR = timedelta(days=365)
NORMAL = 1.959963984540054
# basis, area, first day of the year to March, child
Key = tuple[str, str, date, str]


@dataclass(frozen=True)
class Gap:
    """What became of a child after its first episode of a year in an area."""

    observed: timedelta
    waited: timedelta | None
    gone_again: bool
    exact: bool
    left_out: str | None
    looked_after: str
    further: tuple[timedelta, ...]


def years(region: Region, episodes: Sequence[Episode]) -> dict[Key, list[Episode]]:
    """Missing episodes of every child in every area and year to March that is over, in order."""
    cut = to_london(max(region.data_to.values())).date().replace(day=1)
    found: dict[Key, list[Episode]] = defaultdict(list)
    for child, lived in by_child(_children(episodes)).items():
        for episode in lived:
            day = to_london(episode.start).date()
            first = date(day.year if day.month >= 4 else day.year - 1, 4, 1)
            if first.replace(year=first.year + 1) <= cut:
                for basis, area in _areas(region, episode):
                    found[basis, area, first, child].append(episode)
    return found


def gaps(region: Region, episodes: Sequence[Episode], live: Sequence[Live]) -> dict[Key, Gap]:
    """Follow the first episode of every child, area and year."""
    received = {(one.row.borough, _month(start_of(one).earliest)) for one in live}
    lived = by_child([one for one in episodes if one.status == "missing"])
    return {
        key: _gap(inside[0], [one for one in lived[key[-1]] if one.start > inside[0].start], region, received)
        for key, inside in years(region, episodes).items()
    }


def product_limit(days: Sequence[float], gone: Sequence[bool]) -> list[tuple[float, Fraction]]:
    """Share left from each day on at which a child went or was lost from sight (Kaplan and Meier 1958)."""
    left, steps = Fraction(1), []
    for day in sorted(set(days)):
        there = sum(other >= day for other in days)
        went = sum(other == day and is_gone for other, is_gone in zip(days, gone, strict=True))
        left *= Fraction(there - went, there)
        steps.append((day, left))
    return steps


def log_log_limits(days: Sequence[float], gone: Sequence[bool], at: float) -> tuple[float, float] | None:
    """Limits of the share left (exponential Greenwood); none where all or none are left."""
    left, spread = Fraction(1), Fraction()
    for day in sorted({day for day, is_gone in zip(days, gone, strict=True) if is_gone and day <= at}):
        there = sum(other >= day for other in days)
        went = sum(other == day and is_gone for other, is_gone in zip(days, gone, strict=True))
        left *= Fraction(there - went, there)
        if left == 0:
            return None
        spread += Fraction(went, there * (there - went))
    if left == 1:
        return None
    reach = NORMAL * sqrt(spread) / abs(log(left))
    return float(left) ** exp(reach), float(left) ** exp(-reach)


def mean_further(observed: Sequence[float], events: Sequence[Sequence[float]], at: float) -> Fraction:
    """Mean number of further episodes by a day: one over the children still observed, for each of them."""
    return sum(
        (Fraction(1, sum(other >= day for other in observed)) for own in events for day in own if day <= at), Fraction()
    )


def child_weeks(days: Sequence[float], week: int) -> float:
    """Weeks that children waited together in one week."""
    return sum(min(max(day - 7 * (week - 1), 0), 7) for day in days) / 7


def slices(incidents: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Children and incidents of the smallest half and of the top slices, ties included."""
    ordered = sorted(incidents, reverse=True)
    half = next(number for number in range(1, len(ordered) + 1) if 2 * sum(ordered[:number]) >= sum(ordered))
    found = {"half_of_incidents": (half, sum(ordered[:half]))}
    for percent in (5, 15):
        last = ordered[-(-len(ordered) * percent // 100) - 1]
        tied = [number for number in ordered if number >= last]
        found[f"top_{percent}_percent"] = (len(tied), sum(tied))
    return found


def _children(episodes: Sequence[Episode]) -> list[Episode]:
    return [one for one in episodes if one.status == "missing" and not _is_adult(one)]


def _is_adult(episode: Episode) -> bool:
    age = first_known(episode, "age", None)
    return age is not None and age >= 18


def _areas(region: Region, episode: Episode) -> list[tuple[str, str]]:
    named = (("A", lead_value(episode, "missing_from", "unknown")), ("B", lead_value(episode, "authority", "unknown")))
    return [(basis, area) for basis, own in named if own in region.boroughs for area in (own, region.whole)]


def _gap(first: Episode, later: Sequence[Episode], region: Region, received: set[tuple[str, date]]) -> Gap:
    until = _observed_to(first, later, region, received)
    following = None if not later or _is_adult(later[0]) else later[0]
    gone_again = following is not None and following.start <= until
    waited = None
    if first.ended is not None:
        waited = max((following.start if gone_again and following else until) - first.ended, timedelta())
    said = {one.row.looked_after for one in first.rows}
    return Gap(
        observed=max(until - first.start, timedelta()),
        waited=waited,
        gone_again=gone_again and waited is not None,
        exact=_is_exact(first.end) and (not gone_again or following is None or _is_exact(following.started)),
        left_out=None if waited is not None else "end_not_recorded" if later else "still_missing",
        looked_after=next((answer for answer in ("yes", "no") if answer in said), "unknown"),
        further=tuple(
            one.start - first.start
            for one in later
            if one.start <= min(until, first.start + YEAR) and not _is_adult(one)
        ),
    )


def _observed_to(first: Episode, later: Sequence[Episode], region: Region, received: set[tuple[str, date]]) -> datetime:
    """The sender's data cut, or the first month from the episode's own that it did not send, or a start at 18."""
    sender: Any = first.lead.row.borough
    month = _month(first.start)
    while (sender, month) in received:
        month = (month + timedelta(days=31)).replace(day=1)
    ends = [region.data_to[sender], to_utc(datetime.combine(month, datetime.min.time()))]
    return min(ends + [one.start for one in later if _is_adult(one)])


def _is_exact(moment: Moment | None) -> bool:
    return moment is not None and moment.exact and moment.earliest == moment.latest


def _month(instant: datetime) -> date:
    return to_london(instant).date().replace(day=1)
