"""The tables of funnels, control charts and intervals: from which rows they come, and checks that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from pipelines.checks.tables import load_table_checks
from pipelines.region import load_region
from pipelines.uncertainty.tables import (
    BOOTSTRAP_INTERVAL,
    CONTROL_CHART,
    FUNNEL,
    PUBLIC_CONTROL_CHART,
    build_public,
    build_restricted,
)
from tests.builders.rows import EpisodeRow, InterviewRow, area_codes, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse

BOLTON, BURY, SALFORD = (area_codes()[slug] for slug in ("bolton", "bury", "salford"))
REGION = "E47000001"
TABLES = (FUNNEL, PUBLIC_CONTROL_CHART, CONTROL_CHART, BOOTSTRAP_INTERVAL)
CHECKS = {check.id: check for check in load_table_checks() if check.table in TABLES}
MONTHS = [(2024, month) for month in range(4, 13)] + [(2025, month) for month in range(1, 7)]
# A borough-month without a row: Bury's, and so the region's, series is broken there.
NOT_SENT = {("bury", 2024, 8)}


def _episodes() -> list[EpisodeRow]:
    """Each month every borough has children missing once; in Salford one child goes missing on six days of it."""
    rows = []
    for place, slug in enumerate(load_region().slugs):
        for year, month in MONTHS:
            if (slug, year, month) in NOT_SENT:
                continue
            often = 6 if slug == "salford" else 2
            for number in range(often + place % 3):
                start = f"{year}-{month:02}-{3 + 3 * number:02} 12:00"
                child = f"{slug} again" if number < often // 2 else f"{slug} {year} {month} {number}"
                rows.append(
                    EpisodeRow(
                        episode_id=f"{slug} {start}",
                        started=start,
                        found=start.replace("12:00", "13:00"),
                        returned=start.replace("12:00", "14:00"),
                        child=child,
                        borough=slug,
                        looked_after="yes" if number % 2 else "no",
                    )
                )
    return rows


def _interviews(rows: list[EpisodeRow]) -> list[InterviewRow]:
    """After three of four episodes an interview is offered, held the next day after every second of these."""
    return [
        InterviewRow(
            interview_id=f"I {row.episode_id}",
            episode_ids=[row.episode_id],
            child=row.child,
            borough=row.borough,
            held=f"{row.started[:8]}{int(row.started[8:10]) + 1:02} 10:00" if place % 2 else None,
            accepted="yes" if place % 2 else "no",
            declined_reason=None if place % 2 else "child_declined",
        )
        for place, row in enumerate(rows)
        if place % 4
    ]


@pytest.fixture(scope="module")
def built() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        rows = _episodes()
        opened.load(delivery(*rows, *_interviews(rows), received="2025-07-01 09:00"))
        opened.build("statistics.child_ratio", "statistics.indicator")
        opened.connection.execute("create schema published")
        opened.connection.execute("create table published.indicator as from statistics.indicator")
        build_public(opened.connection)
        build_restricted(opened.connection)
        yield opened


@pytest.fixture
def warehouse(built: SmallWarehouse) -> Iterator[SmallWarehouse]:
    """The tables, put back as they were after each test."""
    for table in TABLES:
        built.connection.execute(f"create or replace temp table kept_{table.replace('.', '_')} as from {table}")
    yield built
    for table in TABLES:
        built.connection.execute(f"create or replace table {table} as from kept_{table.replace('.', '_')}")


def broken(warehouse: SmallWarehouse, check_id: str) -> int:
    (count,) = warehouse.values(CHECKS[check_id].query)
    return int(count)


# Newcombe 1998, table I, method 3; exact limits of a Poisson count as in the tables since Garwood 1936.
@pytest.mark.parametrize(
    ("part", "whole", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_limits_of_a_proportion_are_newcombes_examples(
    warehouse: SmallWarehouse, part: int, whole: int, lower: float, upper: float
) -> None:
    (row,) = warehouse.rows("select wilson_lower($x, $n) as low, wilson_upper($x, $n) as high", x=part, n=whole)
    assert (row["low"], row["high"]) == pytest.approx((lower, upper), abs=5e-5)


@pytest.mark.parametrize(
    ("count", "lower", "upper", "within"),
    [(0, 0.0, 3.689, 5e-4), (5, 1.623, 11.668, 5e-4), (9, 4.115, 17.085, 5e-4), (10, 4.795, 18.390, 0.02),
     (100, 81.364, 121.627, 0.02)],
)  # fmt: skip
def test_the_limits_of_a_count_are_those_of_the_tables(
    warehouse: SmallWarehouse, count: int, lower: float, upper: float, within: float
) -> None:
    """Below ten exactly; from ten Byar's, which differ from the exact ones in the second decimal."""
    (row,) = warehouse.rows("select poisson_lower($o) as low, poisson_upper($o) as high", o=count)
    assert (row["low"], row["high"]) == pytest.approx((lower, upper), abs=within)


