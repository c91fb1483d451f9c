"""The restricted page of one borough: its repeat-missing list, returns without an interview, charts and data quality.

Shows true counts of this borough. The region's line beside them is the published, rounded one, so that it can be quoted. Public pages
are elsewhere and share no page with this one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dashboards import charts, sentences
from dashboards.figures import Column, Figure, Table, figure_file, figure_table
from dashboards.pages.grid import LEGEND, Grid, by_year
from dashboards.pages.section import BASIS, Card, symbol_notes
from dashboards.points import Point, Query
from dashboards.published import PublicReader
from dashboards.restricted import CURRENT_DAYS, RECENT_DAYS, Evidence, Flag, RestrictedReader, Waiting
from dashboards.rulebook import Pattern, Rulebook
from dashboards.words import (
    Measure, clock, counted, duration, full_date, instant_words, listed, local, month, number, period, short_period, span,
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
    figures: tuple[Figure, ...]
    activity: tuple[Figure, ...]
    quality: tuple[Figure, ...]
    grid: Grid
    legend: tuple[tuple[str, str], ...]
    quarantined: Table
    current_days: int
    recent_days: int


def borough_page(
    reader: RestrictedReader, public: PublicReader, rulebook: Rulebook, region: Region, borough: Area
) -> BoroughPage:
    """Put a borough's page together."""
    cut = reader.data_cut(borough.slug)
    flags = reader.flags(borough.slug)
    current = [flag for flag in flags if flag.is_current]
    older = [flag for flag in flags if not flag.is_current]
    children = _children(current, reader.evidence(borough.slug), rulebook)
    waiting = reader.waiting(borough.slug)
    activity = _activity(reader, public, rulebook, region, borough, cut)
    quality = _completeness(reader, rulebook, borough, cut)
    months = [item for item in reader.months() if item.borough == borough.slug]
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
        figures=(*activity, *quality),
        activity=activity,
        quality=quality,
        grid=by_year(months, f"Months received from {borough.name}, with the number of rows accepted"),
        legend=LEGEND,
        quarantined=_quarantined_table(reader, rulebook, borough),
        current_days=CURRENT_DAYS,
        recent_days=RECENT_DAYS,
    )


