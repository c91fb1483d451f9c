"""How a row looks in a file: canonical, SSDA903 and return-interview columns, all as text.

Belongs here: names and formats of columns, and what of a row is already known at an extraction. Does not: case
systems' own layouts (`native`), which rows go into which file (`deliveries`), or how a file spells its cells
(`forms`). Every frame made here carries hidden columns whose names begin with "_" (episode key, cases, rule,
instants); they never reach a file.
"""

from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.contracts.yaml_text import read_yaml
from pipelines.synthetic.settings import Habit

LONDON = "Europe/London"
SOURCE = "synthetic-demonstration"
ISO = "%Y-%m-%dT%H:%M"
NATIVE = "%Y-%m-%d %H:%M:%S"
DAY = "%Y-%m-%d"
RETURN_DAY = "%d/%m/%Y"
POLICE = "%d/%m/%Y %H:%M:%S"
# From which instant of a row (a hidden column) each column can be filled.
KNOWN_FROM = {
    "_found": ("found_at", "DateFound", "FOUNDREPORTDATE2880", "LOCATED_DTTM"),
    "_returned": ("returned_at", "END_DTTM", "MIS_END", "END_DATE", "RETURNED_DTTM"),
    "_seen": ("prevention_interview_at", "PREVENTION_INTERVIEW_DTTM"),
    "_answered": (
        "RETURN_INTERVIEW_ACCEPTED", "RETURN_INTERVIEW_DTTM", "held_at", "missinglettersent",
        "missingepisodediscussed", "RETURN_INTERVIEW_DATE", "ReturnInterviewCompleted", "ReturnInterviewDate",
        "HASTHERETURNHOMEINTERVIEWBEENACCEPTED2892", "RETURNHOMEINTERVIEWDATE2894",
    ),
    "_shared": ("shared_with_police_at",),
    "_ended": ("DEC", "REC", "REASON_PLACE_CHANGE"),
}  # fmt: skip
# Columns of each flag: whether it is set, since when, and what stands there before.
FLAGS = {
    "cse": ("cse_flag", "cse_flag_date", "no"),
    "cce": ("cce_flag", "cce_flag_date", "no"),
}
POLICE_FLAGS = {
    "cse": ("CSE_MARKER", "CSE_MARKER_DATE", "N"),
    "cce": ("CCE_MARKER", "CCE_MARKER_DATE", "N"),
}

# What each layout calls the columns that planted errors change.
CANONICAL_NAMES = {
    name: name
    for name in ("episode_id", "child_id", "started_at", "reported_at", "found_at", "returned_at", "age_at_start")
}
UNSAID = ("unknown", "not_applicable")


def contract_columns(contracts: Path, dataset: str) -> tuple[str, ...]:
    """Column names of a canonical dataset, in the order of its contract."""
    path = contracts / "deliveries" / f"{dataset}.odcs.yaml"
    properties = read_yaml(path)["schema"][0]["properties"]
    return tuple(row["name"] for row in properties)


def clock(column: str | pl.Expr, form: str) -> pl.Expr:
    """UTC instants as Europe/London clock time in the given format."""
    instant = pl.col(column) if isinstance(column, str) else column
    return instant.dt.convert_time_zone(LONDON).dt.strftime(form)


def canonical(rows: pl.DataFrame, columns: tuple[str, ...], habit: Habit) -> pl.DataFrame:
    """Recorded rows in the canonical layout, without the columns that this borough leaves out."""
    started = exact_time("started_at", "start_day_only", ISO, DAY)
    rows = _undated_flags(rows, habit)
    text = rows.with_columns(
        started.alias("started_at"),
        pl.col("found_as")
        .dt.strftime(ISO)
        .fill_null(exact_time("found_at", "end_day_only", ISO, DAY))
        .alias("found_at"),
        # An end known only to the day has a return that is known no better.
        pl.when("end_day_only")
        .then(clock("returned_at", DAY))
        .otherwise(clock("returned_at", ISO))
        .alias("returned_at"),
        clock("reported_at", ISO).alias("reported_at"),
        clock("prevention_interview_at", ISO).alias("prevention_interview_at"),
        pl.col("age_at_start").cast(pl.String),
        pl.col("placement_distance_miles").cast(pl.String),
        pl.col("cse_flag_date").dt.strftime(DAY),
        pl.col("cce_flag_date").dt.strftime(DAY),
        pl.col("delivered_child_id").alias("child_id"),
        pl.lit(SOURCE).alias("source_system"),
        pl.lit(None, dtype=pl.String).alias("extracted_at"),
        *hidden(rows),
    )
    kept = [name for name in columns if name not in habit.leave_out]
    return text.select(*kept, pl.col("^_.*$"))


def authority_return(rows: pl.DataFrame) -> pl.DataFrame:
    """Looked-after children's true episodes as the MISSING module of the SSDA903 return: dates, no times."""
    day = clock("started_at", RETURN_DAY)
    rows = rows.with_columns(day.alias("day")).unique(
        ["delivered_child_id", "status", "day"], keep="last", maintain_order=True
    )
    return rows.select(
        pl.col("delivered_child_id").alias("CHILD"),
        pl.col("age_at_start").cast(pl.String).alias("AGE_AT_START"),
        pl.col("status").replace_strict({"missing": "M", "away": "A"}).alias("MISSING"),
        pl.col("day").alias("MIS_START"),
        pl.when(pl.col("status") == "missing")
        .then(clock("found_at", RETURN_DAY))
        .otherwise(clock("returned_at", RETURN_DAY))
        .alias("MIS_END"),
        pl.lit(None, dtype=pl.String).alias("EXTRACTED_AT"),
        *hidden(rows),
    )


