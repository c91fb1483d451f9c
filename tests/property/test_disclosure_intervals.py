"""The audit's intervals are those of brute force: every whole-number table inside the windows, tried one by one."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.disclosure.attacker import public_knowledge
from pipelines.disclosure.audit import audit
from pipelines.disclosure.cells import CELL_ID
from pipelines.disclosure.errors import InfeasibleError
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.targets import as_targets
from tests.disclosure_data import as_published, policy_for

Tables = np.ndarray
ONE = Geography("R", ("T1",))
TWO = Geography("R", ("T1", "T2"))


def places(*coordinates: tuple[str, str, str, date, date, str, str]) -> pl.DataFrame:
    """Coordinates (measure, area, period type, start, end, breakdown, value) as cells."""
    names = ["measure", "area_code", "period_type", "period_start", "period_end", "breakdown", "breakdown_value"]
    frame = pl.DataFrame(coordinates, schema=names, orient="row").with_columns(basis=pl.lit("A"))
    return frame.with_columns(CELL_ID.alias("cell_id"))


def year(
    measure: str, area: str, breakdown: str = "total", value: str = "Total"
) -> tuple[str, str, str, date, date, str, str]:
    """A cell of the year to March 2024."""
    return (measure, area, "year_to_march", date(2023, 4, 1), date(2024, 3, 31), breakdown, value)


def quarter(measure: str, number: int) -> tuple[str, str, str, date, date, str, str]:
    """The region's cell of a quarter of that year."""
    starts = [date(2023, 4, 1), date(2023, 7, 1), date(2023, 10, 1), date(2024, 1, 1), date(2024, 4, 1)]
    end = pl.Series([starts[number]]).dt.offset_by("-1d").item()
    return (measure, "R", "quarter", starts[number - 1], end, "total", "Total")


def areas(x: Tables) -> Tables:
    """Incidents of R, T1, T2, then children of the same."""
    i, i1, i2, c, c1, c2 = x
    adds = (i == i1 + i2) & (c >= np.maximum(c1, c2)) & (c <= c1 + c2)
    return (
        adds
        & (c <= i)
        & (c1 <= i1)
        & (c2 <= i2)
        & ((c > 0) | (i == 0))
        & ((c1 > 0) | (i1 == 0))
        & ((c2 > 0) | (i2 == 0))
    )


def breakdowns(x: Tables) -> Tables:
    """Incidents in total, of two sexes, of three ages."""
    total, female, male, young, middle, old = x
    return (total == female + male) & (total == young + middle + old)


def repeats(x: Tables) -> Tables:
    """Incidents, children, children_repeat, incidents_of_repeaters at one place."""
    i, c, r, o = x
    shares = (c <= i) & (r <= c) & (c + r <= i) & (2 * r <= o) & (o <= i) & (i - o == c - r)
    return shares & ((c > 0) | (i == 0)) & ((r > 0) | (o == 0))


def quarters(x: Tables) -> Tables:
    """Children of a year and of its quarters."""
    whole, *parts = x
    return (whole >= np.max(parts, axis=0)) & (whole <= np.sum(parts, axis=0))


def three_quarters(x: Tables) -> Tables:
    """Incidents of a year and of three of its quarters: the fourth is not published."""
    whole, *parts = x
    return whole >= np.sum(parts, axis=0)


SYSTEMS: dict[str, tuple[Policy, Geography, pl.DataFrame, Callable[[Tables], Tables]]] = {
    "areas": (
        policy_for({"measures": ["incidents", "children"]}),
        TWO,
        places(*(year(measure, area) for measure in ("incidents", "children") for area in ("R", "T1", "T2"))),
        areas,
    ),
    "breakdowns": (
        policy_for({"measures": ["incidents"], "areas": ["region"], "breakdowns": ["total", "sex", "age_band"]}),
        ONE,
        places(
            year("incidents", "R"),
            *(year("incidents", "R", "sex", value) for value in ("F", "M")),
            *(year("incidents", "R", "age_band", value) for value in ("0-9", "10-14", "15-17")),
        ),
        breakdowns,
    ),
    "repeats": (
        policy_for(
            {"measures": ["incidents", "children", "children_repeat", "incidents_of_repeaters"], "areas": ["region"]}
        ),
        ONE,
        places(*(year(m, "R") for m in ("incidents", "children", "children_repeat", "incidents_of_repeaters"))),
        repeats,
    ),
    "quarters": (
        policy_for({"measures": ["children"], "areas": ["region"], "period_types": ["quarter", "year_to_march"]}),
        ONE,
        places(year("children", "R"), *(quarter("children", number) for number in (1, 2, 3, 4))),
        quarters,
    ),
    "three quarters": (
        policy_for({"measures": ["incidents"], "areas": ["region"], "period_types": ["quarter", "year_to_march"]}),
        ONE,
        places(year("incidents", "R"), *(quarter("incidents", number) for number in (1, 2, 4))),
        three_quarters,
    ),
}


