"""The restricted page of one borough: its repeat-missing list, returns without an interview, and charts.

Shows true counts of this borough. The region's line beside them is the published, rounded one, so that it can be
quoted. What the borough sent is put together in `deliveries`, how good it is in `quality`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards import charts, sentences
from dashboards.comparability import Comparability, Concerning
from dashboards.figures import Column, Figure, FigureMaker, Table, figure_table
from dashboards.intake import IntakeReader
from dashboards.pages.deliveries import Received, borough_received
from dashboards.pages.quality import Quality, completeness, quality_section
from dashboards.pages.section import BASIS, FLAG_MEASURES, Card, symbol_notes
from dashboards.points import Part, Point, Query, keyed, part
from dashboards.published import PublicReader
from dashboards.restricted import CURRENT_DAYS, RECENT_DAYS, Evidence, Flag, RestrictedReader, Waiting
from dashboards.rulebook import Indicator, Pattern, Rulebook
from dashboards.words import (
    Measure,
    clock,
    counted,
    day_words,
    duration,
    full_date,
    instant_words,
    local,
    month,
    number,
    short_period,
    span,
)  # fmt: skip
from pipelines.region import Area, Region

_MOST_EPISODES = 25
_MOST_OLDER = 50
_MONTHS = 24
_QUARTERS = 8
_OVERDUE_HOURS = 72
_LABEL = 8
_COUNT = Measure("count")
_SHARE = Measure("share")
_REGION_LINE = "Region"
_REGION_NOTE = "The region's line is made from published, rounded counts, so that it can be quoted."
# What a restricted file says in the column that names a release.
_NOT_RELEASED = "restricted"
# What the list of returns without an interview rests on.
_WAITING_MEASURES = frozenset({"rhi_eligible", "rhi_offered", "rhi_completed"})
_RESTRICTED_NOTE = "True counts, not rounded: for this borough's safeguarding lead, not for publication."


@dataclass(frozen=True)
class FlagEntry:
    """One flag with the rule that raised it."""

    flag: Flag
    pattern: Pattern
    raised: str


@dataclass(frozen=True)
class ChildEntry:
    """One child on the list: its flags and the episodes behind them."""

    label: str
    child_id: str
    flags: tuple[FlagEntry, ...]
    rule_ids: tuple[str, ...]
    is_new: bool
    last: str
    episodes: Table
    more_episodes: int


@dataclass(frozen=True)
class BoroughPage:
    """What the template of a borough's page is filled with."""

    data_to: str | None
    cards: tuple[Card, ...]
    rules: tuple[Pattern, ...]
    rule_table: Table
    children: tuple[ChildEntry, ...]
    older: Table
    older_count: int
    older_shown: int
    waiting_finding: str
    waiting: Table
    list_notes: Concerning
    waiting_notes: Concerning
    activity: tuple[Figure, ...]
    received: Received
    quality: Quality
    current_days: int
    recent_days: int

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return (*self.activity, *self.quality.figures)


def borough_page(
    reader: RestrictedReader,
    books: IntakeReader,
    public: PublicReader,
    rulebook: Rulebook,
    *,
    region: Region,
    borough: Area,
) -> BoroughPage:
    """Put a borough's page together."""
    comparability = Comparability((note.note for note in books.notes()), region)
    cut = reader.data_cut(borough.slug)
    flags = reader.flags(borough.slug)
    current = [flag for flag in flags if flag.is_current]
    older = [flag for flag in flags if not flag.is_current]
    children = _children(current, reader.evidence(borough.slug), rulebook)
    waiting = reader.waiting(borough.slug)
    maker = _Maker(
        reader,
        public,
        rulebook,
        maker=FigureMaker(comparability, _NOT_RELEASED),
        region=region,
        borough=borough,
    )
    empty_fields = maker.empty_fields()
    return BoroughPage(
        data_to=instant_words(cut) if cut else None,
        cards=_cards(children, waiting),
        rules=rulebook.patterns,
        rule_table=_rule_table(current, rulebook),
        children=children,
        older=_older_table(older[:_MOST_OLDER], rulebook),
        older_count=len(older),
        older_shown=min(len(older), _MOST_OLDER),
        waiting_finding=_waiting_finding(waiting, borough),
        waiting=_waiting_table(waiting),
        list_notes=comparability.concerning(FLAG_MEASURES, [borough.code]),
        waiting_notes=comparability.concerning(_WAITING_MEASURES, [borough.code]),
        activity=_activity(maker),
        received=borough_received(books, borough),
        quality=quality_section(books, rulebook, borough, [empty_fields] if empty_fields else []),
        current_days=CURRENT_DAYS,
        recent_days=RECENT_DAYS,
    )


