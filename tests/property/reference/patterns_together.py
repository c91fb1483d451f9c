"""What only a region sees: children who go missing together, and care settings with clusters. Everybody with everybody.

Every two absences are looked at, every window is counted afresh, and nothing is remembered from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import chain, combinations, pairwise
from math import exp, factorial
from typing import TypeVar

from pipelines.contracts.patterns import Pattern
from tests.property.reference.deliveries import Moment

DAY = timedelta(days=1)
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Absence:
    """One missing episode as the patterns see it."""

    key: str
    child: str
    boroughs: tuple[str, ...]
    started: Moment
    end: Moment | None
    setting: str | None
    area: str | None

    @property
    def start(self) -> datetime:
        """First instant at which it may have started."""
        return self.started.earliest

    @property
    def known_start(self) -> datetime | None:
        """The start, where it is known to the minute and to the hour of October."""
        return _known(self.started)

    @property
    def known_end(self) -> datetime | None:
        """The end, where it is known so."""
        return _known(self.end) if self.end else None


@dataclass(frozen=True)
class Pairing:
    """Two absences of two children who were missing together."""

    one: Absence
    other: Absence
    kind: str
    found: bool
    starts: dict[str, int]
    by_chance: float
    children: int

    @property
    def at(self) -> datetime:
        """The later start."""
        return max(self.one.start, self.other.start)

    @property
    def exact(self) -> bool:
        """Whether both starts are known."""
        return self.one.known_start is not None and self.other.known_start is not None

    @property
    def pair(self) -> frozenset[str]:
        """The two children."""
        return frozenset((self.one.child, self.other.child))

    def of(self, child: str) -> Absence:
        """The absence of one of the two."""
        return self.one if self.one.child == child else self.other


@dataclass(frozen=True)
class Judged:
    """A pairing and what the window up to it holds."""

    pairing: Pairing
    pairings: int
    exact_pairings: int
    expected: float
    children: int
    pairs_by_chance: float
    completes: bool
    beyond_chance: bool


@dataclass(frozen=True)
class Together:
    """A run of overlapping windows of two children."""

    pairings: Sequence[Judged]
    completing: Sequence[Judged]

    @property
    def pair(self) -> frozenset[str]:
        """The two children."""
        return self.pairings[0].pairing.pair

    @property
    def first(self) -> datetime:
        """The first pairing."""
        return min(one.pairing.at for one in self.pairings)

    @property
    def last(self) -> datetime:
        """The last pairing."""
        return max(one.pairing.at for one in self.completing)

    @property
    def beyond_chance(self) -> bool:
        """Whether any window of the run is beyond chance."""
        return any(one.beyond_chance for one in self.completing)


@dataclass(frozen=True)
class Standing:
    """A start from a care setting and how that stands with it."""

    absence: Absence
    borough: str
    starts: int
    children: int
    threshold: int
    cluster: bool
    certain: bool


# Runs and groups


def joined(things: Sequence[Thing], touch: Callable[[Thing, Thing], bool]) -> list[list[Thing]]:
    """Groups of things that touch, directly or through others."""
    found: list[list[Thing]] = []
    for thing in things:
        touching = [group for group in found if any(touch(thing, one) for one in group)]
        found = [group for group in found if group not in touching] + [[*chain(*touching), thing]]
    return found


# Missing together


def pairings(rule: Pattern, absences: Sequence[Absence]) -> list[Pairing]:
    """Every two absences of two children that are a pairing."""
    found = [_pairing(rule, one, other, absences) for one, other in combinations(absences, 2)]
    return [one for one in found if one]


def judged(rule: Pattern, of_pair: Sequence[Pairing]) -> list[Judged]:
    """Every pairing of two children, with the window up to it."""
    in_order = sorted(of_pair, key=lambda one: (one.at, *(one.of(child).start for child in sorted(one.pair))))
    again = {
        child: [False, *(before.of(child) == now.of(child) for before, now in pairwise(in_order))]
        for child in in_order[0].pair
    }
    said = []
    for one in in_order:
        inside = [at for at, other in enumerate(in_order) if one.at - _window(rule) < other.at <= one.at]
        exact = [at for at in inside if in_order[at].exact]
        often, exactly = (
            min(len([at for at in those if not repeats[at]]) for repeats in again.values()) for those in (inside, exact)
        )
        said.append(_judge(rule, one, [in_order[at] for at in inside], often, exactly))
    return said


def runs(rule: Pattern, absences: Sequence[Absence]) -> list[Together]:
    """The runs of all pairs of children that are together often enough."""
    found = pairings(rule, absences)
    together = []
    for pair in {one.pair for one in found}:
        of_pair = judged(rule, [one for one in found if one.pair == pair])
        completing = [one for one in of_pair if one.completes]
        for run in joined(completing, lambda a, b: abs(a.pairing.at - b.pairing.at) < _window(rule)):
            inside = [
                one
                for one in of_pair
                if any(last.pairing.at - _window(rule) < one.pairing.at <= last.pairing.at for last in run)
            ]
            together.append(Together(inside, run))
    return together


def groups(found: Sequence[Together], data_to: datetime, rule: Pattern) -> list[tuple[set[str], int]]:
    """Children whom recent pairs beyond chance connect, and the number of those pairs."""
    linked = [run for run in found if run.beyond_chance and run.last > data_to - _window(rule)]
    pairs = {run.pair for run in linked}
    return [(set().union(*group), len(group)) for group in joined(list(pairs), lambda a, b: bool(a & b))]


def _pairing(rule: Pattern, one: Absence, other: Absence, absences: Sequence[Absence]) -> Pairing | None:
    same_setting = one.setting is not None and one.setting == other.setting
    same_area = one.area is not None and one.area == other.area
    if one.child == other.child or not (same_setting or same_area):
        return None

    def there(by: str) -> list[Absence]:
        return [two for two in absences if getattr(two, by) == getattr(one, by)]

    place = "setting" if same_setting else "area"
    started = _near(rule, "start", one, other) and not _crowded(rule, "start", one, other, there(place))
    found = same_area and _near(rule, "end", one, other) and not _crowded(rule, "end", one, other, there("area"))
    found = found and _overlap(one, other)
    if not started and not found:
        return None
    starts, by_chance, children = _chance(rule, one, other, there(place if started else "area"))
    kind = f"same {place}" if started else "found together"
    return Pairing(one, other, kind, found, starts, by_chance, children)


def _overlap(one: Absence, other: Absence) -> bool:
    ends = [two.known_end for two in (one, other) if two.known_end]
    return max(one.start, other.start) < min(ends)


def _near(rule: Pattern, what: str, one: Absence, other: Absence) -> bool:
    """Whether two starts or ends are known and lie close together."""
    known = [getattr(two, f"known_{what}") for two in (one, other)]
    return None not in known and max(known) - min(known) <= _reach(rule, what)


def _crowded(rule: Pattern, what: str, one: Absence, other: Absence, there: Sequence[Absence]) -> bool:
    """Whether too many others started or ended there in the time up to the later of two."""
    later = max(getattr(two, f"known_{what}") for two in (one, other))
    known = [getattr(two, f"known_{what}") for two in there]
    crowd = [instant for instant in known if instant and later - _reach(rule, what) <= instant <= later]
    return len(crowd) > _whole(rule, "most_together")


def _reach(rule: Pattern, what: str) -> timedelta:
    if what == "end":
        return timedelta(minutes=_whole(rule, "found_within_minutes"))
    return timedelta(hours=_whole(rule, "within_hours"))


def _chance(rule: Pattern, one: Absence, other: Absence, there: Sequence[Absence]) -> tuple[dict[str, int], float, int]:
    """Starts of either child from there, the pairings these give by chance, and how many children there are."""

    def until(last: datetime) -> list[Absence]:
        return [two for two in there if last - _window(rule) < two.start <= last]

    now = max(one.start, other.start)
    starts = {two.child: len([own for own in until(two.start) if own.child == two.child]) for two in (one, other)}
    days = min(max((now - min(two.start for two in there)) / DAY, 1), _whole(rule, "window_days"))
    return starts, starts[one.child] * starts[other.child] / days, len({two.child for two in until(now)})


def _judge(rule: Pattern, pairing: Pairing, inside: Sequence[Pairing], often: int, exactly: int) -> Judged:
    expected, children = max(one.by_chance for one in inside), max(one.children for one in inside)
    by_chance = children * (children - 1) / 2 * _at_least(exactly, expected)
    times = float(_number(rule, "over_chance"))
    return Judged(
        pairing=pairing,
        pairings=often,
        exact_pairings=exactly,
        expected=expected,
        children=children,
        pairs_by_chance=by_chance,
        completes=often >= _whole(rule, "pairings"),
        beyond_chance=exactly >= _whole(rule, "pairings") and exactly > times * expected and times * by_chance < 1,
    )


def _at_least(times: int, expected: float) -> float:
    """Probability of as many or more where so many are expected, from above: a geometric series bounds the rest."""
    if expected >= times:
        return 1
    return expected**times * exp(-expected) / factorial(times) / (1 - expected / (times + 1))


# Clusters at care settings


def standings(rule: Pattern, absences: Sequence[Absence]) -> list[Standing]:
    """Every start from a care setting."""
    from_settings = [one for one in absences if one.setting]
    thresholds = {
        borough: max(
            _percentile(rule, [one for one in from_settings if _borough(one) == borough]), _whole(rule, "least_starts")
        )
        for borough in {_borough(one) for one in from_settings}
    }
    return [_standing(rule, one, from_settings, thresholds[_borough(one)]) for one in from_settings]


def clusters(rule: Pattern, found: Sequence[Standing]) -> list[list[Standing]]:
    """Runs of overlapping windows in which a setting is a cluster."""
    standing = [one for one in found if one.cluster]
    return joined(
        standing,
        lambda a, b: a.absence.setting == b.absence.setting and abs(a.absence.start - b.absence.start) < _window(rule),
    )


def _standing(rule: Pattern, absence: Absence, from_settings: Sequence[Absence], threshold: int) -> Standing:
    there = [one for one in from_settings if one.setting == absence.setting]
    inside = _up_to(rule, absence, there)
    latest = max(one.started.latest for one in there if one.start <= absence.start)
    surely = [one for one in inside if latest - one.start < _window(rule)]
    return Standing(
        absence=absence,
        borough=_borough(absence),
        starts=len(inside),
        children=len({one.child for one in inside}),
        threshold=threshold,
        cluster=_enough(rule, inside, threshold),
        certain=_enough(rule, surely, threshold),
    )


def _enough(rule: Pattern, inside: Sequence[Absence], threshold: int) -> bool:
    return len(inside) >= threshold and len({one.child for one in inside}) >= _whole(rule, "least_children")


def _percentile(rule: Pattern, of_borough: Sequence[Absence]) -> int:
    """The smallest number of starts that so many per cent of the starts do not exceed."""
    counts = sorted(
        len(_up_to(rule, one, [two for two in of_borough if two.setting == one.setting])) for one in of_borough
    )
    share = Fraction(str(_number(rule, "percentile"))) / 100
    return next(count for place, count in enumerate(counts, start=1) if Fraction(place, len(counts)) >= share)


def _up_to(rule: Pattern, absence: Absence, there: Sequence[Absence]) -> list[Absence]:
    return [one for one in there if absence.start - _window(rule) < one.start <= absence.start]


def _borough(absence: Absence) -> str:
    return str(absence.setting).split(":", maxsplit=1)[0]


# What both need


def _known(moment: Moment) -> datetime | None:
    return moment.earliest if moment.exact and moment.latest == moment.earliest else None


def _window(rule: Pattern) -> timedelta:
    return timedelta(hours=24 * _whole(rule, "window_days"))


def _whole(rule: Pattern, name: str) -> int:
    value = rule.parameters[name]
    assert isinstance(value, int)
    return value


def _number(rule: Pattern, name: str) -> int | float:
    value = rule.parameters[name]
    assert isinstance(value, int | float)
    return value
