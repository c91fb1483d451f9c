"""Repeat-missing patterns that count: for every start, look back over the child's history, as the wording says.

Windows and what is asked of them on top (a flag, no interview, out of area, home and care, a move), rapid repeats, and
away or absent episodes without a missing one; then the flags that hits make, and what each borough sees of them.
Patterns of single episodes are in `patterns_single`, those of children together in `patterns_together`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import product
from typing import cast

from pipelines.contracts.patterns import REGION, Pattern
from tests.builders.rows import PlacementRow
from tests.property.reference.clock import DAY, HOUR, to_london, to_utc
from tests.property.reference.deliveries import Live
from tests.property.reference.episodes import Episode, first_known, lead_value
from tests.property.reference.interviews import (
    UNCLEAR,
    heard_between,
    held,
    interviews_of,
    return_of,
)

INSTANT = timedelta(microseconds=1)
ADULT = 18
# So many uncertain starts are tried in all their readings.
_TRIED = 7


@dataclass(frozen=True)
class World:
    """What is known of all children; placements with the child that each is about."""

    episodes: Sequence[Episode]
    interviews: Sequence[Live] = ()
    placements: Sequence[tuple[str, PlacementRow]] = ()


@dataclass(frozen=True)
class Hit:
    """A start that completes a pattern, the window (after, at] it looks back over, and how sure that is."""

    after: datetime
    episode: Episode
    certain: bool
    detail: str | None = None

    @property
    def at(self) -> datetime:
        """The start, on its first reading."""
        return self.episode.start


@dataclass(frozen=True)
class Flag:
    """A run of overlapping windows of one version of a rule and child."""

    rule: Pattern
    hits: Sequence[Hit]
    episodes: Sequence[Episode]

    @property
    def first(self) -> Hit:
        """The hit that raises the flag."""
        return min(self.hits, key=lambda hit: hit.at)

    @property
    def raised_by(self) -> Episode:
        """The episode that first completes the pattern."""
        return self.first.episode

    @property
    def raised_at(self) -> datetime:
        """Its start."""
        return self.first.at

    @property
    def last_hit_at(self) -> datetime:
        """The last start that completes the pattern."""
        return max(hit.at for hit in self.hits)

    @property
    def certain(self) -> bool:
        """Whether the pattern is completed then however the record is read."""
        return self.first.certain

    @property
    def detail(self) -> str | None:
        """What there is to add."""
        return self.first.detail

    @property
    def certain_since(self) -> datetime | None:
        """The first hit that is certain."""
        return min((hit.at for hit in self.hits if hit.certain), default=None)

    @property
    def boroughs(self) -> list[str]:
        """Every sender of a row behind it."""
        return sorted({borough for episode in self.episodes for borough in senders(episode)})

    @property
    def most_in_one_borough(self) -> int:
        """The most episodes that one borough sent a row of."""
        return max(len(self._seen_by(borough)) for borough in self.boroughs)

    @property
    def only_region_sees(self) -> bool:
        """Whether no borough's own episodes are enough within one window of the rule."""
        return "episodes" in self.rule.parameters and not any(self._is_enough(borough) for borough in self.boroughs)

    def _seen_by(self, borough: str) -> list[datetime]:
        return sorted(episode.start for episode in self.episodes if borough in senders(episode))

    def _is_enough(self, borough: str) -> bool:
        starts = self._seen_by(borough)
        return any(
            sum(end - days(self.rule) < start <= end for start in starts) >= whole(self.rule, "episodes")
            for end in starts
        )


@dataclass(frozen=True)
class Child:
    """All that is known of one child, whatever the status of an episode and the age."""

    episodes: Sequence[Episode]
    interviews: Sequence[Live] = ()
    placements: Sequence[PlacementRow] = ()

    @cached_property
    def missing(self) -> list[Episode]:
        """Missing episodes that count."""
        return counted(self.episodes)

    @cached_property
    def absences(self) -> list[Episode]:
        """Away and absent episodes that count."""
        return counted(self.episodes, "away", "absent")

    @cached_property
    def unclear(self) -> list[Episode]:
        """Missing episodes with an interview of which nobody can tell whether it was held."""
        return [
            one
            for one in self.missing
            if any(held(said) == UNCLEAR for said in interviews_of(one, self.interviews, self.episodes))
        ]

    def history(self, rule: Pattern) -> list[Episode]:
        """What a rule counts, in the order lived."""
        return self.absences if rule.kind == "absence" else self.missing

    def heard(self, after: datetime, until: datetime) -> bool:
        """Whether an interview with the child may have been held between two instants, both included."""
        return heard_between(self.episodes[0].child_key, self.interviews, after, until)