def possible_tables(printed: list[int], within: int, facts: Callable[[Tables], Tables]) -> Tables:
    """Every table inside the windows that satisfies the facts: cells x tables."""
    windows = [np.arange(max(0, count - within), count + within + 1) for count in printed]
    tables = np.stack([axis.ravel() for axis in np.meshgrid(*windows, indexing="ij")])
    return tables[:, facts(tables)]


@pytest.mark.parametrize("name", SYSTEMS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_intervals_and_verdicts_are_those_of_brute_force(name: str, data: st.DataObject) -> None:
    policy, geography, cells, facts = SYSTEMS[name]
    printed = data.draw(st.lists(st.sampled_from([0, 5, 10]), min_size=cells.height, max_size=cells.height))
    published = as_published(cells, printed)
    known = public_knowledge(published.with_columns(release=1, empty=False), policy, geography)
    tables = possible_tables(printed, 4, facts)
    if tables.shape[1] == 0:
        with pytest.raises(InfeasibleError):
            known.interval(0, 10)
        return
    lows, highs = tables.min(axis=1), tables.max(axis=1)
    for cell in range(cells.height):
        assert known.interval(cell, 10) == (lows[cell], highs[cell])
    # Any possible table can be the true one; all its cells of 1 to 5 are to be protected.
    truth = tables[:, data.draw(st.integers(0, tables.shape[1] - 1))]
    unsafe = cells.select(target_id="cell_id", count=pl.Series(truth)).filter(pl.col("count").is_between(1, 5))
    verdicts = audit(published, as_targets(unsafe, "small"), policy, geography).verdicts.join(
        cells.select(target_id="cell_id", least=pl.Series(lows), greatest=pl.Series(highs)), on="target_id"
    )
    assert verdicts.height == unsafe.height
    for _, _, low, high, verdict, least, greatest in verdicts.iter_rows():
        assert least <= low <= high <= greatest  # only values that are really possible are claimed to be
        if policy.protects(least, greatest, policy.minimum_width):
            assert verdict == ""
        if least == greatest or (least > 0 and greatest <= policy.unsafe_to):
            assert verdict != ""


SQUARE = policy_for({"measures": ["incidents"], "breakdowns": ["total", "sex"], "method": "suppression"})
SQUARE_CELLS = places(
    *(year("incidents", area, "sex", value) for area in ("R", "T1", "T2") for value in ("F", "M")),
    *(year("incidents", area) for area in ("R", "T1", "T2")),
)


def with_margins(inner: Tables) -> Tables:
    """Incidents in the order of `SQUARE_CELLS`, of counts of two towns by sex: T1 F, T1 M, T2 F, T2 M."""
    f1, m1, f2, m2 = inner
    return np.stack([f1 + f2, m1 + m2, f1, m1, f2, m2, f1 + m1 + f2 + m2, f1 + m1, f2 + m2])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(inner=st.lists(st.integers(0, 3), min_size=4, max_size=4), chosen=st.sets(st.integers(0, 8)))
def test_intervals_of_hidden_counts_are_those_of_brute_force(inner: list[int], chosen: set[int]) -> None:
    truth = with_margins(np.array(inner))
    total = 6  # always shown, so that there is an end to what is possible
    hidden = np.isin(np.arange(9), list(chosen - {total})) & (truth > 0)
    published = SQUARE_CELLS.with_columns(
        count=pl.Series(truth),
        symbol=pl.Series(np.where(hidden, "c", "")),
        method=pl.lit("suppression"),
        within=pl.lit(0, dtype=pl.Int64),
    ).with_columns(count=pl.when(pl.col("symbol") == "").then("count"))
    known = public_knowledge(published.with_columns(release=1, empty=False), SQUARE, TWO)
    every = with_margins(np.stack([axis.ravel() for axis in np.meshgrid(*[np.arange(truth[total] + 1)] * 4)]))
    fits = (every[~hidden] == truth[~hidden, None]).all(axis=0) & (every[hidden] >= 1).all(axis=0)
    for cell in np.flatnonzero(hidden):
        assert known.interval(int(cell), 10) == (every[cell, fits].min(), every[cell, fits].max())
