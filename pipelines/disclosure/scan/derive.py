"""Figures worked out anew from published counts alone: numerator, denominator, value, limits and mark.

Written apart from `sql/published/indicator.sql` and in another language, so that a mistake in one is found by the
other. Reads published cells, the indicator contract and public populations; knows no true count and opens no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from scipy import special

from pipelines.contracts.indicators import LOOKED_AFTER_IN_YEAR, POPULATION, TOTAL, TOTAL_VALUE, Catalogue, Indicator

_Z = 1.959963984540054  # 97.5th percentile of the standard normal distribution
_FEW = 10  # below it Byar's limits are replaced by the exact ones
_SHOWN = ("", "u")
_PARTS = 7  # of a figure id


@dataclass(frozen=True)
class Cell:
    """One published count with its mark; `count` is None where there is only the mark."""

    count: int | None
    symbol: str
    period_end: date


@dataclass(frozen=True)
class Coordinates:
    """What the id of a figure says."""

    indicator_id: str
    basis: str
    area_code: str
    period_type: str
    period_start: date
    breakdown: str
    value: str

    @classmethod
    def of(cls, figure_id: str) -> Coordinates | None:
        """Read an id such as I01.A.E47000001.month.2024-04-01.total.Total; None where it is none."""
        parts = figure_id.split(".")
        if len(parts) != _PARTS:
            return None
        try:
            start = date.fromisoformat(parts[4])
        except ValueError:
            return None
        return cls(parts[0], parts[1], parts[2], parts[3], start, parts[5], parts[6].replace("_", " "))

    @property
    def variant(self) -> str:
        """Which reading of the indicator; blank for the first."""
        return self.value if self.breakdown == "variant" else ""


@dataclass(frozen=True)
class Figure:
    """A figure as it follows from published counts."""

    at: Coordinates
    indicator: Indicator
    period_end: date
    numerator: int | None
    denominator: int | None
    value: float | None
    lower: float | None
    upper: float | None
    symbol: str
    population_year: int | None


@dataclass(frozen=True)
class Published:
    """Everything that figures may be made of.

    Attributes:
        cells: published counts by cell id.
        catalogue: the indicators.
        populations: by area, age band and mid-year.
        looked_after: children looked after in a year, by area and last day, as DfE prints them.
        minimum_base: least published denominator of a share, ratio or rate.
    """

    cells: Mapping[str, Cell]
    catalogue: Catalogue
    populations: Mapping[tuple[str, str, int], int] = field(default_factory=dict)
    looked_after: Mapping[tuple[str, date], int] = field(default_factory=dict)
    minimum_base: int = 20

    @cached_property
    def first_month(self) -> date | None:
        """First published month, or where no month is published the first day of any period."""
        starts = [date.fromisoformat(cell_id.split("|")[4]) for cell_id in self.cells]
        months = [start for cell_id, start in zip(self.cells, starts, strict=True) if "|month|" in cell_id]
        return min(months or starts, default=None)

    def indicator(self, at: Coordinates) -> Indicator | None:
        """The indicator of a figure."""
        return self._indicators.get((at.indicator_id, at.variant))

    def figure(self, figure_id: str) -> Figure | None:
        """Work a figure out; None where published counts do not give it."""
        at = Coordinates.of(figure_id)
        indicator = self.indicator(at) if at else None
        if at is None or indicator is None or indicator.numerator is None:
            return None
        named = indicator.numerator
        own = (named.breakdown, named.value) if named.breakdown else (at.breakdown, at.value)
        if at.breakdown == "variant" and not named.breakdown:
            own = (TOTAL, TOTAL_VALUE)
        numerator = self.cells.get(_cell_id(named.measure, at, own))
        if numerator is None:
            return None
        below = self._denominator(at, indicator, own, numerator.period_end)
        if below is None:
            return None
        return self._figure(at, indicator, numerator, below, self._unanswered(at, indicator))

    @cached_property
    def _indicators(self) -> dict[tuple[str, str], Indicator]:
        return {(one.indicator_id, one.variant): one for one in self.catalogue.indicators}

    def _denominator(
        self, at: Coordinates, indicator: Indicator, own: tuple[str, str], end: date
    ) -> tuple[int | None, int | None, bool] | None:
        """Denominator, year of a population, and whether it was counted; None where it is not published."""
        count = indicator.denominator
        if count is None:
            return None, None, False
        if count.measure == POPULATION:
            years = [year for area, band, year in self.populations if (area, band) == (at.area_code, count.band)]
            year = max((year for year in years if date(year, 6, 30) <= end), default=None)
            return (None if year is None else self.populations[at.area_code, count.band, year]), year, False
        if count.measure == LOOKED_AFTER_IN_YEAR:
            return self.looked_after.get((at.area_code, end)), None, False
        place = (TOTAL, TOTAL_VALUE) if count.is_undivided else own
        cell = self.cells.get(_cell_id(count.measure, at, (count.breakdown, count.value) if count.breakdown else place))
        return None if cell is None else (cell.count, None, True)

    def _unanswered(self, at: Coordinates, indicator: Indicator) -> int | None:
        """How many of a divided count have no answer, where that decides whether a share of the whole is shown."""
        named, below = indicator.numerator, indicator.denominator
        if not (named and named.breakdown and below and below.is_undivided):
            return None
        cell = self.cells.get(_cell_id(named.measure, at, (named.breakdown, "unknown")))
        return cell.count if cell else None

    def _figure(
        self,
        at: Coordinates,
        indicator: Indicator,
        cell: Cell,
        below: tuple[int | None, int | None, bool],
        unanswered: int | None,
    ) -> Figure:
        denominator, year, is_counted = below
        reach = self.first_month is not None and at.period_start >= _later(self.first_month, indicator.look_back_months)
        looks_back = indicator.look_back_months == 0 or reach
        symbol, is_told = self._answered(cell.symbol, unanswered, denominator if is_counted else None)
        numerator = cell.count if looks_back and is_told else None
        too_small = is_counted and denominator is not None and denominator < self.minimum_base
        if not looks_back:
            symbol = "z"
        elif symbol == "x" or (indicator.method == "rate" and denominator is None):
            symbol = "x"
        elif indicator.method != "count" and (too_small or denominator is None):
            symbol = "c"
        value, lower, upper = (None, None, None)
        if symbol in _SHOWN and numerator is not None:
            value, lower, upper = estimate(indicator.method, numerator, denominator, indicator.per)
        return Figure(at, indicator, cell.period_end, numerator, denominator, value, lower, upper, symbol, year)

    def _answered(self, symbol: str, unanswered: int | None, counted: int | None) -> tuple[str, bool]:
        """The mark, and whether enough records hold the answer for the numerator to be shown."""
        if unanswered is None or counted is None:
            return symbol, True
        if unanswered > self.catalogue.none_above * counted:
            return "x", False
        if symbol == "" and unanswered > self.catalogue.partial_above * counted:
            return "u", True
        return symbol, True


def estimate(
    method: str, numerator: int, denominator: int | None, per: int
) -> tuple[float | None, float | None, float | None]:
    """Value and 95% limits: Wilson's of a proportion, Byar's of a rate (exact below 10)."""
    if method == "count":
        return float(numerator), None, None
    if not denominator:
        return None, None, None
    value = per * numerator / denominator
    if method == "rate":
        low, high = poisson_limits(numerator)
        return value, per * low / denominator, per * high / denominator
    if method == "proportion" and numerator <= denominator:
        return value, *wilson_limits(numerator, denominator)
    return value, None, None


def poisson_limits(count: int) -> tuple[float, float]:
    """95% limits of a Poisson count."""
    if count < _FEW:
        lower = float(special.gammaincinv(count, 0.025)) if count else 0.0
        return lower, float(special.gammaincinv(count + 1, 0.975))
    above = count + 1
    return (
        count * (1 - 1 / (9 * count) - _Z / (3 * math.sqrt(count))) ** 3,
        above * (1 - 1 / (9 * above) + _Z / (3 * math.sqrt(above))) ** 3,
    )


def wilson_limits(count: int, base: int) -> tuple[float, float]:
    """95% limits of a proportion."""
    middle = 2 * count + _Z**2
    reach = _Z * math.sqrt(_Z**2 + 4 * count * (1 - count / base))
    return (middle - reach) / (2 * (base + _Z**2)), (middle + reach) / (2 * (base + _Z**2))


def _cell_id(measure: str, at: Coordinates, place: tuple[str, str]) -> str:
    return "|".join((measure, at.basis, at.area_code, at.period_type, at.period_start.isoformat(), *place))


def _later(day: date, months: int) -> date:
    place = day.year * 12 + day.month - 1 + months
    return date(place // 12, place % 12 + 1, day.day)
