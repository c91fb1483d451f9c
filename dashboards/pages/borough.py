"""The restricted page of one borough: its repeat-missing list, returns without an interview, and charts.

Shows true counts of this borough. The region's line beside them is the published, rounded one, so that it can be
quoted. The entries of single children are worded in `child_list`, how children were heard is drawn in `hearing`; what
the borough sent is put together in `deliveries`, how good it is in `quality`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards import charts, sentences
from dashboards.comparability import Comparability, Concerning
from dashboards.figures import Column, Figure, FigureMaker, Table, figure_table
from dashboards.intake import IntakeReader
from dashboards.leads import Flag, Gone, LeadReader, Numbers, Version, Waiting
from dashboards.pages.child_list import LABEL, ChildEntry, child_entries, raised_words
from dashboards.pages.deliveries import Received, borough_received
from dashboards.pages.hearing import Place, early_identification, hearing_figures
from dashboards.pages.quality import Quality, completeness, quality_section
from dashboards.pages.section import BASIS, FLAG_MEASURES, Card, symbol_notes, version_table
from dashboards.pages.variation import Chance
from dashboards.points import Part, Point, Query, keyed, part
from dashboards.published import PublicReader
from dashboards.restricted import Excluded, RestrictedReader
from dashboards.rulebook import Indicator, Pattern, Rulebook
from dashboards.words import (
    Measure,
    clock,
    counted,
    day_words,
    duration,
    full_date,
    instant_words,
    listed,
    local,
    month,
    number,
    period,
    short_period,
    span,
)  # fmt: skip
from pipelines.region import Area, Region

_MOST_OLDER = 50
_MOST_GONE = 30
_MONTHS = 24
_QUARTERS = 8
_COUNT = Measure("count")
_SHARE = Measure("share")
_REGION_LINE = "Region"
_REGION_NOTE = "The region's line is made from published, rounded counts, so that it can be quoted."
# What a restricted file says in the column that names a release.
_NOT_RELEASED = "restricted"
# What the list of returns without an interview rests on.
_WAITING_MEASURES = frozenset({"rhi_eligible", "rhi_offered", "rhi_completed"})
_ANSWERS = {"yes": "yes", "no": "no", "not_measurable": "cannot be told"}
_RESPONSIBLE = {
    "another_borough": "another borough of {region} is responsible for the child",
    "outside_region": "an authority outside {region} is responsible",
    "not_recorded": "the responsible authority is not recorded",
}
_RESTRICTED_NOTE = "True counts, not rounded: for this borough's safeguarding lead, not for publication."


@dataclass(frozen=True)
class BoroughPage:
    """What the template of a borough's page is filled with."""

    data_to: str | None
    cards: tuple[Card, ...]
    rules: tuple[Pattern, ...]
    rule_table: Table
    own_rule_table: Table | None
    version_table: Table | None
    children: tuple[ChildEntry, ...]
    gone: Table
    older: Table
    older_count: int
    older_shown: int
    waiting_finding: str
    waiting: Table
    list_notes: Concerning
    waiting_notes: Concerning
    activity: tuple[Figure, ...]
    hearing: tuple[Figure, ...]
    received: Received
    quality: Quality
    current_days: int
    recent_days: int

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return (*self.activity, *self.hearing, *self.quality.figures)


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
    comparability = Comparability(reader.notes_for(borough), region, reader.span())
    cut = reader.data_cut(borough.slug)
    leads = LeadReader(reader.connection, borough.slug)
    numbers = leads.numbers()
    children = child_entries(leads, rulebook, region)
    current = [entry.flag for child in children for entry in child.flags]
    rules = rulebook.current_patterns(borough.slug)
    own_rules = [rule for rule in rules if not rule.is_regional]
    older_count = leads.older_count()
    waiting = leads.waiting()
    figures = FigureMaker(comparability, _NOT_RELEASED)
    maker = _Maker(reader, public, rulebook, maker=figures, region=region, borough=borough)
    place = Place(borough, f"Deliveries of {borough.name}, data to {day_words(cut)}")
    early = early_identification(figures, reader, place)
    empty_fields = maker.empty_fields()
    return BoroughPage(
        data_to=instant_words(cut) if cut else None,
        cards=_cards(children, waiting, numbers),
        rules=rules,
        rule_table=_rule_table(current, [rule for rule in rules if rule.is_regional], numbers),
        own_rule_table=_rule_table(current, own_rules, numbers, borough.name) if own_rules else None,
        version_table=_versions(leads.versions(), rulebook, numbers),
        children=children,
        gone=_gone_table(leads.gone(_MOST_GONE), rulebook),
        older=_older_table(leads.older_flags(_MOST_OLDER), rulebook),
        older_count=older_count,
        older_shown=min(older_count, _MOST_OLDER),
        waiting_finding=_waiting_finding(waiting, borough, numbers),
        waiting=_waiting_table(waiting),
        list_notes=comparability.concerning(FLAG_MEASURES, [borough.code]),
        waiting_notes=comparability.concerning(_WAITING_MEASURES, [borough.code]),
        activity=_activity(maker),
        hearing=(*hearing_figures(figures, reader, place), *([early] if early else [])),
        received=borough_received(books, borough),
        quality=quality_section(books, rulebook, borough, [empty_fields] if empty_fields else []),
        current_days=numbers.current_days,
        recent_days=numbers.recent_days,
    )


