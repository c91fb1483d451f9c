"""How a row looks in a file: canonical, Liquidlogic, SSDA903 and return-interview columns, all as text.

Belongs here: names and formats of columns, and what of a row is already known at an extraction. Does not: which
rows go into which file (`deliveries`). Every frame made here carries hidden columns whose names begin with "_"
(episode key, cases, rule, instants); they never reach a file.
"""

from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.synthetic.settings import Habit, read_yaml

LONDON = "Europe/London"
SOURCE = "synthetic-demonstration"
ISO = "%Y-%m-%dT%H:%M"
NATIVE = "%Y-%m-%d %H:%M:%S"
DAY = "%Y-%m-%d"
RETURN_DAY = "%d/%m/%Y"

# What each layout calls the columns that planted errors change.
CANONICAL_NAMES = {
    name: name
    for name in ("episode_id", "child_id", "started_at", "reported_at", "found_at", "returned_at", "age_at_start")
}
LIQUIDLOGIC_NAMES = {
    "episode_id": "FACT_MISSING_PERSON_ID",
    "child_id": "DIM_PERSON_ID",
    "started_at": "START_DTTM",
    "returned_at": "END_DTTM",
    "age_at_start": "AGE_AT_START",
}
LIQUIDLOGIC_STATUS = {"missing": "Missing", "away": "Away from placement", "absent": "Absent"}
LIQUIDLOGIC_SETTING = {
    "home": "Home",
    "foster_care": "Foster",
    "childrens_home": "Children's home",
    "supported_accommodation": "Supported",
}
UNSAID = ("unknown", "not_applicable")
LIQUIDLOGIC_ETHNICITY = {"not_obtained": "Not obtained"}


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
    started = _time("started_at", "start_day_only", ISO, DAY)
    rows = _undated_flags(rows, habit)
    text = rows.with_columns(
        started.alias("started_at"),
        pl.col("found_as").dt.strftime(ISO).fill_null(_time("found_at", "end_day_only", ISO, DAY)).alias("found_at"),
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
        *_hidden(rows),
    )
    kept = [name for name in columns if name not in habit.leave_out]
    return text.select(*kept, pl.col("^_.*$"))


def liquidlogic(rows: pl.DataFrame, interviews: pl.DataFrame, habit: Habit) -> pl.DataFrame:
    """Recorded rows as a pseudonymised Liquidlogic extract; the row carries its interview's answers."""
    answers = interviews.select(
        pl.col("episode_ids").alias("episode_id"), "offered", "accepted", "held_at", "offered_at"
    )
    unsaid = pl.when(pl.col("offered").is_in(UNSAID)).then(pl.lit("interview_not_answered"))
    rows = rows.join(answers, on="episode_id", how="left", maintain_order="left").with_columns(
        pl.concat_str("cases", unsaid, separator=";", ignore_nulls=True).str.strip_chars_start(";").alias("cases")
    )
    short = pl.when(pl.col("episode_id").str.ends_with("0"))  # two habits of writing the same answer
    offered = (
        pl.when(pl.col("offered") == "yes")
        .then(pl.lit("Yes"))
        .when(pl.col("offered") == "no")
        .then(short.then(pl.lit("N")).otherwise(pl.lit("No")))
        .when(pl.col("offered") == "not_applicable")
        .then(pl.lit("NA"))
    )
    accepted = (
        pl.when(pl.col("accepted") == "yes").then(pl.lit("Yes")).when(pl.col("accepted") == "no").then(pl.lit("No"))
    )
    started = _time("started_at", "start_day_only", NATIVE, f"{DAY} 00:00:00")
    ended = _time("returned_at", "end_day_only", NATIVE, f"{DAY} 00:00:00")
    title = pl.col("ethnicity").str.head(1).str.to_uppercase() + pl.col("ethnicity").str.slice(1)
    text = rows.select(
        pl.col("episode_id").alias("FACT_MISSING_PERSON_ID"),
        pl.col("delivered_child_id").alias("DIM_PERSON_ID"),
        started.alias("START_DTTM"),
        pl.col("status").replace(LIQUIDLOGIC_STATUS).alias("MISSING_STATUS"),
        ended.alias("END_DTTM"),
        pl.col("age_at_start").cast(pl.String).alias("AGE_AT_START"),
        pl.col("sex").str.head(1).str.to_uppercase().alias("GENDER"),
        pl.col("ethnicity").replace_strict(LIQUIDLOGIC_ETHNICITY, default=title).alias("ETHNICITY"),
        pl.col("sen_or_disability").replace({"yes": "Yes", "no": "No", "unknown": None}).alias("DISABILITY"),
        pl.col("looked_after").replace({"yes": "Yes", "no": "No", "unknown": None}).alias("LOOKED_AFTER"),
        pl.col("responsible_authority").alias("RESPONSIBLE_LA_CODE"),
        pl.col("area_missing_from").alias("MISSING_FROM_LA_CODE"),
        pl.col("missing_from_setting").replace_strict(LIQUIDLOGIC_SETTING, default="Other").alias("PLACEMENT_TYPE"),
        offered.alias("RETURN_INTERVIEW_OFFERED"),
        accepted.alias("RETURN_INTERVIEW_ACCEPTED"),
        clock("held_at", NATIVE).alias("RETURN_INTERVIEW_DTTM"),
        pl.lit(None, dtype=pl.String).alias("EXTRACTED_AT"),
        *_hidden(rows),
        pl.max_horizontal("held_at", "offered_at").alias("_answered"),
    )
    return text.drop(habit.leave_out)


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
        *_hidden(rows),
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


