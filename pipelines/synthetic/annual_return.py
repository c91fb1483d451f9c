"""Synthetic SSDA903 returns whose children and absences add up to what DfE printed for each borough.

Belongs here: inventing children, placements and absences that are plausible one by one and whose totals are the
printed ones, for the back-test. Does not: counting them again (`backtest`), or any other demonstration data. No child
in them is real, and every child's number says so.

What is printed leaves the rest open: who was missing when and for how long, and counts that are hidden. That is drawn.
Absences run over both ends of the year, begin and end on one day, several a day; children come into care and leave it,
turn 18 and change placement. Children in a series of short-term placements, absences of another year and absences after
care has ended are there too, and must not count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.backtest.comparison import figures_of_boroughs
from pipelines.backtest.returns import SYNTHETIC_MARK
from pipelines.contracts.dfe_publication import HIDDEN, DfePublication, load_dfe_publication
from pipelines.errors import CommandError
from pipelines.home import CONTRACTS
from pipelines.intake.store import write_bytes, write_text
from pipelines.region import Area, load_region

_MARK = """Synthetic: every child in this folder is invented (seed {seed}). The totals of each borough are those that
DfE printed for the year to March {year}; nothing else in it is true of anybody.
"""
_DATE = "%d/%m/%Y"
_ADULT = 18
# Lengths of absences in days and their shares: England 2024 by DfE's bands (less than 1 day, 1 to 2, 3 to 7, ...).
_LENGTHS = ((0, 0, 0.334), (1, 2, 0.566), (3, 7, 0.079), (8, 10, 0.008), (11, 20, 0.007), (21, 45, 0.006))
# How likely a child is to be among those who go missing: young ones hardly ever (England 2024: 1 incident in 500 is of
# a child under 10), those with few days in care seldom, and those who go missing are also those who are away.
_FROM_AGE, _YOUNG = 10, 0.002
_FEW_DAYS, _FEW = 30, 0.15
_AWAY_TOO = 4.0
# Shares of children whose care begins inside the year, ends inside it, and who stay in one placement.
_ENTERS, _LEAVES, _ONE_PLACEMENT = 0.18, 0.16, 0.6
# Where an absence begins in the first week of the year, and for children in a series of short-term placements.
_EVERY_OTHER = 0.5
_FIRST_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
# A hidden count is 1 to 5 unless the printed cells beside it say otherwise; then it is looked for up to here.
_MOST_HIDDEN = 60
_SHORT_BREAKS = 0.03
_LEGAL_STATUSES = (("C2", 0.62), ("V2", 0.22), ("E1", 0.06), ("C1", 0.10))
_PLACEMENTS = (("U1", 0.30), ("U4", 0.30), ("K2", 0.20), ("H5", 0.12), ("P1", 0.08))
# Age from which, up to the next, a share of children is on the first day of the year.
_AGES = ((0, 0.05), (1, 0.04), (4, 0.06), (8, 0.09), (12, 0.20), (15, 0.30), (16, 0.14), (17, 0.12))


@dataclass(frozen=True)
class Absences:
    """True totals of one status of a borough: children, those with more than one, incidents, gone on the last day."""

    children: int
    repeat: int
    incidents: int
    at_year_end: int


@dataclass(frozen=True)
class Totals:
    """What the children of one borough add up to, by status (M, A)."""

    looked_after: int
    absences: Mapping[str, Absences]


@dataclass
class _Child:
    """One invented child: birth, placements (start, legal status, end or None) and absences (status, start, end)."""

    number: str
    born: date
    placements: list[tuple[date, str, date | None]]
    # First and last day of the year on which the child is looked after and not yet 18.
    first_day: date
    last_day: date
    stays: bool
    wanted: dict[str, int] = field(default_factory=dict)
    open_status: str = ""
    absences: list[tuple[str, date, date | None]] = field(default_factory=list)

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days


def write_annual_returns(folder: Path, year: int, *, seed: int, contracts: Path = CONTRACTS) -> Mapping[str, int]:
    """Write the returns of every borough of which DfE printed enough, for the year that ends on 31 March of `year`.

    Args:
        folder: does not exist or is empty; `<slug>/{header,episodes,missing}.csv` and the mark are written into it.
        year: a year for which DfE's figures are in the reference.
        seed: same seed, same bytes.
        contracts: folder of rules and reference figures.

    Returns:
        Rows of the missing module by borough slug.

    Raises:
        CommandError: the folder holds something, or DfE's figures of the year are not enough to build on.
    """
    rules, region = load_dfe_publication(contracts), load_region(contracts)
    printed = _printed(year, contracts)
    lacking = [area.name for area in region.boroughs if not _is_enough(printed.get(area.code, {}), rules)]
    if lacking:
        msg = (
            f"DfE's figures in reference/dfe_missing.csv for the year to March {year} are not enough to build children "
            f"on ({lacking[0]}, for one); choose a year with all thirteen."
        )
        raise CommandError(msg)
    if folder.exists() and any(folder.iterdir()):
        msg = f"{folder} is not empty; name a folder that does not exist yet."
        raise CommandError(msg)
    rows = {}
    for area in region.boroughs:
        rng = np.random.default_rng([seed, year, int(area.code[1:])])
        totals = totals_behind(printed[area.code], rules, rng)
        children = list(_Borough(area, year, totals, rng).children())
        rows[area.slug] = _write(folder / area.slug, children, rng)
    write_text(folder / SYNTHETIC_MARK, _MARK.format(seed=seed, year=year))
    return rows


def totals_behind(printed: Mapping[str, str], rules: DfePublication, rng: np.random.Generator) -> Totals:
    """Draw true totals that DfE's rules print as DfE printed them, by indicator id.

    A hidden cell becomes a small number where the other cells allow it, else one that DfE hid for another's sake.
    """
    looked_after = int(printed["looked_after"])
    return Totals(
        looked_after,
        {
            status: _absences_behind(printed, name, looked_after, rules, rng)
            for status, name in (("M", "missing"), ("A", "away"))
        },
    )


def _absences_behind(
    printed: Mapping[str, str], name: str, looked_after: int, rules: DfePublication, rng: np.random.Generator
) -> Absences:
    cells = [printed[f"{name}_{part}"] for part in ("children", "repeat", "incidents", "average", "percentage")]
    ranges = [range(1, _MOST_HIDDEN) if cell == HIDDEN else (int(cell),) for cell in cells[:3]]
    fits: dict[int, list[tuple[int, int, int]]] = {}
    for children, repeat, incidents in product(*ranges):
        if repeat <= children and incidents >= children + repeat and (repeat or incidents == children):
            ours = [
                *(rules.printed_count(count) for count in (children, repeat, incidents)),
                rules.printed_share("average", incidents, children),
                rules.printed_share("percentage", children, looked_after),
            ]
            if all(cell in (HIDDEN, own) for cell, own in zip(cells, ours, strict=True)):
                hidden_by_hand = sum(cell != own for cell, own in zip(cells, ours, strict=True))
                fits.setdefault(hidden_by_hand, []).append((children, repeat, incidents))
    if not fits:
        msg = f"DfE's figures ({name}) contradict each other, so that no children add up to them."
        raise CommandError(msg)
    best = fits[min(fits)]
    children, repeat, incidents = best[int(rng.integers(len(best)))]
    gone = printed[f"{name}_at_year_end"]
    at_year_end = int(rng.integers(1, min(rules.hidden_to, children) + 1)) if gone == HIDDEN else int(gone)
    return Absences(children, repeat, incidents, at_year_end)


def _printed(year: int, contracts: Path) -> dict[str, dict[str, str]]:
    """Printed values by area code and indicator id."""
    ids = {one.wording: one.indicator_id for one in load_dfe_publication(contracts).indicators}
    found: dict[str, dict[str, str]] = {}
    for figure in figures_of_boroughs(year, contracts):
        found.setdefault(figure.area_code, {})[ids[figure.indicator]] = figure.meaning
    return found


def _is_enough(printed: Mapping[str, str], rules: DfePublication) -> bool:
    values = [printed.get(one.indicator_id, "") for one in rules.indicators]
    return all(value == HIDDEN or value[:1].isdigit() for value in values) and printed["looked_after"] != HIDDEN


class _Borough:
    """Invents the children of one borough."""

    def __init__(self, area: Area, year: int, totals: Totals, rng: np.random.Generator) -> None:
        self._area, self._totals, self._rng = area, totals, rng
        self._first, self._last = date(year - 1, 4, 1), date(year, 3, 31)
        self._made = 0

    def children(self) -> Iterator[_Child]:
        """Every child of the return, with placements and absences; those who must not count come last."""
        children = [self._child() for _ in range(self._totals.looked_after)]
        self._share_out(children)
        for child in children:
            self._place_absences(child)
        yield from children
        yield from self._who_must_not_count(children)

    # Children and placements

    def _child(self) -> _Child:
        rng = self._rng
        enters, leaves = rng.random() < _ENTERS, rng.random() < _LEAVES
        first = self._first + timedelta(days=int(rng.integers(0, 330))) if enters else self._first
        last = min(first + timedelta(days=int(rng.integers(0, 365))), self._last) if leaves else self._last
        born = self._born()
        birthday = _birthday(born, _ADULT)
        turns = birthday <= last
        last = min(last, birthday - timedelta(days=1))
        if last < first:
            first = self._first
        begins = first if enters and first > self._first else self._first - timedelta(days=int(rng.integers(1, 1500)))
        begins = max(begins, born)
        ends = birthday if turns else last if leaves and last < self._last else None
        return _Child(
            self._number(), born, self._placements(begins, ends), max(first, begins), last, stays=ends is None
        )

    def _born(self) -> date:
        """Somebody who is not yet 18 on the first day of the year."""
        ages, shares = zip(*_AGES, strict=True)
        least = int(self._rng.choice(len(ages), p=np.array(shares)))
        most = ages[least + 1] if least + 1 < len(ages) else _ADULT
        years = self._rng.uniform(ages[least], most)
        adult = self._first.replace(year=self._first.year - _ADULT)
        return max(self._first - timedelta(days=int(years * 365.25)), adult + timedelta(days=1))

    def _placements(self, begins: date, ends: date | None) -> list[tuple[date, str, date | None]]:
        """One placement, or two that follow each other, the first perhaps a short break."""
        status = _drawn(self._rng, _LEGAL_STATUSES)
        until = ends or self._last
        if (until - begins).days < 2 or self._rng.random() < _ONE_PLACEMENT:  # noqa: PLR2004 - there must be a day between
            return [(begins, status, ends)]
        changes = begins + timedelta(days=int(self._rng.integers(1, (until - begins).days)))
        # A short break before the year is followed by care that counts from the first day of the year at the latest.
        earlier = "V4" if changes <= self._first and self._rng.random() < _SHORT_BREAKS else status
        return [(begins, earlier, changes), (changes, status, ends)]

    def _number(self) -> str:
        self._made += 1
        return f"SYNTHETIC-{self._area.slug.upper()}-{self._made:05}"

    # Who goes missing, and how often

    def _share_out(self, children: Sequence[_Child]) -> None:
        for status, total in self._totals.absences.items():
            chosen = self._who(children, status, total)
            extra = self._rng.lognormal(0.0, 1.3, total.repeat)
            spread = self._rng.multinomial(
                total.incidents - total.children - total.repeat, extra / extra.sum() if total.repeat else [1.0]
            )
            for place, child in enumerate(chosen):
                child.wanted[status] = 2 + int(spread[place]) if place < total.repeat else 1
            going = [child for child in chosen if _can_stay_open(child)]
            for child in going[: total.at_year_end]:
                child.open_status = status

    def _who(self, children: Sequence[_Child], status: str, total: Absences) -> list[_Child]:
        """Choose children, those with most days first, so that whoever is gone often has the days for it.

        Enough of them are still looked after when the year ends.
        """
        weights = np.array([self._weight(child, status) for child in children])
        order = np.argsort(self._rng.exponential(size=len(children)) / weights)
        chosen = [children[place] for place in order[: total.children]]
        staying = sum(map(_can_stay_open, chosen))
        spare = [children[place] for place in order[total.children :] if _can_stay_open(children[place])]
        for child, other in zip([c for c in chosen if not _can_stay_open(c)], spare, strict=False):
            if staying >= total.at_year_end:
                break
            chosen[chosen.index(child)] = other
            staying += 1
        chosen.sort(key=lambda child: child.days, reverse=True)
        head = chosen[: max(total.repeat, len(chosen) * 2 // 3)]
        return [*(head[place] for place in self._rng.permutation(len(head))), *chosen[len(head) :]]

    def _weight(self, child: _Child, status: str) -> float:
        age = (self._first - child.born).days / 365.25
        weight = 1.0 if age >= _FROM_AGE else _YOUNG
        if child.days < _FEW_DAYS:
            weight *= _FEW
        return weight * (_AWAY_TOO if status == "A" and child.wanted else 1.0)

    # When

    def _place_absences(self, child: _Child) -> None:
        """Lay a child's absences into its days of the year, one after the other; one may start where one ends."""
        rng = self._rng
        kinds = [status for status, count in child.wanted.items() for _ in range(count)]
        if not kinds:
            return
        rng.shuffle(kinds)
        if child.open_status:
            kinds.remove(child.open_status)
            kinds.append(child.open_status)
        lengths = [self._length() for _ in kinds]
        while sum(lengths) > child.days:
            lengths[int(np.argmax(lengths))] //= 2
        gaps = np.sort(rng.integers(0, child.days - sum(lengths) + 1, len(kinds)))
        passed = 0
        for status, gap, length in zip(kinds, gaps, lengths, strict=True):
            start = child.first_day + timedelta(days=int(gap) + passed)
            child.absences.append((status, start, start + timedelta(days=length)))
            passed += length
        self._over_the_edges(child)

    def _over_the_edges(self, child: _Child) -> None:
        """Let a first absence begin before the year, and the last be open where the child is gone on the last day."""
        status, start, end = child.absences[0]
        in_care_from = child.placements[0][0]
        in_first_week = start < self._first + _FIRST_WEEK
        if in_care_from < self._first and in_first_week and self._rng.random() < _EVERY_OTHER:
            earlier = self._first - timedelta(days=int(self._rng.integers(1, 90)))
            child.absences[0] = (status, max(earlier, in_care_from), end)
        if child.open_status:
            status, start, _ = child.absences[-1]
            child.absences[-1] = (status, start, None)

    def _length(self) -> int:
        least, most, _ = _LENGTHS[int(self._rng.choice(len(_LENGTHS), p=[share for *_, share in _LENGTHS]))]
        return int(self._rng.integers(least, most + 1))

    # Who must not count

    def _who_must_not_count(self, children: Sequence[_Child]) -> Iterator[_Child]:
        """Children in a series of short-term placements, and whatever lies a day outside the year or outside care."""
        for _ in range(max(2, int(len(children) * _SHORT_BREAKS))):
            begins = self._first + timedelta(days=int(self._rng.integers(-30, 200)))
            status = _drawn(self._rng, (("V3", 0.5), ("V4", 0.5)))
            child = self._outside([(begins, status, begins + 3 * _DAY)])
            if self._rng.random() < _EVERY_OTHER:
                child.absences.append(("M", begins + _DAY, begins + 2 * _DAY))
            yield child
        before, after = self._first - _DAY, self._last + _DAY
        gone = self._outside([(before - 200 * _DAY, "C2", before)])
        gone.absences = [("M", before - 9 * _DAY, before), ("M", self._first + 20 * _DAY, self._first + 21 * _DAY)]
        yield gone
        quiet = next(child for child in children if child.stays and not child.wanted)
        if quiet.placements[0][0] < before:
            quiet.absences.append(("A", before, before))
        quiet.absences.append(("M", after, after + 2 * _DAY))

    def _outside(self, placements: list[tuple[date, str, date | None]]) -> _Child:
        """A child of fourteen who has no day of the year to be counted on."""
        born = date(self._first.year - 14, 6, 15)
        begins = placements[0][0]
        return _Child(self._number(), born, placements, begins, begins, stays=False)


