"""Counts of incidents, children and interviews: go through the episodes and put each into its boxes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines.contracts.patterns import Pattern
from tests.property.reference.clock import to_london
from tests.property.reference.deliveries import Live
from tests.property.reference.episodes import Episode, by_child, first_known, lead_value
from tests.property.reference.interviews import NO, UNCLEAR, YES, cascade, in_cascade
from tests.property.reference.patterns import Child, counted, hits

YEAR = timedelta(hours=24 * 365)
TOTAL = ("total", "Total")
# measure, basis, area, period type, first day, breakdown, value
Cell = tuple[str, str, str, str, date, str, str]


@dataclass(frozen=True)
class Region:
    """Boroughs, the area they make together, and up to when each is known."""

    boroughs: frozenset[str]
    whole: str
    data_to: dict[str, datetime]


def counts(region: Region, episodes: Sequence[Episode], rules: Sequence[Pattern]) -> dict[Cell, tuple[int, int]]:
    """Every cell with something in it: its count and the children behind it."""
    history = by_child(counted(episodes))
    completing = _completing(episodes, rules)
    cells: dict[Cell, tuple[int, int]] = {}
    for box, inside in _boxes(region, episodes, [one for lived in history.values() for one in lived], "start").items():
        for (measure, breakdown, value), count in _in_box(by_child(inside), history, completing).items():
            cells[measure, *box, breakdown, value] = count
    return cells


def interview_counts(
    region: Region, episodes: Sequence[Episode], interviews: Sequence[Live]
) -> dict[Cell, tuple[int, int, int]]:
    """Every cell of the cascade with something in it: count, children behind it, and episodes that cannot be told."""
    answers = {one.members: _answers(one, episodes, interviews, region) for one in episodes}
    eligible = [one for one in episodes if answers[one.members]]
    cells: dict[Cell, tuple[int, int, int]] = {}
    for box, inside in _boxes(region, episodes, eligible, "back").items():
        for measure in answers[inside[0].members]:
            yes = [one for one in inside if answers[one.members][measure] == YES]
            unclear = [one for one in inside if answers[one.members][measure] == UNCLEAR]
            cells[measure, *box, *TOTAL] = (len(yes), len({one.child_key for one in yes}), len(unclear))
    return {cell: numbers for cell, numbers in cells.items() if any(numbers)}


def _completing(episodes: Sequence[Episode], rules: Sequence[Pattern]) -> dict[str, set[frozenset[tuple[str, str]]]]:
    """Rule to the episodes whose start completes it."""
    found: dict[str, set[frozenset[tuple[str, str]]]] = defaultdict(set)
    for lived in by_child(episodes).values():
        for rule in rules:
            found[rule.rule_id] |= {hit.episode.members for hit in hits(rule, Child(lived))}
    return found


def _boxes(
    region: Region, everything: Sequence[Episode], episodes: Sequence[Episode], instant: str
) -> dict[tuple[str, str, str, date], list[Episode]]:
    """Basis, area and period to the episodes inside."""
    boxes: dict[tuple[str, str, str, date], list[Episode]] = defaultdict(list)
    last_month, open_month = _months(region, everything)
    for episode in episodes:
        day = to_london(getattr(episode, instant)).date()
        for basis, area in _areas(region, episode):
            for period_type, first in _periods(day, last_month, open_month):
                boxes[basis, area, period_type, first].append(episode)
    return boxes


def _areas(region: Region, episode: Episode) -> Iterator[tuple[str, str]]:
    for basis, field in (("A", "missing_from"), ("B", "authority")):
        own = lead_value(episode, field, "unknown")
        if own in region.boroughs:
            yield basis, own
            yield basis, region.whole


def _months(region: Region, episodes: Sequence[Episode]) -> tuple[date, date]:
    """Month of the last start, and the first month that is not over at the newest data cut."""
    starts = [to_london(one.start).date().replace(day=1) for one in episodes if one.status == "missing"]
    cut = to_london(max(region.data_to.values())).date().replace(day=1)
    return max(starts, default=cut), cut


def _periods(day: date, last_month: date, open_month: date) -> Iterator[tuple[str, date]]:
    """Periods that a day lies in, if they are over and do not begin after the last start."""
    first_of_month = day.replace(day=1)
    first_of_quarter = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    first_of_year = date(day.year if day.month >= 4 else day.year - 1, 4, 1)
    lengths = {"month": (first_of_month, 1), "quarter": (first_of_quarter, 3), "year_to_march": (first_of_year, 12)}
    for period_type, (first, months) in lengths.items():
        if first <= last_month and _months_later(first, months) <= open_month:
            yield period_type, first


def _months_later(first: date, months: int) -> date:
    month = first.month - 1 + months
    return date(first.year + month // 12, month % 12 + 1, 1)


def _age(episode: Episode) -> int | None:
    return first_known(episode, "age", None)


def _age_band(episode: Episode) -> str:
    age = _age(episode)
    if age is None:
        return "unknown"
    return next(
        band for under, band in ((10, "under 10"), (12, "10 to 11"), (15, "12 to 14"), (18, "15 to 17")) if age < under
    )


def _looked_after(episodes: Sequence[Episode]) -> str:
    said = {one.row.looked_after for episode in episodes for one in episode.rows}
    return next((answer for answer in (YES, NO) if answer in said), "unknown")


def _in_box(
    inside: dict[str, list[Episode]],
    history: dict[str, list[Episode]],
    completing: dict[str, set[frozenset[tuple[str, str]]]],
) -> dict[tuple[str, str, str], tuple[int, int]]:
    incidents: Counter[tuple[str, str, str, str]] = Counter()
    children: Counter[tuple[str, str, str]] = Counter()
    for child, lived in inside.items():
        for episode in lived:
            for key in _incident_keys(episode, history[child], len(lived)):
                incidents[*key, child] += 1
        children.update(_child_keys(lived, completing))
    counted: dict[tuple[str, str, str], tuple[int, int]] = {key: (number, number) for key, number in children.items()}
    for key in {key[:3] for key in incidents}:
        behind = [number for (*other, _), number in incidents.items() if tuple(other) == key]
        counted[key] = (sum(behind), len(behind))
    return counted


def _incident_keys(episode: Episode, lived: Sequence[Episode], in_period: int) -> Iterator[tuple[str, str, str]]:
    yield "incidents", *TOTAL
    yield "incidents", "age_band", _age_band(episode)
    yield "incidents", "sex", first_known(episode, "sex", "unknown")
    yield "incidents", "looked_after", _looked_after([episode])
    if any(timedelta() < episode.start - other.start < YEAR for other in lived):
        yield "incidents_second_or_later", *TOTAL
    if in_period >= 2:
        yield "incidents_of_repeaters", *TOTAL


def _child_keys(
    lived: Sequence[Episode], completing: dict[str, set[frozenset[tuple[str, str]]]]
) -> Iterator[tuple[str, str, str]]:
    band = next((known for known in map(_age_band, lived) if known != "unknown"), "unknown")
    sexes = [first_known(one, "sex", "unknown") for one in lived]
    yield "children", *TOTAL
    yield "children", "age_band", band
    yield "children", "sex", next((sex for sex in sexes if sex != "unknown"), "unknown")
    yield "children", "looked_after", _looked_after(lived)
    if band in ("10 to 11", "12 to 14", "15 to 17"):
        yield "children_10_17", *TOTAL
    if len(lived) >= 2:
        yield "children_repeat", *TOTAL
    for rule_id, measure in (("R3-28", "children_3_in_28"), ("R3-90", "children_3_in_90")):
        if any(one.members in completing[rule_id] for one in lived):
            yield measure, *TOTAL


def _answers(
    episode: Episode, episodes: Sequence[Episode], interviews: Sequence[Live], region: Region
) -> dict[str, str]:
    """Answers to the measures of the cascade for an episode that is eligible; else none."""
    told = cascade(episode, episodes, interviews, region.data_to) if in_cascade(episode) else None
    if told is None or told.due != YES:
        return {}
    return {
        "rhi_eligible": YES,
        "rhi_offered": told.offered,
        "rhi_completed": told.held,
        "rhi_completed_of_offered": told.held if told.offered == YES else NO,
        "rhi_completed_72h": told.within_72_hours,
        "rhi_declined": YES if told.declined else NO,
        "rhi_overtaken": told.overtaken,
    }
