"""Layouts as data: a sixth system, a renamed column and a borough's own words without Python; errors that say where."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.contracts.contract import ContractError
from pipelines.home import CONTRACTS
from pipelines.intake.examine import Examined, examine
from pipelines.intake.judge import judge
from pipelines.intake.layout import Years
from pipelines.intake.mapping import old_name_sentences
from pipelines.intake.pseudonymise import pseudonymise
from pipelines.intake.read import read_table
from pipelines.intake.sources import UnrecognisedFileError, header_test, layout_named, load_sources, recognise
from tests.intake_data import BOROUGH, CHILD, KEY, NOW, OTHER_BOROUGH, csv_of, csv_rows

SIXTH = """
id: azeus
title: Azeus, absence register
version: 2.0.0
dataset: missing_episode
recognised_by: [RegisterNo, ClientNo, AbsentFrom]
dates: {forms: [day_first]}
pseudonymise:
  child: {column: ClientNo, scope: borough}
  date_of_birth: {columns: [Born], becomes: Age, at: AbsentFrom}
columns:
  episode_id: {from: RegisterNo}
  child_id: {from: ClientNo}
  pseudonym_scope: {constant: "@scope"}
  status: {from: Kind, otherwise: missing, codes: {police informed: missing, not at placement: away}, note: all_missing}
  started_at: {from: AbsentFrom}
  returned_at: {from: AbsentTo}
  age_at_start: {from: Age}
  looked_after: {constant: unknown}
  responsible_authority: {from: Council, otherwise: "@borough", codes: "@areas"}
  area_missing_from: {constant: "@borough"}
years:
  - {from: 2024, to: 2025, column: AbsentFrom, was: AbsenceStart}
  - {from: 2024, to: 2025, codes: {status: {police informed: away}}}
notes:
  all_missing: {text: Every absence is classified as missing., measures: [incidents]}
"""
ROW = {"RegisterNo": "1", "ClientNo": CHILD, "Kind": "Police informed", "AbsentTo": "", "Age": "14"}


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A copy of the contracts with a sixth system in it."""
    made = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, made)
    (made / "sources" / "azeus.yaml").write_text(SIXTH, encoding="utf-8")
    return made


def _file(contracts: Path, *rows: dict[str, str]) -> Examined:
    return examine("a.csv", csv_rows(rows), BOROUGH, NOW, "made", contracts)


def _columns(file: Examined, *names: str) -> list[tuple[Any, ...]]:
    return file.main.rows.select(names).rows()


def test_a_sixth_system_is_a_file_and_no_python(contracts: Path) -> None:
    start = {"AbsentFrom": "03/11/2025 20:15", "Council": OTHER_BOROUGH.name}
    closed = ROW | start | {"AbsentTo": "04/11/2025"}
    file = _file(contracts, closed, closed | {"RegisterNo": "2", "ClientNo": CHILD[::-1], "Kind": "Gone"})
    assert (file.source.id, file.source.version) == ("azeus", "2.0.0")
    names = ("episode_id", "status", "started_at.precision", "responsible_authority", "area_missing_from")
    assert _columns(file, *names) == [
        ("1", "missing", "minute", OTHER_BOROUGH.code, BOROUGH.code),
        ("2", "Gone", "minute", OTHER_BOROUGH.code, BOROUGH.code),
    ]
    findings = judge([file], contracts).findings
    assert findings.select("row_number", "rule_id", "severity").rows() == [
        (3, "missing_episode.status.codes", "critical")
    ]
    with pytest.raises(UnrecognisedFileError):
        recognise(file.table.header)


def test_a_sixth_system_is_pseudonymised_without_python(contracts: Path) -> None:
    raw = csv_of(
        ["RegisterNo", "ClientNo", "Born", "AbsentFrom", "Surname"], [["1", "77", "04/11/2010", "03/11/2025", "Doe"]]
    )
    table = read_table("a.csv", raw)
    made = pseudonymise(table, recognise(table.header, contracts), BOROUGH, KEY, contracts)
    assert made.cells.columns == ["RegisterNo", "ClientNo", "Age", "AbsentFrom"]
    assert made.cells["Age"].to_list() == ["14"]


def _old(day: str, **cells: str) -> dict[str, str]:
    return ROW | {"AbsenceStart": day} | cells