def _drawn(rng: np.random.Generator, shares: Sequence[tuple[str, float]]) -> str:
    return str(rng.choice([name for name, _ in shares], p=[share for _, share in shares]))


def _can_stay_open(child: _Child) -> bool:
    return child.stays and not child.open_status


def _birthday(born: date, age: int) -> date:
    """The day on which somebody comes of an age; of one born on 29 February, 1 March where the year has none."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def _write(folder: Path, children: Sequence[_Child], rng: np.random.Generator) -> int:
    """Write the three modules of one borough and return the rows of the missing module."""
    header = [(c.number, str(rng.integers(1, 3)), c.born.strftime(_DATE), "WBRI") for c in children]
    episodes = [row for child in children for row in _episode_rows(child, rng)]
    missing = [
        (c.number, c.born.strftime(_DATE), status, start.strftime(_DATE), end.strftime(_DATE) if end else None)
        for c in children
        for status, start, end in c.absences
    ]
    _csv(folder / "header.csv", ("CHILD", "SEX", "DOB", "ETHNIC"), header)
    _csv(folder / "episodes.csv", ("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "DEC", "REC"), episodes)
    _csv(folder / "missing.csv", ("CHILD", "DOB", "MISSING", "MIS_START", "MIS_END"), missing)
    return len(missing)


def _episode_rows(child: _Child, rng: np.random.Generator) -> Iterator[tuple[str | None, ...]]:
    last = len(child.placements) - 1
    for place, (start, status, end) in enumerate(child.placements):
        ended = None if end is None else end.strftime(_DATE)
        reason = None if end is None else "X1" if place < last else "E8"
        kind = _drawn(rng, _PLACEMENTS)
        yield child.number, start.strftime(_DATE), "P" if place else "S", status, "N1", kind, ended, reason


def _csv(path: Path, columns: Sequence[str], rows: Sequence[tuple[str | None, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row")
    write_bytes(path, frame.write_csv().encode())
