"""Which row goes into which file: periods, lags, late arrivals, revisions and the month that never came.

Belongs here: the calendar of each borough's files. Does not: the look of a row (`layouts`, `native`), files sent
again (`sent_again`), refused rows (`errors`), or writing bytes (`writing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.synthetic.children import Bools, Ints
from pipelines.synthetic.layouts import LONDON, SOURCE, as_at, stamped
from pipelines.synthetic.settings import Area, Form, Habit, Span, month_after

CADENCE_MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}
RETURN_LAG_DAYS = 15
NEVER, NO_FILE = -1, -9
Names = NDArray[np.object_]
FILE_STEMS = {
    "canonical": "missing-episodes",
    "liquidlogic": "FACT_MISSING_PERSON",
    "mosaic_workflow": "MISSING_WORKFLOW_STEPS",
    "mosaic_report": "MFH",
    "eclipse": "child-reported-missing",
    "police_incident": "missing-incidents",
    "ssda903_missing": "ssda903-missing",
    "ssda903_episodes": "ssda903-episodes",
    "return_interview": "return-interviews",
}


@dataclass(frozen=True)
class Period:
    """One file's period: from `start` up to but not including `end`, and two instants (UTC).

    Attributes:
        number: Place in the calendar, from 0.
        start: First day.
        end: First day after.
        extracted: When the file was made.
        known: Up to when the file tells: the extraction, or the end of a return's year.
    """

    number: int
    start: date
    end: date
    extracted: datetime
    known: datetime

    @property
    def label(self) -> str:
        """The period in a file name: its first and last month."""
        last = month_after(self.end, -1)
        one = f"{self.start:%Y-%m}"
        return one if last <= self.start else f"{one}-to-{last:%Y-%m}"


@dataclass(frozen=True)
class Delivery:
    """One file before it is written; `frame` has text columns and hidden ones that begin with "_".

    Attributes:
        area: Who sends it.
        layout: Name of the layout of its rows.
        container: csv, csv.gz or xlsx.
        name: File name.
        frame: The rows.
        period: What it covers.
        cumulative: Whether it repeats earlier files.
        copy_of: Name of the file that it repeats byte for byte.
        form: How it spells its rows.
        cases: What is awkward about the whole file.
    """

    area: Area
    layout: str
    container: str
    name: str
    frame: pl.DataFrame
    period: Period
    cumulative: bool = False
    copy_of: str | None = None
    form: Form = field(default_factory=Form)
    cases: tuple[str, ...] = ()

    def with_frame(self, frame: pl.DataFrame) -> "Delivery":
        """The same file with other rows."""
        return replace(self, frame=frame)


@dataclass(frozen=True)
class EpisodeFiles:
    """A borough's files of episodes, those that never came, and the layout that carries each of its rows."""

    files: list[Delivery]
    never_came: list[Delivery]
    layout: pl.Series


def periods(span: Span, cadence: str, lag_days: int) -> list[Period]:
    """Periods of one cadence that cover the span; the last one ends with the span.

    Args:
        span: The months covered.
        cadence: monthly, quarterly, half_yearly or yearly.
        lag_days: Days from the end of a period to its extraction.

    Returns:
        Periods in order.
    """
    step = CADENCE_MONTHS[cadence]
    starts = [month_after(span.first, month) for month in range(0, span.months, step)]
    ends = [*starts[1:], span.end]
    morning = [datetime.combine(end, time(8, 30), tzinfo=UTC) + timedelta(days=lag_days) for end in ends]
    return [Period(*parts) for parts in zip(count(), starts, ends, morning, morning, strict=False)]


def return_periods(span: Span, cadence: str) -> list[Period]:
    """Periods of an authority's returns, which tell what was known when the period ended."""
    zone = ZoneInfo(LONDON)
    calendar = periods(span, cadence, RETURN_LAG_DAYS)
    return [replace(one, known=datetime.combine(one.end, time(), tzinfo=zone).astimezone(UTC)) for one in calendar]