def _cards(children: Sequence[ChildEntry], waiting: Sequence[Waiting], numbers: Numbers) -> tuple[Card, ...]:
    overdue = sum(item.due == "yes" and item.is_responsible for item in waiting)
    return (
        Card(
            "children on the repeat-missing list",
            number(len(children)),
            f"an episode in the last {numbers.current_days} days completes a pattern",
        ),
        Card(
            "of them with a new flag",
            number(sum(child.is_new for child in children)),
            f"raised in the last {numbers.recent_days} days",
        ),
        Card("returns without an interview", number(len(waiting)), f"in the last {numbers.recent_days} days"),
        Card("of them over 72 hours and this borough's to hold", number(overdue), "at the end of the data"),
    )


def _rule_table(flags: Sequence[Flag], rules: Sequence[Pattern], numbers: Numbers, borough: str = "") -> Table:
    children = Counter(rule_id for rule_id, _ in {(flag.rule_id, flag.child_key) for flag in flags})
    new = Counter(rule_id for rule_id, _ in {(flag.rule_id, flag.child_key) for flag in flags if flag.is_new})
    return Table(
        caption=f"{borough}'s own threshold"
        if borough
        else "Children on the list by pattern; the same in every borough",
        headings=("Pattern", "Children", f"New in {numbers.recent_days} days", "Puts a child on the list"),
        rows=tuple(
            (
                f"{rule.title} ({rule.rule_id})",
                number(children[rule.rule_id]),
                number(new[rule.rule_id]),
                "yes" if rule.on_list else "no, shown beside",
            )
            for rule in rules
        ),
    )


def _versions(versions: Sequence[Version], rulebook: Rulebook, numbers: Numbers) -> Table | None:
    return version_table(versions, rulebook, f"Children now (last {numbers.current_days} days)")


def _gone_table(gone: Sequence[Gone], rulebook: Rulebook) -> Table:
    return Table(
        caption="Flags that are no longer shown, the last to go first",
        headings=("Child", "Pattern", "Complete since", "Why it went", "Flag"),
        rows=tuple(
            (
                item.child_id[:LABEL] if item.child_id else "no longer held",
                _title(rulebook, item.rule_id, item.rule_version),
                full_date(local(item.raised_at).date()),
                item.gone_words or f"Not shown since {full_date(local(item.gone_as_at).date())}.",
                item.flag_id,
            )
            for item in gone
        ),
        numeric=False,
    )


def _title(rulebook: Rulebook, rule_id: str, version: int) -> str:
    """The title of a pattern; a rule that was taken out of the file has its id alone."""
    try:
        return rulebook.pattern(rule_id, version).title
    except KeyError:
        return f"{rule_id}, version {version}"


def _older_table(flags: Sequence[Flag], rulebook: Rulebook) -> Table:
    return Table(
        caption="Older flags, newest first",
        headings=("Child", "Pattern", "Complete since", "Last episode", "Flag"),
        rows=tuple(
            (
                flag.child_id[:LABEL],
                rulebook.pattern(flag.rule_id, flag.rule_version).title,
                raised_words(flag),
                month(flag.last_month),
                flag.flag_id,
            )
            for flag in flags
        ),
        numeric=False,
    )


def _waiting_finding(waiting: Sequence[Waiting], borough: Area, numbers: Numbers) -> str:
    if not waiting:
        return f"No return of the last {numbers.recent_days} days is without an interview recorded as held."
    overdue = sum(item.due == "yes" for item in waiting)
    again = sum(item.overtaken == "yes" for item in waiting)
    own = sum(item.is_responsible for item in waiting)
    text = (
        f"After {counted(len(waiting), 'return')} of the last {numbers.recent_days} days no interview is recorded as "
        f"held; for {number(overdue)} of them the 72 hours are over. For {number(own)}, {borough.name} is the "
        "responsible authority."
    )
    if again:
        text += f" After {number(again)} of these returns the child went missing again within 72 hours."
    return text


