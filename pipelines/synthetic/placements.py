"""Placements of looked-after children, as the EPISODES module of the SSDA903 return, and what contradicts them.

Belongs here: care before, between and after a child's true episodes, and the few contradictions that rules which
compare missing periods with care must report. Does not: which row goes into which year's return (`deliveries`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
import polars as pl

from pipelines.synthetic.draws import chosen, pick
from pipelines.synthetic.layouts import LONDON, RETURN_DAY, only_here
from pipelines.synthetic.settings import Settings, Span

# Contradictions between a missing period and care, with the rule that must report each.
BREACHES = {
    "open_after_move": "ssda903.575",
    "missing_past_care": "ssda903.577",
    "missing_after_care": "ssda903.578",
    "missing_before_care": "ssda903.581",
}
MOVED = "placement_moved"
STILL_THERE = datetime(2200, 1, 1, tzinfo=UTC)
NOON = time(12)
PLACES = {"foster_care": "U6", "with_parents": "P1", "childrens_home": "K2", "supported_accommodation": "H5"}
LEGAL = {"C2": 5, "V2": 3, "E1": 1}
NEED = {"N1": 6, "N5": 2, "N4": 1, "N6": 1}
LEAVES_CARE = {"E4A": 4, "E13": 3, "E3": 1}
MOVES_BECAUSE = {"CHILD": 4, "PLACE": 3, "CARPL": 3, "LAREQ": 1}
DAYS_BEFORE = (20, 400)  # of care before the first episode
DAYS_AFTER = (30, 320)  # of care after the last one
LONG, SHORT = 3, 14  # days missing
MARCH = 3


@dataclass(frozen=True)
class Care:
    """What one authority returns about looked-after children.

    Attributes:
        missing: Episodes as it tells them; `cases` names the contradictions.
        placements: Placement rows as text.
    """

    missing: pl.DataFrame
    placements: pl.DataFrame


def draw_care(rng: np.random.Generator, settings: Settings, span: Span, episodes: pl.DataFrame, code: str) -> Care:
    """Draw placements around the true episodes of an authority's looked-after children.

    Args:
        rng: Source of chance.
        settings: How many contradictions, and how many moves during an absence, to plant.
        span: The months covered.
        episodes: True episodes of the children, with `delivered_child_id` as the authority sends it.
        code: The authority.

    Returns:
        Episodes and placements that agree but where the episode's case says otherwise.
    """
    rows = episodes.sort("child", "started_at").with_columns(
        _day("started_at").alias("started_on"), _day("returned_at").alias("returned_on")
    )
    rows = _with_cases(rng, settings, span, rows, code)
    never_ended = pl.col("care_case") == "open_after_move"
    breach = pl.when(pl.col("care_case").is_in(list(BREACHES))).then("care_case")
    told = rows.filter("in_return").with_columns(
        *(pl.when(~never_ended).then(name).alias(name) for name in ("found_at", "returned_at")),
        pl.concat_str(only_here(), breach, separator=";", ignore_nulls=True).str.strip_chars(";").alias("cases"),
    )
    return Care(told, _as_text(rng, _stays(rng, span, rows)))


def _day(name: str) -> pl.Expr:
    return pl.col(name).dt.convert_time_zone(LONDON).dt.date()


def _days(count: int | str) -> pl.Expr:
    return pl.duration(days=count)


def _with_cases(
    rng: np.random.Generator, settings: Settings, span: Span, rows: pl.DataFrame, code: str
) -> pl.DataFrame:
    """Give some children one case each, in `care_case` of the episode that shows it (empty text elsewhere)."""
    lasted = (pl.col("returned_on") - pl.col("started_on")).dt.total_days()
    place = pl.int_range(pl.len()).over("child")
    last = place == pl.len().over("child") - 1
    back_before = (pl.col("returned_on").shift(1).over("child") < pl.col("started_on") - _days(2)).fill_null(
        value=False
    )
    away_again = (pl.col("started_on").shift(-1).over("child") > pl.col("started_on") + _days(10)).fill_null(value=True)
    # Told once: it starts and ends in one year's return.
    told = pl.col("in_return") & (pl.col("status") == "missing") & (lasted <= SHORT)
    told = told & (pl.col("started_on").dt.month() != MARCH)
    # An episode that is in the authority's own main feed too would contradict care twice.
    elsewhere = told & (pl.col("delivered_by") != code)
    last_year = pl.col("started_on") >= date(span.end.year - 1, span.end.month, 1)
    able = {
        "open_after_move": told & last & last_year & pl.col("main_feed"),
        "missing_past_care": elsewhere & last & (_day("found_at") > pl.col("started_on")),
        "missing_after_care": elsewhere & last & back_before,
        "missing_before_care": elsewhere & (place == 0) & (lasted < LONG) & away_again,
        MOVED: told & ~last & (lasted >= LONG),
    }
    wanted = {**dict.fromkeys(BREACHES, settings.planted["care_breaches"]), MOVED: settings.planted[MOVED]}
    rows = rows.with_columns(pl.lit("").alias("care_case"))
    for name, fits in able.items():
        free = (pl.col("care_case") == "").all().over("child")
        found = rows.filter(fits & free).unique("child", keep="first", maintain_order=True)
        keys = chosen(rng, found["episode_key"], int(wanted[name])).implode()
        mark = pl.when(pl.col("episode_key").is_in(keys)).then(pl.lit(name)).otherwise("care_case")
        rows = rows.with_columns(mark.alias("care_case"))
    return rows


def _stays(rng: np.random.Generator, span: Span, rows: pl.DataFrame) -> pl.DataFrame:
    """Placements without gaps, from before a child's first episode to after the last one or to this day.

    One row for each, with `decom` and `dec` (null: still there); `is_first` and `is_last` of its care.
    """
    rows = rows.with_columns(
        pl.Series("before", rng.integers(*DAYS_BEFORE, rows.height)),
        pl.Series("after", rng.integers(*DAYS_AFTER, rows.height)),
        pl.concat_str("area_missing_from", "missing_from_setting", "setting_id", ignore_nulls=True).alias("where"),
        (pl.int_range(pl.len()).over("child") == 0).alias("is_first"),
    )
    begins = (
        pl.when(pl.col("is_first") & (pl.col("care_case") == "missing_before_care"))
        .then(pl.col("started_on") + _days(LONG))
        .when("is_first")
        .then(pl.col("started_on") - _days("before"))
        # A child who is missed from another place has moved there by then.
        .otherwise("started_on")
    )
    columns = ("child", "delivered_child_id", "missing_from_setting", "is_first")
    elsewhere = pl.col("is_first") | (pl.col("where") != pl.col("where").shift(1).over("child"))
    usual = rows.filter(elsewhere).select(*columns, begins.alias("decom"), pl.lit("").alias("case"))
    moved = rows.filter(pl.col("care_case").is_in([MOVED, "open_after_move"])).select(
        *columns[:-1],
        pl.lit(value=False).alias("is_first"),
        (pl.col("started_on") + _days(1)).alias("decom"),
        pl.when(pl.col("care_case") == MOVED).then(pl.lit(MOVED)).otherwise(pl.lit("")).alias("case"),
    )
    stays = pl.concat([usual, moved]).unique(["child", "decom"], keep="last", maintain_order=True)
    stays = stays.sort("child", "decom").join(_care_ends(span, rows), on="child", how="left", maintain_order="left")
    stays = stays.filter((pl.col("decom") < pl.col("care_ends")).fill_null(value=True))
    return stays.with_columns(
        pl.coalesce(pl.col("decom").shift(-1).over("child"), "care_ends").alias("dec"),
        (pl.int_range(pl.len()).over("child") == pl.len().over("child") - 1).alias("is_last"),
    )


def _care_ends(span: Span, rows: pl.DataFrame) -> pl.DataFrame:
    """Last day of each child's care, null where it goes on."""
    ends = rows.group_by("child", maintain_order=True).agg(
        (pl.col("returned_on").max() + _days(1) * pl.col("after").last()).alias("usual"),
        pl.col("started_on").last(),
        pl.col("care_case").max(),
    )
    case = pl.col("care_case")
    return ends.select(
        "child",
        pl.when(case == "missing_past_care")
        .then("started_on")
        .when(case == "missing_after_care")
        .then(pl.col("started_on") - _days(1))
        .when((case != "open_after_move") & (pl.col("usual") < span.end))
        .then("usual")
        .alias("care_ends"),
    )


