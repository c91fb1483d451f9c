"""Parsing canonical text into typed columns, keeping what is known about precision.

Temporal text becomes Europe/London clock time with a precision (`minute`, or `date` where only the day is known).
Helper columns say what the rules need: `.readable`, `.number`, `.earliest` and `.latest`. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.contracts.contract import NUMERIC, TEMPORAL, Contract
from pipelines.contracts.schema import accepted_schema

LOCAL_ZONE = "Europe/London"
_WITH_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_UNTIL_MIDNIGHT = pl.duration(days=1, microseconds=-1)


@dataclass(frozen=True)
class DateReading:
    """How a source writes dates: strptime formats in order, and whether midnight means "time not known"."""

    formats: tuple[str, ...]
    midnight_is_unknown_time: bool = False


def parse(canonical: pl.DataFrame, contract: Contract, reading: DateReading) -> pl.DataFrame:
    """Add parsed columns to canonical text columns.

    Args:
        canonical: text columns named as in the contract (those absent are added as null), plus any others.
        contract: says which columns are temporal or numeric.
        reading: date formats of the source.

    Returns:
        The frame with, for a temporal column c: `c.value` (local datetime), `c.precision`, `c.readable`, `c.earliest`,
        `c.latest`, `c.year`; for a numeric one: `c.number`, `c.readable`. `readable` is null where the text is blank.
    """
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in contract.columns if name not in canonical.columns]
    frame = canonical.with_columns(absent)
    temporal = contract.of_type(*TEMPORAL)
    frame = frame.with_columns(_local_time(name, reading.formats).alias(f"{name}.value") for name in temporal)
    frame = frame.with_columns(_precision(name, reading).alias(f"{name}.precision") for name in temporal).with_columns(
        _readable(name, f"{name}.value") for name in temporal
    )
    frame = frame.with_columns(
        pl.col(f"{name}.value").dt.year().cast(pl.Float64).alias(f"{name}.year") for name in temporal
    )
    frame = frame.with_columns(pl.col(f"{name}.value").alias(f"{name}.earliest") for name in temporal).with_columns(
        pl.when(pl.col(f"{name}.precision") == "date")
        .then(pl.col(f"{name}.value") + _UNTIL_MIDNIGHT)
        .otherwise(pl.col(f"{name}.value"))
        .alias(f"{name}.latest")
        for name in temporal
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


def _local_time(name: str, formats: Sequence[str]) -> pl.Expr:
    text = pl.col(name)
    plain = [text.str.to_datetime(fmt, strict=False, time_unit="us") for fmt in formats if not _is_date(fmt)]
    bare = [text.str.to_date(fmt, strict=False).cast(pl.Datetime("us")) for fmt in formats if _is_date(fmt)]
    zoned = (
        pl.when(text.str.contains(_WITH_OFFSET))
        .then(text)
        .str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
        .dt.convert_time_zone(LOCAL_ZONE)
        .dt.replace_time_zone(None)
    )
    return pl.coalesce(*plain, *bare, zoned)


def _is_date(fmt: str) -> bool:
    return "%H" not in fmt


def _precision(name: str, reading: DateReading) -> pl.Expr:
    value = pl.col(f"{name}.value")
    date_only = pl.any_horizontal(
        pl.col(name).str.to_date(fmt, strict=False).is_not_null() for fmt in reading.formats if _is_date(fmt)
    )
    if reading.midnight_is_unknown_time:
        date_only = date_only | (value.dt.time() == pl.time(0, 0))
    return pl.when(value.is_null()).then(None).when(date_only).then(pl.lit("date")).otherwise(pl.lit("minute"))


def _readable(name: str, parsed: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null()).then(pl.col(parsed).is_not_null()).alias(f"{name}.readable")


def _number(name: str, *, whole: bool) -> pl.Expr:
    number = pl.col(name).cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    return pl.when(number == number.round(0)).then(number) if whole else number