def _cards(children: Sequence[ChildEntry], waiting: Sequence[Waiting]) -> tuple[Card, ...]:
    overdue = sum(item.hours_since > _OVERDUE_HOURS and item.is_responsible for item in waiting)
    return (
        Card(
            "children on the repeat-missing list",
            number(len(children)),
            f"an episode in the last {CURRENT_DAYS} days completes a pattern",
        ),
        Card(
            "of them with a new flag",
            number(sum(child.is_new for child in children)),
            f"raised in the last {RECENT_DAYS} days",
        ),
        Card("returns without an interview", number(len(waiting)), f"in the last {RECENT_DAYS} days"),
        Card("of them over 72 hours and this borough's to hold", number(overdue), "at the end of the data"),
    )


def _children(flags: Sequence[Flag], evidence: Sequence[Evidence], rulebook: Rulebook) -> tuple[ChildEntry, ...]:
    """Group flags by child, in the order in which children were last hit."""
    by_child: dict[str, list[Flag]] = {}
    for flag in flags:
        by_child.setdefault(flag.child_key, []).append(flag)
    episodes: dict[str, list[Evidence]] = defaultdict(list)
    for item in evidence:
        episodes[item.child_key].append(item)
    return tuple(_child(own, episodes[key], rulebook) for key, own in by_child.items())


def _child(flags: Sequence[Flag], episodes: Sequence[Evidence], rulebook: Rulebook) -> ChildEntry:
    order = {pattern.rule_id: place for place, pattern in enumerate(rulebook.patterns)}
    ordered = sorted(flags, key=lambda flag: order[flag.rule_id])
    return ChildEntry(
        label=flags[0].child_id[:_LABEL],
        child_id=flags[0].child_id,
        flags=tuple(FlagEntry(flag, rulebook.pattern(flag.rule_id), _raised(flag)) for flag in ordered),
        rule_ids=tuple(flag.rule_id for flag in ordered),
        is_new=any(flag.is_new for flag in flags),
        last=_episode_start(episodes[0]) if episodes else month(flags[0].last_month),
        episodes=_episode_table(episodes[:_MOST_EPISODES], flags[0].child_id[:_LABEL]),
        more_episodes=max(0, len(episodes) - _MOST_EPISODES),
    )


def _raised(flag: Flag) -> str:
    if flag.raised_at is None:
        return f"{month(flag.raised_month)} (by an episode of another borough)"
    return full_date(local(flag.raised_at).date())


def _episode_start(item: Evidence) -> str:
    return clock(item.started_at, item.started_precision) if item.is_own else f"{month(item.month)}, another borough"


def _episode_table(episodes: Sequence[Evidence], label: str) -> Table:
    return Table(
        caption=f"Episodes behind the flags of child {label}, newest first",
        headings=("Missing from", "Length", "Returned", "Interview held", "Counts towards"),
        rows=tuple(
            (_episode_start(item), _length(item), _returned(item), _interview(item), ", ".join(item.rule_ids))
            for item in episodes
        ),
        numeric=False,
    )


def _length(item: Evidence) -> str:
    if not item.is_own:
        return "not shown"
    if item.hours is not None:
        return duration(item.hours)
    return "still missing or end not recorded" if item.returned_at is None else "not known to the minute"


def _returned(item: Evidence) -> str:
    return clock(item.returned_at, item.returned_precision) if item.is_own else "not shown"


def _interview(item: Evidence) -> str:
    if not item.is_own:
        return "not shown"
    if item.held == "yes":
        if item.hours_to_interview is None:
            return "yes, hours not known"
        if item.hours_to_interview < 0:
            return "yes, dated before the return"
        return f"yes, {duration(item.hours_to_interview)} after the return"
    return {"no": "no", "not_measurable": "cannot be told"}.get(item.held or "", "none recorded")


def _rule_table(flags: Sequence[Flag], rulebook: Rulebook) -> Table:
    children = Counter(rule_id for rule_id, _ in {(flag.rule_id, flag.child_key) for flag in flags})
    new = Counter(rule_id for rule_id, _ in {(flag.rule_id, flag.child_key) for flag in flags if flag.is_new})
    return Table(
        caption="Children on the list by pattern",
        headings=("Pattern", "Children", f"New in {RECENT_DAYS} days"),
        rows=tuple(
            (f"{pattern.title} ({pattern.rule_id})", number(children[pattern.rule_id]), number(new[pattern.rule_id]))
            for pattern in rulebook.patterns
        ),
    )