def episode_files(
    rng: np.random.Generator, area: Area, habit: Habit, texts: Mapping[str, pl.DataFrame], span: Span
) -> EpisodeFiles:
    """Share a borough's rows out over its files.

    Args:
        rng: Source of chance (which rows are late).
        area: The borough.
        habit: Its cadence, lag, share of late rows, and where another layout takes over.
        texts: Its rows by layout: its usual one and those that take over.
        span: The months covered.

    Returns:
        The files, the one that never came with the rows that would have been in it (none or one), and who
        carries which row. A row stays in the layout in which it was first sent.
    """
    text = texts[habit.layout]
    calendar = periods(span, habit.cadence, habit.lag_days)
    due = _period_of(text["_started"], calendar)
    late = (rng.random(text.height) < habit.late) & (due < len(calendar) - 1)
    absent = _absent_file(habit, calendar)
    # What was due in the month that never came is lost; what else would have come with it comes a file later.
    first = np.where(due == absent, NEVER, due + late)
    first = first + (first == absent)
    layout = _carriers(habit, texts, calendar, first)
    files = []
    for name, rows in texts.items():
        changed = _changed_in(rows, calendar)
        arrivals = _Arrivals(np.where(layout == name, first, NEVER), changed + (changed == absent), late)
        sent = [_rows_of(rows, number, arrivals, cumulative=habit.cumulative) for number in range(len(calendar))]
        some = [_file(area, habit, name, period, sent[period.number]) for period in calendar if period.number != absent]
        cases = () if name == habit.layout else ("system_changed",)
        files += [replace(file, cumulative=habit.cumulative, cases=(*cases, *file.cases)) for file in some]
    never_came = [
        _file(area, habit, habit.layout, period, text.filter(pl.Series(due == absent)))
        for period in calendar
        if period.number == absent
    ]
    return EpisodeFiles(files, never_came, pl.Series("layout", layout.tolist(), dtype=pl.String))


def _carriers(habit: Habit, texts: Mapping[str, pl.DataFrame], calendar: Sequence[Period], first: Ints) -> Names:
    """Name of the layout that carries each row."""
    layout = np.full(first.size, habit.layout, dtype=np.object_)
    for switch in habit.switches:
        rows = texts[switch.layout]
        # A form that nobody ever completes would be an episode that nobody ever delivers.
        able = rows["_able"].to_numpy() & (_changed_in(rows, calendar) < len(calendar))
        able &= rows["_team"].to_numpy() % switch.one_in == 0
        layout[able & (first >= switch.first) & (first <= switch.last)] = switch.layout
    return layout


def return_files(area: Area, habit: Habit, stem: str, text: pl.DataFrame, span: Span) -> list[Delivery]:
    """The authority's yearly SSDA903 extracts: what started in the year, and what was open when it began."""
    if habit.ssda903 is None:
        return []
    calendar = return_periods(span, habit.ssda903)
    nothing = np.zeros(text.height, dtype=np.bool_)
    arrivals = _Arrivals(_period_of(text["_started"], calendar), _changed_in(text, calendar), nothing)
    return [
        _file(area, habit, stem, period, _rows_of(text, period.number, arrivals, carried=True)) for period in calendar
    ]


def police_files(area: Area, habit: Habit, text: pl.DataFrame, span: Span) -> list[Delivery]:
    """The police's own extracts beside a borough's files: one for each period with any of their records."""
    calendar = periods(span, habit.cadence, habit.lag_days)
    number = pl.Series(_period_of(text["_started"], calendar)) if text.height else pl.Series(dtype=pl.Int64)
    files = [
        _file(area, habit, "police_incident", calendar[place], text.filter(number == place))
        for place in number.unique().sort()
    ]
    return [replace(file, cases=("police_extract", *file.cases)) for file in files]


def interview_files(area: Area, habit: Habit, text: pl.DataFrame, span: Span, cadence: str | None) -> list[Delivery]:
    """A borough's return-interview files: each interview once, when its outcome is known."""
    if cadence is None:
        return []
    calendar = periods(span, cadence, habit.lag_days)
    first = _known_in(text["_answered"], calendar)
    return [
        _file(area, habit, "return_interview", period, text.filter(pl.Series(first == period.number)))
        for period in calendar
    ]


