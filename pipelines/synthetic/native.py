"""How a row looks in case systems' own layouts: Liquidlogic, Mosaic (two), Eclipse and a police extract, all as text.

Belongs here: names, words and formats of native columns, and which rows a layout can carry (`_able`). Does not: the
canonical layout and what is known when (`layouts`), or which rows go into which file (`deliveries`). The rows are
those a borough would have in any of its systems, in the same order, so that one can take over from another.
"""

from collections.abc import Callable, Mapping

import polars as pl

from pipelines.synthetic.layouts import DAY, NATIVE, POLICE, RETURN_DAY, UNSAID, clock, exact_time, hidden
from pipelines.synthetic.settings import Area, Habit

FORM_DAY = "%d-%b-%y"
FORM_IN, FORM_DAYS = 6, 60  # one form in so many is completed so many days after the child is found
# What Liquidlogic calls the columns that planted errors change.
LIQUIDLOGIC_NAMES = {
    "episode_id": "FACT_MISSING_PERSON_ID",
    "child_id": "DIM_PERSON_ID",
    "started_at": "START_DTTM",
    "returned_at": "END_DTTM",
    "age_at_start": "AGE_AT_START",
}
STATUS = {"missing": "Missing", "away": "Away from placement", "absent": "Absent"}
YES_NO = {"yes": "Yes", "no": "No", "unknown": None}
Y_N = {"yes": "Y", "no": "N", "unknown": None}
SETTING = {
    "home": "Home",
    "foster_care": "Foster",
    "childrens_home": "Children's home",
    "supported_accommodation": "Supported",
}
POLICE_SETTING = {**SETTING, "foster_care": "Foster care", "supported_accommodation": "Supported accommodation"}
POLICE_ETHNICITY = {
    "white": "W1", "mixed": "M1", "asian": "A1", "black": "B1", "other": "O9", "refused": "N3", "not_obtained": "NS",
    "unknown": "Unknown",
}  # fmt: skip
# Awkward cases that a layout has no column to show.
NOT_SHOWN = {
    "mosaic_workflow": ("status_labels_changed", "flag_without_date"),
    "mosaic_report": ("status_labels_changed", "flag_without_date", "return_time_missing"),
    "eclipse": (
        "status_labels_changed", "flag_without_date", "return_time_missing", "date_only_time", "clock_repeated",
    ),
    "police_incident": ("interview_not_answered",),
}  # fmt: skip


def liquidlogic(rows: pl.DataFrame, interviews: pl.DataFrame, habit: Habit) -> pl.DataFrame:
    """Recorded rows as a pseudonymised Liquidlogic extract; the row carries its interview's answers."""
    rows = _with_answers(rows, interviews)
    short = pl.when(pl.col("episode_id").str.ends_with("0"))  # two habits of writing the same answer
    offered = (
        pl.when(pl.col("offered") == "no").then(short.then(pl.lit("N")).otherwise(pl.lit("No"))).otherwise(_offered())
    )
    text = rows.select(
        pl.col("episode_id").alias("FACT_MISSING_PERSON_ID"),
        pl.col("delivered_child_id").alias("DIM_PERSON_ID"),
        _started().alias("START_DTTM"),
        pl.col("status").replace(STATUS).alias("MISSING_STATUS"),
        _ended("returned_at").alias("END_DTTM"),
        pl.col("age_at_start").cast(pl.String).alias("AGE_AT_START"),
        _sex().alias("GENDER"),
        _sentence("ethnicity").alias("ETHNICITY"),
        pl.col("sen_or_disability").replace(YES_NO).alias("DISABILITY"),
        pl.col("looked_after").replace(YES_NO).alias("LOOKED_AFTER"),
        pl.col("responsible_authority").alias("RESPONSIBLE_LA_CODE"),
        pl.col("area_missing_from").alias("MISSING_FROM_LA_CODE"),
        pl.col("missing_from_setting").replace_strict(SETTING, default="Other").alias("PLACEMENT_TYPE"),
        offered.alias("RETURN_INTERVIEW_OFFERED"),
        _accepted().alias("RETURN_INTERVIEW_ACCEPTED"),
        clock("held_at", NATIVE).alias("RETURN_INTERVIEW_DTTM"),
        _not_yet("EXTRACTED_AT"),
        *hidden(rows),
        _answered(),
    )
    return text.drop(habit.leave_out)


