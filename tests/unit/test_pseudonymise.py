"""From a raw extract to a delivery: the pseudonym, the age, what is left out or refused, and the key's silence."""

import hashlib
import hmac
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.contracts.contract import load_contracts
from pipelines.intake.pseudonymise import (
    Pseudonymised,
    PseudonymiseError,
    letters,
    pseudonym,
    pseudonymise,
    read_key,
)
from pipelines.intake.read import Table
from pipelines.intake.sources import canonical_source, layout_named, load_sources
from tests.intake_data import BOROUGH, KEY, LIQUIDLOGIC, OTHER_BOROUGH, SSDA903, cells_of, table_of

HEX_KEY = KEY.hex()


def _made(table: Table, source: str = "ssda903_missing") -> Pseudonymised:
    return pseudonymise(table, load_sources()[source], BOROUGH, KEY)


def _hmac(identifier: str, holder: str) -> str:
    return hmac.digest(KEY, b"mfh:child:v1|" + holder.encode() + b"|" + identifier.encode(), hashlib.sha256).hex()


def test_pseudonym_is_a_keyed_hmac_of_scope_and_identifier() -> None:
    assert pseudonym("510000", KEY, BOROUGH.slug, "borough") == _hmac("510000", BOROUGH.slug)
    assert pseudonym("510000", KEY, BOROUGH.slug, "regional") == _hmac("510000", "region")
    assert pseudonym("510000", KEY[::-1], BOROUGH.slug, "borough") != _hmac("510000", BOROUGH.slug)


def test_the_inputs_of_the_hmac_cannot_be_shifted_into_each_other() -> None:
    assert pseudonym("1|2", KEY, "a", "borough") != pseudonym("2", KEY, "a|1", "regional")
    assert pseudonym("7", KEY, "region", "borough") == pseudonym(
        "7", KEY, "any", "regional"
    )  # no borough has that slug
    assert BOROUGH.slug != "region"


@pytest.mark.parametrize("written", ["AB 12c", "ab12C", " A B 1 2 C ", "\tab12c\n", "ab\u00a012c"])
def test_case_and_white_space_do_not_make_a_second_child(written: str) -> None:
    assert pseudonym(written, KEY, BOROUGH.slug, "borough") == _hmac("AB12C", BOROUGH.slug)


@pytest.mark.parametrize("other", ["AB12", "AB-12C", "0AB12C"])
def test_another_identifier_is_another_child(other: str) -> None:
    assert pseudonym(other, KEY, BOROUGH.slug, "borough") != _hmac("AB12C", BOROUGH.slug)


def test_the_same_number_in_two_boroughs_is_two_children_unless_the_scope_is_regional() -> None:
    ours, theirs = (pseudonym("510000", KEY, area.slug, "borough") for area in (BOROUGH, OTHER_BOROUGH))
    assert ours != theirs
    ours, theirs = (pseudonym("510000", KEY, area.slug, "regional") for area in (BOROUGH, OTHER_BOROUGH))
    assert ours == theirs


def test_every_row_of_a_child_has_its_pseudonym_and_a_blank_child_stays_blank() -> None:
    rows = [["510000", "12/03/2010", "M", "13/11/2025", ""], ["", "", "A", "14/11/2025", ""]]
    made = _made(table_of(SSDA903, *rows, ["510000 ", "", "A", "", ""]))
    assert made.cells["CHILD"].to_list() == [_hmac("510000", BOROUGH.slug), None, _hmac("510000", BOROUGH.slug)]
    assert made.rows == 3


def _age_of(born: str, started: str) -> str | None:
    made = _made(table_of(SSDA903, ["510000", born, "M", started, ""]))
    age: str | None = made.cells["AGE_AT_START"][0]
    return age


@pytest.mark.parametrize(
    ("born", "started", "age"),
    [
        ("13/11/2010", "12/11/2025", "14"),
        ("13/11/2010", "13/11/2025", "15"),
        ("13/11/2010", "14/11/2025", "15"),
        ("31/12/2010", "01/01/2025", "14"),
        ("29/02/2008", "28/02/2025", "16"),
        ("29/02/2008", "01/03/2025", "17"),
        ("29/02/2008", "29/02/2024", "16"),
        ("29/02/2008", "28/02/2024", "15"),
        ("12/11/2025", "13/11/2025", "0"),
        ("13/11/2005", "13/11/2025", "20"),
        # Rule 586 is about these; the date of birth itself does not leave the borough.
        ("13/11/2025", "13/11/2025", "-1"),
        ("14/11/2025", "13/11/2025", "-1"),
        ("14/11/2026", "13/11/2025", "-1"),
        ("31/02/2010", "13/11/2025", None),
        ("13/11/2010", "", None),
        ("", "13/11/2025", None),
    ],
)
def test_age_is_completed_years_on_the_day_of_the_start(born: str, started: str, age: str | None) -> None:
    assert _age_of(born, started) == age


