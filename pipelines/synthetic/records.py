"""What a borough's case system holds of each true episode: gaps, coarse times, re-reports, old labels.

Belongs here: from true episodes to recorded rows, typed, before any layout; each row says which awkward cases it
shows (`cases`, names separated by `;`). Does not: text formats (`layouts`), files (`deliveries`), or rows that a
rule must refuse (`errors`).
"""

from datetime import timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.draws import chosen
from pipelines.synthetic.settings import Settings

LONDON = "Europe/London"
RISK_RELABELLED = pl.datetime(2024, 4, 1)  # the lowest grade is "very low risk" from here on (APP revision)
SAYS_UNKNOWN = 0.6  # of demographic gaps: "unknown" is written; else the cell is blank
END_ALSO = 0.5  # of starts known to the day only: so is the end
NIGHTLY_HOURS = (50, 107)  # absences of three to five nights
NIGHT_HOURS = 22  # between two reports: less than a day, also where the clock goes back
NESTED_MINUTES = (300, 2400)
ALONE = timedelta(hours=48)  # no other episode of the child within this time: coarse times cannot merge two


def record(rng: np.random.Generator, settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Turn true episodes into the rows that boroughs hold.

    Args:
        rng: Source of chance.
        settings: Borough habits and how many of each awkward case to plant.
        episodes: True, identified episodes of the main feeds.

    Returns:
        Rows in the canonical columns (instants in UTC), with `cases`, `alone`, `start_day_only`,
        `end_day_only` and `found_as` (a local clock time to write for the time found, or null).
    """
    rows = _with_gaps(rng, settings, _alone(episodes))
    rows = _from_truth(_two_pseudonyms(rows))
    rows = _nightly(rng, rows, int(settings.planted["nightly_reports"]))
    rows = _nested(rng, rows, int(settings.planted["nested_reports"]))
    return rows.sort("started_at", "delivered_by", "episode_id")


def case(name: str, when: pl.Expr) -> pl.Expr:
    """Add a case's name to `cases` where the condition holds."""
    mark = pl.when(when.fill_null(value=False)).then(pl.lit(name))
    return pl.concat_str("cases", mark, separator=";", ignore_nulls=True).str.strip_chars_start(";")


def _alone(episodes: pl.DataFrame) -> pl.DataFrame:
    rows = episodes.sort("child", "started_at")
    before = pl.col("started_at") - pl.col("returned_at").shift(1).over("child")
    after = pl.col("started_at").shift(-1).over("child") - pl.col("returned_at")
    return rows.with_columns(
        ((before.fill_null(ALONE) >= ALONE) & (after.fill_null(ALONE) >= ALONE)).alias("alone")
    ).sort("episode_key")


def _share(settings: Settings, name: str) -> pl.Expr:
    table = {code: float(habit.shares[name]) for code, habit in settings.habits.items()}
    return pl.col("delivered_by").replace_strict(table, return_dtype=pl.Float64)


def _with_gaps(rng: np.random.Generator, settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Unknown and missing values by borough habit, and the cases that they are."""
    native = [code for code, habit in settings.habits.items() if habit.layout != "canonical"]
    draws = [
        pl.Series(f"u_{name}", rng.random(episodes.height))
        for name in ("ethnicity", "sen_or_disability", "looked_after", "return_time", "date_only", "said", "ended")
    ]
    rows = episodes.with_columns(draws).with_columns(pl.lit("").alias("cases"))
    for name in ("ethnicity", "sen_or_disability"):
        gap = pl.col(f"u_{name}") < _share(settings, name)
        said = pl.when(pl.col("u_said") < SAYS_UNKNOWN).then(pl.lit("unknown"))
        rows = rows.with_columns(pl.when(gap).then(said).otherwise(name).alias(name), case("demographics_unknown", gap))
    unknown = pl.col("u_looked_after") < _share(settings, "looked_after")
    no_return = (pl.col("u_return_time") < _share(settings, "return_time")) & (
        pl.col("alone") | ~pl.col("delivered_by").is_in(native)
    )
    day_only = (
        (pl.col("u_date_only") < _share(settings, "date_only")) & pl.col("alone") & pl.col("truth_case").is_null()
    )
    rows = rows.with_columns(
        pl.when(unknown)
        .then(pl.lit("unknown"))
        .when("looked_after")
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no"))
        .alias("looked_after"),
        pl.when(~no_return).then("returned_at").alias("returned_at"),
        day_only.alias("start_day_only"),
        (day_only & (pl.col("u_ended") < END_ALSO)).alias("end_day_only"),
        case("return_time_missing", no_return),
    )
    rows = rows.with_columns(case("date_only_time", pl.col("start_day_only")))
    return rows.drop([column.name for column in draws]).pipe(_reports).pipe(_flags).pipe(_relabelled)


def _reports(rows: pl.DataFrame) -> pl.DataFrame:
    """Times and references that follow from the episode."""
    seen = pl.duration(minutes=pl.col("prevention_lag_minutes").cast(pl.Int64))
    return rows.with_columns(
        (pl.col("started_at") + pl.duration(minutes="report_lag_minutes")).alias("reported_at"),
        (pl.col("returned_at") + seen).dt.truncate("1m").alias("prevention_interview_at"),
        pl.when(pl.col("status") != "away")
        .then(pl.format("SYN/{}", pl.col("episode_key").str.slice(1)))
        .alias("police_reference"),
    ).with_columns(
        # A report that carries no time of day cannot be set beside a start that carries none.
        pl.when(~pl.col("start_day_only")).then("reported_at").alias("reported_at")
    )


def _flags(rows: pl.DataFrame) -> pl.DataFrame:
    """Exploitation flags; some were set without a date."""
    columns = []
    for name in ("cse", "cce"):
        flagged = pl.when(pl.col(f"{name}_flag")).then(pl.lit("yes")).otherwise(pl.lit("no"))
        columns += [
            flagged.alias(f"{name}_flag"),
            pl.when(pl.col(f"{name}_dated")).then(f"{name}_set_on").alias(f"{name}_flag_date"),
        ]
    return rows.with_columns(columns)


def _relabelled(rows: pl.DataFrame) -> pl.DataFrame:
    """The lowest risk grade in the words of its time."""
    label = (
        pl.when(pl.col("started_local") < RISK_RELABELLED)
        .then(pl.lit("no_apparent_risk"))
        .otherwise(pl.lit("very_low"))
    )
    grades = ["risk_initial", "risk_highest"]
    very_low = (pl.col("risk_initial") == "lowest") & (pl.col("started_local") >= RISK_RELABELLED)
    return rows.with_columns(
        case("status_labels_changed", very_low | (pl.col("status") == "absent")),
        *(pl.when(pl.col(name) == "lowest").then(label).otherwise(name).alias(name) for name in grades),
    )


def _two_pseudonyms(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark the first row of each pseudonym of children who are known by more than one."""
    several = pl.col("delivered_child_id").n_unique().over("child") > 1
    first = pl.col("episode_key") == pl.col("episode_key").first().over("child", "delivered_child_id")
    return rows.with_columns(case("two_pseudonyms", several & first))


def _from_truth(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark the cases that were arranged in the truth, and those that follow from who is responsible."""
    of_another = pl.col("looked_after").eq("yes") & (pl.col("responsible_authority") != pl.col("delivered_by"))
    arranged = pl.concat_str("cases", "truth_case", separator=";", ignore_nulls=True).str.strip_chars_start(";")
    return (
        rows.with_columns(arranged.alias("cases"))
        .with_columns(case("other_authority_child", of_another))
        .with_columns(case("police_only", pl.col("return_due") & ~pl.col("in_return")))
    )


def _nightly(rng: np.random.Generator, rows: pl.DataFrame, count: int) -> pl.DataFrame:
    """Record some long absences once for each night: no end but the last, starts less than a day apart."""
    hours = (pl.col("found_at") - pl.col("started_at")).dt.total_minutes() / 60
    able = pl.col("alone") & hours.is_between(*NIGHTLY_HOURS) & ~_plain_times() & (pl.col("status") == "missing")
    keys = chosen(rng, rows.filter(able)["episode_key"], count).to_list()
    long = rows.filter(pl.col("episode_key").is_in(keys))
    night = pl.col("night")
    step = pl.duration(minutes=NIGHT_HOURS * 60)
    parts = (
        long.with_columns(pl.int_ranges(0, (hours / NIGHT_HOURS).floor().cast(pl.Int64) + 1).alias("night"))
        .explode("night")
        .with_columns((night == night.max().over("episode_key")).alias("last"))
        .with_columns(
            (pl.col("started_at") + night * step).alias("started_at"),
            (pl.col("reported_at") + night * step).alias("reported_at"),
            pl.when("last").then("found_at").alias("found_at"),
            pl.when("last").then("returned_at").alias("returned_at"),
            pl.when("last").then("prevention_interview_at").alias("prevention_interview_at"),
            _numbered_id(night),
            case("nightly_reports", pl.lit(value=True)),
        )
        .with_columns(
            pl.min_horizontal("reported_at", pl.col("found_at").fill_null(pl.col("reported_at"))).alias("reported_at"),
            pl.col("started_at").dt.convert_time_zone(LONDON).dt.replace_time_zone(None).alias("started_local"),
        )
        .drop("night", "last")
    )
    return pl.concat([rows.filter(~pl.col("episode_key").is_in(keys)), parts])


def _nested(rng: np.random.Generator, rows: pl.DataFrame, count: int) -> pl.DataFrame:
    """Add a second record inside some absences."""
    length = (pl.col("found_at") - pl.col("started_at")).dt.total_minutes()
    able = pl.col("alone") & length.is_between(*NESTED_MINUTES) & ~_plain_times() & (pl.col("status") == "missing")
    able = able & ~pl.col("cases").str.contains("nightly_reports") & pl.col("returned_at").is_not_null()
    keys = chosen(rng, rows.filter(able)["episode_key"], count).to_list()
    started = pl.col("started_at") + pl.duration(minutes=(length * 0.25).cast(pl.Int64))
    found = pl.col("started_at") + pl.duration(minutes=(length * 0.7).cast(pl.Int64))
    inner = rows.filter(pl.col("episode_key").is_in(keys)).with_columns(
        started.alias("started_at"),
        started.alias("reported_at"),
        found.alias("found_at"),
        found.alias("returned_at"),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("prevention_interview_at"),
        started.dt.convert_time_zone(LONDON).dt.replace_time_zone(None).alias("started_local"),
        _numbered_id(pl.lit(1)),
        case("nested_reports", pl.lit(value=True)),
    )
    outer = rows.with_columns(case("nested_reports", pl.col("episode_key").is_in(keys)))
    return pl.concat([outer, inner])


def _plain_times() -> pl.Expr:
    """Rows whose times are written in another way than the instants say, or were arranged to be what they are."""
    return pl.col("start_day_only") | pl.col("truth_case").is_not_null()


def _numbered_id(number: pl.Expr) -> pl.Expr:
    """The episode's identifier for its further records: native ones are numbers, the others get a suffix."""
    native = pl.col("episode_id").str.contains(r"^\d+$")
    further = (
        pl.when(native)
        .then(pl.col("episode_id").str.to_integer(strict=False).add(number).cast(pl.String))
        .otherwise(pl.format("{}/{}", "episode_id", number + 1))
    )
    return pl.when(number > 0).then(further).otherwise("episode_id").alias("episode_id")
