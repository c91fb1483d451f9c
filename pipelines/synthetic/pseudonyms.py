"""Identifiers as boroughs would deliver them: keyed pseudonyms of children and settings, and episode numbers.

Belongs here: every identifier that leaves this package. Does not: anything that could be turned back into a
person; the children are invented and the key is made from the seed.
"""

import hashlib
import hmac

import numpy as np
import polars as pl

from pipelines.synthetic.draws import chosen
from pipelines.synthetic.settings import Settings

YOUNG, OLD = 12, 15  # oldest and youngest age of the two children under one pseudonym
FAR_APART = 400  # days
SOON = 2  # days
LATEST_DAY = 24  # of a month


def demonstration_key(seed: int) -> bytes:
    """The key of one demonstration (32 bytes), made from its seed."""
    return hashlib.sha256(f"synthetic demonstration {seed}".encode()).digest()


def pseudonym(key: bytes, text: str) -> str:
    """Keyed HMAC-SHA-256 of `text` as 64 lower-case hexadecimal characters."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def identify(episodes: pl.DataFrame, settings: Settings, key: bytes) -> pl.DataFrame:
    """Add what identifies an episode, a child and a setting in a delivery.

    Args:
        episodes: True episodes with `child`, `delivered_by`, `area_missing_from`, `home_number`.
        settings: For each borough's layout and scope of pseudonyms.
        key: The demonstration's key.

    Returns:
        The same rows with `child_id` (regional pseudonym), `delivered_child_id` (as the delivering borough
        sends it), `pseudonym_scope`, `episode_id` and `setting_id`.
    """
    habits = settings.habits
    scope = {code: habit.scope for code, habit in habits.items()}
    native = [code for code, habit in habits.items() if habit.layout != "canonical"]
    number = pl.int_range(pl.len()).over("delivered_by") + 1
    return (
        episodes.with_columns(
            pl.col("delivered_by").replace_strict(scope, return_dtype=pl.String).alias("pseudonym_scope"),
            pl.when(pl.col("delivered_by").is_in(native))
            .then((1_000_000 + number * 10).cast(pl.String))
            .otherwise(pl.format("MFE-{}", number.cast(pl.String).str.zfill(6)))
            .alias("episode_id"),
            pl.when(pl.col("home_number") >= 0)
            .then(pl.concat_str("area_missing_from", "missing_from_setting", "home_number", separator=":"))
            .alias("setting"),
            pl.col("child").alias("regional"),
            pl.concat_str("delivered_by", "child", separator=":").alias("local"),
        )
        .with_columns(
            pl.when(pl.col("pseudonym_scope") == "regional")
            .then(pl.col("regional"))
            .otherwise(pl.col("local"))
            .alias("named")
        )
        .pipe(_with_pseudonyms, key, {"regional": "child_id", "named": "delivered_child_id", "setting": "setting_id"})
        .with_columns(pl.col("setting_id").str.slice(0, 16))
        .drop("regional", "local", "named", "setting", "home_number")
    )


def share_pseudonyms(rng: np.random.Generator, settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Send a few pairs of children of different ages under one pseudonym, as where a number was given twice.

    Both are missing once, far apart and for a short time, and are not looked after, so that nothing but their ages
    tells that they are two.

    Args:
        rng: Source of chance.
        settings: How many pairs, at most one for each borough that can have one.
        episodes: Identified episodes.

    Returns:
        The same episodes; those of the pairs have `truth_case` "shared_pseudonym".
    """
    day = pl.col("started_local").dt.day()
    # Each of the rows stands in one file only, so that it is known which of them a rule must report.
    cumulative = [code for code, habit in settings.habits.items() if habit.cumulative]
    able = episodes.filter(
        (pl.len().over("child") == 1)
        & pl.col("truth_case").is_null()
        & (pl.col("status") == "missing")
        & ~pl.col("looked_after")
        & pl.col("main_feed")
        & (pl.col("returned_at") - pl.col("started_at") < pl.duration(days=SOON))
        # Nothing is learnt of the episode after its first file.
        & day.is_between(2, LATEST_DAY)
        & ~pl.col("delivered_by").is_in([*cumulative, *settings.raw["sent_again"]])
    )
    young, old = (able.filter(pl.col("age_at_start").is_between(*ages)) for ages in ((0, YOUNG), (OLD, 17)))
    pairs = young.join(old, on="delivered_by", suffix="_other").filter(
        (pl.col("started_at_other") - pl.col("started_at")).dt.total_days().abs() >= FAR_APART
    )
    first = pairs.unique("delivered_by", keep="first", maintain_order=True)
    taken = chosen(rng, first["delivered_by"], int(settings.planted["shared_pseudonyms"])).implode()
    shared = first.filter(pl.col("delivered_by").is_in(taken)).select(
        "episode_key_other", "delivered_child_id", "episode_key"
    )
    other = shared.select(
        pl.col("episode_key_other").alias("episode_key"), pl.col("delivered_child_id").alias("shared")
    )
    keys = pl.concat([shared["episode_key"], shared["episode_key_other"]]).implode()
    marked = pl.when(pl.col("episode_key").is_in(keys)).then(pl.lit("shared_pseudonym")).otherwise("truth_case")
    return (
        episodes.join(other, on="episode_key", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("shared", "delivered_child_id").alias("delivered_child_id"), marked.alias("truth_case")
        )
        .drop("shared")
    )


def authority_pseudonyms(episodes: pl.DataFrame, scope: str, code: str, key: bytes) -> pl.DataFrame:
    """Replace `delivered_child_id` by the pseudonym that the authority `code` itself would send."""
    if scope == "regional":
        return episodes.with_columns(pl.col("child_id").alias("delivered_child_id"))
    named = episodes.with_columns(pl.format(f"{code}:{{}}", "child").alias("named"))
    return _with_pseudonyms(named, key, {"named": "delivered_child_id"}).drop("named")


def _with_pseudonyms(frame: pl.DataFrame, key: bytes, columns: dict[str, str]) -> pl.DataFrame:
    """Add the pseudonym of each distinct text of a column as another column."""
    new = []
    for source, target in columns.items():
        known = frame[source].unique(maintain_order=True).drop_nulls().to_list()
        table = {text: pseudonym(key, text) for text in known}
        new.append(pl.col(source).replace_strict(table, default=None, return_dtype=pl.String).alias(target))
    return frame.with_columns(new)