@pytest.mark.parametrize("born", [date(2009, 3, 1), date(2010, 12, 31), date(2011, 1, 1), date(2008, 6, 30)])
def test_age_is_what_counting_birthdays_says_on_every_day_of_two_years(born: date) -> None:
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(731)]
    rows = [["510000", f"{born:%d/%m/%Y}", "M", f"{day:%d/%m/%Y}", ""] for day in days]
    birthdays = [born.replace(year=year) for year in range(born.year + 1, 2027)]
    expected = [str(sum(birthday <= day for birthday in birthdays)) for day in days]
    assert _made(table_of(SSDA903, *rows)).cells["AGE_AT_START"].to_list() == expected


def test_age_is_read_from_a_time_as_from_a_date() -> None:
    header = [*LIQUIDLOGIC[:5], "BIRTH_DTTM"]
    rows = [
        [str(i), "9", start, "M", "", "2010-11-13 00:00:00"]
        for i, start in enumerate(["2025-11-12 23:59:59", "2025-11-13 00:00"])
    ]
    made = _made(table_of(header, *rows), "liquidlogic")
    assert made.cells["AGE_AT_START"].to_list() == ["14", "15"]
    assert "BIRTH_DTTM" not in made.cells.columns


@pytest.mark.parametrize(("born", "age"), [("12/11/2025", "0"), ("13/11/2025", "0"), ("14/11/2025", None)])
def test_a_birth_after_the_start_is_marked_only_where_the_layout_asks_for_it(born: str, age: str | None) -> None:
    header = [*LIQUIDLOGIC[:5], "DOB"]
    made = _made(table_of(header, ["1", "9", "2025-11-13 00:30", "M", "", born]), "liquidlogic")
    assert made.cells["AGE_AT_START"].to_list() == [age]


