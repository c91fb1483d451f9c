"""The truth folder: what really happened in the demonstration, and where each awkward row stands.

Belongs here: tables for tests and people who check the pipeline against what is known. Does not: anything the
pipeline may read; the folder lies outside landing.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.synthetic import borders, clusters, company, police
from pipelines.synthetic.deliveries import Delivery
from pipelines.synthetic.placements import BREACHES
from pipelines.synthetic.settings import Settings

# Awkward cases by name, with their number in the domain notes' data-quality catalogue (0: an extra of ours).
CASES = {
    "nightly_reports": 1,
    "nested_reports": 2,
    "end_before_start": 3,
    "start_far_future": 3,
    "date_only_time": 4,
    "clock_repeated": 5,
    "clock_skipped": 5,
    "two_pseudonyms": 6,
    "police_only": 8,
    "authority_only": 8,
    "other_authority_child": 9,
    "return_time_missing": 10,
    "interview_before_found": 11,
    "interview_after_next": 11,
    "interview_of_several": 11,
    "interview_of_unknown": 11,
    "interview_not_answered": 12,
    "status_labels_changed": 13,
    "demographics_unknown": 15,
    "age_eighteen": 16,
    "late_arrival": 18,
    "revision": 18,
    "flag_without_date": 19,
    "absent_month": 20,
    "interview_of_lost_episode": 20,
    "duplicate_delivery": 21,
    "duplicate_rows": 21,
    police.CASE: 6,
    "police_extract": 6,
    borders.LINKED: 6,
    **dict.fromkeys((borders.ACROSS, company.CASE, clusters.CASE), 0),
    "child_id_malformed": 0,
    "episode_id_twice": 0,
    "unreadable_date": 0,
    "shared_pseudonym": 7,
    "police_district": 14,
    "placement_moved": 17,
    "corrected_later": 18,
    "correction": 18,
    "correction_file": 18,
    "closed_year_sent_again": 18,
    "cumulative_file": 18,
    "renamed_column": 22,
    "unknown_column": 0,
    "system_changed": 0,
    "form_not_complete": 0,
    **dict.fromkeys(BREACHES, 0),
    **dict.fromkeys(
        (
            "semicolons", "tabs", "separator_line", "utf_16", "windows_1252", "dates_day_first", "dates_month_name",
            "times_as_cells", "times_as_serials", "title_rows", "notes_sheet", "merged_header", "first_column_empty",
        ),
        0,
    ),
}  # fmt: skip
# Cases that a rule reports while the row counts, and the one that a layout's own rule keeps out until a later extract.
REPORTED = {
    **BREACHES,
    "shared_pseudonym": "missing_episode.two_ages",
    "interview_before_found": "return_interview.held_before_return",
    "interview_of_unknown": "return_interview.unknown_episode",
    "interview_of_lost_episode": "return_interview.unknown_episode",
}
NO_EPISODE_YET = {"form_not_complete": "eclipse.form_not_complete"}
EPISODE_COLUMNS = (
    "episode_key", "child", "child_id", "delivered_by", "delivered_child_id", "pseudonym_scope", "episode_id",
    "status", "started_at", "found_at", "returned_at", "age_at_start", "sex", "ethnicity", "looked_after",
    "responsible_authority", "area_missing_from", "missing_from_setting", "setting_id", "cse_set_on", "cce_set_on",
    "main_feed", "in_return", "delivered", "shared_pseudonym",
)  # fmt: skip


def planted_rows(files: Sequence[Delivery], never_came: Sequence[Delivery]) -> pl.DataFrame:
    """Every awkward row with its place: one row for each case that a row of a file shows.

    Args:
        files: All deliveries as written.
        never_came: Deliveries that were due and not sent.

    Returns:
        Columns case, catalogue, borough, file, row_number (as a spreadsheet shows it; null for a whole file), rule_id
        (null where no rule is expected to say anything), effect (what becomes of the row by that rule: quarantined or
        reported) and episode_key.
    """
    lost = [key for file in never_came for key in file.frame["_episode_key"]]
    frames = [
        _naming(file, lost)
        .with_row_index("row_number", offset=file.form.first_row)
        .filter(pl.col("_cases") != "")
        .select(
            pl.col("_cases").str.split(";").alias("case"),
            pl.lit(file.area.slug).alias("borough"),
            pl.lit(file.name).alias("file"),
            pl.col("row_number").cast(pl.Int64),
            pl.col("_rule").alias("rule_id"),
            pl.col("_episode_key").alias("episode_key"),
        )
        .explode("case")
        for file in files
        if file.copy_of is None
    ]
    whole = [
        {"case": name, "borough": file.area.slug, "file": file.name}
        for file in files
        for name in (*file.cases, *(["cumulative_file"] if file.cumulative else []))
    ]
    whole += [{"case": "absent_month", "borough": file.area.slug, "file": file.name} for file in never_came]
    frames.append(pl.DataFrame(whole, schema_overrides={"case": pl.String}))
    table = pl.concat(frames, how="diagonal")
    case = pl.col("case")
    return table.select(
        case,
        case.replace_strict(CASES, return_dtype=pl.Int64).alias("catalogue"),
        "borough",
        "file",
        "row_number",
        pl.coalesce(case.replace_strict({**REPORTED, **NO_EPISODE_YET}, default=None), "rule_id").alias("rule_id"),
        pl.when(case.is_in(list(REPORTED)))
        .then(pl.lit("reported"))
        .when(case.is_in(list(NO_EPISODE_YET)) | pl.col("rule_id").is_not_null())
        .then(pl.lit("quarantined"))
        .alias("effect"),
        "episode_key",
    )


def _naming(file: Delivery, lost: Sequence[str]) -> pl.DataFrame:
    """The rows of a file, with interviews marked that name an episode which no file has."""
    if file.layout != "return_interview":
        return file.frame
    named = pl.col("_episode_key").str.split(";").list.set_intersection(pl.lit(lost, dtype=pl.List(pl.String)))
    is_lost = named.list.len() > 0
    mark = pl.when(is_lost).then(pl.lit("interview_of_lost_episode"))
    # Nobody can tell that an interview came before a return which no file has.
    known = pl.when(is_lost).then(pl.col("_cases").str.replace("interview_before_found;?", "")).otherwise("_cases")
    marked = pl.concat_str(known.replace("", None), mark, separator=";", ignore_nulls=True)
    return file.frame.with_columns(marked.fill_null("").alias("_cases"))


def write_truth(
    folder: Path,
    about: dict[str, Any],
    settings: Settings,
    *,
    episodes: pl.DataFrame,
    interviews: pl.DataFrame,
    planted: pl.DataFrame,
    expected: pl.DataFrame,
    files: Sequence[Delivery],
    lost: Sequence[str],
) -> dict[str, int]:
    """Write the truth folder.

    Args:
        folder: Where to write `truth.json`, `demonstration.json`, `episodes.parquet`, `interviews.parquet`,
            `planted.parquet` and `to_find.parquet`.
        about: Seed, scale and months.
        settings: For the boroughs' names.
        episodes: True episodes.
        interviews: True interviews.
        planted: As `planted_rows` gives it.
        expected: What the pipeline must find, as `patterns.to_find` gives it.
        files: All deliveries.
        lost: Keys of episodes that no main feed has.

    Returns:
        The totals that are also in `truth.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    delivered = pl.col("main_feed") & ~pl.col("episode_key").is_in(list(lost))
    shared = (pl.col("truth_case") == "shared_pseudonym").fill_null(value=False)
    table = episodes.with_columns(delivered.alias("delivered"), shared.alias("shared_pseudonym"))
    table = table.select(EPISODE_COLUMNS)
    table.write_parquet(folder / "episodes.parquet")
    interviews.write_parquet(folder / "interviews.parquet")
    planted.write_parquet(folder / "planted.parquet")
    expected.write_parquet(folder / "to_find.parquet")
    totals = {
        "files": len(files),
        "rows": sum(file.frame.height for file in files),
        "episodes": table.height,
        "missing_episodes": table.filter(pl.col("status") == "missing").height,
        "children": table["child"].n_unique(),
        "interviews": interviews.height,
        "planted_rows": planted.height,
    }
    content = {
        "synthetic": True,
        **about,
        "totals": totals,
        "boroughs": _boroughs(settings, table, files),
        "cases": _cases(planted),
        "to_find": dict(expected.group_by("case").agg(pl.col("case_id").n_unique()).sort("case").iter_rows()),
        "undelivered": _undelivered(settings, table),
    }
    _write_json(folder / "truth.json", content)
    _write_json(folder / "demonstration.json", {"synthetic": True, **about})
    return totals


def _boroughs(settings: Settings, table: pl.DataFrame, files: Sequence[Delivery]) -> dict[str, Any]:
    missing = table.filter(pl.col("status") == "missing")
    content = {}
    for area in settings.areas:
        here = missing.filter(pl.col("area_missing_from") == area.code)
        own = missing.filter((pl.col("responsible_authority") == area.code) & pl.col("looked_after"))
        mine = [file for file in files if file.area.code == area.code]
        content[area.slug] = {
            "area_code": area.code,
            "layout": settings.habits[area.code].layout,
            "container": settings.habits[area.code].container,
            "cadence": settings.habits[area.code].cadence,
            "files": len(mine),
            "rows": sum(file.frame.height for file in mine),
            "episodes_missing_from": here.height,
            "children_missing_from": here["child"].n_unique(),
            "looked_after_episodes_responsible_for": own.height,
            "looked_after_children_responsible_for": own["child"].n_unique(),
        }
    return content


def _cases(planted: pl.DataFrame) -> dict[str, Any]:
    counted = planted.group_by("case", "borough").len().sort("case", "borough")
    content: dict[str, Any] = {}
    for name, borough, count in counted.iter_rows():
        entry = content.setdefault(name, {"catalogue": CASES[name], "rows": 0, "boroughs": {}})
        entry["rows"] += count
        entry["boroughs"][borough] = count
    return content


def _undelivered(settings: Settings, table: pl.DataFrame) -> list[dict[str, Any]]:
    """Borough-months that never came, with what is missing because of them."""
    slugs = {area.code: area.slug for area in settings.areas}
    local = pl.col("started_at").dt.convert_time_zone("Europe/London")
    lost = table.filter(pl.col("main_feed") & ~pl.col("delivered"))
    counted = lost.group_by("delivered_by", local.dt.strftime("%Y-%m").alias("month")).len()
    return [
        {"borough": slugs[code], "month": month, "episodes": count}
        for code, month, count in counted.sort("delivered_by", "month").iter_rows()
    ]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
