"""Children who go missing together: pairs and small groups, three to six times within half a year.

Belongs here: choosing children who have hardly been missing before, and giving them absences at the same time, from
the same setting, the same borough, or the same area outside the region, where each child is told of by another borough.
Does not: finding them again (the pipeline's own work).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.children import Floats
from pipelines.synthetic.stage import PLACE, RECENT, Stage, at_times

CASE = "co_missing"
GAP = (8, 24)  # days from one time to the next: never more than half a year in all
NOON_TO_SIX = (11 * 60, 18 * 60)  # minutes of the day: before most children go
HOURS = (3, 30)  # missing
LATER = 330  # minutes at most between the first and the last to go
TOGETHER = 0.4  # of absences: found together
FOUND_APART = 10  # minutes between children who are found together
SOME = 2  # episodes of a child besides: with more, they could be missing at the same time by chance
CROWD = 6  # children at most who go from one area within six hours, the group among them: a busy night says little
TRIES = 30
YOUNGEST = 11
NEAR = timedelta(days=365)  # around the first time: a child's own episodes
END = timedelta(days=7)  # between the last time and the end of the demonstration


def plant_company(stage: Stage, scale: float) -> None:
    """Arrange pairs and groups; where the draw has too few children fewer are arranged."""
    pool, crowds = _pool(stage), _crowds(stage.episodes)
    for plan in stage.plan[CASE]:
        for number in range(stage.wanted(plan, scale)):
            _plant(stage, pool, crowds, plan, recent=number % 2 == 0)


def _pool(stage: Stage) -> pl.DataFrame:
    """Missing episodes of children who are seldom missing, told of by boroughs that tell times."""
    return stage.episodes.filter(
        (pl.col("status") == "missing")
        & (pl.col("total") <= SOME)
        & pl.col("delivered_by").is_in(stage.sharp())
        & (pl.col("age_at_start") >= YOUNGEST)
    )


def _crowds(episodes: pl.DataFrame) -> dict[str, Floats]:
    """Hours of all starts from each area, in order."""
    hours = pl.col("started_at").dt.epoch("s").sort() / 3600
    table = episodes.group_by("area_missing_from").agg(hours.alias("hours"))
    return {area: row.to_numpy() for area, row in zip(*table.get_columns(), strict=True)}


def _plant(
    stage: Stage, pool: pl.DataFrame, crowds: Mapping[str, Floats], plan: Mapping[str, Any], *, recent: bool
) -> None:
    """Arrange one group; none where too few children, in so many tries, could go from one place at the same times."""
    for _ in range(TRIES):
        times = int(stage.rng.integers(plan["times"][0], plan["times"][1] + 1))
        days = np.cumsum(stage.rng.integers(*GAP, times))
        places = stage.episodes.filter(_places(stage, plan, timedelta(days=int(days[-1])), recent=recent))
        if places.height:
            place = places.row(int(stage.rng.integers(places.height)), named=True)
            minutes = days * 24 * 60 + stage.rng.integers(*NOON_TO_SIX, times)
            day = datetime.combine(place["started_at"], time(), tzinfo=UTC)
            began = pl.Series([day + timedelta(minutes=int(later)) for later in minutes])
            children = _children(stage, pool, plan, place, began)
            quiet = plan["place"] == "setting" or _is_quiet(crowds, place, began, plan["children"])
            if quiet and children.height == plan["children"]:
                stage.arrange(CASE, _absences(stage, children, place, began))
                return


def _places(stage: Stage, plan: Mapping[str, Any], lasts: timedelta, *, recent: bool) -> pl.Expr:
    """Anybody's absences from such a place, so long before the end that the last time falls into the demonstration."""
    latest = stage.recently + RECENT - END - lasts
    able = (pl.col("status") == "missing") & (pl.col("started_at") < latest)
    if recent:
        able = able & (pl.col("started_at") > latest + END - RECENT)
    inside = pl.col("area_missing_from") == pl.col("delivered_by")
    if plan["place"] == "setting":
        return able & inside & (pl.col("home_number") >= 0) & pl.col("delivered_by").is_in(stage.sharp("setting_id"))
    able = able & pl.col("delivered_by").is_in(stage.sharp())
    if plan["place"] == "area":
        return able & inside & ~pl.col("looked_after")
    return able & ~inside


def _children(
    stage: Stage, pool: pl.DataFrame, plan: Mapping[str, Any], place: Mapping[str, Any], began: pl.Series
) -> pl.DataFrame:
    """One row for each child of the group: known thereabouts, or moved there, and free at all these times."""
    here = pl.col("area_missing_from") == place["area_missing_from"]
    outside = plan["place"] == "outside"
    known = pool.filter(
        ((here & ~pl.col("looked_after")) if plan["place"] == "area" else pl.col("looked_after"))
        # Missing from outside the region, a child is told of by the authority responsible.
        & (pl.col("responsible_authority").is_in(stage.sharp()) if outside else True)
        & stage.unused()
        & pl.col("started_at").is_between(began[0] - NEAR, began[0] + NEAR)
        & stage.minor_on(began[-1])
    )
    same = [pl.col(name).eq_missing(pl.lit(place[name])) for name in PLACE[:3]]
    ranked = known.select(
        pl.all(),
        here.alias("here"),
        pl.all_horizontal(*same).alias("same"),
        pl.Series("chance", stage.rng.random(known.height)),
    ).sort("same", "here", "chance", descending=True)
    times = pl.DataFrame({"begin": began, "end": began + timedelta(days=3)})
    free = stage.free(ranked["child"].unique(maintain_order=True), times)
    each = ranked.filter(pl.col("child").is_in(free.implode())).unique("child", keep="first", maintain_order=True)
    if outside:
        each = each.unique("responsible_authority", keep="first", maintain_order=True)
    return each.head(plan["children"]).select(pool.columns)


def _is_quiet(crowds: Mapping[str, Floats], place: Mapping[str, Any], began: pl.Series, children: int) -> bool:
    """Whether few others go from the area in the hours around each time."""
    hours = crowds[place["area_missing_from"]]
    at = began.dt.epoch("s").to_numpy() / 3600
    others = np.searchsorted(hours, at + 6, side="right") - np.searchsorted(hours, at - 6)
    return bool((others + children <= CROWD).all())


def _absences(stage: Stage, children: pl.DataFrame, place: Mapping[str, Any], began: pl.Series) -> pl.DataFrame:
    """Everybody's absences from the place: some are found together with the first child, the others for themselves."""
    rng, times = stage.rng, len(began)
    lasted = rng.integers(HOURS[0] * 60, HOURS[1] * 60, times).astype(np.float64)
    rows = []
    for number in range(children.height):
        together = (rng.random(times) < TOGETHER) | (number == 0)
        later = np.floor(rng.random(times) * np.minimum(LATER, lasted * 0.6)) * (number > 0)
        alone = lasted * rng.uniform(0.5, 1.4, times)
        minutes = np.where(together, lasted - later + rng.integers(0, FOUND_APART, times), alone)
        started = began + pl.Series(later.astype(np.int64) * 60_000_000).cast(pl.Duration("us"))
        rows.append(at_times(pl.concat([children[number]] * times), started, pl.Series(minutes)))
    where = [pl.lit(place[name], dtype=children.schema[name]).alias(name) for name in PLACE]
    return pl.concat(frame.with_columns(*where, occasion=pl.int_range(1, times + 1)) for frame in rows)
