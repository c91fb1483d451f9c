"""What the demonstration is drawn from: one YAML file and two reference tables, read into typed records.

Belongs here: reading and naming the numbers. Does not: drawing anything, or a number of its own.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

Weights = Mapping[str, float]


@dataclass(frozen=True)
class Area:
    """One borough: ONS code, folder name, printed name and children aged 0 to 17."""

    code: str
    slug: str
    name: str
    children: int


@dataclass(frozen=True)
class Behaviour:
    """How one group of children goes missing: arrivals, a background rate and self-excitation (days, years)."""

    arrivals_per_year: float
    active_years: float
    background_per_year: float
    background_shape: float
    excitation_a: float
    excitation_b: float
    excitation_cap: float
    quick_share: float
    quick_days: float
    slow_median_days: float
    slow_sigma: float


@dataclass(frozen=True)
class LookedAfter:
    """One authority's year of looked-after children missing and away, and children of others that it hosts."""

    children: int
    incidents: int
    away_children: int
    away_incidents: int
    hosted: int


@dataclass(frozen=True)
class Flag:
    """How often an exploitation flag is set for a child, and how long before or after the first episode."""

    female: float
    male: float
    looked_after_times: float
    without_date: float
    lead_days: float


@dataclass(frozen=True)
class InterviewHabit:
    """How a borough offers, holds and records return interviews."""

    rows: str
    cadence: str | None
    offered: float
    change: float
    accepted: float
    unanswered: float
    median_hours: float
    interviewer: str
    other_authority: str
    proxy: bool


@dataclass(frozen=True)
class Habit:
    """How a borough records and delivers: layout, container, cadence, gaps."""

    layout: str
    container: str
    cadence: str
    cumulative: bool
    scope: str
    lag_days: int
    late: float
    absent_month: int | None
    ssda903: str | None
    absent_status: bool
    leave_out: tuple[str, ...]
    shares: Weights
    interviews: InterviewHabit


@dataclass(frozen=True)
class Settings:
    """Everything that the demonstration is drawn from; `raw` keeps the plain tables of weights."""

    areas: tuple[Area, ...]
    behaviour: Mapping[str, Behaviour]
    looked_after: Mapping[str, LookedAfter]
    flags: Mapping[str, Flag]
    habits: Mapping[str, Habit]
    planted: Mapping[str, float]
    raw: Mapping[str, Any]

    @property
    def codes(self) -> tuple[str, ...]:
        """ONS codes of the region's boroughs, in the order of the area table."""
        return tuple(area.code for area in self.areas)


@dataclass(frozen=True)
class Span:
    """The months covered: first and last are the first days of the first and last month (local time)."""

    first: date
    last: date

    @property
    def end(self) -> date:
        """First day after the last month."""
        return month_after(self.last, 1)

    @property
    def months(self) -> int:
        """Number of months covered."""
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1

    @property
    def days(self) -> int:
        """Number of days covered."""
        return (self.end - self.first).days


def month_after(day: date, months: int) -> date:
    """First day of the month that lies `months` after the month of `day`."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def load_settings(contracts: Path) -> Settings:
    """Read the demonstration's numbers.

    Args:
        contracts: The `data_contracts` folder; `reference/demonstration.yaml`, `reference/area.csv` and
            `reference/population.csv` are read.

    Returns:
        The settings, with one habit for each borough of the region.

    Raises:
        ValueError: A borough of the region has no habit, or a habit has no borough.
    """
    raw = read_yaml(contracts / "reference" / "demonstration.yaml")
    areas = _areas(contracts / "reference", raw["region"])
    codes = {area.code for area in areas}
    for part in ("habits", "looked_after"):
        if set(raw[part]) != codes:
            message = f"demonstration.yaml: {part} must name exactly the boroughs of area.csv"
            raise ValueError(message)
    return Settings(
        areas=areas,
        behaviour={name: Behaviour(**row) for name, row in raw["behaviour"].items()},
        looked_after={code: LookedAfter(**row) for code, row in raw["looked_after"].items()},
        flags={name: Flag(**raw["people"][f"{name}_flag"]) for name in ("cse", "cce")},
        habits={code: _habit(row) for code, row in raw["habits"].items()},
        planted=raw["planted"],
        raw=raw,
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML file with the fast loader where it was built."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        content: dict[str, Any] = yaml.load(file, Loader=loader)  # noqa: S506 - both are safe loaders
    return content


def _areas(reference: Path, region: str) -> tuple[Area, ...]:
    population = _latest_population(reference / "population.csv")
    with (reference / "area.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Area(row["area_code"], row["slug"], row["name"], population[row["area_code"]])
            for row in csv.DictReader(file)
            if row["area_type"] == "borough" and row["parent_code"] == region
        )


def _latest_population(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["age_band"] == "0-17"]
    rows.sort(key=lambda row: int(row["mid_year"]))
    return {row["area_code"]: int(row["population"]) for row in rows}


def _habit(row: Mapping[str, Any]) -> Habit:
    plain = {key: value for key, value in row.items() if key not in ("interviews", "leave_out")}
    return Habit(**plain, leave_out=tuple(row["leave_out"]), interviews=InterviewHabit(**row["interviews"]))