def _older_table(flags: Sequence[Flag], rulebook: Rulebook) -> Table:
    return Table(
        caption="Older flags, newest first",
        headings=("Child", "Pattern", "Raised", "Last episode", "Flag"),
        rows=tuple(
            (
                flag.child_id[:_LABEL],
                rulebook.pattern(flag.rule_id).title,
                _raised(flag),
                month(flag.last_month),
                flag.flag_id,
            )
            for flag in flags
        ),
        numeric=False,
    )


def _waiting_finding(waiting: Sequence[Waiting], borough: Area) -> str:
    if not waiting:
        return f"No return of the last {RECENT_DAYS} days is without an interview recorded as held."
    overdue = sum(item.hours_since > _OVERDUE_HOURS for item in waiting)
    own = sum(item.is_responsible for item in waiting)
    return (
        f"After {counted(len(waiting), 'return')} of the last {RECENT_DAYS} days no interview is recorded as held; "
        f"{number(overdue)} of them {'is' if overdue == 1 else 'are'} more than 72 hours ago. For {number(own)}, "
        f"{borough.name} is the responsible authority."
    )


def _waiting_table(waiting: Sequence[Waiting]) -> Table:
    return Table(
        caption="Returns without an interview, longest ago first",
        headings=("Child", "Returned", "Time since", "72 hours over", "Offered", "Held", "Responsible authority"),
        rows=tuple(
            (
                item.child_id[:_LABEL],
                clock(item.returned_at, item.returned_precision) + (" (found)" if item.return_is_found else ""),
                duration(item.hours_since),
                "yes" if item.hours_since > _OVERDUE_HOURS else "not yet",
                item.offered,
                item.held,
                item.responsible_name,
            )
            for item in waiting
        ),
        numeric=False,
    )


def _activity(maker: _Maker) -> tuple[Figure, ...]:
    made = (maker.by_month(), maker.rate(), maker.cascade(), maker.held(), maker.repeats())
    return tuple(figure for figure in made if figure)


@dataclass(frozen=True)
class _Line:
    """One line of a chart: its name, its indicator, the figures, and which part of them is drawn."""

    name: str
    indicator_id: str
    points: Sequence[Point]
    drawn: Part = "value"


