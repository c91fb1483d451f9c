"""Parsing canonical text into typed columns, keeping what is known about precision.

Temporal text becomes Europe/London clock time with a precision (`minute`, or `date` where only the day is known).
Helper columns say what the rules need: `.readable`, `.number`, `.earliest` and `.latest`. Nothing is judged here.

A date is read in the forms that occur in British extracts; a month never comes before its day. Two-digit years are read
only after the name of a month: `03/11/25` could be three dates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts.contract import NUMERIC, TEMPORAL, Contract
from pipelines.contracts.schema import accepted_schema

LOCAL_ZONE = "Europe/London"
FORMS = ("iso", "day_first", "month_name", "excel_serial")
_UNTIL_MIDNIGHT = pl.duration(days=1, microseconds=-1)

# `[0-9]` and not `\d`, which also means the digits of other scripts.
_CLOCK = (
    r"(?:[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?P<fraction>\.[0-9]+)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_PATTERNS = {
    "iso": (r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})" + _CLOCK,),
    # One separator within a date: two different ones are a typing error.
    "day_first": tuple(
        rf"(?P<day>[0-9]{{1,2}}){sep}(?P<month>[0-9]{{1,2}}){sep}(?P<year>[0-9]{{4}})" + _CLOCK
        for sep in ("/", "-", r"\.")
    ),
    "month_name": (r"(?P<day>[0-9]{1,2})[-/ ](?P<month>[A-Za-z]{3,9})[-/ ](?P<year>[0-9]{4}|[0-9]{2})" + _CLOCK,),
}
_SERIAL = r"[0-9]{5}(?:\.[0-9]+)?"
# Day 0 of Excel's calendar as it counts since March 1900.
_SERIAL_EPOCH = pl.datetime(1899, 12, 30)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_NUMBERS = {name: f"{i:02}" for i, full in enumerate(_MONTHS, 1) for name in (full, full[:3])}
_MONTH_NUMBERS["sept"] = "09"


@dataclass(frozen=True)
class _Shape:
    """An exact spelling that one pass of the parser reads: the forms' common cases, for speed only."""

    form: str
    pattern: str
    format: str
    timed: bool


def _shapes() -> tuple[_Shape, ...]:
    dates = (
        ("iso", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "%Y-%m-%d"),
        ("day_first", "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", "%d/%m/%Y"),
    )
    times = (("[0-9]{1,2}:[0-5][0-9]", "%H:%M"), ("[0-9]{1,2}:[0-5][0-9]:[0-5][0-9]", "%H:%M:%S"))
    plain = [_Shape(form, pattern, fmt, timed=False) for form, pattern, fmt in dates]
    timed = [
        _Shape(form, f"{pattern}{mark}{clock}", f"{fmt}{mark}{clock_fmt}", timed=True)
        for form, pattern, fmt in dates
        for mark in " T"
        for clock, clock_fmt in times
    ]
    return (*plain, *timed)


_SHAPES = _shapes()
_LOOKED_AT = 200
_OCTOBER = 10


@dataclass(frozen=True)
class DateReading:
    """How a source writes dates: the forms that may occur, and whether midnight means "time not known"."""

    forms: tuple[str, ...] = FORMS
    midnight_is_unknown_time: bool = False


def local_clock(instant: datetime) -> datetime:
    """Return an instant as Europe/London clock time without a zone."""
    return instant.astimezone(ZoneInfo(LOCAL_ZONE)).replace(tzinfo=None)


def parse(canonical: pl.DataFrame, contract: Contract, reading: DateReading) -> pl.DataFrame:
    """Add parsed columns to canonical text columns.

    Args:
        canonical: text columns named as in the contract (those absent are added as null), plus any others.
        contract: says which columns are temporal or numeric.
        reading: how the source writes dates.

    Returns:
        The frame with, for a temporal column c: `c.value` (local datetime), `c.precision`, `c.readable`, `c.earliest`,
        `c.latest`; for a numeric one: `c.number`, `c.readable`. `readable` is null where the text is blank.
    """
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in contract.columns if name not in canonical.columns]
    frame = canonical.with_columns(absent)
    temporal = contract.of_type(*TEMPORAL)
    frame = _with_times(frame, temporal, reading)
    frame = frame.with_columns(_readable(name, f"{name}.value") for name in temporal)
    frame = frame.with_columns(pl.col(f"{name}.value").alias(f"{name}.earliest") for name in temporal).with_columns(
        _latest(name) for name in temporal
    )
    whole = set(contract.of_type("integer"))
    numeric = contract.of_type(*NUMERIC)
    return frame.with_columns(
        _number(name, whole=name in whole).alias(f"{name}.number") for name in numeric
    ).with_columns(_readable(name, f"{name}.number") for name in numeric)


