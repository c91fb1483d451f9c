"""Care settings with an unusual month: many starts by several children.

Belongs here: where, when and how many. Does not: children who go missing together (`company`); the starts lie too far
apart for that.
"""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.stage import PLACE, Stage, at_times

CASE = "setting_cluster"
MONTH = timedelta(days=27)
CHILDREN = (4, 6)
EACH = 6  # starts of one child at most
SETTING = "childrens_home"
UNUSUAL = 0.99  # of months that end with a start from any setting of the borough: fewer starts than this one
LEAST = 8
MORE = 2
HOURS = (2, 10)  # missing
JITTER = 90  # minutes
NEAR = timedelta(days=180)  # around the month: the child is known to be there
EDGE = 30  # days at least from either end of the demonstration
YOUNGEST = 11


def plant_clusters(stage: Stage) -> None:
    """Arrange the months: as many at any size, in one borough after the other, those with quieter settings first."""
    usual = _usual(stage)
    if usual.height and stage.span.days > 3 * EDGE:
        for number in range(int(stage.plan[CASE])):
            area, starts = usual.row(number % usual.height)
            _plant(stage, area, starts, recent=number % 2 == 0)


def _usual(stage: Stage) -> pl.DataFrame:
    """Starts of an unusual month in each borough that tells settings apart."""
    settings = stage.episodes.filter(
        (pl.col("status") == "missing")
        & (pl.col("home_number") >= 0)
        & pl.col("area_missing_from").is_in(stage.sharp("setting_id"))
    )
    months = settings.sort("started_at").rolling(
        "started_at", period="28d", group_by=["area_missing_from", "missing_from_setting", "home_number"]
    )
    starts = pl.col("starts").quantile(UNUSUAL).ceil().cast(pl.Int64) + MORE
    return (
        months.agg(pl.len().alias("starts"))
        .group_by("area_missing_from")
        .agg(starts.clip(LEAST))
        .sort("starts", "area_missing_from")
    )


def _plant(stage: Stage, area: str, starts: int, *, recent: bool) -> None:
    """One month at one setting of an area; none where too few children live thereabouts."""
    rng = stage.rng
    home = int(rng.integers(stage.settings.raw["placement"]["settings_per_area"][SETTING]))
    latest = stage.span.days - 2 * EDGE
    day = int(rng.integers(max(EDGE, latest - 2 * EDGE) if recent else EDGE, latest))
    first = datetime.combine(stage.span.first, time(), tzinfo=UTC) + timedelta(days=day)
    wanted = max(-(-starts // EACH), int(rng.integers(CHILDREN[0], CHILDREN[1] + 1)))
    people = _people(stage, area, first, wanted)
    if people.height * EACH < starts:
        return
    turn = np.arange(starts)
    minutes = (turn * (MONTH / timedelta(minutes=1) / starts)).astype(np.int64) + rng.integers(0, JITTER, starts)
    began = pl.select(pl.lit(first) + pl.duration(minutes=pl.lit(pl.Series(minutes)))).to_series()
    rows = people[turn % people.height].with_columns(
        pl.lit(area).alias(PLACE[0]), pl.lit(SETTING).alias(PLACE[1]), pl.lit(home, dtype=pl.Int64).alias(PLACE[2])
    )
    rows = at_times(rows, began, pl.Series(rng.integers(HOURS[0] * 60, HOURS[1] * 60, starts)))
    stage.arrange(CASE, rows.with_columns(pl.Series("occasion", turn + 1)))


def _people(stage: Stage, area: str, first: datetime, wanted: int) -> pl.DataFrame:
    """One row for each child who could live there in that month: looked after, and not missing otherwise."""
    known = stage.episodes.filter(
        stage.unused()
        & pl.col("looked_after")
        & (pl.col("status") == "missing")
        & pl.col("started_at").is_between(first - NEAR, first + MONTH + NEAR)
        & stage.minor_on(first + MONTH)
        & (pl.col("age_at_start") >= YOUNGEST)
    )
    here = (pl.col("area_missing_from") == area).alias("here")
    ranked = known.with_columns(here, pl.Series("chance", stage.rng.random(known.height)))
    one = ranked.sort("here", "chance", descending=True).unique("child", keep="first", maintain_order=True)
    month = pl.DataFrame({"begin": [first], "end": [first + MONTH + timedelta(days=1)]})
    free = stage.free(one["child"], month)
    return one.filter(pl.col("child").is_in(free.implode())).head(wanted).select(stage.episodes.columns)
