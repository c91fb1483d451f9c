"""How DfE rounds and hides, from both sides of each boundary; and the reference figures, which must agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.contracts.contract import ContractError
from pipelines.contracts.dfe_figures import DfeFigure, dfe_figure_frame, load_dfe_figures
from pipelines.contracts.dfe_publication import half_up, load_dfe_publication
from pipelines.home import CONTRACTS
from pipelines.region import load_region

RULES = load_dfe_publication()


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A copy of what the reference figures are checked against, to be damaged."""
    for name in ("reference/area.csv", "reference/dfe_missing.csv", "rules/dfe_publication.yaml"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(CONTRACTS / name, target)
    return tmp_path


def damage(contracts: Path, name: str, old: str, new: str) -> None:
    path = contracts / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# Rounding and hiding


@pytest.mark.parametrize(("count", "printed"), [(0, "0"), (1, "c"), (5, "c"), (6, "6"), (1815, "1815")])
def test_a_count_of_1_to_5_is_hidden_and_a_zero_is_printed(count: int, printed: str) -> None:
    assert RULES.printed_count(count) == printed


@pytest.mark.parametrize(("count", "printed"), [(0, "0"), (6, "10"), (14, "10"), (15, "20"), (83_924, "83920")])
def test_counts_of_regions_and_of_england_are_to_the_nearest_10(count: int, printed: str) -> None:
    assert RULES.printed_count(count, "country") == printed


@pytest.mark.parametrize(
    ("numerator", "denominator", "printed"),
    [
        (609, 84, "7.3"),  # 7.25: Bolton 2020 as DfE printed it
        (608, 84, "7.2"),
        (135, 36, "3.8"),  # 3.75: Bury 2020
        (496, 55, "9"),  # 9.02: DfE's file has the number 9
        (6, 6, "1"),
        (5, 5, "c"),
        (6, 5, "c"),
        (7, 6, "1.2"),
        (0, 0, "0"),
    ],
)
def test_an_average_has_one_decimal_and_a_half_goes_up(numerator: int, denominator: int, printed: str) -> None:
    assert RULES.printed_share("average", numerator, denominator) == printed


@pytest.mark.parametrize(
    ("numerator", "denominator", "printed"),
    [
        (25, 1000, "3"),  # 2.5
        (24, 1000, "2"),
        (6, 1200, "1"),  # 0.5
        (6, 1201, "k"),
        (5, 10, "c"),
        (6, 12, "50"),
        (0, 12, "0"),
        (0, 5, "c"),
        (0, 0, "z"),
    ],
)
def test_a_percentage_is_whole_and_a_half_goes_up(numerator: int, denominator: int, printed: str) -> None:
    assert RULES.printed_share("percentage", numerator, denominator) == printed


def test_halves_are_exact_where_a_binary_fraction_would_not_be() -> None:
    assert half_up(1005, 100) == 10
    assert half_up(1050, 100) == 11
    assert [half_up(n, 2) for n in range(5)] == [0, 1, 1, 2, 2]


def test_dfe_has_thirteen_figures_under_its_own_wording() -> None:
    assert len(RULES.indicators) == 13
    assert {one.wording for one in RULES.indicators} >= {
        "Children looked after during the year",
        "Average number of away from placement without authorisation incidents per looked after child",
    }


# The reference figures


def test_the_figures_of_2020_to_2024_are_all_there() -> None:
    for year in range(2020, 2025):
        there = {(f.area_code, f.indicator) for f in load_dfe_figures() if f.year == year}
        assert there >= {(a.code, one.wording) for a in load_region().boroughs for one in RULES.indicators}, year


def test_the_four_counts_of_every_year_are_there_for_every_borough() -> None:
    counts = {one.wording for one in RULES.indicators if one.form == "count" and one.total in {"children", "incidents"}}
    there = {(f.year, f.area_code, f.indicator) for f in load_dfe_figures()}
    for year in (2015, 2016, 2017, *range(2020, 2025)):
        assert {(year, area.code, wording) for area in load_region().boroughs for wording in counts} <= there, year


def test_symbols_of_earlier_tables_are_kept_as_printed_and_read_as_todays() -> None:
    figures = {(f.year, f.area_code, f.indicator): f for f in load_dfe_figures()}
    away = "Number of away from placement without authorisation incidents during the year"
    rochdale, salford = figures[2017, "E08000005", away], figures[2017, "E08000006", away]
    assert [(f.value, f.meaning) for f in (rochdale, salford)] == [("x", "c"), ("..", "x")]
    assert figures[2024, "E08000008", away].meaning == "c"


def test_every_figure_names_its_source_and_date_and_licence() -> None:
    frame = dfe_figure_frame()
    assert frame.null_count().sum_horizontal().item() == 0
    assert set(frame["licence"]) == {"Open Government Licence v3.0"}


def printed_behind(figures: dict[tuple[int, str, str], DfeFigure]) -> list[tuple[DfeFigure, str]]:
    """Every printed average and percentage of a borough with what our rules print of the printed counts."""
    found = []
    for (year, area, wording), figure in figures.items():
        one = next(i for i in RULES.indicators if i.wording == wording)
        if one.form == "count" or not figure.is_number:
            continue
        parts = []
        for total, status in ((one.total, one.status), (one.per, "" if one.per == "looked_after" else one.status)):
            names = [i.wording for i in RULES.indicators if (i.total, i.status, i.per) == (total, status, "")]
            parts.append(figures.get((year, area, names[0])))
        numbers = [int(part.value) for part in parts if part is not None and part.is_number]
        if len(numbers) == 2:
            found.append((figure, RULES.printed_share(one.form, *numbers)))
    return found


def test_our_rounding_gives_every_percentage_and_average_that_dfe_printed_of_a_borough() -> None:
    boroughs = {area.code for area in load_region().boroughs}
    figures = {(f.year, f.area_code, f.indicator): f for f in load_dfe_figures() if f.area_code in boroughs}
    behind = printed_behind(figures)
    assert len(behind) > 150
    assert [figure for figure, ours in behind if figure.value != ours] == []


BURY = "2024,E08000002,Number of missing incidents during the year,350,unrounded"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (BURY, BURY.replace(",350", ",3500"), "this does not follow from lines"),
        (BURY, BURY.replace(",350", ",3"), r"DfE prints no count of 1 to 5"),
        (BURY, BURY.replace(",350", ",350.5"), "this must be a number as DfE prints it, or one of c, z, x, k"),
        (BURY, BURY.replace(",350", ",-"), "this must be a number as DfE prints it"),
        (
            "2017,E08000006,Children missing at 31 March,x",
            "2017,E08000006,Children missing at 31 March,c",
            "one of x, ..",
        ),
        (BURY, BURY.replace("unrounded", "nearest 10"), "for this figure and area this must be 'unrounded'"),
        (BURY, BURY.replace("E08000002", "E08000099"), "this is neither a borough nor an area"),
        (BURY, BURY.replace("Number of missing", "Number of all"), "this is none of DfE's wordings"),
        (BURY, BURY.replace("2024", "2014"), "this must be the year in which a year to March ends, 2015 or later"),
        (BURY, BURY.replace("E08000002", "E08000003"), "has the same year, area and indicator"),
        ("2024-11-14", "14/11/2024", "this must be a day, such as 2024-11-14"),
        ("Open Government Licence v3.0", "OGL", "this must be Open Government Licence v3.0"),
        (",SFR34_Missing2015.csv,", ", ,", "this must say where the figure was published"),
        ("year,area_code", "year,area", "the columns must be year, area_code"),
        (BURY, f"{BURY},more", "there must be 9 cells"),
        (
            "2024,E12000002,Number of missing incidents during the year,15850",
            "2024,E12000002,Number of missing incidents during the year,15855",
            "counts of this area are printed to the nearest 10",
        ),
        (
            "2019,E08000001,Children who went missing more than once during the year,49",
            "2019,E08000001,Children who went missing more than once during the year,74",
            "this is more than line",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(contracts: Path, old: str, new: str, problem: str) -> None:
    damage(contracts, "reference/dfe_missing.csv", old, new)
    with pytest.raises(ContractError, match=problem) as refused:
        load_dfe_figures(contracts)
    assert str(refused.value).startswith("reference/dfe_missing.csv, line ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("adult_at: 18", "adult_at: eighteen", "this must be a whole number"),
        ("hidden: {from: 1, to: 5}", "hidden: {from: 1}", "this key is missing"),
        ('total: looked_after, per: ""', 'total: everybody, per: ""', "this must be one of"),
        ("id: missing_repeat", "id: missing_children", "'missing_children' stands twice"),
        ("per: children, form: average", 'per: "", form: average', "a percentage or an average divides by something"),
        ("level: country", "level: continent", "this must be one of region, country"),
    ],
)
def test_wrong_rules_are_refused(contracts: Path, old: str, new: str, problem: str) -> None:
    damage(contracts, "rules/dfe_publication.yaml", old, new)
    with pytest.raises(ContractError, match=problem):
        load_dfe_publication(contracts)