def _cards(children: Sequence[ChildEntry], waiting: Sequence[Waiting]) -> tuple[Card, ...]:
    overdue = sum(item.hours_since > _OVERDUE_HOURS and item.is_responsible for item in waiting)
    return (
        Card("children on the repeat-missing list", number(len(children)), f"an episode in the last {CURRENT_DAYS} days completes a pattern"),
        Card("of them with a new flag", number(sum(child.is_new for child in children)), f"raised in the last {RECENT_DAYS} days"),
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
    return clock(item.started_at, item.started_precision) if item.is_own else f"{month(item.month)}, another GM borough"


def _episode_table(episodes: Sequence[Evidence], label: str) -> Table:
    return Table(
        caption=f"Episodes behind the flags of child {label}, newest first",
        headings=("Missing from", "Length", "Returned", "Interview held", "Counts towards"),
        rows=tuple(
            (_episode_start(item), _length(item), _returned(item), _interview(item), listed(item.rule_ids)) for item in episodes
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
        return f"After every return of the last {RECENT_DAYS} days an interview is recorded as held, or there was no return."
    overdue = sum(item.hours_since > _OVERDUE_HOURS for item in waiting)
    own = sum(item.is_responsible for item in waiting)
    return (
        f"After {counted(len(waiting), 'return')} of the last {RECENT_DAYS} days no interview is recorded as held; "
        f"{number(overdue)} of them {'is' if overdue == 1 else 'are'} more than 72 hours ago. For {number(own)}, {borough.name} is the "
        "responsible authority."
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


def _quarantined_table(reader: RestrictedReader, rulebook: Rulebook, borough: Area) -> Table:
    messages = {rule.rule_id: rule.message for data in rulebook.datasets for entry in data.columns for rule in entry.rules}
    return Table(
        caption=f"Rows of {borough.name} set aside, by the rule they break",
        headings=("Rule", "What it says", "Rows"),
        rows=tuple(
            (tally.rule_id, messages.get(tally.rule_id, "A rule about the file as a whole."), number(tally.count))
            for tally in reader.quarantined(borough.slug)
        ),
        numeric=False,
    )


def _activity(
    reader: RestrictedReader, public: PublicReader, rulebook: Rulebook, region: Region, borough: Area, cut: datetime | None
) -> tuple[Figure, ...]:
    make = _Maker(reader, public, rulebook, region, borough, cut)
    return tuple(
        figure for figure in (make.by_month(), make.rate(), make.cascade(), make.held(), make.repeats()) if figure
    )


class _Maker:
    """Makes the charts of one borough."""

    def __init__(
        self,
        reader: RestrictedReader,
        public: PublicReader,
        rulebook: Rulebook,
        region: Region,
        borough: Area,
        cut: datetime | None,
    ) -> None:
        self._reader = reader
        self._public = public
        self._rulebook = rulebook
        self._region = region
        self._borough = borough
        self._cut = cut

    def by_month(self) -> Figure | None:
        """Incidents and children by month."""
        incidents = self._own("I01", "A", "month", _MONTHS)
        return self._figure(
            "incidents-and-children", "Missing incidents and children, by month",
            {"Incidents": ("I01", incidents), "Children": ("I02", self._own("I02", "A", "month", _MONTHS))},
            _COUNT, "Number", sentences.trend("there were {value} missing incidents in {area}", incidents, _COUNT),
        )  # fmt: skip

    def rate(self) -> Figure | None:
        """The borough's monthly rate beside the published one of the region."""
        own = self._own("I04", "A", "month", _MONTHS)
        measure = self._rulebook.indicator("I04").measure
        return self._figure(
            "incident-rate", f"Missing incidents per 10,000 children, beside {self._region.area.name}",
            {self._borough.name: ("I04", own), "GM, published": ("I04", self._regional("I04", "A", "month", _MONTHS))},
            measure, "Per 10,000 children",
            sentences.trend("there were {value} missing incidents for every 10,000 children aged 0 to 17 in {area}", own, measure),
            "The region's line is made from published, rounded counts. Monthly rates of one borough move a lot by chance.",
        )  # fmt: skip

    def cascade(self) -> Figure | None:
        """From eligible returns to interviews held, in episodes."""
        held = self._own("I28", "B", "quarter", _QUARTERS)
        series = {
            "Eligible": ("I28", [replace(p, value=p.denominator, lower_95=None, upper_95=None) for p in held]),
            "Offered": ("I27", _numerators(self._own("I27", "B", "quarter", _QUARTERS))),
            "Held": ("I28", _numerators(held)),
            "Within 72 h": ("I29", _numerators(self._own("I29", "B", "quarter", _QUARTERS))),
        }
        finding = sentences.trend("a return interview was held after {value} missing episodes in {area}", _numerators(held), _COUNT)
        return self._figure("interview-cascade", "From return to interview, by quarter", series, _COUNT, "Episodes", finding)

    def held(self) -> Figure | None:
        """The share of returns with an interview, beside the published one of the region."""
        own = self._own("I28", "B", "quarter", _QUARTERS)
        return self._figure(
            "interview-held", f"Return interview held, beside {self._region.area.name}",
            {self._borough.name: ("I28", own), "GM, published": ("I28", self._regional("I28", "B", "quarter", _QUARTERS))},
            _SHARE, "Share of eligible episodes",
            sentences.trend("a return interview was held after {value} of missing episodes in {area}", own, _SHARE),
            "The region's line is made from published, rounded counts.",
        )  # fmt: skip

    def repeats(self) -> Figure | None:
        """Children who went missing again, by quarter."""
        repeat = _numerators(self._own("I08", "A", "quarter", _QUARTERS))
        series = {
            "Twice or more": ("I08", repeat),
            "3 in 90 days": ("I09", _numerators(self._own("I09", "A", "quarter", _QUARTERS))),
            "3 in 28 days": ("I10", _numerators(self._own("I10", "A", "quarter", _QUARTERS))),
        }
        finding = sentences.trend("{value} children went missing twice or more in {area}", repeat, _COUNT)
        return self._figure("repeat-children", "Children missing again, by quarter", series, _COUNT, "Children", finding)

    def _own(self, indicator_id: str, basis: str, period_type: str, last: int) -> list[Point]:
        return self._reader.points(
            Query(indicator_id, basis, period_type, area_code=self._borough.code, last_periods=last)
        )

    def _regional(self, indicator_id: str, basis: str, period_type: str, last: int) -> list[Point]:
        return self._public.points(
            Query(indicator_id, basis, period_type, area_code=self._region.area.code, last_periods=last)
        )

    def _figure(
        self,
        figure_id: str,
        heading: str,
        series: dict[str, tuple[str, list[Point]]],
        measure: Measure,
        axis: str,
        finding: str,
        *notes: str,
    ) -> Figure | None:
        first = next(iter(series.values()))[1]
        if not first:
            return None
        rows = [(str(p.period_start), short_period(p.period_type, p.period_start, p.period_end)) for p in first]
        keyed = {name: {str(p.period_start): p for p in points} for name, (_, points) in series.items()}
        lines = [
            charts.Series(
                name,
                tuple(
                    charts.mark(points[key], label, measure) if key in points else charts.Mark(label, None, "x")
                    for key, label in rows
                ),
            )
            for name, points in keyed.items()
        ]
        when = span(
            first[0].period_type, (first[0].period_start, first[0].period_end), (first[-1].period_start, first[-1].period_end)
        )
        return Figure(
            figure_id=figure_id,
            heading=heading,
            finding=finding,
            chart=charts.trend(lines, measure, axis),
            table=figure_table(f"{heading}: {self._borough.name}, {when}", "Period", [Column(n, p, measure) for n, p in keyed.items()], rows),
            data=figure_file(f"{figure_id}.csv", [(self._rulebook.indicator(i), points) for i, points in series.values()], "restricted"),
            period=when,
            source=_source(self._borough, self._cut, dict.fromkeys(i for i, _ in series.values())),
            notes=(*symbol_notes(*(points for _, points in series.values())), BASIS[first[0].basis], *notes, _RESTRICTED_NOTE),
        )


def _numerators(points: Sequence[Point]) -> list[Point]:
    """The counts behind shares, as figures of their own."""
    return [replace(p, value=p.numerator, lower_95=None, upper_95=None) for p in points]


def _completeness(
    reader: RestrictedReader, rulebook: Rulebook, borough: Area, cut: datetime | None
) -> tuple[Figure, ...]:
    indicator = rulebook.indicator("I35")
    points = reader.points(
        Query("I35", "A", "year_to_march", area_code=borough.code, breakdown="field", last_periods=1)
    )
    if not points:
        return ()
    when = period("year_to_march", points[0].period_start, points[0].period_end)
    rows = [(p.breakdown_value, p.breakdown_value.capitalize()) for p in points]
    keyed = {p.breakdown_value: p for p in points}
    emptiest = max((p.value or 0 for p in points), default=0)
    names = [p.breakdown_value for p in points if p.value == emptiest]
    finding = (
        f"In {when}, the field most often not filled was {listed(names)} ({emptiest * 100:.0f}% of episodes)."
        if emptiest
        else f"In {when}, every field looked at was filled."
    )
    figure = Figure(
        figure_id="completeness",
        heading="Fields not filled",
        finding=finding,
        chart=charts.area_bars(
            [replace(charts.mark(p, name, _SHARE), lower=None, upper=None) for p, (_, name) in zip(points, rows, strict=True)],
            None,
            _SHARE,
            "Share of episodes",
        ),
        table=figure_table(
            f"Fields not filled: {borough.name}, {when}",
            "Field",
            [
                Column("Not filled", {k: replace(p, value=p.numerator) for k, p in keyed.items()}, _COUNT),
                Column("Episodes", {k: replace(p, value=p.denominator) for k, p in keyed.items()}, _COUNT),
                Column("Share", keyed, _SHARE),
            ],
            rows,
        ),
        data=figure_file("completeness.csv", [(indicator, points)], "restricted"),
        period=when,
        source=_source(borough, cut, ["I35"]),
        notes=(*symbol_notes(points), BASIS["A"], _RESTRICTED_NOTE),
    )
    return (figure,)


def _source(borough: Area, cut: datetime | None, indicators: object) -> str:
    ids = ", ".join(str(item) for item in indicators) if isinstance(indicators, (list, dict)) else str(indicators)
    until = full_date(local(cut).date()) if cut else "no delivery yet"
    return f"Deliveries of {borough.name}; indicator {ids}; data to {until}."
