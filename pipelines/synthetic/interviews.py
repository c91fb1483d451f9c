"""Return home interviews: whether one was offered, accepted and held after each episode, by borough habit.

Belongs here: what happened. Does not: how a borough writes it down (`layouts`) or in which file (`deliveries`).
"""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.children import Floats, Ints
from pipelines.synthetic.draws import chosen, pick
from pipelines.synthetic.settings import Settings

SPREAD = 0.9  # of the log of hours from return to interview
JOINS_NEXT = 0.45  # of interviews overtaken by the next absence: held later, for both
NOT_UNKNOWN = 0.93  # of held interviews: it is known whether the child's own account was written down
SINGLE_CODE = 0.6  # of lists of codes: one code only
HOUR = 3_600_000_000  # microseconds
LONG = timedelta(days=5)  # absences that no borough records once for each night
REASONS = {"child_declined": 0.6, "parent_declined": 0.14, "not_contactable": 0.2, "other": 0.06}


def draw_interviews(rng: np.random.Generator, settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Draw the interviews that followed missing episodes.

    Args:
        rng: Source of chance.
        settings: Borough habits and the codes of what is said in an interview.
        episodes: True, identified episodes.

    Returns:
        One row for each interview due, with `episode_keys` and `episode_ids` (`;` separated: one interview may
        cover several episodes), `returned_at`, `offered_at`, `held_at` (UTC) and the contract's codes.
    """
    due = _due(settings, episodes)
    due = _answers(rng, due)
    due = _held(rng, due)
    due = _held_anyway(rng, _overtaken(due), int(settings.planted["interview_after_next"]))
    return _contents(rng, settings, _grouped(due))


def awkward_interviews(rng: np.random.Generator, settings: Settings, interviews: pl.DataFrame) -> pl.DataFrame:
    """Date a few interviews before the child was found, and add a few that name an episode nobody sent.

    Args:
        rng: Source of chance.
        settings: How many of each to plant.
        interviews: As `draw_interviews` gives them.

    Returns:
        The interviews with `cases`, and the added ones after them.
    """
    separate = [code for code, habit in settings.habits.items() if habit.layout == "canonical"]
    able = interviews.filter(pl.col("held_at").is_not_null() & pl.col("delivered_by").is_in(separate))
    same = ["interview_id", "delivered_by"]
    able = able.with_columns(pl.concat_str(same, separator="|").alias("name"))
    # Half of a long absence lies before the day of the return, also where only that day is known.
    single = ~pl.col("covers_several") & ~pl.col("held_anyway")
    long = able.filter((pl.col("returned_at") - pl.col("started_at") > LONG) & single)
    early = chosen(rng, long["name"], int(settings.planted["interview_before_found"])).to_list()
    stray = chosen(rng, able["name"], int(settings.planted["interview_of_unknown"])).to_list()
    is_early = pl.concat_str(same, separator="|").is_in(early)
    before = pl.col("started_at") + (pl.col("returned_at") - pl.col("started_at")) / 2
    moved = interviews.with_columns(
        pl.when(is_early).then(before.dt.truncate("1m")).otherwise("held_at").alias("held_at"),
        pl.when(is_early).then(pl.col("started_at")).otherwise("offered_at").alias("offered_at"),
        pl.when(is_early)
        .then(pl.lit("interview_before_found"))
        .when("held_anyway")
        .then(pl.lit("interview_after_next"))
        .otherwise(pl.lit(""))
        .alias("cases"),
    )
    strays = (
        able.filter(pl.col("name").is_in(stray))
        .drop("name")
        .with_columns(
            pl.format("{}-X", "interview_id").alias("interview_id"),
            pl.lit("MFE-999999").alias("episode_ids"),
            pl.lit("").alias("episode_keys"),
            pl.lit(value=False).alias("covers_several"),
            pl.lit("interview_of_unknown").alias("cases"),
        )
    )
    return pl.concat([moved, strays])


def _due(settings: Settings, episodes: pl.DataFrame) -> pl.DataFrame:
    """Missing episodes with the habit of their borough and the next start of the same child there."""
    habits = pl.DataFrame(
        [
            {
                "delivered_by": code,
                "layout": habit.layout,
                "offered_share": habit.interviews.offered,
                "offered_change": habit.interviews.change,
                "accepted_share": habit.interviews.accepted,
                "unanswered_share": habit.interviews.unanswered,
                "median_hours": habit.interviews.median_hours,
                "interviewer": habit.interviews.interviewer,
                "passes_on": habit.interviews.other_authority == "not_applicable",
            }
            for code, habit in settings.habits.items()
        ]
    )
    wanted = ("episode_key", "episode_id", "child", "delivered_by", "delivered_child_id", "pseudonym_scope")
    times = ("started_at", "returned_at", "looked_after", "responsible_authority")
    same = ["child", "delivered_by"]
    return (
        episodes.filter(pl.col("status") == "missing")
        .select(*wanted, *times)
        .join(habits, on="delivered_by", how="left", maintain_order="left")
        .sort(*same, "started_at")
        .with_columns(
            pl.col("started_at").shift(-1).over(same).alias("next_start"),
            pl.col("returned_at").shift(-1).over(same).alias("next_return"),
            pl.col("started_at").shift(-2).over(same).alias("second_start"),
            ((pl.col("started_at") - pl.col("started_at").min()).dt.total_days() // 365).alias("years_on"),
            (
                pl.col("passes_on")
                & pl.col("looked_after")
                & (pl.col("responsible_authority") != pl.col("delivered_by"))
            ).alias("of_another"),
        )
    )


def _answers(rng: np.random.Generator, due: pl.DataFrame) -> pl.DataFrame:
    """Whether each interview was offered and, if so, accepted."""
    chance = pl.Series("chance", rng.random(due.height))
    accepts = pl.Series("accepts", rng.random(due.height))
    offered_share = (pl.col("offered_share") + pl.col("offered_change") * pl.col("years_on")).clip(0, 0.97)
    unanswered = pl.col("unanswered_share")
    return due.with_columns(chance, accepts).with_columns(
        pl.when("of_another")
        .then(pl.lit("not_applicable"))
        .when(pl.col("chance") < unanswered)
        .then(pl.lit("unknown"))
        .when(pl.col("chance") < unanswered + (1 - unanswered) * offered_share)
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no"))
        .alias("offered"),
        (pl.col("accepts") < pl.col("accepted_share")).alias("agreed"),
    )


def _held(rng: np.random.Generator, due: pl.DataFrame) -> pl.DataFrame:
    """When an interview that was agreed to would be held: in the day, after the return."""
    hours = due["median_hours"].to_numpy() * np.exp(SPREAD * rng.standard_normal(due.height))
    returned = due["returned_at"].to_physical().to_numpy()
    wanted = returned / HOUR + hours
    day, hour = np.divmod(wanted, 24)
    # The same place in a working day from 09:00 to 19:00 as the draw had in its whole day.
    at = np.floor(((day * 24) + 9 + hour * 10 / 24) * 60) / 60
    at = np.where(at * HOUR <= returned, at + 24, at)
    offered = returned / HOUR + np.minimum(rng.exponential(20, due.height), (at - returned / HOUR) * 0.8)
    return due.with_columns(
        pl.Series("held_at", _minutes(at)).cast(pl.Datetime("us", "UTC")),
        pl.Series("offered_at", _minutes(offered)).cast(pl.Datetime("us", "UTC")),
        pl.Series("joins", rng.random(due.height) < JOINS_NEXT),
        pick(rng, REASONS, due.height).alias("reason"),
    )


def _overtaken(due: pl.DataFrame) -> pl.DataFrame:
    """Where the child was missing again first: one interview for both episodes, or none for the earlier."""
    agreed = (pl.col("offered") == "yes") & pl.col("agreed")
    same = ["child", "delivered_by"]
    due = due.with_columns((agreed & (pl.col("next_start") < pl.col("held_at")).fill_null(False)).alias("overtaken"))
    held = agreed & ~pl.col("overtaken")
    due = due.with_columns(held.alias("held"))
    follows = pl.col("held").shift(-1).over(same).fill_null(False)
    joined = pl.col("overtaken") & pl.col("joins") & follows & (pl.col("layout") == "canonical")
    return due.with_columns(joined.alias("joined"))


def _held_anyway(rng: np.random.Generator, due: pl.DataFrame, count: int) -> pl.DataFrame:
    """Hold a few overtaken interviews after the next absence, for the earlier alone; empty what never came about."""
    later = pl.col("next_return").dt.truncate("1d") + pl.duration(
        days=1, minutes=pl.lit(pl.Series(_office(rng, due.height)))
    )
    between = (later < pl.col("second_start")).fill_null(value=True)
    names = pl.format("{}|{}", "delivered_by", "episode_id")
    able = due.filter(pl.col("overtaken") & ~pl.col("joined") & (pl.col("layout") == "canonical") & between)
    anyway = names.is_in(chosen(rng, able.select(names.alias("name"))["name"], count).implode())
    return due.with_columns(
        anyway.alias("held_anyway"),
        pl.when(anyway).then(later).otherwise("held_at").alias("held_at"),
        (pl.col("held") | anyway).alias("held"),
        (pl.col("overtaken") & ~anyway).alias("overtaken"),
    ).with_columns(
        pl.when("held").then("held_at").alias("held_at"),
        pl.when(pl.col("offered") == "yes").then("offered_at").alias("offered_at"),
        pl.when(pl.col("offered") == "yes")
        .then(pl.when("held").then(pl.lit("yes")).otherwise(pl.lit("no")))
        .when(pl.col("offered") == "not_applicable")
        .then(pl.lit("not_applicable"))
        .alias("accepted"),
        pl.when(pl.col("offered") == "yes")
        .then(pl.when("overtaken").then(pl.lit("missing_again")).when(~pl.col("held")).then("reason"))
        .alias("declined_reason"),
    )


def _grouped(due: pl.DataFrame) -> pl.DataFrame:
    """One row for each interview: an episode that joins the next one's interview is named there."""
    same = ["child", "delivered_by"]
    before = pl.col("joined").shift(1).over(same).fill_null(False)
    columns = []
    for name in ("episode_key", "episode_id"):
        both = pl.concat_str(pl.col(name).shift(1).over(same), name, separator=";")
        columns.append(pl.when(before).then(both).otherwise(name).alias(f"{name}s"))
    return due.with_columns(*columns, before.alias("covers_several")).filter(~pl.col("joined"))


def _contents(rng: np.random.Generator, settings: Settings, due: pl.DataFrame) -> pl.DataFrame:
    """What was said and done in the interviews that were held."""
    raw = settings.raw["interview"]
    count = due.height
    another = raw["another_interviewer"]
    others = {name: share for name, share in another.items() if name != "share"}
    interviewer = pick(rng, others, count).zip_with(pl.Series(rng.random(count) < another["share"]), due["interviewer"])
    codes = {
        name: _several(rng, raw[name], count) for name in ("push_factors", "pull_factors", "harms_disclosed", "actions")
    }
    recorded = rng.random(count)
    account = np.where(recorded < raw["account_recorded"], "yes", np.where(recorded < NOT_UNKNOWN, "no", "unknown"))
    shared = pl.Series("shared", rng.random(count) < raw["shared_with_police"])
    delay = pl.Series("delay", rng.exponential(30, count) * 60).cast(pl.Int64)
    held = pl.col("held")
    only_held = [pl.when(held).then(name).alias(name) for name in ("interviewer", "child_account_recorded", *codes)]
    return (
        due.with_columns(
            interviewer.alias("interviewer"), pl.Series("child_account_recorded", account), shared, delay, **codes
        )
        .with_columns(
            *only_held,
            pl.when(held & pl.col("shared"))
            .then(pl.col("held_at") + pl.duration(minutes="delay"))
            .alias("shared_with_police_at"),
            pl.format("RHI-{}", pl.col("episode_ids").str.split(";").list.last()).alias("interview_id"),
        )
        .select(
            "interview_id", "episode_keys", "episode_ids", "child", "delivered_by", "delivered_child_id",
            "pseudonym_scope", "started_at", "returned_at", "offered", "offered_at", "accepted", "declined_reason",
            "held_at", "interviewer", "child_account_recorded", *codes, "shared_with_police_at", "covers_several",
            "held_anyway",
        )
        .sort("returned_at", "interview_id", "delivered_by")
    )  # fmt: skip


def _office(rng: np.random.Generator, count: int) -> Ints:
    """Minutes of the day from 09:00 to 17:00 UTC."""
    return rng.integers(9 * 60, 17 * 60, count)


def _several(rng: np.random.Generator, weights: Mapping[str, float], count: int) -> pl.Series:
    """One or two different codes for each interview, separated by `;`."""
    first, second = pick(rng, weights, count), pick(rng, weights, count)
    single = (first == second) | pl.Series(rng.random(count) < SINGLE_CODE)
    return first.zip_with(single, first + ";" + second)


def _minutes(hours: Floats) -> Ints:
    """Hours since the epoch as whole minutes in microseconds."""
    return np.floor(hours * 60).astype(np.int64) * 60_000_000
