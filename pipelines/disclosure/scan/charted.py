"""Funnels and control charts worked out anew from derived figures: what their files must say and their charts may show.

The methods are those of `pipelines.uncertainty`; here they are only given published figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.disclosure.scan.derive import Coordinates, Figure, Published
from pipelines.disclosure.scan.values import Values, is_share
from pipelines.region import Region
from pipelines.uncertainty.control_chart import control_chart
from pipelines.uncertainty.funnel import Kind, funnel
from pipelines.uncertainty.rules import ControlRules, FunnelRules

Told = Mapping[str, float | int | None]
_EDGE = 0.12  # of the span of sizes, on both sides of a funnel


@dataclass(frozen=True)
class Charts:
    """Makes the columns that funnels and control charts add to figures."""

    published: Published
    region: Region
    funnel_rules: FunnelRules
    control_rules: ControlRules

    def funnel(self, one: Figure) -> Mapping[str, Told]:
        """The columns of each borough in the funnel of a figure's reading and period, by area code."""
        return self._funnels(one.at.indicator_id, one.at.variant, one.at.basis, one.at.period_type, one.at.period_start)

    def control(self, one: Figure) -> Mapping[str, Told]:
        """The columns of each month in the control chart of a figure's reading and area, by first day."""
        key = (one.at.indicator_id, one.at.basis, one.at.area_code)
        if key not in self._controls:
            self._controls[key] = self._control(*key)
        return self._controls[key]

    @cached_property
    def _controls(self) -> dict[tuple[str, str, str], Mapping[str, Told]]:
        return {}

    @cached_property
    def _made(self) -> dict[tuple[object, ...], Mapping[str, Told]]:
        return {}

    def _funnels(self, *key: object) -> Mapping[str, Told]:
        if key not in self._made:
            indicator, variant, basis, period_type, start = key
            place = f"variant.{str(variant).replace(' ', '_')}" if variant else "total.Total"
            ids = [f"{indicator}.{basis}.{area.code}.{period_type}.{start}.{place}" for area in self.region.boroughs]
            self._made[key] = self._funnel([found for one in ids if (found := self.published.figure(one))])
        return self._made[key]

    def _funnel(self, figures: Sequence[Figure]) -> Mapping[str, Told]:
        judged = [one for one in figures if _is_judged(one)]
        if not judged:
            return {one.at.area_code: {} for one in figures}
        indicator = judged[0].indicator
        kind: Kind = "rate" if indicator.method == "rate" else "proportion"
        events, sizes = (
            np.array([getattr(one, name) for one in judged], dtype=np.float64) for name in ("numerator", "denominator")
        )
        found = funnel(events, sizes, kind, self.funnel_rules)
        shared: dict[str, float | int | None] = {
            "target": found.target * indicator.per,
            "phi": None if math.isnan(found.phi) else found.phi,
        }
        columns = {
            f"{prefix}{side}_{level}": getattr(limits, f"{side}_{place}") * indicator.per
            for prefix, limits in (("", found.chance), ("widened_", found.widened))
            for level, place in (("95", "inner"), ("998", "outer"))
            for side in ("lower", "upper")
        }
        own = {
            one.at.area_code: {name: float(column[place]) for name, column in columns.items()}
            | {"standing": int(found.standing[place])}
            for place, one in enumerate(judged)
        }
        return {one.at.area_code: shared | own.get(one.at.area_code, {}) for one in figures}

    def _control(self, indicator_id: str, basis: str, area_code: str) -> Mapping[str, Told]:
        months = sorted(
            (found for found in self._months(indicator_id, basis, area_code)), key=lambda one: one.at.period_start
        )
        values = np.array([one.value if one.symbol == "" and one.value is not None else np.nan for one in months])
        chart = control_chart(values, self.control_rules)
        told: dict[str, Told] = {}
        for place, one in enumerate(months):
            is_in = not math.isnan(chart.centre[place])
            run = int(chart.run[place])
            told[one.at.period_start.isoformat()] = {
                "run": run or None,
                "run_months": int(chart.run_months[place]) if run else None,
                "centre": float(chart.centre[place]) if is_in else None,
                "lower_limit": float(chart.lower[place]) if is_in else None,
                "upper_limit": float(chart.upper[place]) if is_in else None,
            } | {name: int(getattr(chart, name)[place]) if is_in else None for name in SIGNS}
        return told

    def _months(self, indicator_id: str, basis: str, area_code: str) -> Iterator[Figure]:
        for cell_id in self.published.cells:
            _, own_basis, area, period_type, start, breakdown, _ = cell_id.split("|")
            if (own_basis, area, period_type, breakdown) == (basis, area_code, "month", "total"):
                figure_id = f"{indicator_id}.{basis}.{area}.month.{start}.total.Total"
                at = Coordinates.of(figure_id)
                figure = self.published.figure(figure_id)
                if (
                    at
                    and figure
                    and figure.indicator.numerator
                    and cell_id.startswith(f"{figure.indicator.numerator.measure}|")
                ):
                    yield figure


SIGNS = ("beyond", "shift", "trend", "near")


def add_funnel(values: Values, figures: Sequence[Figure], told: Sequence[Told]) -> None:
    """Allow what a funnel draws: limits, the value of all together, and the ends of the axis of sizes."""
    for figure, columns in zip(figures, told, strict=True):
        share, decimals = is_share(figure.indicator.method), figure.indicator.decimals
        for name, value in columns.items():
            if name == "phi":
                values.add_value(value, share=False, decimals=1)
            elif name != "standing":
                values.add_value(value, share=share, decimals=decimals)
    sizes = [float(one.denominator or 0) for one in figures if _is_judged(one)]
    if sizes:
        edge = max(1.0, (max(sizes) - min(sizes)) * _EDGE)
        values.ends |= {float(round(max(0.0, min(sizes) - edge))), float(round(max(sizes) + edge))}
        values.numbers |= values.ends


def add_control(values: Values, told: Sequence[Told]) -> None:
    """Allow the average and the usual range of months."""
    for columns in told:
        for name in ("centre", "lower_limit", "upper_limit"):
            values.add_value(columns.get(name), share=False, decimals=0)


def _is_judged(one: Figure) -> bool:
    whole = one.symbol == "" and one.numerator is not None and bool(one.denominator)
    return whole and (one.indicator.method == "rate" or (one.numerator or 0) <= (one.denominator or 0))