def as_at(text: pl.DataFrame, extracted: datetime) -> pl.DataFrame:
    """What is known of each row when it is extracted (`extracted`: UTC instant)."""
    columns: list[pl.Expr] = []
    names = set(text.columns)
    hide = {
        "_found": ("found_at",),
        "_returned": ("returned_at", "END_DTTM", "MIS_END"),
        "_seen": ("prevention_interview_at",),
        "_answered": ("RETURN_INTERVIEW_ACCEPTED", "RETURN_INTERVIEW_DTTM", "held_at"),
        "_shared": ("shared_with_police_at",),
    }
    for instant, later in hide.items():
        columns += [
            pl.when(pl.col(instant) <= extracted).then(name).alias(name)
            for name in later
            if name in names and instant in names
        ]
    for flag in ("cse", "cce"):
        is_set = pl.col(f"_{flag}") <= extracted.date() if f"_{flag}" in names else None
        if is_set is not None and f"{flag}_flag" in names:
            columns.append(pl.when(is_set).then(f"{flag}_flag").otherwise(pl.lit("no")).alias(f"{flag}_flag"))
        if is_set is not None and f"{flag}_flag_date" in names:
            columns.append(pl.when(is_set).then(f"{flag}_flag_date").alias(f"{flag}_flag_date"))
    return text.with_columns(columns)


def stamped(text: pl.DataFrame, extracted: datetime) -> pl.DataFrame:
    """Rows with their time of extraction in the layout's own format (`extracted`: UTC instant)."""
    instant = pl.lit(extracted)
    # The SSDA903 module knows dates only, in every column.
    native = RETURN_DAY if "MIS_START" in text.columns else NATIVE
    forms = {"extracted_at": ISO, "EXTRACTED_AT": native}
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


def _time(instant: str, day_only: str, form: str, day_form: str) -> pl.Expr:
    """Clock time of an instant, or only its day."""
    # A clock time of exactly midnight would be read as no time at all.
    exact = clock(instant, form).str.replace(r" 00:00:00$", " 00:01:00")
    return pl.when(pl.col(day_only)).then(clock(instant, day_form)).otherwise(exact)


def _hidden(rows: pl.DataFrame) -> list[pl.Expr]:
    names = set(rows.columns)
    only_here = pl.when("main_feed").then(pl.lit("")).otherwise(pl.lit("authority_only"))
    cases = pl.col("cases") if "cases" in names else only_here
    seen = [pl.col("prevention_interview_at").alias("_seen")] if "prevention_interview_at" in names else []
    return [
        *seen,
        pl.col("episode_key").alias("_episode_key"),
        cases.alias("_cases"),
        pl.lit(None, dtype=pl.String).alias("_rule"),
        pl.col("started_at").alias("_started"),
        pl.col("found_at").alias("_found"),
        pl.col("returned_at").fill_null(pl.col("found_at")).alias("_returned"),
        *(pl.col(f"{flag}_set_on").alias(f"_{flag}") for flag in ("cse", "cce")),
    ]