def _waiting_table(waiting: Sequence[Waiting]) -> Table:
    return Table(
        caption="Returns without an interview, longest ago first",
        headings=(
            "Child", "Returned", "Time since", "72 hours over", "Offered", "Accepted", "Held", "Missing again",
            "Responsible authority",
        ),
        rows=tuple(
            (
                item.child_id[:LABEL],
                clock(item.returned_at, item.returned_precision) + (" (found)" if item.return_is_found else ""),
                duration(item.hours_since),
                {"yes": "yes", "no": "not yet"}.get(item.due, "cannot be told"),
                _ANSWERS[item.offered],
                _ANSWERS[item.accepted],
                _ANSWERS[item.held],
                "yes, within 72 hours" if item.overtaken == "yes" else "",
                _responsible(item),
            )
            for item in waiting
        ),
        numeric=False,
    )  # fmt: skip


def _responsible(item: Waiting) -> str:
    if item.responsible_name:
        return item.responsible_name
    return "not recorded" if item.responsible_authority == "unknown" else "outside the region"


def _activity(maker: _Maker) -> tuple[Figure, ...]:
    made = (
        maker.by_month(),
        maker.usual_range(),
        maker.rate(),
        maker.cascade(),
        maker.held(),
        maker.repeats(),
        maker.over_children(),
    )
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
        self._chance = Chance(maker, rulebook)
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
            "by month",
            (_Line("Incidents", "I01", incidents), _Line("Children", "I02", self._own("I02", "A", "month", _MONTHS))),
            _COUNT,
            axis="Number",
            finding=sentences.trend("there were {value} missing incidents in {area}", incidents, _COUNT),
        )

    def usual_range(self) -> Figure | None:
        """The borough's monthly incidents with what is usual for it."""
        points = self._reader.control("I01", "A", self._borough.code)
        if not points:
            return None
        return self._chance.control(
            points,
            source=_source(self._borough, self._cut, ["I01"]),
            notes=(_RESTRICTED_NOTE,),
            release_id=_NOT_RELEASED,
        )

    def over_children(self) -> Figure | None:
        """How sure the borough's shares of episodes are."""
        return self._chance.over_children(
            self._reader.over_children(self._borough.code),
            source=lambda indicators: _source(self._borough, self._cut, indicators),
            notes=(_RESTRICTED_NOTE,),
        )

    def rate(self) -> Figure | None:
        """The borough's monthly rate beside the published one of the region."""
        own = self._own("I04", "A", "month", _MONTHS)
        measure = self._rulebook.indicator("I04").measure
        phrase = "there were {value} missing incidents for every 10,000 children aged 0 to 17 in {area}"
        return self._figure(
            "incident-rate",
            f"by month, beside {self._region.area.name}",
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
            "by quarter",
            (
                _Line("Eligible", "I28", held, "denominator"),
                _Line("Offered", "I27", self._own("I27", "B", "quarter", _QUARTERS), "numerator"),
                _Line("Held", "I28", held, "numerator"),
                _Line("Within 72 h", "I29", self._own("I29", "B", "quarter", _QUARTERS), "numerator"),
            ),
            _COUNT,
            axis="Episodes",
            finding=sentences.trend(phrase, _numerators(held), _COUNT),
            notes=self._left_out(),
        )

    def _left_out(self) -> tuple[str, ...]:
        """Who is not in the borough's interview figures, and how many they were in the newest year."""
        year = self._reader.newest_year()
        if year is None:
            return ()
        left_out = self._reader.excluded(self._borough.code, year[0])
        if not left_out:
            return ()
        said = listed([_excluded(item, self._region) for item in left_out])
        return (
            (
                f"Not counted here, of returns to {self._borough.name} in {period('year_to_march', *year)}: {said}. "
                "Their interviews are for another authority to arrange."
            ),
        )

    def held(self) -> Figure | None:
        """The share of returns with an interview, beside the published one of the region."""
        own = self._own("I28", "B", "quarter", _QUARTERS)
        phrase = "a return interview was held after {value} of missing episodes in {area}"
        return self._figure(
            "interview-held",
            f"by quarter, beside {self._region.area.name}",
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
            "by quarter",
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
        how: str,
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
        heading = f"{self._rulebook.titled((line.indicator_id, '') for line in lines)}, {how}"
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
            timeline=[(point.period_start, point.period_end) for point in first],
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


def _excluded(item: Excluded, region: Region) -> str:
    why = _RESPONSIBLE[item.responsible].format(region=region.area.name)
    return f"{counted(item.episodes, 'episode')} of {counted(item.children, 'child', 'children')}, where {why}"


def _numerators(points: Sequence[Point]) -> list[Point]:
    """The counts behind shares, as figures of their own."""
    return [part(point, "numerator") for point in points]


def _source(borough: Area, cut: datetime | None, indicators: Sequence[str]) -> str:
    return f"Deliveries of {borough.name}; indicator {', '.join(dict.fromkeys(indicators))}; data to {day_words(cut)}."
