"""The indicators, read strictly from `data_contracts/rules/indicators.yaml`, as rows for the warehouse.

What is counted is said by measures; SQL counts them (`sql/statistics/`) and nothing here does. Which count cells are
needed follows from the indicators alone, so that none is counted that no indicator shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS

BASES = ("A", "B")
AREAS = ("borough", "region")
PERIODS = ("month", "quarter", "year_to_march", "rolling_12_months")
# Periods that overlap are not divided: their counts would say little and cost much.
_UNDIVIDED_PERIODS = {"rolling_12_months"}
_YEAR = "year_to_march"
FAMILIES = ("episode", "verdict", "interview", "delivery")
TOTAL, TOTAL_VALUE = "total", "Total"
LOOKED_AFTER_IN_YEAR = "looked_after_in_year"
POPULATION = "population"
# Methods that need a numerator, and all but the first a denominator.
_COUNTED = ("count", "ratio", "proportion", "rate")
METHODS = (*_COUNTED, "concentration", "not_delivered")
SLICES = ("top_5_percent", "half_of_incidents")
_MINIMUM_BASE = 20

_COUNT = re.compile(r"(\w+)(?:\[(?:(total)|(\w+): ([^\]]+)|([\d-]+))\])?")
_STATED = {"id", "version", "title", "question", "bases", "periods", "unit", "method", "decimals", "source"}
_KNOWN = _STATED | {
    "variant",
    "numerator",
    "denominator",
    "areas",
    "breakdowns",
    "breakdowns_of_year",
    "undivided",
    "per",
    "look_back_months",
    "minimum_base",
    "caveats",
    "slice",
}


@dataclass(frozen=True)
class Count:
    """A measure, undivided or one value of a breakdown; or the band of a population.

    `is_undivided` says that it is the whole also where the other side of the share is a part of it.
    """

    measure: str
    breakdown: str = ""
    value: str = ""
    band: str = ""
    is_undivided: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether the warehouse counts it; populations and DfE's looked-after children are given."""
        return self.measure not in {POPULATION, LOOKED_AFTER_IN_YEAR}


@dataclass(frozen=True)
class Measure:
    """Something counted: its words, and the deliveries on which it depends."""

    name: str
    family: str
    says: str


@dataclass(frozen=True)
class Indicator:
    """One reading of an indicator; see the head of the file for what each part means."""

    indicator_id: str
    variant: str
    version: int
    title: str
    question: str
    numerator: Count | None
    denominator: Count | None
    bases: tuple[str, ...]
    areas: tuple[str, ...]
    periods: tuple[str, ...]
    breakdowns: tuple[str, ...]
    breakdowns_of_year: tuple[str, ...]
    undivided: bool
    unit: str
    method: str
    per: int
    decimals: int
    look_back_months: int
    minimum_base: int
    caveats: tuple[str, ...]
    source: str
    slice: str

    @property
    def counts(self) -> tuple[Count, ...]:
        """What is counted for it."""
        return tuple(count for count in (self.numerator, self.denominator) if count and count.is_counted)


@dataclass(frozen=True)
class Catalogue:
    """Everything the file says."""

    indicators: tuple[Indicator, ...]
    measures: Mapping[str, Measure]
    breakdowns: Mapping[str, tuple[str, ...]]
    partial_above: float
    none_above: float


@cache
def load_indicators(contracts: Path = CONTRACTS) -> Catalogue:
    """Read the file.

    Raises:
        ContractError: it is not as it must be.
    """
    keys = Keys.of_file(contracts / "rules" / "indicators.yaml", "rules/indicators.yaml")
    parts = ("indicators", "not_measurable", "measures", "breakdowns")
    keys.only(parts, parts)
    listed = keys.at("breakdowns")
    breakdowns = {name: listed.texts(name) for name in listed.raw}
    measures = {name: _measure(name, stated) for name, stated in keys.at("measures").each()}
    indicators = tuple(_indicator(entry, measures, breakdowns) for entry in keys.entries("indicators"))
    readings = [(one.indicator_id, one.variant) for one in indicators]
    if len(set(readings)) < len(readings):
        keys.fail("indicators", "one indicator and variant stands twice")
    limits = keys.at("not_measurable")
    limits.only(("partial_above", "none_above"), ("partial_above", "none_above"))
    return Catalogue(indicators, measures, breakdowns, limits.number("partial_above"), limits.number("none_above"))


