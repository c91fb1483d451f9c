"""Episodes moved to where the clock changes, and other cases that need the truth itself to be arranged.

Belongs here: changes to true episodes before anything is recorded, so that the truth stays the truth. Does not:
recording habits (`records`) or refused rows (`errors`).
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.draws import chosen
from pipelines.synthetic.settings import Settings, Span

LONDON = "Europe/London"


def arrange(rng: np.random.Generator, settings: Settings, span: Span, episodes: pl.DataFrame) -> pl.DataFrame:
    """Arrange the cases that belong to the truth.

    Args:
        rng: Source of chance.
        settings: How many of each case, and which boroughs have the habit.
        span: The months covered.
        episodes: True episodes with `truth_case`, null where nothing is arranged yet.

    Returns:
        The same episodes, some moved to a clock change or called absent, with their `truth_case`, with
        `found_as` (local clock time to write, or null), `main_feed` (false where only the
        authority's return has it) and `in_return` (whether the authority's return would have it).
    """
    episodes = episodes.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("found_as"))
    episodes = _clock_changes(rng, settings, span, episodes)
    episodes = _absent(rng, settings, episodes)
    return _one_sided(rng, settings, episodes).sort("started_at", "episode_key")


def _clock_changes(rng: np.random.Generator, settings: Settings, span: Span, episodes: pl.DataFrame) -> pl.DataFrame:
    """Move a few lone episodes into the nights when the clock goes back or forward."""
    back, forward = _change_nights(span)
    canonical = [code for code, habit in settings.habits.items() if habit.layout == "canonical"]
    has_found = pl.col("delivered_by").is_in(canonical)  # the native layout has no column for the time found
    repeated, skipped = int(settings.planted["clock_repeated"]), int(settings.planted["clock_skipped"])
    episodes = _moved(rng, episodes, back, count=repeated, name="clock_repeated", able=pl.lit(value=True))
    return _moved(rng, episodes, forward, count=skipped, name="clock_skipped", able=has_found)


def _change_nights(span: Span) -> tuple[list[date], list[date]]:
    """Sundays on which the clock goes back (October) and forward (March) inside the span."""
    years = range(span.first.year, span.end.year + 1)
    nights = [[_last_sunday(year, month) for year in years] for month in (10, 3)]
    inside = [[day for day in days if span.first < day < span.end - timedelta(days=1)] for days in nights]
    return inside[0], inside[1]


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _moved(
    rng: np.random.Generator, episodes: pl.DataFrame, nights: list[date], *, count: int, name: str, able: pl.Expr
) -> pl.DataFrame:
    """Move able episodes that start near a change night so that the child is found in the odd hour."""
    if not nights:
        return episodes
    each = -(-count // len(nights))
    for night in nights:
        midnight = datetime(night.year, night.month, night.day, tzinfo=UTC)
        near = pl.col("started_at").is_between(midnight - timedelta(days=4), midnight + timedelta(days=3))
        keys = chosen(
            rng, episodes.filter(near & _lonely() & able & pl.col("truth_case").is_null())["episode_key"], each
        )
        turn = keys.to_frame().with_row_index("turn")
        episodes = episodes.join(turn, on="episode_key", how="left", maintain_order="left")
        moved = pl.col("turn").is_not_null()
        # The first of two is found before the hour repeats, the second after: the clock shows the same time.
        found = pl.lit(midnight + timedelta(minutes=40)) + pl.duration(hours=pl.col("turn") % 2)
        if name == "clock_skipped":  # the clock on the wall was not yet put forward: it shows 01:30 to 01:50
            found = pl.lit(midnight + timedelta(minutes=90)) + pl.duration(minutes=pl.col("turn") % 20)
        started = pl.lit(midnight - timedelta(hours=5))
        wall = found.dt.replace_time_zone(None) if name == "clock_skipped" else pl.lit(None, dtype=pl.Datetime("us"))
        episodes = episodes.with_columns(
            pl.when(moved).then(started).otherwise("started_at").alias("started_at"),
            pl.when(moved).then(found).otherwise("found_at").alias("found_at"),
            pl.when(moved).then(found + pl.duration(minutes=15)).otherwise("returned_at").alias("returned_at"),
            pl.when(moved).then(wall).otherwise("found_as").alias("found_as"),
            pl.when(moved).then(pl.lit(30)).otherwise("report_lag_minutes").alias("report_lag_minutes"),
            pl.when(moved).then(pl.lit(name)).otherwise("truth_case").alias("truth_case"),
        ).drop("turn")
    local = pl.col("started_at").dt.convert_time_zone(LONDON).dt.replace_time_zone(None)
    return episodes.with_columns(local.alias("started_local"))


def _lonely() -> pl.Expr:
    """Children with one episode in all: it can move without touching another."""
    return (pl.len().over("child") == 1) & (pl.col("status") == "missing")


def _absent(rng: np.random.Generator, settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Call a few short absences "absent" where a borough still uses the old police category."""
    users = [code for code, habit in settings.habits.items() if habit.absent_status]
    short = (pl.col("found_at") - pl.col("started_at")) < timedelta(hours=4)
    able = pl.col("delivered_by").is_in(users) & short & ~pl.col("looked_after") & pl.col("truth_case").is_null()
    keys = chosen(rng, episodes.filter(able)["episode_key"], int(settings.planted["absent_rows"])).to_list()
    called = pl.col("episode_key").is_in(keys)
    return episodes.with_columns(pl.when(called).then(pl.lit("absent")).otherwise("status").alias("status"))


def _one_sided(rng: np.random.Generator, settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Episodes that only the police or only the authority knows of, where an authority's return is sent."""
    senders = [code for code, habit in settings.habits.items() if habit.ssda903]
    of_sender = pl.col("looked_after") & pl.col("responsible_authority").is_in(senders)
    away = episodes.filter(of_sender & (pl.col("status") == "away"))["episode_key"]
    only_authority = chosen(rng, away, int(settings.planted["authority_only"])).to_list()
    unknown = pl.Series(rng.random(episodes.height) < settings.planted["police_only_share"])
    return episodes.with_columns(
        (~pl.col("episode_key").is_in(only_authority)).alias("main_feed"),
        (of_sender & ((pl.col("status") == "away") | ~unknown) & (pl.col("status") != "absent")).alias("in_return"),
        of_sender.alias("return_due"),
    )
