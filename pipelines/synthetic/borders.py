"""Children whose repeats only a regional view can see: three absences in four weeks, told by different boroughs.

Belongs here: a child missing from three boroughs, and one whom two boroughs know by different pseudonyms that are
linked later. Does not: the links themselves (`links`).
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from pipelines.synthetic.draws import chosen
from pipelines.synthetic.settings import Settings
from pipelines.synthetic.stage import Stage, at_times

ACROSS, LINKED = "across_boroughs", "linked_pseudonyms"
DAYS = ((4, 11), (14, 24))  # from the first start to the second and the third: within 28 days whatever the hours
HOURS = (2, 14)  # missing
SHORT = timedelta(days=2)
ROOM = timedelta(days=40)  # before the end of the demonstration
SEVENTEEN = 17


def plant_across(stage: Stage) -> None:
    """Children with one absence, who go missing twice more within four weeks, each time from another borough."""
    boroughs = stage.sharp()
    for lead in _once(stage, boroughs, int(stage.plan[ACROSS])):
        others = [code for code in boroughs if code != lead["delivered_by"][0]]
        _again(stage, ACROSS, lead, stage.rng.choice(others, size=len(DAYS), replace=False).tolist())


def plant_linked(stage: Stage) -> None:
    """Children with one absence, who go missing again there, and then from a borough with pseudonyms of its own."""
    own = own_pseudonyms(stage.settings)
    for lead in _once(stage, stage.sharp(), int(stage.plan[LINKED])):
        _again(stage, LINKED, lead, [lead["delivered_by"][0], str(stage.rng.choice(own))])


def own_pseudonyms(settings: Settings) -> list[str]:
    """Boroughs with pseudonyms of their own, none of whose files tells only days."""
    return [
        code
        for code, habit in settings.habits.items()
        if habit.scope == "borough" and "eclipse" not in {switch.layout for switch in habit.switches}
    ]


def _once(stage: Stage, boroughs: Sequence[str], count: int) -> list[pl.DataFrame]:
    """The only absences of some children, each as a frame of one row."""
    able = stage.episodes.filter(
        stage.unused()
        & (pl.col("total") == 1)
        & (pl.col("status") == "missing")
        & (pl.col("area_missing_from") == pl.col("delivered_by"))
        & pl.col("delivered_by").is_in(boroughs)
        & (pl.col("returned_at") - pl.col("started_at") < SHORT)
        & (pl.col("started_at") < pl.col("started_at").max() - ROOM)
        # Nobody comes of age in between.
        & (pl.col("age_at_start") < SEVENTEEN)
    )
    late = chosen(stage.rng, able.filter(pl.col("started_at") >= stage.recently)["row"], count // 2)
    others = able.filter(~pl.col("row").is_in(late.implode()))["row"]
    rows = pl.concat([late, chosen(stage.rng, others, count - len(late))])
    return able.filter(pl.col("row").is_in(rows.implode())).partition_by("row")


def _again(stage: Stage, case: str, lead: pl.DataFrame, areas: Sequence[str]) -> None:
    """Add an absence of the same child from each of the areas."""
    minutes = [int(stage.rng.integers(low, high)) * 24 * 60 + int(stage.rng.integers(-180, 180)) for low, high in DAYS]
    started = lead["started_at"][0] + pl.Series([timedelta(minutes=later) for later in minutes])
    lasted = pl.Series(stage.rng.integers(HOURS[0] * 60, HOURS[1] * 60, len(areas)))
    rows = at_times(pl.concat([lead] * len(areas)), started, lasted)
    rows = rows.with_columns(
        pl.Series("area_missing_from", list(areas)), pl.Series("occasion", range(2, len(areas) + 2))
    )
    stage.arrange(case, rows, own=lead.with_columns(occasion=1))