def indicator_frame(catalogue: Catalogue) -> pl.DataFrame:
    """Make the rows of `rules.indicator`: one for each reading of an indicator that is counted or looked up."""
    rows = [
        {
            "indicator_id": one.indicator_id,
            "variant": one.variant,
            "version": one.version,
            "title": one.title,
            "unit": one.unit,
            "method": one.method,
            **_side("numerator", one.numerator),
            **_side("denominator", one.denominator),
            "denominator_undivided": one.denominator.is_undivided if one.denominator else False,
            "denominator_band": one.denominator.band if one.denominator else "",
            "bases": list(one.bases),
            "areas": list(one.areas),
            "periods": list(one.periods),
            "breakdowns": [*([TOTAL] if one.undivided else []), *one.breakdowns],
            "breakdowns_of_year": list(one.breakdowns_of_year),
            "per": one.per,
            "decimals": one.decimals,
            "look_back_months": one.look_back_months,
            "minimum_base": one.minimum_base,
            "slice": one.slice,
            "source": one.source,
            "partial_above": catalogue.partial_above,
            "none_above": catalogue.none_above,
        }
        for one in catalogue.indicators
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def measure_frame(catalogue: Catalogue) -> pl.DataFrame:
    """Make the rows of `rules.measure`: every count that an indicator needs, but for area and date.

    Returns:
        measure, family, basis, period_type, area_type, breakdown, breakdown_value, partial_above, none_above; distinct.
    """
    cells = {cell for one in catalogue.indicators for cell in _cells(one, catalogue)}
    schema = ["measure", "family", "basis", "period_type", "area_type", "breakdown", "breakdown_value"]
    frame = pl.DataFrame(sorted(cells), schema=schema, orient="row")
    return frame.with_columns(
        pl.lit(catalogue.partial_above).alias("partial_above"), pl.lit(catalogue.none_above).alias("none_above")
    )


def _cells(one: Indicator, catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for count in one.counts:
        family = catalogue.measures[count.measure].family
        for period in one.periods:
            for breakdown in _divided(one, count, period):
                values = catalogue.breakdowns[breakdown] if breakdown != TOTAL else (TOTAL_VALUE,)
                for basis in one.bases:
                    for area in one.areas:
                        for value in values:
                            yield (count.measure, family, basis, period, area, breakdown, value)


def _divided(one: Indicator, count: Count, period: str) -> tuple[str, ...]:
    """By what a count is divided for an indicator; a value of a breakdown needs the others, for the unknown share."""
    if count.breakdown:
        return (count.breakdown,)
    if count.is_undivided or period in _UNDIVIDED_PERIODS:
        return (TOTAL,)
    of_year = one.breakdowns_of_year if period == _YEAR else ()
    return (*((TOTAL,) if one.undivided else ()), *one.breakdowns, *of_year)


def _side(side: str, count: Count | None) -> dict[str, str]:
    return {
        f"{side}_measure": count.measure if count else "",
        f"{side}_breakdown": count.breakdown if count else "",
        f"{side}_value": count.value if count else "",
    }


def _measure(name: str, keys: Keys) -> Measure:
    keys.only(("family", "says"), ("family", "says"))
    return Measure(name, keys.one_of("family", FAMILIES), keys.text("says"))


def _indicator(keys: Keys, measures: Mapping[str, Measure], breakdowns: Mapping[str, tuple[str, ...]]) -> Indicator:
    keys.only(_KNOWN, _STATED)
    method = keys.one_of("method", METHODS)
    numerator, denominator = (_count(keys, side, measures, breakdowns) for side in ("numerator", "denominator"))
    _check_method(keys, method, numerator, denominator)
    return Indicator(
        indicator_id=keys.text("id"),
        variant=keys.text("variant"),
        version=keys.whole("version", least=1),
        title=keys.text("title"),
        question=keys.text("question"),
        numerator=numerator,
        denominator=denominator,
        bases=_some_of(keys, "bases", BASES),
        areas=_some_of(keys, "areas", AREAS) if "areas" in keys.raw else AREAS,
        periods=_some_of(keys, "periods", PERIODS),
        breakdowns=_some_of(keys, "breakdowns", tuple(breakdowns)) if "breakdowns" in keys.raw else (),
        breakdowns_of_year=_of_year(keys, breakdowns),
        undivided=keys.flag("undivided") if "undivided" in keys.raw else True,
        unit=keys.text("unit"),
        method=method,
        per=keys.whole("per", least=1) if method == "rate" else 1,
        decimals=keys.whole("decimals"),
        look_back_months=keys.whole("look_back_months") if "look_back_months" in keys.raw else 0,
        minimum_base=keys.whole("minimum_base", least=1) if "minimum_base" in keys.raw else _MINIMUM_BASE,
        caveats=keys.texts("caveats"),
        source=keys.text("source"),
        slice=keys.one_of("slice", SLICES) if method == "concentration" else "",
    )


def _of_year(keys: Keys, breakdowns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if "breakdowns_of_year" not in keys.raw:
        return ()
    found = _some_of(keys, "breakdowns_of_year", tuple(breakdowns))
    if _YEAR not in keys.texts("periods"):
        keys.fail("breakdowns_of_year", f"this needs the period {_YEAR}")
    if repeated := set(found) & set(keys.texts("breakdowns")):
        keys.fail("breakdowns_of_year", f"{min(repeated)} stands under breakdowns already")
    return found


def _check_method(keys: Keys, method: str, numerator: Count | None, denominator: Count | None) -> None:
    if (method in _COUNTED) != (numerator is not None):
        keys.fail("numerator", f"an indicator of method {method} has {'one' if method in _COUNTED else 'none'}")
    if (method in _COUNTED and method != "count") != (denominator is not None):
        keys.fail("denominator", f"an indicator of method {method} has {'none' if denominator else 'one'}")
    if numerator and not numerator.is_counted:
        keys.fail("numerator", "this must be something that is counted")


def _some_of(keys: Keys, name: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    found = keys.texts(name)
    if not found or not set(found) <= set(choices):
        keys.fail(name, f"this must list some of {', '.join(choices)}")
    return found


def _count(
    keys: Keys, side: str, measures: Mapping[str, Measure], breakdowns: Mapping[str, tuple[str, ...]]
) -> Count | None:
    written = keys.text(side)
    if not written:
        return None
    found = _COUNT.fullmatch(written)
    if not found:
        keys.fail(side, "write a measure, or measure[breakdown: value]")
    measure, total, breakdown, value, band = found.groups()
    if (measure == POPULATION) != (band is not None) or (
        measure not in measures and measure not in {POPULATION, LOOKED_AFTER_IN_YEAR}
    ):
        keys.fail(side, f"there is no measure {written} in this file")
    if breakdown and value not in breakdowns.get(breakdown, ()):
        keys.fail(side, f"the breakdown {breakdown} has no value {value}")
    return Count(measure, breakdown or "", value or "", band or "", is_undivided=total is not None)