def accepted_columns(parsed: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Select the columns of accepted rows (`contracts.schema.accepted_schema`) from a parsed frame."""
    temporal, numeric = contract.of_type(*TEMPORAL), contract.of_type(*NUMERIC)
    source = (
        {name: f"{name}.value" for name in temporal}
        | {f"{name}_precision": f"{name}.precision" for name in temporal}
        | {name: f"{name}.number" for name in numeric}
    )
    return parsed.select(
        pl.col(source.get(name, name)).cast(kind).alias(name) for name, kind in accepted_schema(contract).items()
    )


def _latest(name: str) -> pl.Expr:
    """Latest clock time that a text may mean, on the clock of its earliest reading.

    A day lasts until its midnight. A time in October's repeated hour may be an hour later than it says.
    """
    value = pl.col(f"{name}.value")
    # Looking at the calendar is slow; one hour of one month is enough.
    may_repeat = pl.when((value.dt.month() == _OCTOBER) & (value.dt.hour() == 1)).then(value)
    first, second = (
        may_repeat.dt.replace_time_zone(LOCAL_ZONE, ambiguous=reading, non_existent="null")
        for reading in ("earliest", "latest")
    )
    return (
        pl.when(pl.col(f"{name}.precision") == "date")
        .then(value + _UNTIL_MIDNIGHT)
        .otherwise(pl.coalesce(value + (second - first), value))
        .alias(f"{name}.latest")
    )


def _with_times(frame: pl.DataFrame, temporal: Sequence[str], reading: DateReading) -> pl.DataFrame:
    """Add value and precision of every temporal column, read as one long column: a call a column costs more."""
    filled = [name for name in temporal if frame[name].null_count() < frame.height]
    blank = [name for name in temporal if name not in filled]
    frame = frame.with_columns(
        pl.lit(None, kind).alias(f"{name}.{part}") for name in blank for part, kind in _READ.items()
    )
    if not filled:
        return frame
    times = read_times(pl.concat([frame[name].alias("text") for name in filled]), reading)
    return frame.with_columns(
        times[part].slice(place * frame.height, frame.height).alias(f"{name}.{part}")
        for place, name in enumerate(filled)
        for part in _READ
    )


def read_times(texts: pl.Series, reading: DateReading) -> pl.DataFrame:
    """Read cells that are written in the same forms, of one column or of several.

    Returns:
        As many rows as cells: `value` (Europe/London clock time; null where blank or unreadable) and `precision`.
    """
    frame = pl.DataFrame({"text": texts, "value": None, "timed": None}, schema=_TIMES)
    for shape in _shapes_seen(texts, reading.forms):
        fits = pl.col("text").str.contains(f"^{shape.pattern}$") & pl.col("value").is_null()
        text = pl.when(fits).then("text")
        read = text.str.to_datetime(shape.format, strict=False, time_unit="us") if shape.timed else _day(text, shape)
        frame = frame.with_columns(
            pl.coalesce("value", read), pl.when(fits).then(shape.timed).otherwise("timed").alias("timed")
        )
    rest = frame.filter(pl.col("text").is_not_null() & pl.col("value").is_null()).select(pl.col("text").unique())
    if rest.height:
        frame = _filled_in(frame, _read_rest(rest["text"], reading.forms))
    # What Python's calendar does not hold (a year 0; an offset that ends beyond 9999) is no date to us either.
    known = pl.col("value").is_between(_FIRST_INSTANT, _LAST_INSTANT)
    frame = frame.with_columns(pl.when(known).then("value").alias("value"))
    timed = pl.col("timed")
    if reading.midnight_is_unknown_time:
        timed = timed & (pl.col("value").dt.time() != pl.time(0, 0))
    precision = pl.when(pl.col("value").is_null()).then(None).when(timed).then(pl.lit("minute"))
    return frame.select("value", precision.otherwise(pl.lit("date")).alias("precision"))


_FIRST_INSTANT, _LAST_INSTANT = pl.datetime(1, 1, 1), pl.datetime(9999, 12, 31, 23, 59, 59, 999999)
_READ = {"value": pl.Datetime("us"), "precision": pl.String()}
_TIMES = {"text": pl.String(), "value": pl.Datetime("us"), "timed": pl.Boolean()}


def _day(text: pl.Expr, shape: _Shape) -> pl.Expr:
    return text.str.to_date(shape.format, strict=False).cast(pl.Datetime("us"))


def _shapes_seen(texts: pl.Series, forms: Sequence[str]) -> list[_Shape]:
    """The exact spellings among some cells, most frequent first, so that each is tried only where it occurs."""
    filled = texts.drop_nulls()
    some = filled.gather_every(max(1, filled.len() // _LOOKED_AT))
    allowed = [(shape, re.compile(shape.pattern)) for shape in _SHAPES if shape.form in forms]
    seen = Counter(next((shape for shape, pattern in allowed if pattern.fullmatch(text)), None) for text in some)
    return [shape for shape, _ in seen.most_common() if shape]


def _read_rest(unique: pl.Series, forms: Sequence[str]) -> pl.DataFrame:
    """Read what the exact spellings left, by the parts of each form."""
    parts = [_read_pattern(unique, pattern) for form in FORMS if form in forms for pattern in _PATTERNS.get(form, ())]
    if "excel_serial" in forms:
        parts.append(_read_serial(unique))
    return pl.concat(parts)


def _filled_in(frame: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(found, on="text", how="left", suffix="_found", maintain_order="left")
    return joined.select("text", *(pl.coalesce(name, f"{name}_found").alias(name) for name in ("value", "timed")))


def _read_pattern(unique: pl.Series, pattern: str) -> pl.DataFrame:
    texts = pl.DataFrame({"text": unique}).filter(pl.col("text").str.contains(f"^(?:{pattern})$"))
    part = texts.with_columns(pl.col("text").str.extract_groups(f"^(?:{pattern})$").alias("part")).unnest("part")
    clock = pl.concat_str(
        pl.col("hour").fill_null("0").str.zfill(2),
        pl.col("minute").fill_null("00"),
        pl.col("second").fill_null("00") + pl.col("fraction").fill_null(""),
        separator=":",
    )
    year = pl.when(pl.col("year").str.len_bytes() == 2).then("20" + pl.col("year")).otherwise("year")  # noqa: PLR2004 - digits
    month = pl.col("month").str.to_lowercase()
    month = month.replace_strict(_MONTH_NUMBERS, default=month.str.zfill(2), return_dtype=pl.String)
    local = pl.concat_str(year, month, pl.col("day").str.zfill(2), separator="-") + "T" + clock
    value = local.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    return part.select("text", _without_offset(value).alias("value"), pl.col("hour").is_not_null().alias("timed"))


def _without_offset(value: pl.Expr) -> pl.Expr:
    """Turn a time with an explicit offset into London clock time; one without stays as it is."""
    zone = pl.col("zone").str.replace("Z", "+00:00", literal=True).str.replace(":", "", literal=True)
    hours, minutes = zone.str.slice(1, 2).cast(pl.Int64), zone.str.slice(3, 2).cast(pl.Int64)
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    instant = value - pl.duration(hours=sign * hours, minutes=sign * minutes)
    london = instant.dt.replace_time_zone("UTC").dt.convert_time_zone(LOCAL_ZONE).dt.replace_time_zone(None)
    possible = (hours < 24) & (minutes < 60)  # noqa: PLR2004 - hours of a day, minutes of an hour
    return pl.when(pl.col("zone").is_null()).then(value).when(possible).then(london)


def _read_serial(unique: pl.Series) -> pl.DataFrame:
    """Excel's days since its epoch; the fraction is a time of day, to the second."""
    serial = pl.DataFrame({"text": unique}).filter(pl.col("text").str.contains(f"^{_SERIAL}$"))
    number = pl.col("text").cast(pl.Float64)
    seconds = (number * 86400).round(0).cast(pl.Int64)
    return serial.select(
        "text",
        (_SERIAL_EPOCH + pl.duration(seconds=seconds)).cast(pl.Datetime("us")).alias("value"),
        (number != number.floor()).alias("timed"),
    )


_MONTH, _LATER_DAY = "(?:0?[1-9]|1[0-2])", "(?:1[3-9]|2[0-9]|3[01])"
_REST_OF_DATE = r"(?:[0-9]{4}|[0-9]{2})(?:[T ].*)?"
_MONTH_FIRST = f"^{_MONTH}[-/.]{_LATER_DAY}[-/.]{_REST_OF_DATE}$"
_DAY_FIRST = f"^{_LATER_DAY}[-/.]{_MONTH}[-/.]{_REST_OF_DATE}$"
_LEAST_MONTH_FIRST = 3


def month_first_columns(cells: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """Name the columns that write dates month first, whose days up to the twelfth would be misread without a word.

    At least three cells can only be month first, and they outnumber those that can only be day first.
    """
    counts = (
        cells.select(
            pl.col(name).str.count_matches(pattern).sum().alias(f"{order}{name}")
            for name in columns
            for order, pattern in (("m", _MONTH_FIRST), ("d", _DAY_FIRST))
        ).row(0, named=True)
        if columns
        else {}
    )
    return [name for name in columns if counts[f"m{name}"] >= max(_LEAST_MONTH_FIRST, counts[f"d{name}"] + 1)]


def _readable(name: str, parsed: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null()).then(pl.col(parsed).is_not_null()).alias(f"{name}.readable")


def _number(name: str, *, whole: bool) -> pl.Expr:
    number = pl.col(name).cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    return pl.when(number == number.round(0)).then(number) if whole else number
