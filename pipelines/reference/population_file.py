"""A file of mid-year population estimates of the Office for National Statistics (ONS): understood, and checked.

Knows the three forms in which ONS publishes single years of age for local authorities: MYE2 (one column an age), MYEB1
(one column a mid-year) and the long CSV of Nomis (one row a number). What must hold is stated in
`data_contracts/reference/population_estimate.odcs.yaml`, one check here for each rule there. Opening files is done by
`intake.read`; keeping them by `vintages`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.contract import Contract, ContractError, load_contract
from pipelines.home import CONTRACTS
from pipelines.intake.read import Table, read_table
from pipelines.reference.vintages import ROW_SCHEMA
from pipelines.region import Region

# The column, beside those of a vintage, of a number of all ages together: its age is null.
_ALL_AGES = "all ages"
_SEXES = {
    "persons": "persons", "total": "persons", "all persons": "persons", "all": "persons",
    "female": "female", "females": "female", "f": "female", "2": "female",
    "male": "male", "males": "male", "m": "male", "1": "male",
}  # fmt: skip
_YEAR = re.compile(r"(?:19|20)\d\d")
_NAMED_YEAR = re.compile(r"(?:mid|mye)[ _-]*(20\d\d|\d\d(?!\d))", re.IGNORECASE)
_SERIES_YEAR = re.compile(r"population_(20\d\d)", re.IGNORECASE)
_AREA_CODE = re.compile(r"ladcode\d\d", re.IGNORECASE)
_WHOLE = re.compile(r"\d+(?:\.0+)?")


class PopulationError(Exception):
    """The file cannot be taken as a vintage; the message is one sentence: what, where, what to do."""


@dataclass(frozen=True)
class Estimates:
    """What a file holds of the region: its layout, its rows, and the totals of all ages as far as it has them.

    Both frames have the columns of `ROW_SCHEMA`; the age of a total is null.
    """

    layout: str
    rows: pl.DataFrame
    totals: pl.DataFrame

    @property
    def mid_years(self) -> tuple[int, ...]:
        """Mid-years, oldest first."""
        return tuple(self.rows["mid_year"].unique().sort())

    @property
    def sexes(self) -> tuple[str, ...]:
        """Which of persons, female and male there are."""
        return tuple(self.rows["sex"].unique().sort())


@dataclass(frozen=True)
class Known:
    """What the vintage in use says: area code and mid-year to its number of children of the contract's ages."""

    children: Mapping[tuple[str, int], int]

    def nearest(self, area_code: str, mid_year: int) -> int | None:
        """The number of the same mid-year, else of the nearest (of two the later); None where none is known."""
        years = [year for area, year in self.children if area == area_code]
        if not years:
            return None
        return self.children[area_code, min(years, key=lambda year: (abs(year - mid_year), -year))]


def population_contract(contracts: Path = CONTRACTS) -> Contract:
    """Read the contract of a population file."""
    return load_contract(contracts / "reference" / "population_estimate.odcs.yaml")


def read_estimates(name: str, data: bytes, region: Region, mid_year: int | None = None) -> Estimates:
    """Understand a file.

    Args:
        name: file name, for its type, and for the mid-year where the file itself does not say it.
        data: its bytes.
        region: whose boroughs are kept.
        mid_year: what MYE2 is of, where neither a column nor the name says so.

    Raises:
        UnreadableFileError: it cannot be read as a table.
        PopulationError: it is none of the known layouts, or a number is none.
    """
    table = read_table(name, data, _FirstHeader())
    layout = _layout_of(table.header)
    if layout is None:
        msg = (
            "The file is not one of the ONS mid-year estimates known here (MYE2: Code, Name, Geography, All ages, 0 to "
            "90+; MYEB1: ladcode, sex, age, population_YEAR; Nomis: DATE_NAME, GEOGRAPHY_CODE, C_AGE_NAME, OBS_VALUE); "
            "download it as one of these."
        )
        raise PopulationError(msg)
    codes = [area.code for area in region.boroughs]
    numbers = _LAYOUTS[layout](table, codes, mid_year or _year_named(name))
    if not numbers.height:
        msg = (
            f"The file has no row of a borough of {region.area.name}; "
            "it must be by local authority, with codes such as "
            f"{codes[0]}."
        )
        raise PopulationError(msg)
    kept = numbers.select(*ROW_SCHEMA)
    return Estimates(layout, kept.filter(pl.col("age").is_not_null()), kept.filter(pl.col("age").is_null()))


