"""Population files: each layout is understood, each rule refuses what breaks it, and a kept vintage stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.contract import ContractError
from pipelines.home import CONTRACTS, Home
from pipelines.intake.read import UnreadableFileError
from pipelines.reference.population_file import (
    Estimates,
    Known,
    PopulationError,
    check_estimates,
    children,
    contract_checks,
    population_contract,
    read_estimates,
)
from pipelines.reference.vintages import ROW_SCHEMA, Vintage, digest, keep_vintage, read_vintages, vintage_rows
from pipelines.region import load_region
from tests.builders.populations import Rows, as_csv, as_xlsx, even, mye2, myeb1, nomis, stated_children

REGION = load_region()
BOLTON = REGION.boroughs[0].code
NOTHING = Known({})
HEADER, FIRST = 2, 4  # places of the header and of Bolton's row in the rows of MYE2
ALL_AGES, AGE_0 = 3, 4  # places of their columns


def read(rows: Rows, name: str = "estimates.csv", mid_year: int | None = 2024) -> Estimates:
    return read_estimates(name, as_csv(rows), REGION, mid_year)


def test_the_three_layouts_say_the_same() -> None:
    wide, long = read(mye2()), read(nomis())
    series = read(myeb1((2024,), lambda area, age, year: 2 * (even()(area, age, year) // 2)))
    assert [one.layout for one in (wide, long, series)] == ["MYE2", "Nomis", "MYEB1"]
    assert wide.rows.sort(pl.all()).equals(long.rows.sort(pl.all()))
    assert wide.totals.sort(pl.all()).equals(long.totals.sort(pl.all()))
    assert wide.mid_years == long.mid_years == series.mid_years == (2024,)
    assert (wide.sexes, series.sexes) == (("persons",), ("female", "male"))
    assert wide.rows.schema == ROW_SCHEMA
    assert set(wide.rows["area_code"]) == {area.code for area in REGION.boroughs}
    both, persons = children(series, 0, 17), children(wide, 0, 17)
    assert all(0 <= persons[key] - both[key] <= 18 for key in persons)


def test_a_series_holds_every_mid_year_of_its_columns() -> None:
    series = read(myeb1((2022, 2023, 2024)))
    assert series.mid_years == (2022, 2023, 2024)
    assert children(series, 0, 17)[BOLTON, 2022] == pytest.approx(stated_children()[BOLTON, 2022], rel=0.001)


def test_a_workbook_with_a_sheet_for_each_sex_is_read_at_the_first() -> None:
    half = mye2(number=even(0.5))
    data = as_xlsx({"Notes": [["About this file"]], "MYE2 - Persons": mye2(), "MYE2 - Males": half})
    found = read_estimates("mye2_2024.xlsx", data, REGION, 2024)
    assert found.rows.sort(pl.all()).equals(read(mye2()).rows.sort(pl.all()))


@pytest.mark.parametrize(
    ("name", "given_", "found"),
    [
        ("ukpopestimatesmid2023on2021geography.csv", None, 2023),
        ("mye24.csv", None, 2024),
        ("mid-2022 estimates.csv", None, 2022),
        ("estimates.csv", 2021, 2021),
        ("mid2023.csv", 2022, 2022),
    ],
)
def test_the_mid_year_of_mye2_comes_from_the_option_or_the_name(name: str, given_: int | None, found: int) -> None:
    assert read(mye2(), name, given_).mid_years == (found,)


def changed(rows: Rows, row: int, column: int, value: object) -> Rows:
    rows[row] = [*rows[row][:column], value, *rows[row][column + 1 :]]
    return rows


def broken_sexes() -> Rows:
    rows = nomis()
    more = [[*row[:3], "Female", *row[4:]] for row in rows[1:]] + [[*row[:3], "Male", *row[4:]] for row in rows[1:]]
    return rows + more


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (lambda: changed(mye2(), FIRST, AGE_0, "-3"), "Row 5, column E: this is not a whole number of people"),
        (lambda: changed(mye2(), FIRST, AGE_0 + 1, "12.5"), "Row 5, column F: this is not a whole number of people"),
        (lambda: changed(mye2(), FIRST, AGE_0 + 1, ""), "Row 5, column F: this is not a whole number of people"),
        (lambda: changed(mye2(), FIRST, AGE_0, "c"), "Row 5, column E: this is not a whole number of people"),
        (lambda: changed(nomis(), 5, 3, "unknown"), "Row 6, column D: this is not a sex"),
        (lambda: changed(nomis(), 5, 0, "July"), "Row 6, column A: this is not a year"),
        (lambda: mye2(boroughs=REGION.boroughs[1:]), "Mid-2024, persons: Bolton missing"),
        (lambda: mye2(boroughs=()), "no row of a borough of Greater Manchester"),
        (lambda: changed(mye2(), FIRST, ALL_AGES, 1), "Bolton, mid-2024, persons: the total of all ages"),
        (lambda: [row for row in nomis() if row[4] != "Age 7"], "Bolton, mid-2024, persons: an age stands nowhere"),
        (lambda: [*nomis(), nomis()[4]], "Bolton, mid-2024, persons: an age stands twice"),
        (lambda: [row[:AGE_0 + 17] for row in mye2()], "The file is not one of the ONS mid-year estimates"),
        (broken_sexes, "persons are not the sum of the sexes"),
        (lambda: [row for row in myeb1() if row[3] != "M"], "The file holds only female"),
        (lambda: [["area", "people"], ["Bolton", 5]], "The file is not one of the ONS mid-year estimates"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused_in_one_sentence(rows: Callable[[], Rows], sentence: str) -> None:
    with pytest.raises(PopulationError) as refused:
        check_estimates(read(rows()), REGION, NOTHING)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_its_mid_year_a_sheet_is_refused() -> None:
    with pytest.raises(PopulationError, match="add --mid-year"):
        read(mye2(), mid_year=None)


def test_what_is_no_table_is_refused_by_the_reader() -> None:
    with pytest.raises(UnreadableFileError):
        read_estimates("mid2024.xlsx", b"PK\x03\x04 nothing", REGION)


@pytest.mark.parametrize(
    ("factor", "accept", "fits"),
    [(1.09, False, True), (1.11, False, False), (0.91, False, True), (0.89, False, False), (1.5, True, True)],
)
def test_a_change_above_the_stated_share_needs_to_be_accepted(factor: float, *, accept: bool, fits: bool) -> None:
    estimates, known = read(mye2(2023, even(factor)), mid_year=2023), Known(stated_children())
    if fits:
        check_estimates(estimates, REGION, known, accept_change=accept)
    else:
        with pytest.raises(PopulationError, match="--accept-change"):
            check_estimates(estimates, REGION, known, accept_change=accept)


def test_the_nearest_mid_year_is_compared_and_of_two_the_later() -> None:
    known = Known({("A", 2019): 1, ("A", 2023): 2})
    assert [known.nearest("A", year) for year in (2018, 2020, 2021, 2022, 2030)] == [1, 1, 2, 2, 2]
    assert known.nearest("B", 2020) is None


def test_every_rule_of_the_contract_is_checked_and_no_other() -> None:
    stated = [rule["check"] for _, rule in contract_checks()]
    assert stated == ["every_borough", "sexes_add_up", "every_age", "total_is_the_sum", "plausible_change"]
    custom = [rule for prop in population_contract().properties for rule in prop.quality or [] if rule.type == "custom"]
    assert len(custom) == len(stated)


def test_a_rule_that_nobody_checks_is_an_error_of_ours(tmp_path: Path) -> None:
    name = "population_estimate.odcs.yaml"
    text = (CONTRACTS / "reference" / name).read_text(encoding="utf-8")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / name).write_text(text.replace("check: every_borough", "check: full_moon"))
    with pytest.raises(ContractError, match="full_moon"):
        check_estimates(read(mye2()), REGION, NOTHING, contracts=tmp_path)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 5000), min_size=91, max_size=91), st.integers(0, 17), st.integers(0, 17))
def test_bands_are_the_sum_of_their_ages(numbers: list[int], one: int, other: int) -> None:
    first, last = sorted((one, other))
    estimates = read(mye2(number=lambda _, age, __: numbers[age]))
    check_estimates(estimates, REGION, NOTHING)
    assert set(children(estimates, first, last).values()) == {sum(numbers[first : last + 1])}


def vintage(name: str, added_at: str = "2026-08-01T09:00:00+00:00") -> Vintage:
    return Vintage(
        vintage_id=name, sha256=digest(name.encode()), file_name="mid2024.csv", layout="MYE2", source="ONS",
        published="2026-07-29", licence="OGL", added_at=added_at, mid_years=(2024,), sexes=("persons",),
        contract_version="1.0.0", accepted_change=False,
    )  # fmt: skip


def test_a_kept_vintage_comes_back_as_it_was_in_the_order_of_adding(tmp_path: Path) -> None:
    home, rows = Home(tmp_path), read(mye2()).rows
    later, earlier = vintage("a", "2026-08-02T09:00:00+00:00"), vintage("b")
    for one in (later, earlier):
        keep_vintage(home, one, rows, b"bytes")
    assert read_vintages(home) == [earlier, later]
    assert vintage_rows(home, earlier).equals(rows.select(*ROW_SCHEMA).sort(pl.all()))
    assert (home.populations / "b" / "original.csv").read_bytes() == b"bytes"


def test_a_vintage_without_its_sheet_does_not_count(tmp_path: Path) -> None:
    home = Home(tmp_path)
    keep_vintage(home, vintage("a"), read(mye2()).rows, b"bytes")
    (home.populations / "a" / "vintage.json").unlink()
    assert read_vintages(home) == []
