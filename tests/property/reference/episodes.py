"""From rows to the absences a child lived: rows that cannot be told apart are one episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.property.reference.clock import day_after, to_london
from tests.property.reference.deliveries import Live, Moment, moment

OPEN_FOR = timedelta(hours=24)
NEAR_POLICE = timedelta(hours=2)


@dataclass(frozen=True)
class Episode:
    """One absence and the rows it was recorded in."""

    child_key: str
    status: str
    started: Moment
    end: Moment | None
    return_: Moment | None
    lead: Live
    rows: Sequence[Live]

    @property
    def ended(self) -> datetime | None:
        """First instant at which it may have ended."""
        return self.end.earliest if self.end else None

    @property
    def ended_exact(self) -> bool:
        """Whether the end has a clock time."""
        return bool(self.end and self.end.exact)

    @property
    def returned(self) -> datetime | None:
        """First instant at which the child may have returned."""
        return self.return_.earliest if self.return_ else None

    @property
    def returned_exact(self) -> bool:
        """Whether the return has a clock time."""
        return bool(self.return_ and self.return_.exact)

    @property
    def members(self) -> frozenset[tuple[str, str]]:
        """Sender and identifier of every row."""
        return frozenset((one.row.borough, one.row.episode_id) for one in self.rows)

    @property
    def start(self) -> datetime:
        """First instant of the episode."""
        return self.started.earliest

    @property
    def back(self) -> datetime | None:
        """The return, else the finding."""
        return self.returned or self.ended


def resolve(live: Sequence[Live]) -> list[Episode]:
    """Resolve the rows of every child and status."""
    groups = {(one.child_key, one.row.status) for one in live}
    return [
        episode
        for child_key, status in sorted(groups)
        for episode in _of_child([one for one in live if (one.child_key, one.row.status) == (child_key, status)])
    ]


def by_child(episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    """Episodes of every child in the order they were lived."""
    children: dict[str, list[Episode]] = {}
    for episode in sorted(episodes, key=lambda one: one.start):
        children.setdefault(episode.child_key, []).append(episode)
    return children


def start_of(live: Live) -> Moment:
    """Start of a row."""
    start = moment(live.row.started)
    assert start is not None
    return start


def end_of(live: Live) -> Moment | None:
    """End of a row: found, else returned."""
    end = moment(live.row.found or live.row.returned)
    return end and end.not_before(start_of(live).earliest)


def return_of_row(live: Live) -> Moment | None:
    """Return of a row: not before it was found."""
    back, end = moment(live.row.returned), end_of(live)
    return back and back.not_before(max(start_of(live).earliest, end.earliest if end else start_of(live).earliest))


def covers(live: Live, instant: datetime) -> bool:
    """Whether the child may still have been away at an instant after the row's start."""
    end = end_of(live)
    if end is None:
        return instant < start_of(live).until + OPEN_FOR
    return instant < end.until or (end.exact and instant == end.until)


def overlap(one: Live, other: Live) -> bool:
    """Whether two rows may be about the same time."""
    first, second = sorted((one, other), key=lambda live: start_of(live).earliest)
    return covers(first, start_of(second).earliest)


def _of_child(live: Sequence[Live]) -> list[Episode]:
    precise = _police_matched(_clusters([one for one in live if start_of(one).exact]))
    alone = []
    for dated in [one for one in live if not start_of(one).exact]:
        host = _host(dated, precise)
        if host is None:
            alone.append(dated)
        else:
            host.append(dated)
    return [_episode(cluster) for cluster in precise + _clusters(alone)]


def _clusters(live: Sequence[Live]) -> list[list[Live]]:
    """Groups of rows that hang together through overlaps."""
    clusters = [[one] for one in live]
    while pair := _first_pair(clusters, lambda a, b: any(overlap(one, other) for one in a for other in b)):
        here, there = pair
        clusters[here] += clusters.pop(there)
    return clusters


def _police_matched(clusters: Sequence[list[Live]]) -> list[list[Live]]:
    """Join what only the police and what only an authority recorded, where each is the other's nearest neighbour."""
    ordered = sorted(clusters, key=_first_start)
    gaps = {place: gap for place in range(len(ordered) - 1) if (gap := _gap(*ordered[place : place + 2])) is not None}
    nearest = {
        place
        for place, gap in gaps.items()
        if gap < gaps.get(place - 1, timedelta.max) and gap <= gaps.get(place + 1, timedelta.max)
    }
    return [
        cluster + (ordered[place + 1] if place in nearest else [])
        for place, cluster in enumerate(ordered)
        if place - 1 not in nearest
    ]