# Raw extracts of the other layouts: header, row, and the column of the child.
RAW = {
    "mosaic.workflow": (
        ["WORKFLOW_STEP_ID", "PERSON_ID", "SURNAME", "DOB", "START_DATE", "MISSING_CATEGORY", "missinglettersent"],
        ["71", "510000", "Doe", "13-Nov-10", "13/11/2025 20:15", "Missing", "14/11/2025"],
        "PERSON_ID",
        "510000",
    ),
    "mosaic.report": (
        ["MFHID", "PersonID", "DateOfBirth", "MFHStart", "DateFound", "Comments"],
        ["71", "510000", "2010-11-13", "2025-11-13 20:15", "", "said that"],
        "PersonID",
        "510000",
    ),
    "eclipse": (
        ["INSTANCEID", "SUBJECTID", "INSTANCESTATE", "DATECHILDLASTSEEN_17", "ABSENCETYPE_18", "DOB", "NAME"],
        ["71", "510000", "COMPLETE", "2025-11-13", "Missing", "2010-11-13", "Doe"],
        "SUBJECTID",
        "510000",
    ),
    "police_incident": (
        ["INCIDENT_REF", "NOMINAL_ID", "DOB", "LAST_SEEN_DTTM", "REPORTED_DTTM", "CLASSIFICATION", "CIRCUMSTANCES"],
        ["06MP/71", "510000", "13/11/2010", "", "13/11/2025 20:15", "Missing", "went out"],
        "NOMINAL_ID",
        "police:510000",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_every_layout_leaves_the_borough_with_pseudonym_and_age_and_only_what_is_mapped(name: str) -> None:
    header, row, child, hashed = RAW[name]
    source = layout_named(name, header)
    made = pseudonymise(table_of(header, row), source, BOROUGH, KEY)
    (delivered,) = made.cells.to_dicts()
    assert source.pseudonymise is not None
    assert delivered.pop(source.pseudonymise.age_column) == "15"
    assert delivered.pop(child) == _hmac(hashed, BOROUGH.slug)
    given = dict(zip(header, row, strict=True))
    kept = [column for column in header if source.knows(column) and column != child]
    assert delivered == {column: given[column] or None for column in kept}
    assert set(made.left_out) == {h for h in header if not source.knows(h)}
    assert {"DOB", "DateOfBirth"} & set(made.left_out)


def test_the_police_and_a_council_number_children_apart() -> None:
    ours = pseudonym("510000", KEY, BOROUGH.slug, "borough")
    police = pseudonym("510000", KEY, BOROUGH.slug, "borough", "police")
    assert police == _hmac("police:510000", BOROUGH.slug)
    assert police != ours
    assert pseudonym("51 00 00", KEY, BOROUGH.slug, "regional", "police") == _hmac("police:510000", "region")


def test_rows_without_age_are_counted() -> None:
    rows = [["1", "13/11/2010", "M", "13/11/2025", ""], ["2", "", "M", "13/11/2025", ""]]
    assert _made(table_of(SSDA903, *rows)).rows_without_age == 1
    assert _made(table_of([*SSDA903[:1], *SSDA903[2:]], ["1", "M", "13/11/2025", ""])).rows_without_age == 1


def test_only_mapped_columns_come_out_and_the_rest_is_named() -> None:
    header = [*SSDA903, "UPN", "SEX", "SURNAME", "TEAM", "EXTRACTED_AT"]
    row = ["510000", "12/03/2010", "M", "13/11/2025", "", "A123", "1", "Doe", "North", "2025-12-01"]
    table = table_of(header, row)
    made = _made(table)
    assert made.cells.columns == ["CHILD", "AGE_AT_START", "MISSING", "MIS_START", "MIS_END", "EXTRACTED_AT"]
    assert made.left_out == ("DOB", "UPN", "SEX", "SURNAME", "TEAM")
    assert letters(made.left_out, table) == "B (DOB), F (UPN), G (SEX), H (SURNAME), I (TEAM)"
    assert made.cells.select(pl.exclude("CHILD", "AGE_AT_START")).row(0) == ("M", "13/11/2025", None, "2025-12-01")


def test_every_birth_column_is_left_out_and_an_age_already_there_is_replaced() -> None:
    header = [*LIQUIDLOGIC[:4], "age_at_start", "dob", "BIRTH_DTTM"]
    row = ["1", "9", "2025-11-13 10:00", "M", "99", "2010-11-13", "2010-11-13"]
    made = _made(table_of(header, row), "liquidlogic")
    assert made.cells.columns == [
        "FACT_MISSING_PERSON_ID",
        "DIM_PERSON_ID",
        "AGE_AT_START",
        "START_DTTM",
        "MISSING_STATUS",
    ]
    assert made.cells["AGE_AT_START"].to_list() == ["15"]


def test_identifiers_left_in_a_kept_column_are_refused_by_name_and_without_a_cell() -> None:
    rows = [[f"{i}", "13/11/2010", "Jane Smith", "13/11/2025", ""] for i in range(9)]
    with pytest.raises(PseudonymiseError, match=r"MISSING \(holds names of people\)") as caught:
        _made(table_of(SSDA903, *rows))
    assert "Smith" not in str(caught.value)


def test_ragged_rows_are_refused_with_their_numbers() -> None:
    table = Table(cells_of(**{name: ["1"] for name in SSDA903}), pl.Series([2]), ragged=(3, 17))
    with pytest.raises(PseudonymiseError, match=r"rows 3, 17\.$"):
        _made(table)


def test_an_extract_of_another_layout_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(
        PseudonymiseError, match=r"not a ssda903_missing extract; it lacks the columns: MIS_START, MIS_END"
    ):
        _made(table_of(["child", "missing"], ["1", "M"]))
    canonical = canonical_source(load_contracts()["missing_episode"])
    with pytest.raises(PseudonymiseError, match="already pseudonymised"):
        pseudonymise(table_of(["child"], ["1"]), canonical, BOROUGH, KEY)


def _key_file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "region.key"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("written", [HEX_KEY, f"{HEX_KEY}\n", f"  {HEX_KEY.upper()}\r\n"])
def test_a_key_is_hexadecimal_text(tmp_path: Path, written: str) -> None:
    assert read_key(_key_file(tmp_path, written.encode())) == KEY


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEX_KEY[:-2].encode(), "too short"),
        (b"", "too short"),
        (HEX_KEY[:-1].encode(), "does not hold hexadecimal"),
        (HEX_KEY.encode() + b"xyz", "does not hold hexadecimal"),
        (KEY + b"\xff", "does not hold hexadecimal"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_without_a_word_of_it(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(PseudonymiseError, match=says) as caught:
        read_key(_key_file(tmp_path, content))
    assert str(caught.value).endswith(".")
    assert HEX_KEY[:8] not in str(caught.value) + str(caught.value.__cause__)


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PseudonymiseError, match=r"nowhere\.key cannot be read"):
        read_key(tmp_path / "nowhere.key")
    with pytest.raises(PseudonymiseError, match="cannot be read"):
        read_key(tmp_path)


def test_the_key_is_in_nothing_that_comes_out() -> None:
    made = _made(table_of(SSDA903, ["510000", "13/11/2010", "M", "13/11/2025", ""]))
    assert HEX_KEY[:8] not in repr(made) + made.cells.write_csv()
    assert repr(KEY)[2:-1] not in repr(made)