def check_estimates(
    estimates: Estimates, region: Region, known: Known, *, accept_change: bool = False, contracts: Path = CONTRACTS
) -> None:
    """Hold a file against every rule of its contract.

    Raises:
        PopulationError: the first rule it breaks, with the area and the mid-year.
        ContractError: the contract names a check that nobody made.
    """
    for rule_id, stated in contract_checks(contracts):
        if stated["check"] not in _CHECKS:
            msg = f"{rule_id}: there is no check {stated['check']}"
            raise ContractError(msg)
        if stated["check"] == "plausible_change" and accept_change:
            continue
        _CHECKS[stated["check"]](estimates, region, known, stated)


def contract_checks(contracts: Path = CONTRACTS) -> list[tuple[str, dict[str, Any]]]:
    """Name every rule of the contract that a check here stands for, with what it states."""
    return [
        (str(rule.name), dict(rule.implementation))
        for prop in population_contract(contracts).properties
        for rule in prop.quality or []
        if rule.type == "custom" and isinstance(rule.implementation, dict)
    ]


def children_ages(contracts: Path = CONTRACTS) -> tuple[int, int]:
    """First and last age whose number must be plausible beside the vintage in use."""
    (stated,) = (stated for _, stated in contract_checks(contracts) if stated["check"] == "plausible_change")
    return stated["first_age"], stated["last_age"]


class _FirstHeader:
    """Whether cells are a header of a known layout; only for the first such sheet, since MYE2 has one for each sex.

    ONS puts persons first. A workbook whose first such sheet is of one sex is caught as an implausible change.
    """

    def __init__(self) -> None:
        self._found = False

    def __call__(self, cells: Sequence[str]) -> bool:
        if self._found or _layout_of(cells) is None:
            return False
        self._found = True
        return True


def _layout_of(header: Sequence[str]) -> str | None:
    names = {name.casefold() for name in header}
    if {"geography_code", "c_age_name", "obs_value", "date_name"} <= names:
        return "Nomis"
    if {"sex", "age"} <= names and any(map(_AREA_CODE.fullmatch, names)) and any(map(_SERIES_YEAR.fullmatch, names)):
        return "MYEB1"
    if {"code", _ALL_AGES, "0", "17"} <= names:
        return "MYE2"
    return None


def _mye2(table: Table, codes: Sequence[str], mid_year: int | None) -> pl.DataFrame:
    """One row an area, one column an age, all of one sex and mid-year."""
    if mid_year is None:
        msg = "The file does not say of which mid-year it is; add --mid-year 2024, or whichever it is."
        raise PopulationError(msg)
    ages = {name: _age(name) for name in table.header if name.casefold() == _ALL_AGES or name.rstrip("+").isdigit()}
    long = (
        _of_boroughs(table, _named(table, "code"), codes)
        .unpivot(list(ages), index=["area_code", "row"], variable_name="column", value_name="cell")
        .with_columns(
            pl.col("column").replace_strict(ages, return_dtype=pl.Int64).alias("age_"),
            pl.lit("persons").alias("sex_"),
            pl.lit(mid_year, dtype=pl.Int64).alias("mid_year_"),
        )
    )
    return _counted(long, table)


def _myeb1(table: Table, codes: Sequence[str], _: int | None) -> pl.DataFrame:
    """One row an area, sex and age, one column a mid-year."""
    years = {name: int(found[1]) for name in table.header if (found := _SERIES_YEAR.fullmatch(name))}
    code = next(name for name in table.header if _AREA_CODE.fullmatch(name))
    rows = _of_boroughs(table, code, codes)
    rows = rows.with_columns(_sexes(rows, table, "sex"), _ages(rows, table, "age"))
    long = rows.unpivot(
        list(years), index=["area_code", "row", "sex_", "age_"], variable_name="column", value_name="cell"
    ).with_columns(pl.col("column").replace_strict(years, return_dtype=pl.Int64).alias("mid_year_"))
    return _counted(long, table)