class _Maker:
    """Makes the charts of one borough."""

    def __init__(
        self,
        reader: RestrictedReader,
        public: PublicReader,
        rulebook: Rulebook,
        *,
        maker: FigureMaker,
        region: Region,
        borough: Area,
    ) -> None:
        self._maker = maker
        self._reader = reader
        self._public = public
        self._rulebook = rulebook
        self._region = region
        self._borough = borough
        self._cut = reader.data_cut(borough.slug)

    def by_month(self) -> Figure | None:
        """Incidents and children by month."""
        incidents = self._own("I01", "A", "month", _MONTHS)
        return self._figure(
            "incidents-and-children",
            "Missing incidents and children, by month",
            (_Line("Incidents", "I01", incidents), _Line("Children", "I02", self._own("I02", "A", "month", _MONTHS))),
            _COUNT,
            axis="Number",
            finding=sentences.trend("there were {value} missing incidents in {area}", incidents, _COUNT),
        )

    def rate(self) -> Figure | None:
        """The borough's monthly rate beside the published one of the region."""
        own = self._own("I04", "A", "month", _MONTHS)
        measure = self._rulebook.indicator("I04").measure
        phrase = "there were {value} missing incidents for every 10,000 children aged 0 to 17 in {area}"
        return self._figure(
            "incident-rate",
            f"Missing incidents per 10,000 children, beside {self._region.area.name}",
            (
                _Line(self._borough.name, "I04", own),
                _Line(_REGION_LINE, "I04", self._regional("I04", "A", "month", _MONTHS)),
            ),
            measure,
            axis="Per 10,000 children",
            finding=sentences.trend(phrase, own, measure),
            notes=(_REGION_NOTE, "Monthly rates of one borough move a lot by chance."),
        )

    def cascade(self) -> Figure | None:
        """From eligible returns to interviews held, in episodes."""
        held = self._own("I28", "B", "quarter", _QUARTERS)
        phrase = "a return interview was held after {value} missing episodes in {area}"
        return self._figure(
            "interview-cascade",
            "From return to interview, by quarter",
            (
                _Line("Eligible", "I28", held, "denominator"),
                _Line("Offered", "I27", self._own("I27", "B", "quarter", _QUARTERS), "numerator"),
                _Line("Held", "I28", held, "numerator"),
                _Line("Within 72 h", "I29", self._own("I29", "B", "quarter", _QUARTERS), "numerator"),
            ),
            _COUNT,
            axis="Episodes",
            finding=sentences.trend(phrase, _numerators(held), _COUNT),
        )

    def held(self) -> Figure | None:
        """The share of returns with an interview, beside the published one of the region."""
        own = self._own("I28", "B", "quarter", _QUARTERS)
        phrase = "a return interview was held after {value} of missing episodes in {area}"
        return self._figure(
            "interview-held",
            f"Return interview held, beside {self._region.area.name}",
            (
                _Line(self._borough.name, "I28", own),
                _Line(_REGION_LINE, "I28", self._regional("I28", "B", "quarter", _QUARTERS)),
            ),
            _SHARE,
            axis="Share of eligible episodes",
            finding=sentences.trend(phrase, own, _SHARE),
            notes=(_REGION_NOTE,),
        )

    def repeats(self) -> Figure | None:
        """Children who went missing again, by quarter."""
        repeat = self._own("I08", "A", "quarter", _QUARTERS)
        phrase = "{value} children went missing twice or more in {area}"
        return self._figure(
            "repeat-children",
            "Children missing again, by quarter",
            (
                _Line("Twice or more", "I08", repeat, "numerator"),
                _Line("3 in 90 days", "I09", self._own("I09", "A", "quarter", _QUARTERS), "numerator"),
                _Line("3 in 28 days", "I10", self._own("I10", "A", "quarter", _QUARTERS), "numerator"),
            ),
            _COUNT,
            axis="Children",
            finding=sentences.trend(phrase, _numerators(repeat), _COUNT),
        )

    def empty_fields(self) -> Figure | None:
        """How often fields are empty."""
        points = self._reader.points(
            Query("I35", "A", "year_to_march", area_code=self._borough.code, breakdown="field", last_periods=1)
        )
        source = _source(self._borough, self._cut, ["I35"])
        return completeness(
            self._maker, self._rulebook, points, borough=self._borough, source=source, note=_RESTRICTED_NOTE
        )

    def _own(self, indicator_id: str, basis: str, period_type: str, last: int) -> list[Point]:
        code = self._borough.code
        return self._reader.points(Query(indicator_id, basis, period_type, area_code=code, last_periods=last))

    def _regional(self, indicator_id: str, basis: str, period_type: str, last: int) -> list[Point]:
        code = self._region.area.code
        return self._public.points(Query(indicator_id, basis, period_type, area_code=code, last_periods=last))

    def _figure(
        self,
        figure_id: str,
        heading: str,
        lines: Sequence[_Line],
        measure: Measure,
        *,
        axis: str,
        finding: str,
        notes: Sequence[str] = (),
    ) -> Figure | None:
        first = lines[0].points
        if not first:
            return None
        rows = [(str(p.period_start), short_period(p.period_type, p.period_start, p.period_end)) for p in first]
        drawn = {line.name: keyed(line.points, "period_start", line.drawn) for line in lines}
        series = [
            charts.Series(
                name,
                tuple(
                    charts.mark(points[key], label, measure) if key in points else charts.Mark(label, None, "x")
                    for key, label in rows
                ),
            )
            for name, points in drawn.items()
        ]
        ends = [(point.period_start, point.period_end) for point in (first[0], first[-1])]
        when = span(first[0].period_type, ends[0], ends[1])
        return self._maker.of_points(
            figure_id,
            heading,
            finding=finding,
            chart=charts.trend(series, measure, axis),
            table=figure_table(
                f"{heading}: {self._borough.name}, {when}",
                "Period",
                [Column(name, points, measure) for name, points in drawn.items()],
                rows,
            ),
            series=self._series(lines),
            period=when,
            source=_source(self._borough, self._cut, [line.indicator_id for line in lines]),
            notes=(
                *symbol_notes(*(list(line.points) for line in lines)),
                BASIS[first[0].basis],
                *notes,
                _RESTRICTED_NOTE,
            ),
        )

    def _series(self, lines: Sequence[_Line]) -> list[tuple[Indicator, list[Point]]]:
        """The figures behind the lines, whole, each once although two lines may draw parts of it."""
        once = {point.figure_id: (line.indicator_id, point) for line in lines for point in line.points}
        return [(self._rulebook.indicator(indicator_id), [point]) for indicator_id, point in once.values()]


def _numerators(points: Sequence[Point]) -> list[Point]:
    """The counts behind shares, as figures of their own."""
    return [part(point, "numerator") for point in points]


def _source(borough: Area, cut: datetime | None, indicators: Sequence[str]) -> str:
    return f"Deliveries of {borough.name}; indicator {', '.join(dict.fromkeys(indicators))}; data to {day_words(cut)}."
