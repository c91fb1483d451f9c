"""`mfh reference`: ONS files become vintages of the home, broken ones leave nothing, rates say what they rest on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.checks.tables import load_table_checks
from pipelines.cli import mfh
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.reference.vintages import read_vintages
from pipelines.region import load_region
from pipelines.warehouse.load import as_at_instants, load_intake, load_populations
from tests.builders.populations import Rows, as_csv, as_xlsx, even, mye2, myeb1, stated_children
from tests.builders.rows import Delivery, EpisodeRow
from tests.builders.warehouse import SmallWarehouse, small_warehouse

BOLTON, REGION = load_region().boroughs[0].code, load_region().area.code
RATE = "I04"


def run(home: Home, *arguments: str) -> Result:
    return CliRunner().invoke(mfh, ["reference", "--home", str(home.root), *arguments])


def add(home: Home, name: str, data: bytes, *options: str) -> Result:
    path = home.root.parent / name
    path.write_bytes(data)
    return run(home, "add", str(path), *options)


def used(home: Home) -> dict[int, str]:
    rows = json.loads(run(home, "--json").output)["population"]
    return {row["mid_year"]: row["vintage"] for row in rows if row["is_used"]}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def test_without_an_added_vintage_the_stated_one_is_used(home: Home) -> None:
    assert set(used(home).values()) == {"dfe-cla-2024"}
    assert "with the contracts" in run(home).output


def test_a_sheet_and_a_series_are_added_and_the_newest_of_each_mid_year_is_used(home: Home) -> None:
    sheet = add(home, "mid2024.xlsx", as_xlsx({"MYE2 - Persons": mye2()}), "--published", "2025-07-30")
    assert sheet.exit_code == 0, sheet.output
    assert "mid-2024: used from the next run on (new)" in sheet.output
    assert "mid-2019 to mid-2023 stay with earlier vintages" in sheet.output
    series = add(home, "myeb1.csv", as_csv(myeb1()), "--published", "2026-07-29", "--source", "ONS, MYEB1 of July 2026")
    assert series.exit_code == 0, series.output
    first, second = read_vintages(home)
    assert (first.layout, second.layout) == ("MYE2", "MYEB1")
    assert (second.source, second.mid_years) == ("ONS, MYEB1 of July 2026", (2022, 2023, 2024))
    assert used(home) == dict.fromkeys((2019, 2020, 2021), "dfe-cla-2024") | dict.fromkeys(
        (2022, 2023, 2024), second.vintage_id
    )
    older = add(home, "mid2023.csv", as_csv(mye2(2023)), "--published", "2024-07-15")
    assert "No mid-year uses it" in older.output


def test_the_same_bytes_twice_are_one_vintage(home: Home) -> None:
    data = as_csv(mye2())
    add(home, "mid2024.csv", data)
    again = add(home, "another name 2024.csv", data)
    assert (again.exit_code, len(read_vintages(home))) == (0, 1)
    assert "nothing was changed" in again.output


def test_the_home_can_be_named_before_or_after_add(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mid2024.csv").write_bytes(as_csv(mye2()))
    named = ["reference", "add", str(tmp_path / "mid2024.csv"), "--home", str(home.root)]
    assert CliRunner().invoke(mfh, named).exit_code == 0
    assert len(read_vintages(home)) == 1


def cut(rows: Rows) -> Rows:
    return rows[:-1]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("mid2024.csv", as_csv(cut(mye2())), "Wigan missing"),
        ("mid2024.csv", as_csv(mye2(number=even(1.3))), "add --accept-change"),
        ("estimates.csv", as_csv(mye2()), "add --mid-year"),
        ("mid2024.csv", b"", "The file is empty"),
        ("mid2024.pdf", b"%PDF", "export it again as one of these"),
        ("mid2024.xlsx", as_xlsx({"Notes": [["nothing", "here"], [1, 2]]}), "not one of the ONS mid-year estimates"),
    ],
)
def test_a_broken_file_is_one_sentence_and_leaves_nothing(home: Home, name: str, data: bytes, sentence: str) -> None:
    done = add(home, name, data)
    assert isinstance(done.exception, CommandError)  # which the command line turns into one line and exit code 2
    assert str(done.exception).startswith(f"{name}: ")
    assert sentence in str(done.exception)
    assert "\n" not in str(done.exception)
    assert read_vintages(home) == []
    assert not home.populations.exists()


def test_a_large_change_can_be_accepted_and_that_is_kept(home: Home) -> None:
    done = add(home, "mid2024.csv", as_csv(mye2(number=even(1.3))), "--accept-change")
    assert done.exit_code == 0
    assert [vintage.accepted_change for vintage in read_vintages(home)] == [True]


@pytest.fixture(scope="module")
def small() -> Iterator[SmallWarehouse]:
    with small_warehouse() as warehouse:
        days = [f"{year}-{month:02d}-03 20:00" for year in (2021, 2022, 2023, 2024) for month in range(1, 13)][:39]
        rows = [
            EpisodeRow(episode_id=f"E{place}", started=day, found=day.replace("20:00", "22:00"), child=f"c{place}")
            for place, day in enumerate(days)
        ]
        warehouse.load(Delivery(name="all", received="2024-05-20T10:00:00", rows=rows))
        warehouse.build("quality.figure_note")
        yield warehouse


def rates(small: SmallWarehouse, area: str = BOLTON) -> dict[int, dict[str, Any]]:
    """The yearly incident rates as built, by the year in which they begin, each with its notes on populations."""
    found = small.rows(
        """
        select year(rate.period_start) as first_year, rate.denominator, rate.value, rate.population_year,
            list(note.text) filter (where note.kind = 'population') as notes
        from statistics.indicator as rate
        left join quality.figure_note as note
            on rate.indicator_id = note.indicator_id and rate.variant = note.variant and rate.basis = note.basis
            and rate.area_code = note.area_code and rate.period_type = note.period_type
            and rate.period_start = note.period_start
        where rate.indicator_id = $rate and rate.basis = 'A' and rate.period_type = 'year_to_march'
            and rate.area_code = $area
        group by all
        """,
        rate=RATE,
        area=area,
    )
    return {row["first_year"]: row for row in found}


def rebuilt_rates(small: SmallWarehouse) -> dict[int, dict[str, Any]]:
    """The rates of a borough by the populations that are loaded now."""
    small.build("quality.figure_note", "statistics.indicator")
    return rates(small)


def broken(small: SmallWarehouse, check_id: str) -> int:
    (check,) = [check for check in load_table_checks() if check.id == check_id]
    return int(small.values(check.query)[0])


@pytest.fixture
def empty(small: SmallWarehouse) -> SmallWarehouse:
    small.connection.execute("delete from reference.population_added")
    return small


def test_a_new_vintage_moves_a_rate_and_the_note_says_so(home: Home, empty: SmallWarehouse) -> None:
    before = rebuilt_rates(empty)
    assert [row["notes"] for row in before.values()] == [None] * len(before)
    add(home, "mid2022.csv", as_csv(mye2(2022, even(1.05))), "--published", "2026-07-29")
    load_populations(empty.connection, home)
    after = rebuilt_rates(empty)
    assert after[2021]["denominator"] == before[2021]["denominator"] == stated_children()[BOLTON, 2021]
    assert after[2022]["denominator"] == pytest.approx(1.05 * before[2022]["denominator"], rel=0.001)
    assert after[2022]["value"] < before[2022]["value"]
    for year in (2021, 2022, 2023):
        assert any("published 2026-07-29" in note for note in after[year]["notes"]), year
    assert rates(empty, REGION)[2022]["denominator"] == sum(
        rates(empty, area.code)[2022]["denominator"] for area in load_region().boroughs
    )
    assert broken(empty, "every_mid_year_has_one_vintage_of_populations") == 0
    assert broken(empty, "every_population_is_there_for_every_area") == 0
    assert broken(empty, "every_rate_across_two_vintages_says_so") == 0


def test_the_checks_fail_where_vintages_are_mixed_or_nothing_says_so(home: Home, empty: SmallWarehouse) -> None:
    add(home, "mid2022.csv", as_csv(mye2(2022)), "--published", "2026-07-29")
    load_populations(empty.connection, home)
    empty.build("quality.figure_note")
    empty.connection.execute(
        "delete from quality.figure_note where kind = 'population' and period_type = 'year_to_march'"
    )
    assert broken(empty, "every_rate_across_two_vintages_says_so") > 0
    empty.connection.execute(
        "update reference.population set vintage = 'another' where area_code = $area and mid_year = 2022",
        {"area": BOLTON},
    )
    assert broken(empty, "every_mid_year_has_one_vintage_of_populations") == 1
    empty.connection.execute("delete from reference.population where area_code = $area", {"area": BOLTON})
    assert broken(empty, "every_population_is_there_for_every_area") > 0


def test_a_vintage_without_every_borough_is_not_used(home: Home, empty: SmallWarehouse) -> None:
    add(home, "mid2022.csv", as_csv(mye2(2022)), "--published", "2026-07-29")
    load_populations(empty.connection, home)
    empty.connection.execute("delete from reference.population_added where area_code = $area", {"area": BOLTON})
    empty.build("reference.population")
    assert empty.values("select distinct vintage from reference.population where mid_year = 2022") == ["dfe-cla-2024"]


def test_a_band_is_summed_only_where_every_age_is_there(home: Home, empty: SmallWarehouse) -> None:
    add(home, "mid2022.csv", as_csv(mye2(2022)), "--published", "2026-07-29")
    load_populations(empty.connection, home)
    empty.connection.execute(
        "delete from reference.population_added where area_code = $area and age = '3'", {"area": BOLTON}
    )
    empty.build("reference.population")
    bands = empty.rows(
        "select age_band, population from reference.population where area_code = $area and mid_year = 2022", area=BOLTON
    )
    assert [row["age_band"] for row in bands] == ["10-17"]
    assert not empty.values(
        "select 1 from reference.population where area_code = $area and mid_year = 2022 and age_band = '0-17'",
        area=REGION,
    )


def test_an_earlier_instant_knows_the_vintages_of_its_time(home: Home, empty: SmallWarehouse) -> None:
    add(home, "mid2022.csv", as_csv(mye2(2022)), "--published", "2026-07-29")
    (vintage,) = read_vintages(home)
    instant = datetime.fromisoformat(vintage.added_at)
    known = []
    for at in (instant.replace(year=instant.year - 1), instant, None):
        chosen = load_intake(empty.connection, home, at)
        known.append(empty.values("select distinct vintage from reference.population_added"))
    assert known == [[], [vintage.vintage_id], [vintage.vintage_id]]
    assert chosen == instant.replace(tzinfo=None)
    assert as_at_instants(home) == []  # nothing has arrived, so no flag can have changed