def _gap(before: Sequence[Live], after: Sequence[Live]) -> timedelta | None:
    """Time between a police record and an authority's that may be one episode, if it is short enough."""
    kept_by = [{one.recorded_by for one in cluster} for cluster in (before, after)]
    ends = [end_of(one) for one in before]
    open_until = [start_of(one).until + OPEN_FOR for one in before if end_of(one) is None]
    if sorted(map(sorted, kept_by)) != [["authority"], ["police"]] or not any(ends):
        return None
    last = max(end.latest for end in ends if end)
    gap = _first_start(after) - last
    return gap if gap <= NEAR_POLICE and all(until <= last for until in open_until) else None


def _first_pair(clusters: list[list[Live]], belong: Callable[[list[Live], list[Live]], bool]) -> tuple[int, int] | None:
    for here in range(len(clusters)):
        for there in range(here + 1, len(clusters)):
            if belong(clusters[here], clusters[there]):
                return here, there
    return None


def _host(dated: Live, precise: Sequence[list[Live]]) -> list[Live] | None:
    """The episode known to the minute that a row of days belongs to: that day's, else the earliest it meets."""
    met = [cluster for cluster in precise if _meets(dated, [one for one in cluster if start_of(one).exact])]
    day = start_of(dated)
    same_day = [cluster for cluster in met if day.earliest <= _first_start(cluster) < day.until]
    return min(same_day or met, key=_first_start, default=None)


def _meets(dated: Live, cluster: Sequence[Live]) -> bool:
    begins, day = _first_start(cluster), start_of(dated).earliest
    return covers(dated, begins) if day <= begins else any(covers(one, day) for one in cluster)


def _first_start(cluster: Sequence[Live]) -> datetime:
    return min(start_of(one).earliest for one in cluster if start_of(one).exact)


def _episode(cluster: Sequence[Live]) -> Episode:
    leading = [one for one in cluster if start_of(one).exact] or list(cluster)
    lead = min(leading, key=lambda one: (start_of(one).earliest, one.known_at, one.key))
    start = start_of(lead)
    end = _latest([end_of(one) for one in leading], [end_of(one) for one in cluster], start.earliest)
    open_since = max((start_of(one).earliest for one in leading if end_of(one) is None), default=None)
    if end and open_since and open_since >= end.earliest:
        end = None
    returns = [return_of_row(one) for one in leading], [return_of_row(one) for one in cluster]
    back = _latest(*returns, start.earliest)
    if end is None or back is None or not _reaches(back.earliest, end.earliest, exact=back.exact):
        back = None
    return Episode(
        child_key=lead.child_key,
        status=lead.row.status,
        started=start,
        end=end,
        return_=back,
        lead=lead,
        rows=cluster,
    )


def _latest(leading: Sequence[Moment | None], any_row: Sequence[Moment | None], not_before: datetime) -> Moment | None:
    """The last time of the leading rows, else of any; a day counts from its first instant."""
    known = [one for one in leading if one is not None] or [one for one in any_row if one is not None]
    if not known:
        return None
    last = max(known, key=lambda one: (one.earliest, one.exact))
    begin = max(last.earliest, not_before)
    return Moment(begin, max(last.until, begin), last.exact)


def _reaches(returned: datetime, ended: datetime, *, exact: bool) -> bool:
    """Whether a return may lie at the end or after it; of a day, its last instant decides."""
    return returned >= ended if exact else day_after(to_london(returned)) > ended


def first_known(episode: Episode, field: str, blank: Any) -> Any:
    """Value of the earliest row that has one."""
    rows = sorted(episode.rows, key=lambda one: (start_of(one).earliest, one.key))
    return _first([getattr(one.row, field) for one in rows], blank)


def lead_value(episode: Episode, field: str, blank: Any) -> Any:
    """Value of the lead row, else of another row."""
    rows = sorted(episode.rows, key=lambda one: (one is not episode.lead, one.key))
    return _first([getattr(one.row, field) for one in rows], blank)


def _first(values: Sequence[Any], blank: Any) -> Any:
    return next((value for value in values if value != blank), blank)