def test_a_renamed_column_is_one_line(contracts: Path) -> None:
    file = _file(contracts, _old("03/11/2024 20:15"))
    assert file.source.id == "azeus"
    assert _columns(file, "started_at", "source_version") == [("03/11/2024 20:15", "2.0.0+2024-2025")]
    assert file.header_of(file.main.part, "started_at") == "AbsenceStart"
    assert file.left_out == ()
    assert header_test(contracts)(["RegisterNo", "ClientNo", "AbsenceStart"])
    made = pseudonymise(file.table, file.source, BOROUGH, KEY, contracts)
    assert "AbsenceStart" in made.cells.columns


@pytest.mark.parametrize(
    ("day", "covered"),
    [("31/03/2023", False), ("01/04/2023", True), ("31/03/2025", True), ("01/04/2025", False)],
)
def test_an_old_name_in_other_years_is_said(contracts: Path, day: str, covered: bool) -> None:
    file = _file(contracts, _old("03/11/2024"), _old(day, RegisterNo="2"), _old("no day", RegisterNo="3"))
    sentence = (
        "Column F has the name that AbsentFrom had in the years to March 2024 to 2025, but 1 row starts in another "
        "year; check that the extract is the one you meant to send."
    )
    said = old_name_sentences(file.source, file.table.frame, file.table.letter)
    assert said == ([] if covered else [sentence])
    # Codes follow the row's own year, whatever the column is called.
    assert _columns(file, "status")[1] == ("away" if covered else "missing",)


def test_a_new_name_says_nothing_and_its_codes_still_follow_the_year(contracts: Path) -> None:
    days = ["31/03/2023", "01/04/2023", "31/03/2025", "01/04/2025"]
    file = _file(contracts, *(ROW | {"RegisterNo": str(i), "AbsentFrom": day} for i, day in enumerate(days)))
    assert old_name_sentences(file.source, file.table.frame, file.table.letter) == []
    old, new = ("away", "2.0.0+2024-2025"), ("missing", "2.0.0")
    assert _columns(file, "status", "source_version") == [new, old, old, new]


def test_old_and_new_name_in_one_file_are_read_as_one(contracts: Path) -> None:
    file = _file(contracts, ROW | {"AbsentFrom": "", "AbsenceStart": "03/11/2024"}, _old("", AbsentFrom="03/11/2025"))
    assert _columns(file, "started_at") == [("03/11/2024",), ("03/11/2025",)]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (Years(2015, 2018), Years(2018), True),
        (Years(2015, 2018), Years(2019), False),
        (Years(2015), Years(2020), True),
        (Years(2015, 2016), Years(2012, 2014), False),
        (Years(2015, 2016), Years(2012, 2015), True),
    ],
)
def test_years_overlap_when_one_year_is_in_both(one: Years, other: Years, overlap: bool) -> None:
    assert (one.overlaps(other), other.overlaps(one)) == (overlap, overlap)


def test_years_in_words() -> None:
    assert [Years(2015, 2018).words, Years(2015, 2015).words, Years(2015).words] == [
        "the years to March 2015 to 2018",
        "the year to March 2015",
        "the year to March 2015 on",
    ]


def _wording(contracts: Path, layouts: str, slug: str = BOROUGH.slug) -> None:
    folder = contracts / "boroughs" / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.yaml").write_text(f"layouts:\n{layouts}", encoding="utf-8")


THEIRS = """
  mosaic:
    renamed: {missinglettersent: rhi_letter, missing_category: KIND, DOB: BORN_ON}
    codes: {status: {ran off: missing}, accepted: {"no": "no"}}
"""
MOSAIC = ["WORKFLOW_STEP_ID", "PERSON_ID", "START_DATE", "KIND", "RHI_LETTER", "missingepisodediscussed"]


def test_a_borough_names_its_own_questions_and_words(contracts: Path) -> None:
    _wording(contracts, THEIRS)
    row = ["1", CHILD, "03/11/2025", "Ran off", "04/11/2025", "No"]
    file = examine("a.csv", csv_of(MOSAIC, [row]), BOROUGH, NOW, "made", contracts)
    assert file.source.name == "mosaic.workflow"
    assert _columns(file, "status") == [("missing",)]
    assert file.parts[1].rows.select("offered", "offered_at", "accepted").rows() == [("yes", "04/11/2025", "no")]
    assert file.header_of(file.parts[1].part, "offered") == "RHI_LETTER"
    assert file.left_out == ()
    assert file.source.version.startswith(f"workflow-1.0.0+{BOROUGH.slug}.")
    with pytest.raises(UnrecognisedFileError):
        recognise(MOSAIC, contracts, OTHER_BOROUGH.slug)


