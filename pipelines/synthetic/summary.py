"""What a demonstration came to, year by year, beside the published numbers it was calibrated to.

Belongs here: measuring the truth folder. Does not: measuring what the pipeline makes of the deliveries (that is
the pipeline's own work, and comparing the two is the point of having both).
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.synthetic.settings import Settings, load_settings

LONDON = "Europe/London"
DAY = 24  # hours


def summary(truth: Path, contracts: Path) -> pl.DataFrame:
    """Measure a demonstration against its calibration targets.

    Args:
        truth: The truth folder of a demonstration.
        contracts: The `data_contracts` folder, for the targets and the region's boroughs.

    Returns:
        Columns measure, area_code (null for the region), year (to March, named by its end), value, low, high
        (targets, null where there is none) and source. Measures of episodes are on basis A, of missing episodes only;
        measures named `looked_after_*` with an area, `outside_boundary` and
        `looked_after_more_than_once` are on basis B. Counts are divided by nothing: at a scale
        other than 1, targets of counts do not apply.
    """
    settings = load_settings(contracts)
    episodes = _dated(pl.read_parquet(truth / "episodes.parquet"))
    interviews = _dated(pl.read_parquet(truth / "interviews.parquet"))
    missing = episodes.filter(pl.col("status") == "missing")
    here = missing.filter(pl.col("area_missing_from").is_in(list(settings.codes)))
    parts = []
    for year in sorted(missing["year"].unique()):
        of_year = pl.col("year") == year
        values = {
            **_counts(here.filter(of_year)),
            **_shapes(here.filter(of_year)),
            **_first_repeat(here.filter(of_year)),
            **_heard(interviews.filter(of_year), missing.filter(of_year)),
            **_own(missing.filter(of_year), settings),
        }
        parts += [{"measure": name, "year": year, "value": value} for name, value in values.items()]
        parts += _authorities(episodes.filter(of_year), settings, year)
    return _with_targets(pl.DataFrame(parts, infer_schema_length=None), settings.raw["targets"])


def _dated(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the year to March, named by its end, in which an episode starts (local time)."""
    local = pl.col("started_at").dt.convert_time_zone(LONDON).dt.replace_time_zone(None)
    return frame.with_columns(local.dt.offset_by("9mo").dt.year().alias("year"))


def _counts(here: pl.DataFrame) -> dict[str, float]:
    children = here["child"].n_unique()
    in_care = here.filter("looked_after")
    return {
        "incidents": here.height,
        "children": children,
        "incidents_per_child": here.height / children,
        "looked_after_share_of_children": in_care["child"].n_unique() / children,
        "looked_after_share_of_incidents": in_care.height / here.height,
        "second_or_later": 1 - children / here.height,
    }


def _shapes(here: pl.DataFrame) -> dict[str, float]:
    each = here.group_by("child").len()["len"].sort(descending=True)
    hours = (pl.col("found_at") - pl.col("started_at")).dt.total_minutes() / 60
    rates = here.select(
        pl.col("age_at_start").is_between(12, 17).mean().alias("age_12_to_17"),
        (pl.col("sex") == "female").mean().alias("girls"),
        (hours <= DAY).mean().alias("located_within_24_hours"),
        (hours <= 2 * DAY).mean().alias("located_within_48_hours"),
        (hours > 28 * DAY).mean().alias("missing_over_28_days"),
        (pl.col("cse_set_on") <= pl.col("started_at").dt.date())
        .fill_null(value=False)
        .mean()
        .alias("cse_flag_at_start"),
        (pl.col("cce_set_on") <= pl.col("started_at").dt.date())
        .fill_null(value=False)
        .mean()
        .alias("cce_flag_at_start"),
    )
    return {
        "top_15_percent_share": each.head(round(each.len() * 0.15)).sum() / here.height,
        "top_5_percent_share": each.head(round(each.len() * 0.05)).sum() / here.height,
        **rates.row(0, named=True),
    }


def _first_repeat(here: pl.DataFrame) -> dict[str, float]:
    """Of children missing again in the year, those whose first repeat began within 28 days of the return."""
    ordered = here.sort("child", "started_at").with_columns(
        (pl.col("started_at").shift(-1).over("child") - pl.col("returned_at")).alias("gap"),
        pl.int_range(pl.len()).over("child").alias("place"),
    )
    gaps = ordered.filter((pl.col("place") == 0) & pl.col("gap").is_not_null())["gap"]
    return {"first_repeat_within_28_days": float((gaps <= timedelta(days=28)).sum()) / max(len(gaps), 1)}


def _heard(interviews: pl.DataFrame, missing: pl.DataFrame) -> dict[str, float]:
    """Return interviews: of ended episodes, and of those held, within 72 elapsed hours."""
    held = interviews.filter(pl.col("held_at").is_not_null() & (pl.col("episode_keys") != ""))
    covered = held["episode_keys"].str.split(";").explode().n_unique()
    hours = (held["held_at"] - held["returned_at"]).dt.total_minutes() / 60
    due = missing.filter(pl.col("main_feed")).height
    return {
        "interview_of_ended_episodes": covered / max(due, 1),
        "interview_within_72_hours": float((hours <= 3 * DAY).sum()) / max(len(hours), 1),
        "interview_offered": float((interviews["offered"] == "yes").sum()) / max(interviews.height, 1),
    }


def _own(missing: pl.DataFrame, settings: Settings) -> dict[str, float]:
    own = missing.filter(pl.col("looked_after") & pl.col("responsible_authority").is_in(list(settings.codes)))
    each = own.group_by("child").len()["len"]
    outside = (own["area_missing_from"] != own["responsible_authority"]).sum()
    return {
        "outside_boundary": float(outside) / max(own.height, 1),
        "looked_after_more_than_once": float((each > 1).sum()) / max(len(each), 1),
    }


def _authorities(episodes: pl.DataFrame, settings: Settings, year: int) -> list[dict[str, Any]]:
    """Basis B: looked-after children and episodes, missing and away, by responsible authority."""
    parts: list[dict[str, Any]] = []
    for code in settings.codes:
        own = episodes.filter(pl.col("looked_after") & (pl.col("responsible_authority") == code))
        missing, away = (own.filter(pl.col("status") == status) for status in ("missing", "away"))
        values = {
            "looked_after_incidents": missing.height,
            "looked_after_children": missing["child"].n_unique(),
            "looked_after_away_incidents": away.height,
            "looked_after_away_children": away["child"].n_unique(),
        }
        parts += [{"measure": name, "area_code": code, "year": year, "value": value} for name, value in values.items()]
    return parts


def _with_targets(measured: pl.DataFrame, targets: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    table = pl.DataFrame([{"measure": name, **row} for name, row in targets.items()])
    return measured.select("measure", "area_code", "year", pl.col("value").cast(pl.Float64)).join(
        table, on="measure", how="left", maintain_order="left"
    )