def mosaic_workflow(rows: pl.DataFrame, interviews: pl.DataFrame) -> pl.DataFrame:
    """Recorded rows as workflow steps with form answers: a letter's date stands for the offer of an interview."""
    rows = _with_answers(rows, interviews)
    return rows.select(
        pl.col("episode_id").alias("WORKFLOW_STEP_ID"),
        pl.col("delivered_child_id").alias("PERSON_ID"),
        _started().alias("START_DATE"),
        _ended("returned_at").alias("END_DATE"),
        pl.when(pl.col("status") == "missing")
        .then(
            pl.col("looked_after").replace_strict(
                {"yes": "Missing from care", "no": "Missing from home"}, default="Missing"
            )
        )
        .otherwise(pl.col("status").replace(STATUS))
        .alias("MISSING_CATEGORY"),
        clock("offered_at", DAY).alias("missinglettersent"),
        # The form asks one question; whoever was not asked has the same answer as whoever said no.
        pl.when(pl.col("accepted") == "yes")
        .then(pl.lit("Yes"))
        .when(pl.col("status") == "missing")
        .then(pl.lit("No"))
        .alias("missingepisodediscussed"),
        clock("held_at", NATIVE).alias("RETURN_INTERVIEW_DATE"),
        pl.col("age_at_start").cast(pl.String).alias("AGE_AT_START"),
        _sex().alias("GENDER"),
        _sentence("ethnicity").alias("ETHNICITY"),
        pl.col("sen_or_disability").replace(YES_NO).alias("DISABILITY"),
        pl.col("looked_after").replace(YES_NO).alias("LOOKED_AFTER"),
        pl.col("responsible_authority").alias("RESPONSIBLE_LA"),
        pl.col("area_missing_from").alias("MISSING_FROM_LA"),
        _not_yet("EXTRACTED_AT"),
        *hidden(rows),
        _answered(),
        pl.lit(value=True).alias("_able"),
    ).pipe(_only_shown, "mosaic_workflow")


def mosaic_report(rows: pl.DataFrame, interviews: pl.DataFrame) -> pl.DataFrame:
    """Recorded rows as a council's report layer: no type of absence, and "completed" in place of "accepted"."""
    rows = _with_answers(rows, interviews)
    held, offered = pl.col("held_at").is_not_null(), pl.col("offered") == "yes"
    return rows.select(
        pl.col("episode_id").alias("MFHID"),
        pl.col("delivered_child_id").alias("PersonID"),
        _started().alias("MFHStart"),
        _ended("found_at").alias("DateFound"),
        _offered().alias("ReturnInterviewOffered"),
        pl.when(held)
        .then(pl.lit("Yes"))
        .when(offered)
        .then(pl.lit("No"))
        .when(pl.col("offered") == "not_applicable")
        .then(pl.lit("NA"))
        .alias("ReturnInterviewCompleted"),
        clock("held_at", NATIVE).alias("ReturnInterviewDate"),
        pl.col("age_at_start").cast(pl.String).alias("AgeAtStart"),
        _sex().alias("Gender"),
        _sentence("ethnicity").alias("Ethnicity"),
        pl.col("looked_after").replace(YES_NO).alias("LookedAfter"),
        pl.col("responsible_authority").alias("ResponsibleLA"),
        pl.col("area_missing_from").alias("MissingFromLA"),
        _not_yet("ExtractedAt"),
        *hidden(rows),
        _answered(),
        (pl.col("status") == "missing").alias("_able"),
    ).pipe(_only_shown, "mosaic_report", ethnicity="Ethnicity")