@dataclass(frozen=True)
class _Arrivals:
    """Number of the file in which each row is first sent and last changed (-1: never), and whether it was late."""

    first: Ints
    changed: Ints
    late: Bools


def _rows_of(
    text: pl.DataFrame, number: int, arrivals: _Arrivals, *, cumulative: bool = False, carried: bool = False
) -> pl.DataFrame:
    """Rows of file `number`, each marked when it is late or a revision.

    A later file repeats a row when the last of it is learnt (`carried`: until then, the open ones each time;
    `cumulative`: all of them each time).
    """
    new = arrivals.first == number
    earlier = (arrivals.first >= 0) & (arrivals.first < number)
    again = (arrivals.changed >= number if carried else arrivals.changed == number) & earlier
    late = arrivals.late
    rows = text.with_columns(
        pl.when(pl.Series(new & late))
        .then(_marked("late_arrival"))
        .when(pl.Series(again))
        .then(pl.lit("revision"))
        .when(pl.Series(new))
        .then("_cases")
        .otherwise(pl.lit(""))
        .alias("_cases")
    )
    return rows.filter(pl.Series(new | (earlier if cumulative else again)))


def _marked(name: str) -> pl.Expr:
    return pl.concat_str("_cases", pl.lit(name), separator=";").str.strip_chars_start(";")


def _file(area: Area, habit: Habit, layout: str, period: Period, rows: pl.DataFrame) -> Delivery:
    form = habit.form_of(layout, period.number)
    frame = stamped(as_at(rows, period.known), period.extracted)
    container = form.container or _container(habit, layout)
    return Delivery(
        area,
        layout,
        container,
        file_name(layout, period.label, container),
        frame,
        period,
        form=form,
        cases=form.cases,
    )


def _container(habit: Habit, layout: str) -> str:
    """How a borough packs a layout unless a form says otherwise: only its usual one goes into workbooks."""
    usual = "csv.gz" if habit.container == "csv.gz" else "csv"
    return habit.container if layout == habit.layout else usual


def file_name(layout: str, label: str, container: str) -> str:
    """Name of a file; every one says that it is synthetic."""
    return f"{FILE_STEMS[layout]}-{label}-{SOURCE}.{container}"


def _period_of(started: pl.Series, calendar: Sequence[Period]) -> Ints:
    """Number of the period in which each instant lies by local date."""
    day = started.dt.convert_time_zone(LONDON).dt.date().to_physical().to_numpy()
    epoch = date(1970, 1, 1)
    ends = np.array([(period.end - epoch).days for period in calendar])
    return np.minimum(np.searchsorted(ends, day, side="right"), len(calendar) - 1)


def _known_in(instant: pl.Series, calendar: Sequence[Period]) -> Ints:
    """Number of the first file that knows each instant; one past the last where there is none."""
    moments = np.array([int(period.known.timestamp()) * 1_000_000 for period in calendar])
    return np.searchsorted(moments, instant.to_physical().to_numpy(), side="left")


def _changed_in(text: pl.DataFrame, calendar: Sequence[Period]) -> Ints:
    """Number of the file in which the last that was learnt of each row can first be seen; -1 if nothing was."""
    names = [name for name in ("_found", "_returned", "_answered", "_ended", "_completed") if name in text.columns]
    last = text.select(pl.max_horizontal(names).alias("last"))["last"]
    known = _known_in(last.fill_null(datetime(1970, 1, 1, tzinfo=UTC)), calendar)
    return np.where(last.is_null().to_numpy(), -1, known)


def _absent_file(habit: Habit, calendar: Sequence[Period]) -> int:
    """Number of the file that never came, or a number that no file has."""
    wanted = habit.absent_month
    return wanted if wanted is not None and 0 < wanted < len(calendar) - 1 else NO_FILE
