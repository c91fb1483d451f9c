"""Patterns that look at a child's episodes one at a time, or at how they follow each other: read word by word.

Escalation, long, night, young and late flag of domain.md section 9. Windows and counts are in `patterns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise, product
from statistics import median

from pipelines.contracts.patterns import Pattern
from tests.property.reference.clock import DAY, HOUR, to_london, to_utc
from tests.property.reference.deliveries import Moment, moment
from tests.property.reference.episodes import Episode, by_child, first_known

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class SingleHit:
    """An episode that completes a pattern, how sure that is, and the episodes that show it."""

    rule: Pattern
    episode: Episode
    after: datetime
    certain: bool
    detail: str | None
    evidence: Sequence[Episode]


@dataclass(frozen=True)
class Known:
    """What one child's patterns are read from."""

    counted: Sequence[Episode]  # missing episodes under 18 or of unknown age, in the order they were lived
    everything: Sequence[Episode]
    data_to: Mapping[str, datetime]

    def away(self, episode: Episode) -> tuple[datetime, datetime, bool] | None:
        """From when to when the child was away at least, and whether the end is recorded; none if nobody can tell."""
        if episode.end:
            return episode.started.latest, episode.end.earliest, True
        if any(one.status == "missing" and one.start > episode.start for one in self.everything):
            return None
        return episode.started.latest, self.data_to[episode.lead.row.borough], False


def single_hits(
    rules: Sequence[Pattern], episodes: Sequence[Episode], data_to: Mapping[str, datetime]
) -> list[SingleHit]:
    """Every hit of the kinds that are read here."""
    found: list[SingleHit] = []
    for lived in by_child(episodes).values():
        counted = [one for one in lived if one.status == "missing" and (first_known(one, "age", None) or 0) < 18]
        known = Known(counted, lived, data_to)
        for rule in rules:
            if rule.kind in _KINDS:
                found += _KINDS[rule.kind](rule, known)
    return found


def _escalation(rule: Pattern, known: Known) -> Iterator[SingleHit]:
    for place, episode in enumerate(known.counted):
        last = known.counted[max(place - _whole(rule, "gaps"), 0) : place + 1]
        faster = len(last) > _whole(rule, "gaps") and _falling([one.start for one in last])
        surely_faster = faster and all(
            _falling(starts) for starts in product(*({one.start, one.started.latest} for one in last))
        )
        longer = _much_longer(rule, known.counted[:place], episode)
        if faster or longer:
            words = " and ".join(word for word, holds in (("gaps", faster), ("duration", longer)) if holds)
            evidence = last if faster else [episode]
            after = evidence[0].start - INSTANT
            yield SingleHit(rule, episode, after, surely_faster or longer, words, evidence)


def _falling(starts: Sequence[datetime]) -> bool:
    gaps = [after - before for before, after in pairwise(starts)]
    return all(after < before for before, after in pairwise(gaps))


def _much_longer(rule: Pattern, earlier: Sequence[Episode], episode: Episode) -> bool:
    lengths = [length for one in earlier if (length := _exact_length(one)) is not None]
    own = _exact_length(episode)
    if own is None or len(lengths) < _whole(rule, "earlier_episodes"):
        return False
    minutes = [length / timedelta(minutes=1) for length in lengths]
    times = rule.parameters["times_median"]
    assert isinstance(times, int | float)
    return own > _whole(rule, "over_hours") * HOUR and own / timedelta(minutes=1) > times * median(minutes)


def _exact_length(episode: Episode) -> timedelta | None:
    if episode.end is None or not (_is_exact(episode.started) and _is_exact(episode.end)):
        return None
    return episode.end.earliest - episode.start


def _is_exact(recorded: Moment) -> bool:
    return recorded.exact and recorded.earliest == recorded.latest


def _long(rule: Pattern, known: Known) -> Iterator[SingleHit]:
    for episode in known.counted:
        if away := known.away(episode):
            since, until, ended = away
            reached = [
                *((hours * HOUR, 0, f"{hours} hours or more") for hours in _wholes(rule, "hours")),
                *((days * 24 * HOUR, 1, f"more than {days} days") for days in _wholes(rule, "over_days")),
            ]
            reached = [one for one in reached if (until - since > one[0] if one[1] else until - since >= one[0])]
            if reached:
                yield _alone(rule, episode, certain=ended, detail=max(reached)[2] + ("" if ended else NOT_ENDED))


def _night(rule: Pattern, known: Known) -> Iterator[SingleHit]:
    for episode in known.counted:
        if away := known.away(episode):
            since, until, ended = away
            if any(since <= begins and ends <= until for begins, ends in _nights(rule, since, until)):
                yield _alone(rule, episode, certain=ended, detail=None if ended else NOT_ENDED.removeprefix(", "))


def _nights(rule: Pattern, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Every night that touches a time, as the clocks in London show it."""
    midnight = datetime.combine(to_london(since).date(), time())
    while to_utc(midnight) <= until:
        begins, ends = (midnight + _whole(rule, name) * HOUR for name in ("night_from", "night_to"))
        yield to_utc(begins), to_utc(ends)
        midnight += DAY


def _young(rule: Pattern, known: Known) -> Iterator[SingleHit]:
    for episode in known.counted:
        age = first_known(episode, "age", None)
        if age is not None and age < _whole(rule, "under_age"):
            yield _alone(rule, episode, certain=True, detail=None)


def _late_flag(rule: Pattern, known: Known) -> Iterator[SingleHit]:
    said = {kind: _flag_dates(known.everything, kind) for kind in ("cse", "cce")}
    dated = {kind: min(days) for kind in said if (days := [day for day in said[kind] if day])}
    undated = [kind for kind in said if said[kind] and kind not in dated]
    if not dated:
        return
    first = min(dated.values())
    before = [one for one in known.counted if to_london(one.start).date() < first]
    if len(before) >= _whole(rule, "episodes"):
        words = " and ".join(kind for kind, day in dated.items() if day == first)
        yield SingleHit(rule, before[-1], before[0].start - INSTANT, not undated, words, before)


def _flag_dates(episodes: Sequence[Episode], kind: str) -> list[date | None]:
    """A day, or nothing for an undated one, for every row that says that the flag is set."""
    dates: list[date | None] = []
    for row in (live.row for one in episodes for live in one.rows):
        recorded = moment(getattr(row, f"{kind}_flag_date"))
        if recorded or getattr(row, f"{kind}_flag") == "yes":
            dates.append(to_london(recorded.earliest).date() if recorded else None)
    return dates


def _alone(rule: Pattern, episode: Episode, *, certain: bool, detail: str | None) -> SingleHit:
    """A hit that no other episode has a part in."""
    return SingleHit(rule, episode, episode.start - INSTANT, certain, detail, [episode])


def _whole(rule: Pattern, name: str) -> int:
    value = rule.parameters[name]
    assert isinstance(value, int)
    return value


def _wholes(rule: Pattern, name: str) -> list[int]:
    value = rule.parameters[name]
    assert isinstance(value, tuple)
    return [int(one) for one in value]


NOT_ENDED = ", end not recorded"
_KINDS: Mapping[str, Callable[[Pattern, Known], Iterator[SingleHit]]] = {
    "escalation": _escalation,
    "long": _long,
    "night": _night,
    "young": _young,
    "late_flag": _late_flag,
}