def interview_rows(interviews: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Interviews in the canonical layout."""
    several = pl.when("covers_several").then(pl.lit("interview_of_several"))
    unsaid = pl.when(pl.col("offered").is_in(UNSAID)).then(pl.lit("interview_not_answered"))
    nothing = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    text = interviews.with_columns(
        pl.col("delivered_child_id").alias("child_id"),
        clock("offered_at", ISO).alias("offered_at"),
        clock("held_at", ISO).alias("held_at"),
        clock("shared_with_police_at", ISO).alias("shared_with_police_at"),
        pl.lit(None, dtype=pl.String).alias("extracted_at"),
        pl.col("episode_keys").alias("_episode_key"),
        pl.concat_str("cases", several, unsaid, separator=";", ignore_nulls=True)
        .str.strip_chars_start(";")
        .alias("_cases"),
        pl.lit(None, dtype=pl.String).alias("_rule"),
        pl.col("returned_at").alias("_started"),
        nothing.alias("_found"),
        nothing.alias("_returned"),
        pl.max_horizontal("held_at", "offered_at", "returned_at").alias("_answered"),
        pl.col("shared_with_police_at").alias("_shared"),
    )
    return text.select(*columns, pl.col("^_.*$"))


def as_at(text: pl.DataFrame, known: datetime) -> pl.DataFrame:
    """What is known of each row at an instant (`known`: UTC)."""
    names = set(text.columns)
    columns = [
        pl.when(pl.col(instant) <= known).then(name).alias(name)
        for instant, later in KNOWN_FROM.items()
        for name in later
        if name in names and instant in names
    ]
    for flag, (is_set, since, never) in (*FLAGS.items(), *POLICE_FLAGS.items()):
        if f"_{flag}" in names:
            by_then = pl.when(pl.col(f"_{flag}") <= known.date())
            told = {is_set: by_then.then(is_set).otherwise(pl.lit(never)), since: by_then.then(since)}
            columns += [value.alias(name) for name, value in told.items() if name in names]
    if "INSTANCESTATE" in names:
        columns += _drafts(pl.col("_completed") <= known)
    return text.with_columns(columns)


def _drafts(complete: pl.Expr) -> list[pl.Expr]:
    """A form is completed after the child is found; until then its row is there but is no episode."""
    complete = complete.fill_null(value=False)
    marked = pl.concat_str("_cases", pl.lit("form_not_complete"), separator=";").str.strip_chars_start(";")
    return [
        pl.when(complete).then("INSTANCESTATE").otherwise(pl.lit("DRAFT")).alias("INSTANCESTATE"),
        pl.when(complete).then("_cases").otherwise(marked).alias("_cases"),
    ]


def stamped(text: pl.DataFrame, extracted: datetime) -> pl.DataFrame:
    """Rows with their time of extraction in the layout's own format (`extracted`: UTC instant)."""
    instant = pl.lit(extracted)
    # The modules of the SSDA903 return know dates only, in every column.
    native = RETURN_DAY if {"MIS_START", "DECOM"} & set(text.columns) else NATIVE
    forms = {"extracted_at": ISO, **dict.fromkeys(("EXTRACTED_AT", "EXTRACTEDAT", "ExtractedAt"), native)}
    forms["EXTRACTED_DTTM"] = POLICE
    return text.with_columns(clock(instant, form).alias(name) for name, form in forms.items() if name in text.columns)


def _undated_flags(rows: pl.DataFrame, habit: Habit) -> pl.DataFrame:
    """Mark the rows whose file says that a flag is set but not since when."""
    for flag in ("cse_flag", "cce_flag"):
        if flag not in habit.leave_out and f"{flag}_date" not in habit.leave_out:
            undated = (pl.col(flag) == "yes") & pl.col(f"{flag}_date").is_null()
            mark = pl.when(undated & ~pl.col("cases").str.contains("flag_without_date")).then(
                pl.lit("flag_without_date")
            )
            joined = pl.concat_str("cases", mark, separator=";", ignore_nulls=True)
            rows = rows.with_columns(joined.str.strip_chars_start(";").alias("cases"))
    return rows


def exact_time(instant: str, day_only: str, form: str, day_form: str) -> pl.Expr:
    """Clock time of an instant, or only its day where the column `day_only` says so."""
    # A clock time of exactly midnight would be read as no time at all.
    exact = clock(instant, form).str.replace(r" 00:00:00$", " 00:01:00")
    return pl.when(pl.col(day_only)).then(clock(instant, day_form)).otherwise(exact)


def only_here() -> pl.Expr:
    """The case of a true episode that only an authority's return has; empty text for all others."""
    return pl.when("main_feed").then(pl.lit("")).otherwise(pl.lit("authority_only"))


def hidden(rows: pl.DataFrame) -> list[pl.Expr]:
    """What later steps need of a row and no file shows, taken from recorded or from true episodes."""
    names = set(rows.columns)
    cases = pl.col("cases") if "cases" in names else only_here()
    recorded = {"prevention_interview_at": "_seen", "alone": "_alone"}
    more = [pl.col(name).alias(later) for name, later in recorded.items() if name in names]
    return [
        *more,
        pl.col("delivered_child_id").str.slice(-1).str.to_integer(base=16).alias("_team"),
        pl.col("episode_key").alias("_episode_key"),
        cases.alias("_cases"),
        pl.lit(None, dtype=pl.String).alias("_rule"),
        pl.col("started_at").alias("_started"),
        pl.col("found_at").alias("_found"),
        pl.col("returned_at").fill_null(pl.col("found_at")).alias("_returned"),
        *(pl.col(f"{flag}_set_on").alias(f"_{flag}") for flag in ("cse", "cce")),
    ]
