"""The figures of how children were heard and how early they were recognised, of one borough or of the region.

True counts, for restricted pages. The cascade from return to interview is made of indicators, in `borough`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dashboards import charts
from dashboards.figures import DataFile, Figure, FigureMaker, Table
from dashboards.pages.section import BASIS
from dashboards.restricted import Answer, Factor, Recognition, RestrictedReader
from dashboards.words import Measure, code_words, counted, listed, month, number, ordinal, percent, period, short_period
from pipelines.region import Area

_COUNT = Measure("count")
_QUESTIONS = {
    "independent": ("Independent interviewer", "held by somebody independent of the child's care"),
    "account_recorded": ("Own account written", "with the child's own account written down"),
    "something_done": ("Something done after", "followed by something being done"),
}
_KINDS = {
    "exploitation_flag": ("Exploitation flag", "flagged for exploitation"),
    "return_interview": ("Return interview held", "heard in a return interview"),
    "strategy_meeting": ("Strategy meeting", "the subject of a strategy meeting"),
}
_WHEN = (
    ("Before the first", "at_0"),
    ("At the first", "at_1"),
    ("At the 2nd", "at_2"),
    ("At the 3rd or 4th", "at_3_to_4"),
    ("At the 5th to 9th", "at_5_to_9"),
    ("At the 10th or later", "at_10_or_more"),
    ("Not yet", "not_yet"),
    ("Cannot be told", "cannot_be_told"),
)
_LEAD_IN = {"push": "Ran from", "pull": "Drawn by", "harm": "Told of", "action": "Done"}
_MOST_FACTORS = 7
_ANSWER_FIELDS = ("interviews", "yes", "no", "not_measurable", "children", "unplaced")
_INTERVIEW_MEASURES = frozenset({"rhi_completed"})
_NOTE = "True counts, not rounded: not for publication."


@dataclass(frozen=True)
class Place:
    """The area that figures are about, and from where its records came."""

    area: Area
    source: str


def hearing_figures(maker: FigureMaker, reader: RestrictedReader, place: Place) -> tuple[Figure, ...]:
    """Make the figures of how children were heard in the newest year; none where no interview was held."""
    year = reader.newest_year()
    if year is None:
        return ()
    answers = reader.answers(place.area.code, year[0])
    factors = reader.factors(place.area.code, year[0])
    when = _Year(*year)
    made = [_voice(maker, answers, place, when)] if answers else []
    said = [factor for factor in factors if factor.kind in {"push", "pull"}]
    done = [factor for factor in factors if factor.kind in {"harm", "action"}]
    if said:
        named = ("what-children-said", "What children ran from, and what drew them")
        made.append(_factors(maker, named, said, place, when))
    if done:
        named = ("what-was-done", "Harm that children told of, and what was done")
        made.append(_factors(maker, named, done, place, when))
    return tuple(made)


def early_identification(maker: FigureMaker, reader: RestrictedReader, place: Place) -> Figure | None:
    """Make the figure of when children were flagged, heard and met about."""
    rows = reader.recognition(place.area.code)
    if not rows:
        return None
    newest = [row for row in rows if row.period_start == rows[-1].period_start]
    named = {row.kind: row for row in newest}
    kinds = [kind for kind in _KINDS if kind in named]
    year = _Year(newest[0].period_start, _year_end(newest[0].period_start))
    series = [
        charts.Series(_KINDS[kind][0], tuple(charts.Mark(label, getattr(named[kind], name)) for label, name in _WHEN))
        for kind in kinds
    ]
    return maker.of_counts(
        "early-identification",
        f"At which episode was it seen? {place.area.name}",
        finding=_early_finding(newest, place, year),
        chart=charts.area_groups(series, _COUNT, "Children"),
        table=_early_table(rows, place),
        data=_early_file(rows, place),
        period=f"children first missing in {year.words}; earlier years in the table",
        source=f"{place.source}; statistics.early_identification.",
        measures=_INTERVIEW_MEASURES | {"incidents"},
        areas=[place.area.code],
        notes=(
            BASIS["A"].replace("each episode counts", "each child counts by its first episode"),
            "The exploitation flag counts from the date on which it was set; a flag without a date cannot be told.",
            "A strategy meeting is known only where it is recorded as an action of a return interview.",
            f"The first episode is the first in the data, which begin in {month(rows[0].data_from)}.",
            "Children first missing late in the year have had less time to be seen.",
            _NOTE,
        ),
    )


@dataclass(frozen=True)
class _Year:
    """A year to March."""

    start: date
    end: date

    @property
    def words(self) -> str:
        """As it stands in a sentence after "in"."""
        return period("year_to_march", self.start, self.end)


def _voice(maker: FigureMaker, answers: Sequence[Answer], place: Place, year: _Year) -> Figure:
    asked = {answer.question: answer for answer in answers}
    ordered = [asked[question] for question in _QUESTIONS if question in asked]
    first = ordered[0]
    series = [
        charts.Series(name, tuple(charts.Mark(_QUESTIONS[one.question][0], getattr(one, field)) for one in ordered))
        for name, field in (("Yes", "yes"), ("No", "no"), ("Cannot be told", "not_measurable"))
    ]
    unplaced = (
        (f"Left out, since the responsible authority is not recorded: {counted(first.unplaced, 'interview')}.",)
        if first.unplaced
        else ()
    )
    return maker.of_counts(
        "voice",
        f"Were children heard? {place.area.name}",
        finding=_voice_finding(ordered, year),
        chart=charts.area_groups(series, _COUNT, "Interviews held"),
        table=Table(
            f"Interviews held, {place.area.name}, {year.words}",
            ("Question", "Yes", "No", "Cannot be told", "Yes, of those that can be told"),
            tuple(
                (
                    _QUESTIONS[one.question][0],
                    *(number(value) for value in (one.yes, one.no, one.not_measurable)),
                    percent(one.yes / (one.yes + one.no)) if one.yes + one.no else "[x]",
                )
                for one in ordered
            ),
        ),
        data=DataFile(
            "voice.csv",
            ("area_code", "period_start", "question", *_ANSWER_FIELDS),
            tuple(
                (
                    place.area.code, year.start.isoformat(), one.question,
                    *(getattr(one, name) for name in _ANSWER_FIELDS),
                )
                for one in ordered
            ),
        ),
        period=f"interviews held in {year.words}",
        source=f"{place.source}; statistics.voice. Asked by Real Voices and by the statutory guidance, both 2014.",
        measures=_INTERVIEW_MEASURES,
        areas=[place.area.code],
        notes=(
            BASIS["B"],
            "An interview by somebody from the responsible authority or the placement does not count as independent.",
            "Where no action is recorded nobody can tell whether something was done.",
            *unplaced,
            _NOTE,
        ),
    )  # fmt: skip


def _voice_finding(answers: Sequence[Answer], year: _Year) -> str:
    first = answers[0]
    shares = [
        f"{percent(one.yes / (one.yes + one.no))} were {_QUESTIONS[one.question][1]}"
        for one in answers
        if one.yes + one.no
    ]
    unclear = [number(one.not_measurable) for one in answers]
    head = (
        f"In {year.words}, {counted(first.interviews, 'interview was', 'interviews were')} held with "
        f"{counted(first.children, 'child', 'children')}."
    )
    if not shares:
        return f"{head} What is asked here is not recorded for any of them."
    return f"{head} Of those that can be told, {listed(shares)}; it cannot be told for {listed(unclear)}."


def _factors(
    maker: FigureMaker, named: tuple[str, str], factors: Sequence[Factor], place: Place, year: _Year
) -> Figure:
    """Bars for the codes named most, of two kinds; every code is in the table."""
    figure_id, heading = named
    kinds = list(dict.fromkeys(kind for kind in _LEAD_IN if any(factor.kind == kind for factor in factors)))
    ordered = [factor for kind in kinds for factor in factors if factor.kind == kind]
    drawn = [factor for kind in kinds for factor in [one for one in ordered if one.kind == kind][:_MOST_FACTORS]]
    most = [next(factor for factor in ordered if factor.kind == kind) for kind in kinds]
    said = listed([f"{_LEAD_IN[one.kind].lower()}: {code_words(one.code)} ({number(one.interviews)})" for one in most])
    return maker.of_counts(
        figure_id,
        f"{heading}, {place.area.name}",
        finding=f"In {year.words}, named most often in interviews: {said}.",
        chart=charts.area_bars([charts.Mark(_label(one), one.interviews) for one in drawn], None, _COUNT, "Interviews"),
        table=Table(
            f"{heading}, {place.area.name}, {year.words}",
            ("Named", "Interviews", "Children"),
            tuple((_label(one), number(one.interviews), number(one.children)) for one in ordered),
        ),
        data=DataFile(
            f"{figure_id}.csv",
            ("area_code", "period_start", "kind", "code", "interviews", "children"),
            tuple(
                (place.area.code, year.start.isoformat(), one.kind, one.code, one.interviews, one.children)
                for one in ordered
            ),
        ),
        period=f"interviews held in {year.words}",
        source=f"{place.source}; statistics.voice_factor.",
        measures=_INTERVIEW_MEASURES,
        areas=[place.area.code],
        notes=(
            BASIS["B"],
            "An interview can name several, so they do not add up. What was not written down is not here.",
            _NOTE,
        ),
    )


def _label(factor: Factor) -> str:
    return f"{_LEAD_IN[factor.kind]}: {code_words(factor.code)}"


def _early_finding(rows: Sequence[Recognition], place: Place, year: _Year) -> str:
    parts = []
    for row in rows:
        text = f"{number(row.recognised)} were {_KINDS[row.kind][1]}"
        if row.recognised and row.median_episode is not None:
            text += f" (half of them by {_by_episode(row.median_episode)})"
        parts.append(text)
    first = rows[0]
    return (
        f"Of {counted(first.children, 'child', 'children')} first missing in {place.area.name} in {year.words}, "
        f"{listed(parts)}; it cannot be told for {listed([number(row.cannot_be_told) for row in rows])}."
    )


def _by_episode(median: float) -> str:
    return "the time they first went missing" if median < 1 else f"their {ordinal(int(median))} episode"


def _early_table(rows: Sequence[Recognition], place: Place) -> Table:
    return Table(
        f"At which episode children were first flagged, heard or met about, {place.area.name}, newest year first",
        ("Year of first episode", "What", "Children", *(label for label, _ in _WHEN), "Median episode", "Median days"),
        tuple(
            (
                short_period("year_to_march", row.period_start, _year_end(row.period_start)),
                _KINDS[row.kind][0],
                number(row.children),
                *(number(getattr(row, name)) for _, name in _WHEN),
                _median(row.median_episode),
                _median(row.median_days),
            )
            for row in sorted(rows, key=lambda row: row.period_start, reverse=True)
        ),
    )


def _median(value: float | None) -> str:
    return "[x]" if value is None else number(value, 0 if value == int(value) else 1)


def _early_file(rows: Sequence[Recognition], place: Place) -> DataFile:
    names = ("children", "recognised", *(name for _, name in _WHEN), "median_episode", "median_days")
    return DataFile(
        "early-identification.csv",
        ("area_code", "period_start", "kind", *names),
        tuple(
            (place.area.code, row.period_start.isoformat(), row.kind, *(getattr(row, name) for name in names))
            for row in rows
        ),
    )


def _year_end(start: date) -> date:
    return date(start.year + 1, 3, 31)