def test_every_table_has_rows_and_a_check(warehouse: SmallWarehouse) -> None:
    for table in TABLES:
        assert warehouse.rows(f"from {table} limit 1")
    assert {check.table for check in CHECKS.values()} == set(TABLES)


@pytest.mark.parametrize("check_id", sorted(CHECKS))
def test_every_check_passes_on_good_tables(warehouse: SmallWarehouse, check_id: str) -> None:
    assert broken(warehouse, check_id) == 0


DAMAGE = {
    "every_borough_is_in_every_funnel": (
        "delete from published.funnel where area_code = (select max(area_code) from published.funnel)"
    ),
    "funnels_hold_published_figures_only": "update published.funnel set numerator = numerator + 1",
    "funnel_limits_lie_around_their_target": "update published.funnel set lower_95 = target + 1 where is_judged",
    "only_complete_figures_are_judged_in_a_funnel": "update published.funnel set symbol = 'u'",
    "published_control_charts_hold_published_figures_only": "update published.control_chart set value = value + 1",
    "published_control_limits_lie_around_the_mean": "update published.control_chart set lower_limit = centre + 1",
    "no_month_that_was_not_received_is_in_a_published_control_chart": (
        "update published.control_chart set value = 0 where symbol <> ''"
    ),
    "control_limits_lie_around_the_mean": "update statistics.control_chart set upper_limit = centre - 1",
    "no_month_that_was_not_received_is_in_a_control_chart": (
        "update statistics.control_chart set value = 0 where symbol <> ''"
    ),
    "estimates_over_children_are_the_indicators": "update statistics.bootstrap_interval set estimate = estimate + 0.01",
    "limits_over_children_lie_around_their_estimate": (
        "update statistics.bootstrap_interval set lower_95 = estimate + 0.01"
    ),
}


@pytest.mark.parametrize("check_id", sorted(CHECKS))
def test_every_check_can_fail(warehouse: SmallWarehouse, check_id: str) -> None:
    warehouse.connection.execute(DAMAGE[check_id])
    assert broken(warehouse, check_id) > 0


def test_sums_over_children_are_the_parts_of_the_indicators(warehouse: SmallWarehouse) -> None:
    unlike = """
        with summed as (
            select
                indicator_id, variant, basis, area_code, period_start, sum(numerator_each * children) as numerator,
                sum(denominator_each * children) as denominator
            from statistics.child_ratio
            group by all
        )
        select count(*), count_if(
            summed.numerator is distinct from figure.numerator
            or (summed.denominator is distinct from figure.denominator and summed.denominator > 0)
        )::bigint as unlike
        from summed
        inner join statistics.indicator as figure using (indicator_id, variant, basis, area_code, period_start)
        where figure.period_type = 'year_to_march' and figure.breakdown in ('total', 'variant')
        and figure.numerator is not null
    """
    (row,) = warehouse.rows(unlike)
    compared, differing = row.values()
    assert compared > 100
    assert differing == 0


