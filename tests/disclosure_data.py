"""Made-up children and episodes, and the true count cells that follow from them by brute force.

Used by the disclosure tests only. Every measure of the policy is counted straight from its definition, with no
knowledge of how measures are related; no real child is behind any of it.
"""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from pipelines.disclosure.cells import CELL_ID, COORDINATES, TRUE_CELL
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.policy_file import load_policy, parse_policy
from pipelines.disclosure.targets import as_targets

GEOGRAPHY = Geography("E47000001", tuple(f"E080000{number:02}" for number in range(1, 11)))
BREAKDOWNS = ("age_band", "age_dfe", "sex", "looked_after", "place", "incident_band")
VALUES = {
    "total": ["Total"],
    "age_band": ["under 10", "10 to 11", "12 to 14", "15 to 17", "unknown"],
    "age_dfe": ["under 1", "1 to 4", "5 to 9", "10 to 15", "16 to 17", "unknown"],
    "sex": ["Female", "Male"],
    "looked_after": ["no", "unknown", "yes"],
    "place": ["own authority", "elsewhere in the region", "outside the region"],
    "incident_band": ["1", "2 to 4", "5 to 9", "10 or more"],
}
PERIODS = {"month": "1mo", "quarter": "3mo", "year_to_march": "1y"}
ELSEWHERE = "E08000999"  # an authority outside the region


def simulate(
    seed: int, children: int, years: int, geography: Geography = GEOGRAPHY, first_year: int = 2021
) -> pl.DataFrame:
    """Episodes of made-up children, heavy-tailed, some of whom move between areas, grow older and change status.

    Returns:
        One row for each episode: episode, child, area, responsible (either may be outside the region), start, returned,
        age_band, age_dfe, sex, looked_after, place, and the return interview as eligible, offered, completed, in_72h,
        declined, elsewhere.
    """
    rng = np.random.default_rng(seed)
    cared_for = rng.random(children) < 0.17
    number = np.minimum(1 + rng.negative_binomial(0.55, np.where(cared_for, 0.06, 0.3)), 60)
    child = np.repeat(np.arange(children), number)
    size = len(child)
    home = rng.choice(len(geography.boroughs), children, p=_shares(len(geography.boroughs)))
    abroad, strangers = rng.random(size) < 0.05, rng.random(children) < 0.05
    area = np.where(rng.random(size) < 0.1, rng.integers(0, len(geography.boroughs), size), home[child])
    missing_from = np.where(abroad & ~strangers[child], ELSEWHERE, np.array(geography.boroughs)[area])
    responsible = np.where(strangers[child], ELSEWHERE, np.array(geography.boroughs)[home[child]])
    year = rng.integers(0, years, children)
    day = (
        np.clip(rng.integers(0, 366, children)[child] + rng.exponential(40, size).astype(int), 0, 364)
        + 365 * year[child]
    )
    age = np.clip(np.round(rng.triangular(0, 16, 18, children))[child] + (rng.random(size) < 0.3), 0, 17)
    age = np.where(rng.random(size) < 0.02, 99, age)
    girl = (rng.random(children) < 0.5)[child] ^ (rng.random(size) < 0.01)
    looked_after = np.where(rng.random(size) < 0.005, 1, np.where(cared_for[child] ^ (rng.random(size) < 0.02), 2, 0))
    start = np.datetime64(date(first_year, 4, 1)) + day.astype("timedelta64[D]")
    eligible = rng.random(size) < 0.95
    completed = eligible & (rng.random(size) < 0.5)
    return pl.DataFrame(
        {
            "episode": np.arange(size),
            "child": child,
            "area": missing_from,
            "responsible": responsible,
            "start": start,
            "returned": start + rng.integers(0, 3, size).astype("timedelta64[D]"),
            "age_band": np.array(VALUES["age_band"])[np.digitize(age, [10, 12, 15, 18])],
            "age_dfe": np.array(VALUES["age_dfe"])[np.digitize(age, [1, 5, 10, 16, 18])],
            "place": np.where(
                missing_from == responsible,
                "own authority",
                np.where(
                    (missing_from == ELSEWHERE) | (responsible == ELSEWHERE),
                    "outside the region",
                    "elsewhere in the region",
                ),
            ),
            "elsewhere": rng.random(size) < 0.2,
            "sex": np.where(girl, *VALUES["sex"]),
            "looked_after": np.array(VALUES["looked_after"])[looked_after],
            "eligible": eligible,
            "offered": completed | (eligible & (rng.random(size) < 0.7)),
            "completed": completed,
            "in_72h": completed & (rng.random(size) < 0.63),
            "declined": eligible & ~completed & (rng.random(size) < 0.3),
        }
    )


