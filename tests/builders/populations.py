"""Files of mid-year population estimates in the layouts that ONS publishes, with made-up numbers.

The numbers are synthetic: each borough's children as stated with the contracts, spread evenly over the ages, times a
factor. No file here is an ONS release.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from openpyxl import Workbook

from pipelines.home import CONTRACTS
from pipelines.region import Area, load_region

LAST_AGE = 90
Number = Callable[[Area, int, int], int]
Rows = list[list[object]]


@cache
def stated_children() -> Mapping[tuple[str, int], int]:
    """Children aged 0 to 17 by area code and mid-year, as stated with the contracts."""
    with (CONTRACTS / "reference" / "population.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["area_code"], int(row["mid_year"])): int(row["population"])
            for row in csv.DictReader(file)
            if row["age"] == "0-17"
        }


def even(factor: float = 1.0) -> Number:
    """Every age of a borough alike: an eighteenth of its children of that mid-year (mid-2023 where none is stated)."""

    def number(area: Area, age: int, mid_year: int) -> int:
        known = stated_children()
        return int(factor * known.get((area.code, mid_year), known[area.code, 2023]) / 18) + (age == 0)

    return number


EVEN = even()


def mye2(mid_year: int = 2024, number: Number = EVEN, boroughs: Sequence[Area] | None = None) -> Rows:
    """The sheet of persons of MYE2: titles, then one row an area and one column an age."""
    chosen = load_region().boroughs if boroughs is None else boroughs
    ages = [*map(str, range(LAST_AGE)), f"{LAST_AGE}+"]
    rows: Rows = [
        ["MYE2: synthetic numbers in the layout of the ONS mid-year estimates"],
        [],
        ["Code", "Name", "Geography", "All ages", *ages],
        ["E92000001", "ENGLAND", "Country", 91, *[1] * 91],
    ]
    for area in chosen:
        numbers = [number(area, age, mid_year) for age in range(LAST_AGE + 1)]
        rows.append([area.code, area.name, "Metropolitan District", sum(numbers), *numbers])
    return rows


def myeb1(mid_years: Sequence[int] = (2022, 2023, 2024), number: Number = EVEN) -> Rows:
    """The sheet MYEB1: one row an area, sex and age, one column a mid-year."""
    rows: Rows = [["ladcode23", "laname23", "country", "sex", "age", *(f"population_{year}" for year in mid_years)]]
    for area in load_region().boroughs:
        for sex, share in (("F", 0.5), ("M", 0.5)):
            for age in range(LAST_AGE + 1):
                halves = [int(number(area, age, year) * share) for year in mid_years]
                rows.append([area.code, area.name, "E", sex, age, *halves])
    return rows


def nomis(mid_year: int = 2024, number: Number = EVEN) -> Rows:
    """The long CSV of Nomis: one row a number, totals and bands of ages among them."""
    header = [
        "DATE_NAME",
        "GEOGRAPHY_NAME",
        "GEOGRAPHY_CODE",
        "GENDER_NAME",
        "C_AGE_NAME",
        "MEASURES_NAME",
        "OBS_VALUE",
    ]
    rows: Rows = [header]
    for area in load_region().boroughs:
        numbers = [number(area, age, mid_year) for age in range(LAST_AGE + 1)]
        named = [("All Ages", sum(numbers)), ("Aged 16 to 64", 1)]
        named += [(f"Age {age}" if age < LAST_AGE else "Aged 90+", count) for age, count in enumerate(numbers)]
        for name, count in named:
            rows.append([mid_year, area.name, area.code, "Total", name, "Value", count])
        rows.append([mid_year, area.name, area.code, "Total", "Age 1", "Percent", "1.2"])
    return rows


def as_csv(rows: Rows) -> bytes:
    """Write rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def as_xlsx(sheets: Mapping[str, Rows]) -> bytes:
    """Write sheets as a workbook."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