def eclipse(rows: pl.DataFrame, interviews: pl.DataFrame) -> pl.DataFrame:
    """Recorded rows as answers of a form: dates without times, and complete only once the child is found."""
    rows = _with_answers(rows, interviews)
    # Dates tell two absences of a child apart only where they are days apart.
    apart = pl.col("alone") & ~pl.col("cases").str.contains(r"nightly_reports|nested_reports")
    late = (
        pl.when(pl.int_range(pl.len()) % FORM_IN == 0).then(pl.duration(days=FORM_DAYS)).otherwise(pl.duration(days=0))
    )
    rows = rows.with_columns((pl.col("found_at") + late).alias("form_completed_at"))
    return rows.select(
        pl.col("episode_id").alias("INSTANCEID"),
        pl.col("delivered_child_id").alias("SUBJECTID"),
        pl.lit("COMPLETE").alias("INSTANCESTATE"),
        clock("started_at", FORM_DAY).alias("DATECHILDLASTSEEN2871"),
        pl.col("status").replace(STATUS).alias("ABSENCETYPE2873"),
        clock("found_at", FORM_DAY).alias("FOUNDREPORTDATE2880"),
        _offered().alias("HASARETURNHOMEINTERVIEWBEENOFFERED2891"),
        _accepted().alias("HASTHERETURNHOMEINTERVIEWBEENACCEPTED2892"),
        clock("held_at", FORM_DAY).alias("RETURNHOMEINTERVIEWDATE2894"),
        pl.col("age_at_start").cast(pl.String).alias("AGEATSTART"),
        _sex().alias("GENDER"),
        _sentence("ethnicity").alias("ETHNICITY"),
        pl.col("looked_after").replace(YES_NO).alias("LOOKEDAFTER"),
        pl.col("responsible_authority").alias("RESPONSIBLELA"),
        pl.col("area_missing_from").alias("MISSINGFROMLA"),
        _not_yet("EXTRACTEDAT"),
        *hidden(rows),
        _answered(),
        pl.col("form_completed_at").alias("_completed"),
        apart.alias("_able"),
    ).pipe(_only_shown, "eclipse", ethnicity="ETHNICITY")


def police_incident(rows: pl.DataFrame, areas: tuple[Area, ...]) -> pl.DataFrame:
    """Recorded rows as a police force's incidents: missing children only, areas by name, no interviews."""
    names = {area.code: area.name for area in areas}
    lowest = pl.col("risk_initial") == "no_apparent_risk"
    started = exact_time("started_at", "start_day_only", POLICE, RETURN_DAY)
    no_other_time = (pl.col("reported_at") == pl.col("started_at")).fill_null(value=False)
    return rows.select(
        pl.col("episode_id").alias("INCIDENT_REF"),
        pl.col("delivered_child_id").alias("NOMINAL_ID"),
        # Whoever reports a child as gone just now leaves only one time.
        pl.when(~no_other_time).then(started).alias("LAST_SEEN_DTTM"),
        clock("reported_at", POLICE).alias("REPORTED_DTTM"),
        pl.when(lowest).then(pl.lit("No apparent risk")).otherwise(pl.lit("Missing")).alias("CLASSIFICATION"),
        exact_time("found_at", "end_day_only", POLICE, RETURN_DAY).alias("LOCATED_DTTM"),
        exact_time("returned_at", "end_day_only", POLICE, RETURN_DAY).alias("RETURNED_DTTM"),
        _sentence("risk_initial").alias("RISK_INITIAL"),
        _sentence("risk_highest").alias("RISK_HIGHEST"),
        pl.col("area_missing_from").replace(names).alias("MISSING_FROM_LA"),
        pl.col("responsible_authority").replace(names).alias("HOME_LA"),
        pl.col("missing_from_setting").replace_strict(POLICE_SETTING, default="Other").alias("LOCATION_TYPE"),
        _sentence("reported_by").alias("REPORTED_BY"),
        _sentence("found_by").alias("FOUND_BY"),
        clock("prevention_interview_at", POLICE).alias("PREVENTION_INTERVIEW_DTTM"),
        pl.col("age_at_start").cast(pl.String).alias("AGE"),
        _sex().alias("SEX"),
        pl.col("ethnicity").replace(POLICE_ETHNICITY).alias("ETHNICITY"),
        pl.col("sen_or_disability").replace(YES_NO).alias("DISABILITY"),
        pl.col("looked_after").replace(Y_N).alias("LOOKED_AFTER"),
        pl.col("cse_flag").replace(Y_N).alias("CSE_MARKER"),
        pl.col("cce_flag").replace(Y_N).alias("CCE_MARKER"),
        pl.col("cse_flag_date").dt.strftime(RETURN_DAY).alias("CSE_MARKER_DATE"),
        pl.col("cce_flag_date").dt.strftime(RETURN_DAY).alias("CCE_MARKER_DATE"),
        pl.col("harm").replace(Y_N).alias("HARM"),
        _not_yet("EXTRACTED_DTTM"),
        *hidden(rows),
        (pl.col("status") == "missing").alias("_able"),
        lowest.alias("_lowest"),
        pl.any_horizontal(
            (pl.col(f"{flag}_flag") == "yes") & pl.col(f"{flag}_flag_date").is_null() for flag in ("cse", "cce")
        ).alias("_undated"),
    ).pipe(_police_cases)


