"""Which row goes into which file: periods, lags, late arrivals, revisions and the month that never came.

Belongs here: the calendar of each borough's files. Does not: the look of a row (`layouts`), refused rows
(`errors`), or writing bytes (`writing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.children import Bools, Ints
from pipelines.synthetic.layouts import LONDON, SOURCE, as_at, stamped
from pipelines.synthetic.settings import Area, Habit, Span, month_after

CADENCE_MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}
RETURN_LAG_DAYS = 15
NO_FILE = -9
FILE_STEMS = {
    "canonical": "missing-episodes",
    "liquidlogic": "FACT_MISSING_PERSON",
    "ssda903_missing": "ssda903-missing",
    "return_interview": "return-interviews",
}


@dataclass(frozen=True)
class Period:
    """One file's period: from `start` up to but not including `end`, and when it was extracted (UTC)."""

    start: date
    end: date
    extracted: datetime

    @property
    def label(self) -> str:
        """The period in a file name: its first and last month."""
        last = month_after(self.end, -1)
        one = f"{self.start:%Y-%m}"
        return one if last <= self.start else f"{one}-to-{last:%Y-%m}"


@dataclass(frozen=True)
class Delivery:
    """One file before it is written; `frame` has text columns and hidden ones that begin with "_"."""

    area: Area
    layout: str
    container: str
    name: str
    frame: pl.DataFrame
    cumulative: bool = False
    copy_of: str | None = None

    def with_frame(self, frame: pl.DataFrame) -> "Delivery":
        """The same file with other rows."""
        return replace(self, frame=frame)


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
    return [Period(*parts) for parts in zip(starts, ends, morning, strict=True)]


def episode_files(
    rng: np.random.Generator, area: Area, habit: Habit, text: pl.DataFrame, span: Span
) -> tuple[list[Delivery], list[Delivery]]:
    """Share a borough's rows out over its files.

    Args:
        rng: Source of chance (which rows are late).
        area: The borough.
        habit: Its cadence, lag and share of late rows.
        text: Its rows in its layout.
        span: The months covered.

    Returns:
        The files, and the one that never came, with the rows that would have been in it (none or one).
    """
    calendar = periods(span, habit.cadence, habit.lag_days)
    due = _period_of(text["_started"], calendar)
    late = (rng.random(text.height) < habit.late) & (due < len(calendar) - 1)
    absent = _absent_file(habit, calendar)
    # What was due in the month that never came is lost; what else would have come with it comes a file later.
    first = np.where(due == absent, -1, due + late)
    changed = _changed_in(text, calendar)
    arrivals = _Arrivals(first + (first == absent), changed + (changed == absent), late)
    files, never_came = [], []
    for number, period in enumerate(calendar):
        if number == absent:
            rows = text.filter(pl.Series(due == absent))
            never_came.append(_file(area, habit.layout, habit.container, period, rows))
            continue
        rows = _rows_of(text, number, arrivals, cumulative=habit.cumulative)
        files.append(_file(area, habit.layout, habit.container, period, rows, cumulative=habit.cumulative))
    return files, never_came


def return_files(area: Area, habit: Habit, text: pl.DataFrame, span: Span) -> list[Delivery]:
    """The authority's yearly SSDA903 extracts: what started in the year, and what was then still open."""
    if habit.ssda903 is None:
        return []
    calendar = periods(span, habit.ssda903, RETURN_LAG_DAYS)
    nothing = np.zeros(text.height, dtype=np.bool_)
    arrivals = _Arrivals(_period_of(text["_started"], calendar), _changed_in(text, calendar), nothing)
    return [
        _file(area, "ssda903_missing", "csv", period, _rows_of(text, number, arrivals, cumulative=False))
        for number, period in enumerate(calendar)
    ]


def interview_files(area: Area, habit: Habit, text: pl.DataFrame, span: Span) -> list[Delivery]:
    """A borough's return-interview files: each interview once, when its outcome is known."""
    if habit.interviews.cadence is None:
        return []
    calendar = periods(span, habit.interviews.cadence, habit.lag_days)
    first = _known_in(text["_answered"], calendar)
    container = "csv.gz" if habit.container == "csv.gz" else "csv"
    return [
        _file(area, "return_interview", container, period, text.filter(pl.Series(first == number)))
        for number, period in enumerate(calendar)
    ]


@dataclass(frozen=True)
class _Arrivals:
    """Number of the file in which each row is first sent and last changed (-1: never), and whether it was late."""

    first: Ints
    changed: Ints
    late: Bools


def _rows_of(text: pl.DataFrame, number: int, arrivals: _Arrivals, *, cumulative: bool) -> pl.DataFrame:
    """Rows of file `number`, each marked when it is late or a revision."""
    new = arrivals.first == number
    earlier = (arrivals.first >= 0) & (arrivals.first < number)
    again = (arrivals.changed == number) & earlier
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


def _file(
    area: Area, layout: str, container: str, period: Period, rows: pl.DataFrame, *, cumulative: bool = False
) -> Delivery:
    frame = stamped(as_at(rows, period.extracted), period.extracted)
    name = f"{FILE_STEMS[layout]}-{period.label}-{SOURCE}.{container}"
    return Delivery(area, layout, container, name, frame, cumulative=cumulative)


def _period_of(started: pl.Series, calendar: Sequence[Period]) -> Ints:
    """Number of the period in which each instant lies by local date."""
    day = started.dt.convert_time_zone(LONDON).dt.date().to_physical().to_numpy()
    epoch = date(1970, 1, 1)
    ends = np.array([(period.end - epoch).days for period in calendar])
    return np.minimum(np.searchsorted(ends, day, side="right"), len(calendar) - 1)


def _known_in(instant: pl.Series, calendar: Sequence[Period]) -> Ints:
    """Number of the first file extracted at or after each instant; one past the last where there is none."""
    moments = np.array([int(period.extracted.timestamp()) * 1_000_000 for period in calendar])
    return np.searchsorted(moments, instant.to_physical().to_numpy(), side="left")


def _changed_in(text: pl.DataFrame, calendar: Sequence[Period]) -> Ints:
    """Number of the file in which the last that was learnt of each row can first be seen; -1 if nothing was."""
    names = [name for name in ("_found", "_returned", "_answered") if name in text.columns]
    last = text.select(pl.max_horizontal(names).alias("last"))["last"]
    known = _known_in(last.fill_null(datetime(1970, 1, 1, tzinfo=UTC)), calendar)
    return np.where(last.is_null().to_numpy(), -1, known)


def _absent_file(habit: Habit, calendar: Sequence[Period]) -> int:
    """Number of the file that never came, or a number that no file has."""
    wanted = habit.absent_month
    return wanted if wanted is not None and 0 < wanted < len(calendar) - 1 else NO_FILE
