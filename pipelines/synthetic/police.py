"""The police's own records of absences that an authority recorded too, under the police's own numbers of children.

Belongs here: which absences, and how the two records differ. Does not: files in which the police's extract stands in
for the authority's (`switches`), or who says that two pseudonyms are one child (`links`).
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.deliveries import Period, periods
from pipelines.synthetic.draws import chosen
from pipelines.synthetic.pseudonyms import pseudonym
from pipelines.synthetic.records import LONDON, case
from pipelines.synthetic.settings import Settings, Span

CASE = "two_records"
SIDE_BY_SIDE = 0.7  # of pairs: the records overlap; of the others the police's begins after the authority's ended
BEGUN_WITHIN = 0.6  # of the absence: the latest start of an overlapping record
APART = (-20, 40)  # minutes from the authority's end to that of an overlapping record
TOLD_LATE = (5, 110)  # minutes from the authority's end to the police's start: the rule allows two hours
OPEN = (10, 90)  # minutes that such a record stays open
LONGEST = timedelta(days=3)


def police_records(
    rng: np.random.Generator, settings: Settings, span: Span, rows: pl.DataFrame, key: bytes
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose recorded rows that the police have a record of too.

    Args:
        rng: Source of chance.
        settings: From which boroughs the police send their own extract, for which files, and how many records.
        span: The months covered.
        rows: Recorded rows of all boroughs.
        key: The demonstration's key.

    Returns:
        All rows, those chosen marked; and the police's records of the chosen ones.
    """
    keys: list[str] = []
    for code, plan in settings.raw["police_extracts"].items():
        habit = settings.habits[code]
        calendar = periods(span, habit.cadence, habit.lag_days)
        for period in (calendar[number] for number in plan["files"] if number < len(calendar)):
            keys += chosen(rng, _able(rows, code, period)["episode_key"], plan["records"]).to_list()
    both = pl.col("episode_key").is_in(keys)
    marked = rows.with_columns(case(CASE, both))
    native = [code for code, habit in settings.habits.items() if habit.layout != "canonical"]
    return marked, _records(rng, marked.filter(both), native, key)


def _able(rows: pl.DataFrame, code: str, period: Period) -> pl.DataFrame:
    """Rows of one file whose times are known to the minute, and of which nothing is learnt later."""
    return rows.filter(
        (pl.col("delivered_by") == code)
        & (pl.col("status") == "missing")
        & (pl.col("started_local").dt.date() >= period.start)
        & (pl.col("returned_at").dt.date() < period.end - timedelta(days=2))
        & (pl.col("returned_at") - pl.col("started_at") < LONGEST)
        & pl.col("alone")
        & ~pl.col("start_day_only")
        & pl.col("truth_case").is_null()
        & ~pl.col("cases").str.contains("nightly_reports|nested_reports")
    )


def _records(rng: np.random.Generator, rows: pl.DataFrame, native: Sequence[str], key: bytes) -> pl.DataFrame:
    """The police's records: told a little later than the authority, and closed at another minute."""
    count = rows.height
    # Only the canonical layout tells when a child was found; elsewhere the record ends with the return.
    end = pl.when(pl.col("delivered_by").is_in(native)).then("returned_at").otherwise("found_at")
    lasted = rows.select((end - pl.col("started_at")).dt.total_minutes()).to_series().to_numpy()
    side = rng.random(count) < SIDE_BY_SIDE
    begun = np.where(side, lasted * BEGUN_WITHIN * rng.random(count), lasted + rng.integers(*TOLD_LATE, count))
    closed = np.where(side, lasted + rng.integers(*APART, count), begun + rng.integers(*OPEN, count))
    closed = np.maximum(closed, begun + OPEN[0])
    # Who tells the police only when the child is back gives them no other time.
    reported = np.where(side, begun + (closed - begun) * rng.random(count) / 2, begun)
    children = rows.select("delivered_by", "child").iter_rows()
    return rows.with_columns(
        *(
            (pl.col("started_at") + pl.duration(minutes=pl.lit(pl.Series(minutes.astype(np.int64))))).alias(name)
            for name, minutes in (("started_at", begun), ("reported_at", reported), ("found_at", closed))
        ),
        pl.Series(
            "delivered_child_id",
            [pseudonym(key, f"police:{code}:{child}") for code, child in children],
            dtype=pl.String,
        ),
        pl.col("police_reference").alias("episode_id"),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("prevention_interview_at"),
        pl.lit(CASE).alias("cases"),
        pl.lit("police").alias("recorded_by"),
    ).with_columns(
        pl.col("found_at").alias("returned_at"),
        pl.col("started_at").dt.convert_time_zone(LONDON).dt.replace_time_zone(None).alias("started_local"),
    )