def _police_cases(text: pl.DataFrame) -> pl.DataFrame:
    marks = {"_lowest": "status_labels_changed", "_undated": "flag_without_date"}
    for when, name in marks.items():
        new = pl.col(when) & ~pl.col("_cases").str.contains(name)
        joined = pl.concat_str("_cases", pl.when(new).then(pl.lit(name)), separator=";", ignore_nulls=True)
        text = text.with_columns(joined.str.strip_chars_start(";").alias("_cases"))
    return _only_shown(text.drop(marks), "police_incident")


def _only_shown(text: pl.DataFrame, layout: str, *, ethnicity: str | None = None) -> pl.DataFrame:
    """Take out the cases that the layout cannot show; `ethnicity` names the only gap in what is known of a child."""
    names = "|".join(NOT_SHOWN[layout])
    shown = pl.col("_cases").str.replace_all(rf"\b(?:{names})\b;?", "")
    if ethnicity:
        said = pl.col(ethnicity).fill_null("Unknown") != "Unknown"
        shown = pl.when(said).then(shown.str.replace(r"\bdemographics_unknown\b;?", "")).otherwise(shown)
    return text.with_columns(shown.str.strip_chars_end(";").alias("_cases"))


def _with_answers(rows: pl.DataFrame, interviews: pl.DataFrame) -> pl.DataFrame:
    answers = interviews.select(
        pl.col("episode_ids").alias("episode_id"), "offered", "accepted", "held_at", "offered_at"
    )
    unsaid = pl.when(pl.col("offered").is_in(UNSAID)).then(pl.lit("interview_not_answered"))
    return rows.join(answers, on="episode_id", how="left", maintain_order="left").with_columns(
        pl.concat_str("cases", unsaid, separator=";", ignore_nulls=True).str.strip_chars_start(";").alias("cases")
    )


def _answered() -> pl.Expr:
    return pl.max_horizontal("held_at", "offered_at").alias("_answered")


def _offered() -> pl.Expr:
    return pl.col("offered").replace_strict({"yes": "Yes", "no": "No", "not_applicable": "NA"}, default=None)


def _accepted() -> pl.Expr:
    return pl.col("accepted").replace_strict({"yes": "Yes", "no": "No"}, default=None)


def _started() -> pl.Expr:
    return exact_time("started_at", "start_day_only", NATIVE, f"{DAY} 00:00:00")


def _ended(name: str) -> pl.Expr:
    return exact_time(name, "end_day_only", NATIVE, f"{DAY} 00:00:00")


def _sex() -> pl.Expr:
    return pl.col("sex").str.head(1).str.to_uppercase()


def _sentence(name: str) -> pl.Expr:
    """A code as words, the first with a capital."""
    words = pl.col(name).str.replace_all("_", " ", literal=True)
    return words.str.head(1).str.to_uppercase() + words.str.slice(1)


def _not_yet(name: str) -> pl.Expr:
    """A column that is filled when the file is written."""
    return pl.lit(None, dtype=pl.String).alias(name)


Layout = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
# Layouts that carry interviews, by name; each takes recorded rows and interviews.
WITH_INTERVIEWS: Mapping[str, Layout] = {
    "mosaic_workflow": mosaic_workflow,
    "mosaic_report": mosaic_report,
    "eclipse": eclipse,
}