def test_a_boroughs_wording_changes_only_what_it_speaks_of(contracts: Path) -> None:
    _wording(contracts, THEIRS)
    usual = ["WORKFLOW_STEP_ID", "PERSON_ID", "START_DATE", "MISSING_CATEGORY"]
    assert recognise(usual, contracts, BOROUGH.slug).name == "mosaic.workflow"
    plain = load_sources(contracts)
    assert layout_named("eclipse", [], contracts, BOROUGH.slug) == plain["eclipse"]
    # The other variant has no such questions, but it has births and answers.
    report = layout_named("mosaic.report", [], contracts, BOROUGH.slug)
    assert report.their_names == {"dob": "BORN_ON"}
    assert report.also is not None
    assert report.also.columns["accepted"].codes is not None
    assert report.also.columns["accepted"].codes["no"] == "no"


def test_their_name_replaces_ours_also_where_both_are_there(contracts: Path) -> None:
    _wording(contracts, "  mosaic: {renamed: {MISSING_CATEGORY: KIND}}\n")
    source = recognise([*MOSAIC, "MISSING_CATEGORY"], contracts, BOROUGH.slug)
    assert source.cells_of("MISSING_CATEGORY", [*MOSAIC, "MISSING_CATEGORY"]) == ["KIND"]


def test_a_borough_can_name_its_column_of_births(contracts: Path) -> None:
    _wording(contracts, THEIRS)
    table = read_table("a.csv", csv_of([*MOSAIC, "BORN_ON"], [["1", "77", "03/11/2025", "M", "", "", "04/11/2010"]]))
    made = pseudonymise(table, recognise(table.header, contracts, BOROUGH.slug), BOROUGH, KEY, contracts)
    assert made.cells["AGE_AT_START"].to_list() == ["14"]
    assert made.left_out == ("BORN_ON",)


def test_the_version_follows_the_wording(contracts: Path) -> None:
    _wording(contracts, "  mosaic: {codes: {status: {gone: missing}}}\n")
    _wording(contracts, "  mosaic: {codes: {status: {gone: away}}}\n", OTHER_BOROUGH.slug)

    def versions(name: str) -> list[str]:
        return [layout_named(name, [], contracts, area.slug).version for area in (BOROUGH, OTHER_BOROUGH)]

    # The report has no type, so words for types change nothing there.
    assert versions("mosaic.report") == ["report-1.0.0"] * 2
    ours, theirs = versions("mosaic.workflow")
    assert ours.rsplit(".", 1)[1] != theirs.rsplit(".", 1)[1]


def test_the_scope_of_a_wider_bodys_numbers_can_be_regional(contracts: Path) -> None:
    _wording(contracts, "  police_incident: {scope: regional}\n  eclipse: {scope: regional, numbers_of: nhs}\n")
    for layout_id, holder in (("police_incident", "police"), ("eclipse", "nhs")):
        source = layout_named(layout_id, [], contracts, BOROUGH.slug)
        assert source.pseudonymise is not None
        assert (source.pseudonymise.scope, source.pseudonymise.numbers_of) == ("regional", holder)
        assert {part.columns["pseudonym_scope"].constant for part in source.parts} == {"regional"}


@pytest.mark.parametrize(
    ("layouts", "says"),
    [
        (
            "  azteca: {}",
            r"layouts\.azteca: there is no such layout; the layouts are azeus, eclipse, liquidlogic, mosaic",
        ),
        ("  mosaic: {renmed: {A: B}}", r"layouts\.mosaic\.renmed: this key means nothing here; known are codes, "),
        ("  mosaic: {renamed: {A: B}}", r"renamed\.A: the layout has no such column; its columns are MFHID, PersonID"),
        ("  mosaic: {renamed: {START_DATE: 7}}", r"renamed\.START_DATE: this must be text; put it in quotes"),
        ("  mosaic: {codes: {statos: {a: missing}}}", r"codes\.statos: the layout fills no such column from a cell"),
        ("  mosaic: {codes: {source_system: {a: b}}}", r"codes\.source_system: the layout fills no such column from a"),
        (
            "  mosaic: {codes: {status: {a: gone}}}",
            r"codes\.status\.a: gone is not a code of status; the codes are miss",
        ),
        ("  mosaic: {codes: {offered: {a: no}}}", r"codes\.offered\.a: this must be text; put it in quotes"),
        ("  mosaic: {codes: {offered: {yes: 'yes'}}}", r"codes\.offered: write the key True in quotes"),
        ("  mosaic: {codes: {area_missing_from: {a: Leeds}}}", r"area_missing_from\.a: Leeds does not have the form"),
        ("  mosaic: {scope: national}", r"mosaic\.scope: this must be one of regional, borough"),
        ("  mosaic: {scope: regional}", r"mosaic\.scope: a system's own numbers mean another child in each borough"),
        ("  mosaic: 7", r"layouts\.mosaic: this must be keys with values"),
        (
            "  mosaic: {}\n  mosaic: {}",
            r"line 2: this is not the YAML we need: the key mosaic stands twice",
        ),
        ("  mosaic: {", r"line [0-9]+: this is not the YAML we need: "),
    ],
)
def test_a_wording_that_cannot_be_used_says_where_and_what(contracts: Path, layouts: str, says: str) -> None:
    _wording(contracts, f"{layouts}\n")
    with pytest.raises(ContractError, match=rf"^boroughs/{BOROUGH.slug}/source\.yaml, (?:layouts)?.*?{says}") as caught:
        recognise(["x"], contracts, BOROUGH.slug)
    assert str(caught.value).endswith(".")
    # Other boroughs are not concerned.
    with pytest.raises(UnrecognisedFileError):
        recognise(["x"], contracts, OTHER_BOROUGH.slug)