@dataclass(frozen=True)
class Known:
    """What a rule counts, up to and including the episode that may complete it."""

    so_far: Sequence[Episode]
    child: Child

    @property
    def now(self) -> Episode:
        """The episode that may complete the pattern."""
        return self.so_far[-1]

    @property
    def before(self) -> Episode | None:
        """The one before it."""
        return self.so_far[-2] if len(self.so_far) > 1 else None

    @property
    def latest(self) -> datetime:
        """The latest instant at which any of them may have started."""
        return max(one.started.latest for one in self.so_far)

    def within(self, after: datetime) -> list[Episode]:
        """Those that start after an instant."""
        return [one for one in self.so_far if after < one.start]


def flags(rules: Sequence[Pattern], world: World) -> list[Flag]:
    """Every flag of the rules whose kind is read here."""
    found = []
    for child_key in sorted({one.child_key for one in world.episodes}):
        child = Child(
            [one for one in world.episodes if one.child_key == child_key],
            [one for one in world.interviews if one.child_key == child_key],
            [row for key, row in world.placements if key == child_key],
        )
        for rule in rules:
            if rule.kind in KINDS:
                found += [Flag(rule, run, _evidence(run, child.history(rule))) for run in _runs(hits(rule, child))]
    return found


def hits(rule: Pattern, child: Child) -> list[Hit]:
    """Starts of one child that complete a rule's pattern."""
    history = child.history(rule)
    return [hit for place in range(len(history)) for hit in KINDS[rule.kind](rule, Known(history[: place + 1], child))]


def counted(episodes: Sequence[Episode], *statuses: str) -> list[Episode]:
    """Episodes of children, of unknown age too, in the order they were lived; missing ones unless said otherwise."""
    children = [
        one
        for one in episodes
        if one.status in (statuses or ("missing",)) and (first_known(one, "age", None) or 0) < ADULT
    ]
    return sorted(children, key=lambda one: (one.start, one.lead.key))


def senders(episode: Episode) -> set[str]:
    """Every borough that sent a row of an episode."""
    return {one.row.borough for one in episode.rows}


def whole(rule: Pattern, name: str) -> int:
    """A parameter that is a whole number."""
    return cast("int", rule.parameters[name])


def days(rule: Pattern) -> timedelta:
    """The window of a rule: so many times 24 hours."""
    return whole(rule, "window_days") * 24 * HOUR


def _count(rule: Pattern, known: Known) -> Iterator[Hit]:
    """Enough starts in the window; certain where they lie within one window at the latest reading of all starts."""
    after = known.now.start - days(rule)
    enough = known.within(after)
    if len(enough) >= whole(rule, "episodes"):
        first = known.so_far[-whole(rule, "episodes")]
        certain = known.latest - first.start < days(rule)
        assert not certain or _on_every_reading(rule, known.so_far)
        yield Hit(after, known.now, certain)


def _on_every_reading(rule: Pattern, so_far: Sequence[Episode]) -> bool:
    """Whether so many starts lie in a window however each of them is read."""
    open_starts = [one for one in so_far if one.started.latest > one.start]
    if len(open_starts) > _TRIED:
        return True
    return all(
        any(sum(end - days(rule) < start <= end for start in starts) >= whole(rule, "episodes") for end in starts)
        for starts in product(*({one.start, one.started.latest} for one in so_far))
    )


def _window(rule: Pattern, known: Known) -> Iterator[Hit]:
    today = to_london(known.now.start).date()
    if rule.scope == REGION or (rule.scope in senders(known.now) and today >= cast("date", rule.raised_from)):
        yield from _count(rule, known)


def _exploitation(rule: Pattern, known: Known) -> Iterator[Hit]:
    for hit in _count(rule, known):
        today = to_london(hit.at).date()
        live = [kind for kind in ("cse", "cce") if any(day <= today for day in _flag_days(known.child.episodes, kind))]
        undated = [
            one
            for one in known.within(hit.after)
            for kind in ("cse", "cce")
            if _says_flag(one, kind) and not _flag_days([one], kind)
        ]
        if live:
            yield Hit(hit.after, hit.episode, hit.certain, " and ".join(live))
        elif undated:
            yield Hit(hit.after, hit.episode, certain=False, detail="undated flag")


def _flag_days(episodes: Sequence[Episode], kind: str) -> list[date]:
    stated = [getattr(one.row, f"{kind}_flag_date") for episode in episodes for one in episode.rows]
    return [date.fromisoformat(day) for day in stated if day]


def _says_flag(episode: Episode, kind: str) -> bool:
    return any(getattr(one.row, f"{kind}_flag") == "yes" for one in episode.rows)


