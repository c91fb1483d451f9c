"""What the demonstration is drawn from: one YAML file and two reference tables, read into typed records.

Belongs here: reading and naming the numbers. Does not: drawing anything, or a number of its own.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.contracts.yaml_text import read_yaml

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
class Switch:
    """Files (by number, from 0) in which another layout carries those rows of a borough that it can.

    With `one_in`, only those of about one in so many children: where one team has moved to another system.
    """

    layout: str
    first: int
    last: int
    one_in: int = 1


@dataclass(frozen=True)
class Form:
    """How a file spells its rows; the names of what is unusual are in `cases`.

    Attributes:
        container: Another container than the borough's usual one, or null.
        delimiter: Between the cells of a CSV file.
        encoding: utf-8, utf-16 (little-endian, with a mark) or windows-1252.
        separator_line: Whether the first line says the delimiter, as Excel writes and reads it.
        dates: How text spells a date: as the layout does, day_first or month_name.
        times: How a workbook holds times: as text, as date cells or as serials without a format.
        title_rows: Rows above the header.
        notes_sheet: Whether a second sheet explains words.
        merged_header: Whether names of groups stand above the header.
        first_column: Empty columns on the left.
        renamed: Columns that have another name.
        added: Columns that no layout has, and the text in all their cells.
    """

    container: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    separator_line: bool = False
    dates: str = "layout"
    times: str = "text"
    title_rows: int = 0
    notes_sheet: bool = False
    merged_header: bool = False
    first_column: int = 0
    renamed: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of what is unusual, as the truth lists them."""
        marks = {
            "semicolons": self.delimiter == ";",
            "tabs": self.delimiter == "\t",
            "utf_16": self.encoding == "utf-16",
            "windows_1252": self.encoding == "windows-1252",
            "separator_line": self.separator_line,
            f"dates_{self.dates}": self.dates != "layout",
            f"times_as_{self.times}": self.times != "text",
            "title_rows": self.title_rows > 0,
            "notes_sheet": self.notes_sheet,
            "merged_header": self.merged_header,
            "first_column_empty": self.first_column > 0,
            "unknown_column": bool(self.added),
            "police_district": "DISTRICT" in self.renamed.values(),
            "renamed_column": bool(set(self.renamed.values()) - {"DISTRICT"}),
        }
        return tuple(name for name, holds in marks.items() if holds)

    @property
    def first_row(self) -> int:
        """Row of the first data row, as a spreadsheet numbers it."""
        # A line that says the delimiter is no row: Excel does not show it.
        return 2 + self.title_rows + self.merged_header


@dataclass(frozen=True)
class FormSpan:
    """Files of one layout (by number, from 0) that have a form."""

    layout: str
    first: int
    last: int
    form: Form


@dataclass(frozen=True)
class Habit:
    """How a borough records and delivers: layout, container, cadence, gaps, and what differs in some files."""

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
    switches: tuple[Switch, ...] = ()
    forms: tuple[FormSpan, ...] = ()

    def form_of(self, layout: str, number: int) -> Form:
        """The form of a file by layout and number."""
        found = (span.form for span in self.forms if span.layout == layout and span.first <= number <= span.last)
        return next(found, Form())


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
        habits={code: _habit(row, raw, code) for code, row in raw["habits"].items()},
        planted=raw["planted"],
        raw=raw,
    )


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
        rows = [row for row in csv.DictReader(file) if row["age"] == "0-17"]
    rows.sort(key=lambda row: int(row["mid_year"]))
    return {row["area_code"]: int(row["population"]) for row in rows}


def _habit(row: Mapping[str, Any], raw: Mapping[str, Any], code: str) -> Habit:
    plain = {key: value for key, value in row.items() if key not in ("interviews", "leave_out")}
    return Habit(
        **plain,
        leave_out=tuple(row["leave_out"]),
        interviews=InterviewHabit(**row["interviews"]),
        switches=tuple(Switch(**switch) for switch in raw["switches"].get(code, ())),
        forms=tuple(_form_span(**form) for form in raw["forms"].get(code, ())),
    )


def _form_span(layout: str, first: int, last: int, **form: Any) -> FormSpan:
    return FormSpan(layout, first, last, Form(**form))