def test_a_key_beside_layouts_is_known_or_refused(contracts: Path) -> None:
    path = contracts / "boroughs" / BOROUGH.slug / "source.yaml"
    path.write_text("identifier_exceptions: []\n", encoding="utf-8")
    assert layout_named("mosaic.report", [], contracts, BOROUGH.slug).version == "report-1.0.0"
    path = contracts / "boroughs" / OTHER_BOROUGH.slug / "source.yaml"
    path.write_text("layout: {}\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"source\.yaml, layout: this key means nothing here"):
        layout_named("mosaic.report", [], contracts, OTHER_BOROUGH.slug)


Change = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Change, str]] = {
    "unknown key": (lambda y: y.update(colums={}), r"colums: this key means nothing here"),
    "no title": (lambda y: y.pop("title"), r"title: this key is missing"),
    "number for version": (lambda y: y.update(version=2), r"version: this must be text; put it in quotes"),
    "no such dataset": (
        lambda y: y.update(dataset="episodes"),
        r"dataset: this must be one of missing_episode, ",
    ),
    "unknown canonical column": (
        lambda y: y["columns"].update(stated_at={"from": "X"}),
        r"columns\.stated_at: the contract missing_episode has no column stated_at",
    ),
    "required column left out": (
        lambda y: y["columns"].pop("looked_after"),
        r"columns: looked_after is not filled, and every row of missing_episode needs it",
    ),
    "unknown key of a column": (
        lambda y: y["columns"]["status"].update(code={}),
        r"columns\.status\.code: this key means nothing here",
    ),
    "two ways to fill": (
        lambda y: y["columns"]["status"].update(constant="missing"),
        r"columns\.status: say exactly one of from, constant, derived_from",
    ),
    "no way to fill": (lambda y: y["columns"].update(status={}), r"columns\.status: say exactly one of"),
    "filled without a cell": (
        lambda y: y["columns"]["looked_after"].update(filled="yes"),
        r"columns\.looked_after\.filled: this needs `from`",
    ),
    "code not in the contract": (
        lambda y: y["columns"]["status"]["codes"].update(gone="vanished"),
        r"columns\.status\.codes\.gone: vanished is not a code of status; the codes are missing, away, absent",
    ),
    "fallback not in the contract": (
        lambda y: y["columns"]["status"].update(otherwise="gone"),
        r"columns\.status\.otherwise: gone is not a code of status",
    ),
    "constant not in the contract": (
        lambda y: y["columns"]["looked_after"].update(constant="maybe"),
        r"columns\.looked_after\.constant: maybe is not a code of looked_after",
    ),
    "word twice": (
        lambda y: y["columns"]["status"]["codes"].update({"Police Informed": "missing"}),
        r"columns\.status\.codes\.Police Informed: this word stands twice; capitals do not matter",
    ),
    "note that does not exist": (
        lambda y: y["columns"]["status"].update(note="none"),
        r"columns\.status\.note: there is no note none; write it under `notes`",
    ),
    "measure that does not exist": (
        lambda y: y["notes"]["all_missing"].update(measures=["incident"]),
        r"notes\.all_missing\.measures: there is no measure incident in rules/indicators\.yaml",
    ),
    "note without a full stop": (
        lambda y: y["notes"]["all_missing"].update(text="All missing"),
        r"notes\.all_missing\.text: this must be a sentence with a full stop",
    ),
    "recognised by a column nobody reads": (
        lambda y: y["recognised_by"].append("Sirname"),
        r"recognised_by: no column is filled from Sirname; those that are: RegisterNo, ClientNo, Kind",
    ),
    "child column nobody reads": (
        lambda y: y["pseudonymise"]["child"].update(column="Client"),
        r"pseudonymise\.child\.column: no column is filled from Client",
    ),
    "age column nobody reads": (
        lambda y: y["pseudonymise"]["date_of_birth"].update(becomes="Ages"),
        r"pseudonymise\.date_of_birth\.becomes: no column is filled from Ages",
    ),
    "regional numbers of nobody": (
        lambda y: y["pseudonymise"]["child"].update(scope="regional"),
        r"pseudonymise\.child\.numbers_of: numbers that are one across the region belong to somebody",
    ),
    "form that does not exist": (
        lambda y: y["dates"].update(forms=["american"]),
        r"dates\.forms: there is no form american",
    ),
    "note on midnight without the rule": (
        lambda y: y["dates"].update(note="all_missing"),
        r"dates\.note: the note is about midnight; set midnight_is_unknown_time",
    ),
    "text for true": (
        lambda y: y["dates"].update(midnight_is_unknown_time="yes"),
        r"dates\.midnight_is_unknown_time: this must be true or false",
    ),
    "waiver of no column": (
        lambda y: y.update(not_supplied=["age"]),
        r"not_supplied: age is not among the columns of this layout",
    ),
    "years without a beginning": (lambda y: y["years"][0].pop("from"), r"years, entry 1\.from: this key is missing"),
    "year of two digits": (
        lambda y: y["years"][0].update(to=25),
        r"years, entry 1\.to: this must be a year, such as 2018",
    ),
    "years backwards": (lambda y: y["years"][0].update(to=2023), r"years, entry 1\.to: this is before `from`"),
    "old name of no column": (
        lambda y: y["years"][0].update(column="AbsentForm"),
        r"years, entry 1\.column: no column is filled from AbsentForm; give the name it has now",
    ),
    "column without its old name": (
        lambda y: y["years"][0].pop("was"),
        r"years, entry 1: say `column` and `was` for a",
    ),
    "old codes of no column": (
        lambda y: y["years"][1]["codes"].update(kind={}),
        r"years, entry 2\.codes\.kind: the layout fills no such column from a cell",
    ),
    "two readings of one year": (
        lambda y: y["years"].append({"from": 2025, "codes": {"status": {"x": "away"}}}),
        r"years: two entries speak of codes of status in the same years",
    ),
    "two names in one year": (
        lambda y: y["years"].append({"from": 2020, "to": 2024, "column": "absentfrom", "was": "x"}),
        r"years: two entries speak of absentfrom in the same years",
    ),
    "filter under another's name": (
        lambda y: y.update(
            rows_kept={"column": "Kind", "is": ["x"], "rule_id": "file.x", "severity": "info", "message": "No."}
        ),
        r"rows_kept\.rule_id: this must begin with `azeus\.`",
    ),
    "filter with another severity": (
        lambda y: y.update(
            rows_kept={"column": "Kind", "is": ["x"], "rule_id": "azeus.x", "severity": "bad", "message": "No."}
        ),
        r"rows_kept\.severity: this must be one of critical, warning, info",
    ),
    "interviews of unread columns": (
        lambda y: y.update(also={"dataset": "return_interview", "columns": {"interview_id": {"from": "RegisterNo"}}}),
        r"also\.columns: child_id is not filled, and every row of return_interview needs it",
    ),
    "name of another file": (
        lambda y: y.update(id="eclipse"),
        r"id: another file is the layout eclipse, too; set `variant`",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_layout_that_cannot_be_used_says_where_and_what(contracts: Path, wrong: str) -> None:
    change, says = WRONG[wrong]
    raw = yaml.safe_load(SIXTH)
    change(raw)
    name = "zzz.yaml" if wrong == "name of another file" else "azeus.yaml"
    (contracts / "sources" / name).write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    with pytest.raises(ContractError, match=rf"^sources/{name}, {says}") as caught:
        load_sources(contracts)
    assert str(caught.value).endswith(".")


def test_variants_share_the_words_of_a_note(contracts: Path) -> None:
    path = contracts / "sources" / "mosaic_report.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('"day known', '"Day known'), encoding="utf-8")
    with pytest.raises(ContractError, match=r"mosaic_workflow\.yaml, notes: mosaic\.midnight says something else"):
        load_sources(contracts)