def _unheard(rule: Pattern, known: Known) -> Iterator[Hit]:
    for hit in _count(rule, known):
        unclear = [one for one in known.so_far if one in known.child.unclear]
        if known.child.heard(hit.after + INSTANT, hit.at) or any(one.start > hit.after for one in unclear):
            continue
        later = [one for one in known.child.unclear if one.start <= known.latest]
        may_be_unclear = any(one.started.latest > hit.after for one in later)
        may_be_heard = known.child.heard(hit.after + INSTANT, known.latest)
        yield Hit(hit.after, hit.episode, hit.certain and not may_be_heard and not may_be_unclear)


def _out_of_area(rule: Pattern, known: Known) -> Iterator[Hit]:
    area, authority = (lead_value(known.now, field, "unknown") for field in ("missing_from", "authority"))
    if _looked_after(known.now) == "yes" and "unknown" not in (area, authority) and area != authority:
        yield from _count(rule, known)


def _looked_after(episode: Episode) -> str:
    said = {one.row.looked_after for one in episode.rows}
    return next((answer for answer in ("yes", "no") if answer in said), "unknown")


def missing_from(episode: Episode) -> str:
    """Home, care or unknown."""
    setting = lead_value(episode, "setting", None) or "unknown"
    if setting == "unknown":
        setting = next((one.row.setting for one in episode.rows if one.row.setting not in (None, "unknown")), "unknown")
    if _looked_after(episode) == "yes" or setting not in ("home", "other", "unknown"):
        return "care"
    if setting == "home" or (setting == "unknown" and _looked_after(episode) == "no"):
        return "home"
    return "unknown"


def _home_and_care(rule: Pattern, known: Known) -> Iterator[Hit]:
    after = known.now.start - days(rule)
    last = {missing_from(one): one for one in known.so_far}
    if all(place in last and last[place].start > after for place in ("home", "care")):
        first = min(last["home"].start, last["care"].start)
        yield Hit(after, known.now, known.latest - first < days(rule))


def _rapid(rule: Pattern, known: Known) -> Iterator[Hit]:
    if known.before and known.before.end and known.now.start - known.before.end.earliest <= days(rule):
        certain = known.now.started.latest - known.before.end.earliest <= days(rule)
        yield Hit(known.before.start - INSTANT, known.now, certain)


def _before_interview(rule: Pattern, known: Known) -> Iterator[Hit]:
    back, limit = return_of(known.before) if known.before else None, whole(rule, "window_hours") * HOUR
    if known.before is None or back is None:
        return
    start = known.now.started
    soon = timedelta() <= start.earliest - back.earliest < limit
    if soon and not known.child.heard(back.earliest, start.earliest) and known.before not in known.child.unclear:
        certain = start.latest - back.earliest < limit and start.earliest >= back.latest
        certain = certain and not known.child.heard(back.earliest, start.latest)
        yield Hit(known.before.start - INSTANT, known.now, certain)


def _after_move(rule: Pattern, known: Known) -> Iterator[Hit]:
    needed = whole(rule, "episodes")
    if len(known.so_far) < needed:
        return
    first = known.so_far[-needed].start
    kinds = cast("tuple[str, ...]", rule.parameters["moves"])
    changes = [date.fromisoformat(row.started) for row in known.child.placements if row.because in kinds]
    allowing = [
        _midnight(on) for on in changes if _midnight(on) <= first and known.now.start < _midnight(on) + days(rule)
    ]
    if allowing:
        sure = [on for on in changes if _midnight(on + DAY) <= first and known.latest < _midnight(on) + days(rule)]
        yield Hit(max(allowing) - INSTANT, known.now, bool(sure))


def _midnight(day: date) -> datetime:
    return to_utc(datetime.combine(day, time()))


def _absence(rule: Pattern, known: Known) -> Iterator[Hit]:
    missing = known.child.missing
    for hit in _count(rule, known):
        if not any(hit.after < one.start <= hit.at for one in missing):
            may_be = any(one.start <= known.latest and one.started.latest > hit.after for one in missing)
            yield Hit(hit.after, hit.episode, hit.certain and not may_be)


KINDS: dict[str, Callable[[Pattern, Known], Iterator[Hit]]] = {
    "window": _window,
    "exploitation": _exploitation,
    "unheard": _unheard,
    "out_of_area": _out_of_area,
    "home_and_care": _home_and_care,
    "rapid": _rapid,
    "before_interview": _before_interview,
    "after_move": _after_move,
    "absence": _absence,
}


def _evidence(run: Sequence[Hit], history: Sequence[Episode]) -> list[Episode]:
    return [one for one in history if any(hit.after < one.start <= hit.at for hit in run)]


def _runs(found: Sequence[Hit]) -> list[list[Hit]]:
    """Hits whose windows overlap, directly or through others."""
    runs: list[list[Hit]] = []
    for hit in found:
        touching = [run for run in runs if any(one.after < hit.at and hit.after < one.at for one in run)]
        runs = [run for run in runs if run not in touching] + [[one for run in touching for one in run] + [hit]]
    return runs