def _as_text(rng: np.random.Generator, stays: pl.DataFrame) -> pl.DataFrame:
    """Placements in the columns of the module, with the hidden ones that every row has."""
    drawn = {"ls": LEGAL, "cin": NEED, "leaves": LEAVES_CARE, "because": MOVES_BECAUSE}
    stays = stays.with_columns(pick(rng, weights, stays.height).alias(name) for name, weights in drawn.items())
    moves = ~pl.col("is_last")
    return stays.select(
        pl.col("delivered_child_id").alias("CHILD"),
        pl.col("decom").dt.strftime(RETURN_DAY).alias("DECOM"),
        pl.when("is_first").then(pl.lit("S")).otherwise(pl.lit("P")).alias("RNE"),
        pl.col("ls").first().over("child").alias("LS"),
        pl.col("cin").first().over("child").alias("CIN"),
        pl.col("missing_from_setting").replace_strict(PLACES, default="Z1").alias("PLACE"),
        pl.col("dec").dt.strftime(RETURN_DAY).alias("DEC"),
        pl.when(moves).then(pl.lit("X1")).when(pl.col("dec").is_not_null()).then("leaves").alias("REC"),
        pl.when(moves).then("because").alias("REASON_PLACE_CHANGE"),
        pl.lit(None, dtype=pl.String).alias("EXTRACTED_AT"),
        pl.lit(None, dtype=pl.String).alias("_episode_key"),
        pl.col("case").alias("_cases"),
        pl.lit(None, dtype=pl.String).alias("_rule"),
        _at_noon("decom").alias("_started"),
        _at_noon("dec").fill_null(STILL_THERE).alias("_ended"),
    )


def _at_noon(day: str) -> pl.Expr:
    return pl.col(day).dt.combine(NOON).dt.replace_time_zone("UTC")