def _nomis(table: Table, codes: Sequence[str], _: int | None) -> pl.DataFrame:
    """One row a number."""
    rows = _of_boroughs(table, _named(table, "geography_code"), codes)
    if (measures := _named(table, "measures_name", needed=False)) is not None:
        rows = rows.filter(pl.col(measures).str.to_lowercase() == "value")
    sex = _named(table, "gender_name", "sex_name", needed=False)
    rows = rows.with_columns(
        _sexes(rows, table, sex) if sex else pl.lit("persons").alias("sex_"),
        _ages(rows, table, _named(table, "c_age_name")),
        _years(rows, table, _named(table, "date_name")),
    )
    value = _named(table, "obs_value")
    long = rows.select(
        "area_code", "row", "sex_", "age_", "mid_year_", pl.lit(value).alias("column"), pl.col(value).alias("cell")
    )
    return _counted(long, table)


_LAYOUTS: dict[str, Callable[[Table, Sequence[str], int | None], pl.DataFrame]] = {
    "MYE2": _mye2,
    "MYEB1": _myeb1,
    "Nomis": _nomis,
}


def _named(table: Table, *names: str, needed: bool = True) -> Any:
    """The column of one of some names, as the file writes it; None where it has none and need not."""
    found = next((column for name in names for column in table.header if column.casefold() == name), None)
    if found is None and needed:
        msg = f"The file has no column {names[0]}; download it again with all its columns."
        raise PopulationError(msg)
    return found


def _of_boroughs(table: Table, code: str, codes: Sequence[str]) -> pl.DataFrame:
    """Rows of the region's boroughs, with their code and their row in a spreadsheet."""
    rows = table.frame.with_columns(table.row_numbers.alias("row"), pl.col(code).alias("area_code"))
    return rows.filter(pl.col("area_code").is_in(codes))


def _sexes(rows: pl.DataFrame, table: Table, column: str) -> pl.Series:
    name = _named(table, column.casefold())
    found = [_SEXES.get((cell or "").casefold()) for cell in rows[name]]
    return _all_known(found, rows, table, name, "a sex (male, female or total)").cast(pl.String).alias("sex_")


def _ages(rows: pl.DataFrame, table: Table, column: str) -> pl.Series:
    """Ages as numbers, null for all ages together; bands such as "Aged 16 to 64" are left as -1 and dropped later."""
    name = _named(table, column.casefold())
    return pl.Series("age_", [_age(cell or "") for cell in rows[name]], dtype=pl.Int64)


def _years(rows: pl.DataFrame, table: Table, column: str) -> pl.Series:
    found = [int(cell) if _YEAR.fullmatch(cell or "") else None for cell in rows[column]]
    return _all_known(found, rows, table, column, "a year").cast(pl.Int64).alias("mid_year_")


def _all_known(found: Sequence[object], rows: pl.DataFrame, table: Table, column: str, what: str) -> pl.Series:
    for place, value in enumerate(found):
        if value is None:
            msg = (
                f"Row {rows['row'][place]}, column {table.letter(column)}: this is not {what}; download the file again."
            )
            raise PopulationError(msg)
    return pl.Series(found)


# A group of ages, which no rate is made of.
_BAND = -1


def _age(cell: str) -> int | None:
    """14, "Age 14", "Aged 14 years", "90+" or "Aged 90+" as a number; null for all ages; -1 for a group of ages."""
    text = cell.casefold().strip()
    if text in {_ALL_AGES, "total"}:
        return None
    found = re.fullmatch(r"(?:aged? )?(\d+)(?: years?)?(\+| and over)?", text)
    return int(found[1]) if found else _BAND


