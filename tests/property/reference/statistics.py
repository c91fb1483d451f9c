"""Counts of incidents, children and interviews: go through the episodes and put each into its boxes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines.contracts.patterns import Pattern
from tests.property.reference.clock import to_london
from tests.property.reference.deliveries import Live, Moment
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
        if box[2] == "year_to_march":
            for (breakdown, value), number in _with_incidents(region, by_child(inside)).items():
                cells["children", *box, breakdown, value] = (number, number)
    return cells


def interview_counts(
    region: Region, episodes: Sequence[Episode], interviews: Sequence[Live]
) -> dict[Cell, tuple[int, int | None, int]]:
    """Every cell of the cascade with something in it: count, children behind it, and episodes that cannot be told.

    Years are divided too; of the children behind a part nothing is said.
    """
    answers = {one.members: _answers(one, episodes, interviews, region) for one in episodes}
    eligible = [one for one in episodes if answers[one.members]]
    cells: dict[Cell, tuple[int, int | None, int]] = {}
    for box, inside in _boxes(region, episodes, eligible, "back").items():
        for measure in answers[inside[0].members]:
            yes = [one for one in inside if answers[one.members][measure] == YES]
            unclear = [one for one in inside if answers[one.members][measure] == UNCLEAR]
            cells[measure, *box, *TOTAL] = (len(yes), len({one.child_key for one in yes}), len(unclear))
            if box[2] == "year_to_march":
                clear = Counter(part for one in yes for part in _interview_parts(region, one))
                doubtful = Counter(part for one in unclear for part in _interview_parts(region, one))
                cells |= {
                    (measure, *box, *part): (clear[part], None, doubtful[part])
                    for part in clear.keys() | doubtful.keys()
                }
    return {cell: numbers for cell, numbers in cells.items() if any(numbers)}


def _interview_parts(region: Region, episode: Episode) -> Iterator[tuple[str, str]]:
    yield "age_band", _age_band(episode)
    yield "sex", first_known(episode, "sex", "unknown")
    yield "looked_after", _looked_after([episode])
    yield from ((name, value) for name, value in _divided(region, episode).items() if name != "risk_initial")


def _with_incidents(region: Region, inside: dict[str, list[Episode]]) -> Counter[tuple[str, str]]:
    """Children by what is said of incidents: a child counts with every value that one of its incidents has."""
    of_incident = ("setting", "place", "risk_initial", "risk_highest", "duration")
    return Counter(
        part
        for lived in inside.values()
        for part in {(name, _divided(region, episode)[name]) for episode in lived for name in of_incident}
    )


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


def _incident_band(incidents: int) -> str:
    if incidents == 1:
        return "1"
    return "2 to 4" if incidents < 5 else "5 to 9" if incidents < 10 else "10 or more"


def _child_keys(
    lived: Sequence[Episode], completing: dict[str, set[frozenset[tuple[str, str]]]]
) -> Iterator[tuple[str, str, str]]:
    band = next((known for known in map(_age_band, lived) if known != "unknown"), "unknown")
    sexes = [first_known(one, "sex", "unknown") for one in lived]
    yield "children", *TOTAL
    yield "children", "age_band", band
    yield "children", "sex", next((sex for sex in sexes if sex != "unknown"), "unknown")
    yield "children", "age_dfe", _age_dfe(next((age for one in lived if (age := _age(one)) is not None), None))
    yield "children", "ethnicity", next((one for one in map(_ethnicity, lived) if one != "unknown"), "unknown")
    yield "children", "looked_after", _looked_after(lived)
    yield "children", "incident_band", _incident_band(len(lived))
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
        **_elsewhere(episode, told.held, told.within_72_hours),
    }


def _elsewhere(episode: Episode, held: str, within_72_hours: str) -> dict[str, str]:
    """The same of looked-after children missing from outside their authority; of others nothing."""
    here, authority = (lead_value(episode, field, "unknown") for field in ("missing_from", "authority"))
    is_elsewhere = _looked_after([episode]) == YES and "unknown" not in (here, authority) and here != authority
    answers = {"eligible": YES, "completed": held, "completed_72h": within_72_hours}
    return {f"rhi_{name}_elsewhere": answer if is_elsewhere else NO for name, answer in answers.items()}


def incident_measures(region: Region, episodes: Sequence[Episode]) -> dict[Cell, tuple[int, int]]:
    """Every cell of what is told of each incident by itself: its count, and for how many it cannot be told."""
    children = [one for lived in by_child(counted(episodes)).values() for one in lived]
    cells: Counter[tuple[Cell, int]] = Counter()
    for box, inside in _boxes(region, episodes, children, "start").items():
        for episode in inside:
            for measure, answer in _told(region, episode).items():
                if answer != NO:
                    cells[(measure, *box, *TOTAL), int(answer == UNCLEAR)] += 1
            for breakdown, value in _divided(region, episode).items():
                cells[("incidents", *box, breakdown, value), 0] += 1
    return {cell: (cells[cell, 0], cells[cell, 1]) for cell, _ in cells}


def rolling_children(region: Region, episodes: Sequence[Episode]) -> dict[Cell, int]:
    """Children, and children with two incidents or more, of every 12 months that lie wholly in what is known."""
    children = [one for lived in by_child(counted(episodes)).values() for one in lived]
    last_month, open_month = _months(region, episodes)
    starts = [to_london(one.start).date().replace(day=1) for one in episodes if one.status == "missing"]
    first = min(starts, default=open_month)
    cells: dict[Cell, int] = {}
    while first <= last_month and _months_later(first, 12) <= open_month and _months_later(first, 11) <= last_month:
        inside: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for episode in children:
            if first <= to_london(episode.start).date() < _months_later(first, 12):
                for place in _areas(region, episode):
                    inside[place][episode.child_key] += 1
        for place, incidents in inside.items():
            for measure, least in (("children", 1), ("children_repeat", 2)):
                number = sum(count >= least for count in incidents.values())
                if number:
                    cells[measure, *place, "rolling_12_months", first, *TOTAL] = number
        first = _months_later(first, 1)
    return cells


def _told(region: Region, episode: Episode) -> dict[str, str]:
    timed = _is_exact(episode.started) and episode.end is not None and _is_exact(episode.end)
    lasted = episode.ended - episode.start if timed and episode.ended else None
    untimed = UNCLEAR if episode.end is not None and not timed else NO
    looked_after, place = _looked_after([episode]), _place(region, episode)
    recorded = {one.recorded_by for one in episode.rows}
    return {
        "incidents_timed": YES if timed else untimed,
        "incidents_within_24_hours": _if(lasted is not None and lasted <= timedelta(hours=24), untimed),
        "incidents_within_48_hours": _if(lasted is not None and lasted <= timedelta(hours=48), untimed),
        "incidents_looked_after": {YES: YES, "unknown": UNCLEAR}.get(looked_after, NO),
        "incidents_looked_after_elsewhere": _of_looked_after(looked_after, place, ("elsewhere", "outside")),
        "incidents_looked_after_out_of_region": _of_looked_after(looked_after, place, ("outside",)),
        "police_incidents": _if("police" in recorded, NO),
        "police_incidents_matched": _if("police" in recorded and len(recorded) > 1, NO),
        "police_incidents_ended": _if("police" in recorded and episode.end is not None, NO),
        "incidents_cse_flag_live": _flagged(episode, "cse"),
        "incidents_cce_flag_live": _flagged(episode, "cce"),
    }


def _if(condition: bool, otherwise: str) -> str:
    return YES if condition else otherwise


def _is_exact(told: Moment) -> bool:
    return told.exact and told.earliest == told.latest


def _place(region: Region, episode: Episode) -> str:
    here, authority = (lead_value(episode, field, "unknown") for field in ("missing_from", "authority"))
    if "unknown" in (here, authority):
        return "unknown"
    if here == authority:
        return "own"
    return "elsewhere" if {here, authority} <= region.boroughs else "outside"


def _of_looked_after(looked_after: str, place: str, places: Sequence[str]) -> str:
    if looked_after != YES:
        return NO
    return UNCLEAR if place == "unknown" else _if(place in places, NO)


def _flagged(episode: Episode, kind: str) -> str:
    """Whether a flag was live on the day of the start; one without a date cannot be told."""
    days = [day for one in episode.rows if (day := getattr(one.row, f"{kind}_flag_date"))]
    if days:
        return _if(date.fromisoformat(min(days)) <= to_london(episode.start).date(), NO)
    return UNCLEAR if any(getattr(one.row, f"{kind}_flag") == YES for one in episode.rows) else NO


def _divided(region: Region, episode: Episode) -> dict[str, str]:
    """The value of each category that is worked out and not only copied."""
    places = {
        "own": "own authority",
        "elsewhere": "elsewhere in the region",
        "outside": "outside the region",
        "unknown": "unknown",
    }
    rows = sorted(episode.rows, key=lambda one: (one is not episode.lead, one.key))
    setting = next((one.row.setting for one in rows if one.row.setting not in (None, "unknown")), "unknown")
    risk = next((one.row.risk for one in rows if one.row.risk not in (None, "unknown")), "unknown")
    return {
        "place": places[_place(region, episode)],
        "duration": _duration(episode),
        "setting": setting.replace("_", " "),
        "age_dfe": _age_dfe(_age(episode)),
        "ethnicity": _ethnicity(episode),
        "risk_initial": risk.replace("_", " "),
        "risk_highest": "unknown",  # the rows drawn have none
    }


def _ethnicity(episode: Episode) -> str:
    return str(first_known(episode, "ethnicity", "unknown")).replace("_", " ")


def _duration(episode: Episode) -> str:
    if episode.ended is None:
        return "no end recorded"
    days = (to_london(episode.ended).date() - to_london(episode.start).date()).days
    bands = ((0, "under 1 day"), (2, "1 to 2 days"), (7, "3 to 7 days"), (10, "8 to 10 days"), (15, "11 to 15 days"))
    later = ((20, "16 to 20 days"), (30, "21 to 30 days"))
    return next((band for most, band in (*bands, *later) if days <= most), "over 30 days")


def _age_dfe(age: int | None) -> str:
    if age is None:
        return "unknown"
    bands = ((1, "under 1"), (5, "1 to 4"), (10, "5 to 9"), (16, "10 to 15"))
    return next((band for under, band in bands if age < under), "16 to 17")
