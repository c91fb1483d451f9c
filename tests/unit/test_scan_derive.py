"""Figures derived by the scan against those that SQL makes of the same published counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from scipy import stats

from dashboards.constants import constant_wording
from pipelines.disclosure.scan import Allowed, allowed_from_warehouse
from pipelines.disclosure.scan.derive import Coordinates, estimate, poisson_limits, wilson_limits
from pipelines.warehouse.connection import query_frame
from tests.builders.public_site import published_warehouse

Pair = tuple[Allowed, list[dict[str, Any]]]
COLUMNS = "figure_id, numerator, denominator, value, lower_95, upper_95, symbol, population_year, period_end"


@pytest.fixture(scope="module", params=[1, 2])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """What is published, and the figures of SQL; counts go down to nought, so that every mark occurs."""
    with published_warehouse(request.param, least_share=0) as connection:
        figures = query_frame(connection, f"select {COLUMNS} from published.indicator").to_dicts()  # noqa: S608 - our own
        yield allowed_from_warehouse(connection, constant_wording()), figures


def test_every_figure_of_sql_is_derived_alike(pair: Pair) -> None:
    allowed, figures = pair
    assert {"", "c", "u", "x", "z"} <= {row["symbol"] for row in figures}
    for row in figures:
        figure = allowed.published.figure(row["figure_id"])
        assert figure is not None, row["figure_id"]
        told = (figure.numerator, figure.denominator, figure.symbol, figure.population_year, figure.period_end)
        said = tuple(row[name] for name in ("numerator", "denominator", "symbol", "population_year", "period_end"))
        assert told == said, row["figure_id"]
        for own, other in zip(
            (figure.value, figure.lower, figure.upper), ("value", "lower_95", "upper_95"), strict=True
        ):
            assert (own is None) == (row[other] is None), row["figure_id"]
            assert own is None or math.isclose(own, row[other], rel_tol=1e-9, abs_tol=1e-12), row["figure_id"]


def test_what_is_not_published_is_not_derived(pair: Pair) -> None:
    allowed, _ = pair
    for figure_id in (
        "I01.A.E08000001.month.2024-04-01.total.Total",  # months are published of the region only
        "I01.A.E47000001.month.2023-03-01.total.Total",
        "I99.A.E47000001.year_to_march.2024-04-01.total.Total",
        "I01.A.E47000001.year_to_march.April.total.Total",
        "I01",
    ):
        assert allowed.published.figure(figure_id) is None


@pytest.mark.parametrize("count", [0, 1, 5, 9, 10, 25, 400])
def test_limits_of_a_count_are_those_of_its_distribution(count: int) -> None:
    lower, upper = poisson_limits(count)
    exact = (stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0, stats.chi2.ppf(0.975, 2 * count + 2) / 2)
    assert (lower, upper) == pytest.approx(exact, rel=1e-9 if count < 10 else 2e-3)


def test_limits_of_a_proportion_enclose_it() -> None:
    assert wilson_limits(0, 10)[0] == pytest.approx(0)
    assert wilson_limits(10, 10)[1] == pytest.approx(1)
    assert wilson_limits(5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-5)


def test_a_share_above_one_has_no_limits_and_nothing_is_divided_by_nought() -> None:
    assert estimate("proportion", 12, 10, 1) == (1.2, None, None)
    assert estimate("ratio", 5, 0, 1) == (None, None, None)
    assert estimate("count", 5, None, 1) == (5.0, None, None)


def test_an_id_with_other_parts_is_none() -> None:
    assert Coordinates.of("I14.A.E47000001.year_to_march.2024-04-01.variant.of_incidents") is not None
    assert Coordinates.of("I14.A.E47000001.year_to_march.2024-13-01.total.Total") is None
