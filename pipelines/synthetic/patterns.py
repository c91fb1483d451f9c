"""Patterns that a draw of single children hardly ever gives, arranged on purpose, and what must be found of them.

Belongs here: the order in which they are arranged, and the truth about them. Does not: any one of them (`company`,
`clusters`, `borders`, `police`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pipelines.synthetic import borders, clusters, company, police
from pipelines.synthetic.settings import Area, Settings, Span
from pipelines.synthetic.stage import Stage

# The rule that must raise a flag for each child of a case.
RULES = {
    company.CASE: "RCO",
    clusters.CASE: "RPLACE",
    borders.ACROSS: "R3-28",
    borders.LINKED: "R3-28",
}
KEPT = (
    "child", "delivered_by", "delivered_child_id", "recorded_by", "episode_key", "episode_id", "started_at", "found_at",
)  # fmt: skip
COLUMNS = ("case", "case_id", "rule_id", "occasion", "borough", *KEPT)


def plant_patterns(
    rng: np.random.Generator, settings: Settings, span: Span, drawn: pl.DataFrame, *, scale: float
) -> pl.DataFrame:
    """Arrange every pattern in the drawn episodes.

    Args:
        rng: Source of chance.
        settings: How many of each.
        span: The months covered.
        drawn: Episodes as `draw_region` gives them.
        scale: Size against the real region: a smaller one has fewer children who go missing together.

    Returns:
        The drawn episodes and the added ones, with `truth_case`, `case_id` and `occasion` (its number in the case).
    """
    stage = Stage(rng, settings, span, drawn)
    company.plant_company(stage, scale)
    clusters.plant_clusters(stage)
    borders.plant_across(stage)
    borders.plant_linked(stage)
    return stage.result()


def to_find(
    episodes: pl.DataFrame, rows: pl.DataFrame, told_police: pl.DataFrame, areas: Sequence[Area]
) -> pl.DataFrame:
    """What the pipeline must find: one row for each record of each case.

    Args:
        episodes: True, identified episodes.
        rows: Recorded rows, those marked that the police recorded too.
        told_police: The police's records of them.
        areas: The region's boroughs.

    Returns:
        Columns case, case_id, rule_id (null where no flag is due), occasion, borough, child, delivered_by,
        delivered_child_id, recorded_by, episode_key, episode_id, started_at and found_at. The children of a case
        "co_missing" went missing together once for each occasion; the two records of a case "two_records" are one
        episode.
    """
    slugs: Mapping[str, str] = {area.code: area.slug for area in areas}
    authority = pl.lit("authority").alias("recorded_by")
    told = rows.filter(pl.col("cases").str.contains(police.CASE)).with_columns(authority)
    number = pl.col("episode_key").rank("dense").cast(pl.String).str.zfill(3)
    both = pl.concat([frame.select(KEPT) for frame in (told, told_police)]).with_columns(
        pl.lit(police.CASE).alias("case"),
        pl.format(f"{police.CASE}-{{}}", number).alias("case_id"),
        pl.lit(1, dtype=pl.Int64).alias("occasion"),
    )
    arranged = episodes.filter(pl.col("case_id").is_not_null()).with_columns(authority)
    arranged = arranged.select(*KEPT, pl.col("truth_case").alias("case"), "case_id", "occasion")
    whole = pl.concat([arranged, both]).with_columns(
        pl.col("delivered_by").replace_strict(slugs, return_dtype=pl.String).alias("borough"),
        pl.col("case").replace_strict(RULES, default=None, return_dtype=pl.String).alias("rule_id"),
    )
    return whole.select(COLUMNS).sort("case", "case_id", "occasion", "started_at", "child", "recorded_by")