def _counted(long: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Cells as whole numbers, in the columns of a vintage.

    Args:
        long: the cells as text, each with its `row` and `column` in the file; what it is of stands in columns whose
            names end in an underscore, since a file may have a column of the same name.
        table: the file.
    """
    long = long.filter(pl.col("age_").ne_missing(_BAND))
    values = [(cell or "").replace(",", "") for cell in long["cell"]]
    for place, value in enumerate(values):
        if not _WHOLE.fullmatch(value):
            row, column = long["row"][place], table.letter(long["column"][place])
            msg = f"Row {row}, column {column}: this is not a whole number of people; download the file again."
            raise PopulationError(msg)
    numbers = pl.Series("population", [int(float(value)) for value in values], dtype=pl.Int64)
    return long.select(
        "area_code", pl.col("mid_year_").alias("mid_year"), pl.col("sex_").alias("sex"), pl.col("age_").alias("age")
    ).with_columns(numbers)


def _year_named(name: str) -> int | None:
    found = _NAMED_YEAR.search(Path(name).name)
    if found is None:
        return None
    return int(found[1]) if len(found[1]) > 2 else 2000 + int(found[1])  # noqa: PLR2004 - two digits of a year


def _every_borough(estimates: Estimates, region: Region, _: Known, __: Mapping[str, Any]) -> None:
    for (mid_year, sex), group in estimates.rows.group_by(["mid_year", "sex"], maintain_order=True):
        there = set(group["area_code"])
        missing = [area.name for area in region.boroughs if area.code not in there]
        if missing:
            msg = (
                f"Mid-{mid_year}, {sex}: {', '.join(missing)} missing; every borough of {region.area.name} must be in "
                "the file."
            )
            raise PopulationError(msg)


def _every_age(estimates: Estimates, region: Region, _: Known, stated: Mapping[str, Any]) -> None:
    keys = ["area_code", "mid_year", "sex"]
    for key, group in estimates.rows.group_by(keys, maintain_order=True):
        ages = sorted(group["age"])
        if ages != list(range(len(ages))) or len(ages) <= stated["at_least_to"]:
            twice = len(ages) != len(set(ages))
            msg = (
                f"{_place(region, *key)}: an age stands {'twice' if twice else 'nowhere'}; every single year of age "
                f"from 0 to at least {stated['at_least_to']} must stand once."
            )
            raise PopulationError(msg)


def _total_is_the_sum(estimates: Estimates, region: Region, _: Known, __: Mapping[str, Any]) -> None:
    keys = ["area_code", "mid_year", "sex"]
    summed = estimates.rows.group_by(keys).agg(pl.col("population").sum().alias("sum"))
    for row in estimates.totals.join(summed, on=keys, how="inner").sort(keys).iter_rows(named=True):
        if row["population"] != row["sum"]:
            where = _place(region, row["area_code"], row["mid_year"], row["sex"])
            msg = f"{where}: the total of all ages is not the sum of the ages; download the file again."
            raise PopulationError(msg)


def _sexes_add_up(estimates: Estimates, region: Region, _: Known, __: Mapping[str, Any]) -> None:
    if "persons" not in estimates.sexes and len(estimates.sexes) == 1:
        msg = f"The file holds only {estimates.sexes[0]}; download persons, or both sexes."
        raise PopulationError(msg)
    if set(estimates.sexes) != {"persons", "female", "male"}:
        return
    keys = ["area_code", "mid_year", "age"]
    wide = estimates.rows.pivot("sex", index=keys, values="population", aggregate_function="sum").sort(keys)
    wrong = wide.filter(pl.col("persons") != pl.col("female") + pl.col("male"))
    for row in wrong.head(1).iter_rows(named=True):
        where = _place(region, row["area_code"], row["mid_year"], f"age {row['age']}")
        msg = f"{where}: persons are not the sum of the sexes; download the file again."
        raise PopulationError(msg)


def _plausible_change(estimates: Estimates, region: Region, known: Known, stated: Mapping[str, Any]) -> None:
    for (area_code, mid_year), number in children(estimates, stated["first_age"], stated["last_age"]).items():
        before = known.nearest(area_code, mid_year)
        if before and abs(number / before - 1) > stated["most"]:
            msg = (
                f"{_place(region, area_code, mid_year)}: the number of children is {number / before - 1:+.0%} away "
                f"from the one in use, and above {stated['most']:.0%} is refused; if it is right, add --accept-change."
            )
            raise PopulationError(msg)


_CHECKS: dict[str, Callable[[Estimates, Region, Known, Mapping[str, Any]], None]] = {
    "every_borough": _every_borough,
    "every_age": _every_age,
    "total_is_the_sum": _total_is_the_sum,
    "sexes_add_up": _sexes_add_up,
    "plausible_change": _plausible_change,
}


def children(estimates: Estimates, first_age: int, last_age: int) -> dict[tuple[str, int], int]:
    """Number of people of some ages by area code and mid-year: persons, else both sexes together."""
    wanted = {"persons"} if "persons" in estimates.sexes else {"female", "male"}
    chosen = estimates.rows.filter(pl.col("sex").is_in(wanted) & pl.col("age").is_between(first_age, last_age))
    summed = chosen.group_by("area_code", "mid_year").agg(pl.col("population").sum()).sort("area_code", "mid_year")
    return {(area, year): number for area, year, number in summed.iter_rows()}


def _place(region: Region, area_code: object, mid_year: object, more: object = "") -> str:
    names = {area.code: area.name for area in region.boroughs}
    return f"{names.get(str(area_code), area_code)}, mid-{mid_year}" + (f", {more}" if more else "")