def test_every_ratio_of_episodes_of_a_year_has_its_interval(warehouse: SmallWarehouse) -> None:
    found = warehouse.values(
        "select distinct indicator_id || variant from statistics.bootstrap_interval where area_code = $area order by 1",
        area=REGION,
    )
    measured = {"I03", "I04", "I07", "I14of incidents", "I27", "I28", "I28of offered", "I29", "I29of held", "I30"}
    assert measured <= set(found)
    # Second or later needs a year before, which is not loaded; figures of children have Wilson's and Byar's limits.
    assert {"I06", "I05", "I08", "I14", "I02"}.isdisjoint(found)


def test_a_child_with_many_episodes_makes_a_share_less_sure(warehouse: SmallWarehouse) -> None:
    (row,) = warehouse.rows(
        "select upper_95 - lower_95 as whole, independent_upper_95 - independent_lower_95 as each "
        "from statistics.bootstrap_interval where indicator_id = 'I07' and basis = 'A' and area_code = $area",
        area=SALFORD,
    )
    assert row["whole"] > 1.5 * row["each"]


def test_the_same_children_in_another_order_have_the_same_limits(warehouse: SmallWarehouse) -> None:
    before = warehouse.rows("from statistics.bootstrap_interval order by figure_id")
    warehouse.connection.execute(
        "create or replace table statistics.child_ratio as from statistics.child_ratio order by hash(child_ratio)"
    )
    build_restricted(warehouse.connection)
    assert warehouse.rows("from statistics.bootstrap_interval order by figure_id") == before


def test_a_month_not_sent_breaks_the_chart_of_its_borough_and_of_the_region(warehouse: SmallWarehouse) -> None:
    rows = warehouse.rows(
        "select area_code, period_start, value, symbol, run, run_months, centre from statistics.control_chart "
        "where indicator_id = 'I01' and basis = 'A' order by period_start"
    )
    charts = {code: [row for row in rows if row["area_code"] == code] for code in (BOLTON, BURY, REGION)}
    assert {row["run_months"] for row in charts[BOLTON]} == {len(MONTHS)}
    assert all(row["centre"] is not None for row in charts[BOLTON])
    for code, symbol in ((BURY, "x"), (REGION, "u")):
        (august,) = [row for row in charts[code] if row["period_start"] == date(2024, 8, 1)]
        assert (august["value"], august["symbol"], august["run"], august["centre"]) == (None, symbol, None, None)
        assert [row["run_months"] for row in charts[code]] == [4] * 4 + [None] + [10] * 10
        assert all(row["centre"] is None for row in charts[code])  # ten in a row are too few


def test_a_borough_with_a_month_missing_takes_no_part_in_its_funnel(warehouse: SmallWarehouse) -> None:
    rows = warehouse.rows(
        "from published.funnel where indicator_id = 'I04' and basis = 'A' and period_type = 'year_to_march'"
    )
    assert len(rows) == len(load_region().boroughs)
    bury = next(row for row in rows if row["area_code"] == BURY)
    assert (bury["symbol"], bury["is_judged"], bury["standing"], bury["lower_95"]) == ("u", False, None, None)
    judged = [row for row in rows if row["is_judged"]]
    pooled = sum(row["numerator"] for row in judged) / sum(row["denominator"] for row in judged) * 10_000
    assert [row["target"] for row in rows] == pytest.approx([pooled] * len(rows))
    assert {row["areas"] for row in rows} == {9}
    salford = next(row for row in rows if row["area_code"] == SALFORD)
    assert salford["value"] > salford["upper_998"]


def test_without_figures_there_are_tables_without_rows() -> None:
    with small_warehouse() as opened:
        opened.load(delivery(*_episodes()[:1], received="2024-04-10 09:00"))
        opened.build("statistics.child_ratio", "statistics.indicator")
        opened.connection.execute("create schema published")
        opened.connection.execute("create table published.indicator as from statistics.indicator")
        assert build_public(opened.connection) == {FUNNEL: 0, PUBLIC_CONTROL_CHART: 0}
        assert build_restricted(opened.connection) == {BOOTSTRAP_INTERVAL: 0, CONTROL_CHART: 0}