def _shares(boroughs: int) -> np.ndarray:
    shares = np.linspace(1, 4, boroughs)
    return shares / shares.sum()


def count_cells(
    episodes: pl.DataFrame, geography: Geography = GEOGRAPHY, breakdowns: tuple[str, ...] = BREAKDOWNS, years: int = 1
) -> pl.DataFrame:
    """True count cells of every measure, area, period and breakdown value, zeros included."""
    members = pl.concat([*_missing(episodes, geography), *_interviews(episodes, geography)], how="diagonal")
    counted = [
        members.with_columns(breakdown=pl.lit(breakdown), breakdown_value=_value(breakdown))
        .drop_nulls("breakdown_value")
        .group_by(
            "measure", "basis", "area_code", "period_type", "period_start", "breakdown", "breakdown_value", "child"
        )
        .agg(episodes=pl.len())
        .group_by("measure", "basis", "area_code", "period_type", "period_start", "breakdown", "breakdown_value")
        .agg(
            count=pl.col("episodes").sum(),
            children=pl.len(),
            largest=pl.col("episodes").max(),
            second_largest=pl.col("episodes").sort(descending=True).get(1, null_on_oob=True),
        )
        for breakdown in ("total", *breakdowns)
    ]
    frame = _coordinates(episodes, geography, ("total", *breakdowns), years)
    keys = [column for column in frame.columns if column != "period_end"]
    return (
        frame.join(pl.concat(counted), on=keys, how="left")
        .with_columns(
            CELL_ID.alias("cell_id"),
            pl.col("count", "children", "largest", "second_largest").fill_null(0),
            coverage=pl.lit("complete"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in TRUE_CELL.items())
    )


def _value(breakdown: str) -> pl.Expr:
    return pl.lit("Total") if breakdown == "total" else pl.col(breakdown)


def _coordinates(episodes: pl.DataFrame, geography: Geography, breakdowns: tuple[str, ...], years: int) -> pl.DataFrame:
    first = int(episodes["start"].min().year if episodes.height else 2021)
    first -= int(bool(episodes.height) and episodes["start"].min().month < 4)
    begin, end = date(min(first, 2021), 4, 1), date(min(first, 2021) + years, 3, 31)
    step = {**PERIODS, "rolling_12_months": "1mo"}
    last = dict.fromkeys(PERIODS, end) | {"rolling_12_months": end - timedelta(days=364)}
    length = {**PERIODS, "rolling_12_months": "1y"}
    periods = pl.concat(
        pl.DataFrame({"period_start": pl.date_range(begin, last[name], every, eager=True)}).with_columns(
            period_type=pl.lit(name), period_end=pl.col("period_start").dt.offset_by(length[name]).dt.offset_by("-1d")
        )
        for name, every in step.items()
    )
    measures = pl.DataFrame(
        [(m, basis) for m in MISSING_MEASURES for basis in "AB"] + [(m, "B") for m in INTERVIEW_MEASURES],
        schema=["measure", "basis"],
        orient="row",
    )
    areas = pl.DataFrame({"area_code": [geography.region, *geography.boroughs]})
    values = pl.DataFrame(
        [(breakdown, value) for breakdown in breakdowns for value in VALUES[breakdown]],
        schema=["breakdown", "breakdown_value"],
        orient="row",
    )
    return measures.join(areas, how="cross").join(periods, how="cross").join(values, how="cross")


MISSING_MEASURES = (
    "incidents",
    "children",
    "children_10_17",
    "children_repeat",
    "incidents_second_or_later",
    "incidents_of_repeaters",
    "children_3_in_28",
    "children_3_in_90",
)
INTERVIEW_MEASURES = (
    "rhi_eligible",
    "rhi_offered",
    "rhi_completed",
    "rhi_completed_72h",
    "rhi_declined",
    "rhi_eligible_elsewhere",
    "rhi_completed_elsewhere",
)


def _period(column: str, period_type: str) -> pl.Expr:
    day = pl.col(column).cast(pl.Date)
    if period_type == "year_to_march":
        return day.dt.offset_by("-3mo").dt.truncate("1y").dt.offset_by("3mo")
    return day.dt.truncate(PERIODS[period_type])


def _in_areas(episodes: pl.DataFrame, area: str, geography: Geography) -> pl.DataFrame:
    own = episodes.with_columns(area_code=area).filter(pl.col("area_code").is_in(geography.boroughs))
    return pl.concat([own, own.with_columns(area_code=pl.lit(geography.region))])


def _missing(episodes: pl.DataFrame, geography: Geography) -> list[pl.DataFrame]:
    ordered = episodes.sort("start", "episode")
    earlier = pl.col("start").diff().over("child") < pl.duration(days=365)
    third = pl.col("start") - pl.col("start").shift(2).over("child")
    flagged = ordered.with_columns(
        later=earlier.fill_null(value=False),
        in_28=(third < pl.duration(days=28)).fill_null(value=False),
        in_90=(third < pl.duration(days=90)).fill_null(value=False),
    )
    return [
        part.with_columns(basis=pl.lit(basis))
        for basis, area in (("A", "area"), ("B", "responsible"))
        for name in (*PERIODS, "rolling_12_months")
        for part in _missing_in(_in_areas(flagged, area, geography), name)
    ]


def _missing_in(placed: pl.DataFrame, period_type: str) -> list[pl.DataFrame]:
    within = ["area_code", "period_start", "child"]
    band = pl.when(pl.col("times") == 1).then(pl.lit("1")).when(pl.col("times") < 5).then(pl.lit("2 to 4"))
    band = band.when(pl.col("times") < 10).then(pl.lit("5 to 9")).otherwise(pl.lit("10 or more"))
    episodes = _in_periods(placed, "start", period_type).with_columns(times=pl.len().over(within))
    children = (
        episodes.group_by(within, maintain_order=True)
        .agg(pl.col(*BREAKDOWNS[:-1]).first(), pl.len().alias("times"), pl.col("in_28", "in_90").any())
        .with_columns(incident_band=band)
    )
    chosen = {
        "incidents": episodes,
        "children": children,
        "children_10_17": children.filter(pl.col("age_band").is_in(["10 to 11", "12 to 14", "15 to 17"])),
        "children_repeat": children.filter(pl.col("times") > 1),
        "incidents_second_or_later": episodes.filter("later"),
        "incidents_of_repeaters": episodes.filter(pl.col("times") > 1),
        "children_3_in_28": children.filter("in_28"),
        "children_3_in_90": children.filter("in_90"),
    }
    return [_members(frame, measure, period_type) for measure, frame in chosen.items()]


def _in_periods(placed: pl.DataFrame, column: str, period_type: str) -> pl.DataFrame:
    """Each row in every period of a kind that its day lies in."""
    if period_type != "rolling_12_months":
        return placed.with_columns(period_start=_period(column, period_type))
    month = _period(column, "month")
    starts = pl.concat_list(month.dt.offset_by(f"-{back}mo") for back in range(12))
    return placed.with_columns(period_start=starts).explode("period_start")


def _interviews(episodes: pl.DataFrame, geography: Geography) -> list[pl.DataFrame]:
    placed = _in_areas(episodes, "responsible", geography)
    away = pl.col("elsewhere")
    flags = (*map(pl.col, ("eligible", "offered", "completed", "in_72h", "declined")), pl.col("eligible") & away)
    chosen = dict(zip(INTERVIEW_MEASURES, (*flags, pl.col("completed") & away), strict=True))
    return [
        _members(_in_periods(placed.filter(flag), "returned", name), measure, name).with_columns(basis=pl.lit("B"))
        for name in PERIODS
        for measure, flag in chosen.items()
    ]


def _members(frame: pl.DataFrame, measure: str, period_type: str) -> pl.DataFrame:
    divided = [name for name in BREAKDOWNS if name in frame.columns]
    return frame.select(
        "area_code",
        "period_start",
        "child",
        *divided,
        measure=pl.lit(measure),
        period_type=pl.lit(period_type),
    )


POLICY_FILE = Path(__file__).parents[1] / "data_contracts" / "rules" / "disclosure.yaml"
POLICY = load_policy(POLICY_FILE)
TOWNS = Geography("R", ("T1", "T2", "T3"))


def policy_for(*tables: dict[str, Any], also: str = "", **changes: Any) -> Policy:
    """The policy of the project with another publication plan; lists left out of a table are the shortest there are.

    Args:
        tables: the plan.
        also: one more relation.
        changes: fields of the policy to replace.
    """
    content = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    default = {"basis": "A", "period_types": ["year_to_march"], "areas": ["borough", "region"], "breakdowns": ["total"]}
    content["tables"] = [{"id": str(number), **default, **table} for number, table in enumerate(tables)]
    content["relations"] += [{"fact": also, "because": "a test says so"}] if also else []
    return replace(parse_policy(content), **changes)


def everything() -> Policy:
    """A policy that publishes every measure along every axis at once."""
    all_axes = {"period_types": list(PERIODS), "breakdowns": ["total", *BREAKDOWNS[:-1]]}
    return policy_for(
        *({"basis": basis, "measures": list(MISSING_MEASURES), **all_axes} for basis in "AB"),
        {"basis": "A", "measures": ["children"], "period_types": list(PERIODS), "breakdowns": ["incident_band"]},
        {"basis": "A", "measures": ["incidents"], "period_types": ["month", "rolling_12_months"]},
        {"basis": "B", "measures": list(INTERVIEW_MEASURES), "period_types": list(PERIODS)},
        also="children <= incidents[sex: Female] + incidents[sex: Male]",
    )


def year_cells(
    counts: dict[tuple[str, str], int], *, children: dict[tuple[str, str], int] | None = None
) -> pl.DataFrame:
    """True cells of one year to March by (measure, area), undivided; children behind a cell: its count unless given."""
    rows = [
        {
            "measure": measure,
            "basis": "A",
            "area_code": area,
            "period_type": "year_to_march",
            "period_start": date(2023, 4, 1),
            "period_end": date(2024, 3, 31),
            "breakdown": "total",
            "breakdown_value": "Total",
            "count": count,
            "children": (children or {}).get((measure, area), count),
            "largest": min(count, 1),
            "second_largest": min(max(count - 1, 0), 1),
            "coverage": "complete",
        }
        for (measure, area), count in counts.items()
    ]
    return pl.DataFrame(rows).with_columns(CELL_ID.alias("cell_id")).select(*TRUE_CELL)


def as_published(cells: pl.DataFrame, counts: dict[str, int] | list[int], within: int = 4) -> pl.DataFrame:
    """What a protector would hand to the audit: the cells with other counts, in the order of the rows or by cell_id."""
    if isinstance(counts, dict):
        counts = [counts[cell] for cell in cells.get_column("cell_id")]
    return cells.select(
        *COORDINATES,
        count=pl.Series(counts, dtype=pl.Int64),
        symbol=pl.lit(""),
        method=pl.lit("controlled_rounding"),
        within=pl.lit(within, dtype=pl.Int64),
    )


def small(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells that must be protected because few children stand behind them."""
    few = cells.filter(pl.col("children").is_between(1, 5)).select(target_id="cell_id", count="count")
    return as_targets(few, "small")
