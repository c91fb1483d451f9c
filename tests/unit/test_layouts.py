"""Mosaic, Eclipse and police extracts made by hand: what becomes of their words, and what is kept beside a trap."""

from typing import Any

import polars as pl
import pytest

from pipelines.intake.examine import Examined
from pipelines.intake.judge import judge
from pipelines.intake.mapping import map_part, set_aside, trapped_values
from pipelines.intake.sources import load_sources, recognise
from tests.intake_data import BOROUGH, CHILD, OTHER_BOROUGH, csv_rows, examined

WORKFLOW = {
    "WORKFLOW_STEP_ID": "71",
    "PERSON_ID": CHILD,
    "START_DATE": "03/11/2025 20:15",
    "MISSING_CATEGORY": "Missing",
    "END_DATE": "04/11/2025 02:00",
    "missinglettersent": "05/11/2025",
    "missingepisodediscussed": "Yes",
}
REPORT = {
    "MFHID": "71",
    "PersonID": CHILD,
    "MFHStart": "2025-11-03 20:15",
    "DateFound": "2025-11-04 02:00",
    "ReturnInterviewOffered": "Yes",
    "ReturnInterviewCompleted": "Yes",
}
FORM = {
    "INSTANCEID": "71",
    "SUBJECTID": CHILD,
    "INSTANCESTATE": "COMPLETE",
    "DATECHILDLASTSEEN_4711": "2025-11-03",
    "ABSENCETYPE12": "Missing",
    "FOUNDREPORTDATE99": "2025-11-04",
    "HASARETURNHOMEINTERVIEWBEENOFFERED5": "Yes",
    "HASTHERETURNHOMEINTERVIEWBEENACCEPTED6": "No",
}
INCIDENT = {
    "INCIDENT_REF": "06MP/71/25",
    "NOMINAL_ID": CHILD,
    "LAST_SEEN_DTTM": "2025-11-03 20:15",
    "REPORTED_DTTM": "2025-11-03 22:00",
    "CLASSIFICATION": "Missing",
    "LOCATED_DTTM": "2025-11-04 01:00",
    "RETURNED_DTTM": "2025-11-04 02:00",
}


def _file(plain: dict[str, str], *rows: dict[str, str]) -> Examined:
    return examined(csv_rows([plain | row for row in rows]))


def _columns(file: Examined, dataset: str, *names: str) -> list[tuple[Any, ...]]:
    (rows,) = (part.rows for part in file.parts if part.contract.dataset == dataset)
    return rows.select(names).rows()


def _one(plain: dict[str, str], changes: dict[str, str], dataset: str, *names: str) -> tuple[Any, ...]:
    (row,) = _columns(_file(plain, changes), dataset, *names)
    return row


def _trapped(file: Examined, dataset: str) -> dict[str, tuple[str | None, str | None, str]]:
    """Column to raw value, mapped value and note, of a file with one row."""
    cells = file.table.frame.with_columns(file.table.row_numbers.alias("row_number"))
    (part,) = (part for part in file.source.parts if part.dataset == dataset)
    mapped = map_part(file.source, part, cells, BOROUGH.code)
    found = trapped_values(file.source, part, cells, mapped)
    assert set(found["row_number"]) <= {2}
    return {row["column_name"]: (row["raw_value"], row["mapped_value"], row["note_id"]) for row in found.to_dicts()}


def test_the_two_mosaics_are_one_source_and_their_versions_tell_which() -> None:
    workflow, report = recognise(list(WORKFLOW)), recognise(list(REPORT))
    assert (workflow.id, report.id) == ("mosaic", "mosaic")
    assert (workflow.version, report.version) == ("workflow-1.0.0", "report-1.0.0")


@pytest.mark.parametrize("plain", [WORKFLOW, REPORT, FORM, INCIDENT])
def test_a_plain_row_is_accepted_in_every_layout(plain: dict[str, str]) -> None:
    file = _file(plain, {})
    findings = judge([file]).findings
    assert findings.filter(pl.col("severity") != "info").rows() == []
    versions = {version for part in file.parts for version in part.rows["source_version"]}
    assert versions == {file.source.version + ("+2018-" if plain is INCIDENT else "")}
    assert file.left_out == ()


def test_mosaic_answers_for_its_interview() -> None:
    names = ("interview_id", "episode_ids", "offered", "offered_at", "accepted", "held_at")
    assert _one(WORKFLOW, {}, "return_interview", *names) == ("RHI-71", "71", "yes", "05/11/2025", "yes", None)


@pytest.mark.parametrize(("letter", "offered"), [("05/11/2025", "yes"), ("sent", "yes"), ("", "unknown")])
def test_no_letter_is_not_known_and_never_no(letter: str, offered: str) -> None:
    file = _file(WORKFLOW, {"missinglettersent": letter})
    assert _columns(file, "return_interview", "offered") == [(offered,)]
    assert _trapped(file, "return_interview")["offered"] == (letter or None, offered, "mosaic.letter_sent")


@pytest.mark.parametrize(
    ("discussed", "accepted"),
    [("Yes", "yes"), ("y", "yes"), ("N", "unknown"), ("No", "unknown"), ("", "unknown"), ("NA", "not_applicable")],
)
def test_mosaics_no_cannot_be_told_from_not_answered(discussed: str, accepted: str) -> None:
    file = _file(WORKFLOW, {"missingepisodediscussed": discussed})
    assert _columns(file, "return_interview", "accepted") == [(accepted,)]
    assert _trapped(file, "return_interview")["accepted"] == (discussed or None, accepted, "mosaic.discussed")


def test_a_mosaic_without_the_questions_knows_nothing_about_interviews() -> None:
    plain = {name: cell for name, cell in WORKFLOW.items() if not name.startswith("missing")}
    assert _one(plain, {}, "return_interview", "offered", "accepted") == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("completed", "accepted", "declined"),
    [("Yes", "yes", None), ("No", "unknown", "unknown"), ("", "unknown", None), ("NA", "not_applicable", None)],
)
def test_the_report_says_completed_and_not_accepted(completed: str, accepted: str, declined: str | None) -> None:
    file = _file(REPORT, {"ReturnInterviewCompleted": completed})
    assert _columns(file, "return_interview", "accepted", "declined_reason", "held_at") == [(accepted, declined, None)]
    trapped = _trapped(file, "return_interview")
    assert trapped["accepted"] == (completed or None, accepted, "mosaic.accepted_is_completed")


def test_the_reports_type_is_defaulted_and_says_so() -> None:
    file = _file(REPORT, {})
    assert _columns(file, "missing_episode", "status", "found_at", "returned_at") == [
        ("missing", "2025-11-04 02:00", None)
    ]
    assert _trapped(file, "missing_episode")["status"] == (None, "missing", "mosaic.type_defaulted")


def test_a_made_up_midnight_is_kept_beside_the_day_that_it_became() -> None:
    file = _file(WORKFLOW, {"START_DATE": "03/11/2025 00:00:00"})
    assert _columns(file, "missing_episode", "started_at.precision") == [("date",)]
    assert _trapped(file, "missing_episode") == {"started_at": ("03/11/2025 00:00:00", "03/11/2025", "mosaic.midnight")}
    for start in ("03/11/2025 00:00:01", "03/11/2025 10:00:00", "03/11/2025"):
        assert _trapped(_file(WORKFLOW, {"START_DATE": start}), "missing_episode") == {}


def test_eclipse_controls_are_known_by_their_names_without_the_number() -> None:
    file = _file(FORM, {})
    names = ("episode_id", "child_id", "status", "started_at", "found_at", "started_at.precision")
    assert _columns(file, "missing_episode", *names) == [("71", CHILD, "missing", "2025-11-03", "2025-11-04", "date")]
    assert _columns(file, "return_interview", "offered", "accepted") == [("yes", "no")]
    assert file.header_of(file.main.part, "started_at") == "DATECHILDLASTSEEN_4711"
    assert file.header_of(file.main.part, "status") == "ABSENCETYPE12"


@pytest.mark.parametrize("name", ["ABSENCETYPE", "absencetype_7", "AbsenceType-12", "ABSENCETYPE 3"])
def test_a_numbered_name_may_have_a_number_and_nothing_else(name: str) -> None:
    source = load_sources()["eclipse"]
    assert source.cells_of("ABSENCETYPE*", ["x", name]) == [name]
    assert source.knows(name)
    for other in (f"{name}OTHER", f"NOT{name}", "ABSENCE"):
        assert source.cells_of("ABSENCETYPE*", [other]) == []
        assert not source.knows(other)


def test_two_designs_of_a_form_are_read_as_one_column() -> None:
    file = _file(FORM | {"ABSENCETYPE77": ""}, {}, {"INSTANCEID": "72", "ABSENCETYPE12": "", "ABSENCETYPE77": "Away"})
    assert _columns(file, "missing_episode", "status") == [("missing",), ("away",)]


@pytest.mark.parametrize(("state", "kept"), [("COMPLETE", True), ("complete", True), ("DRAFT", False), ("", False)])
def test_a_form_that_is_not_complete_is_set_aside_and_accounted_for(state: str, kept: bool) -> None:
    file = _file(FORM, {"INSTANCESTATE": state})
    cells = file.table.frame.with_columns(file.table.row_numbers.alias("row_number"))
    aside = set_aside(file.source, cells)
    assert [part.rows.height for part in file.parts] == [int(kept)] * 2
    assert aside.rows() == ([] if kept else [(2, "INSTANCESTATE")])


def test_nothing_is_set_aside_where_the_layout_says_nothing() -> None:
    file = _file(REPORT, {}, {"MFHID": "72"})
    cells = file.table.frame.with_columns(file.table.row_numbers.alias("row_number"))
    assert set_aside(file.source, cells).is_empty()
    assert file.main.rows.height == 2


ANSWERS = [("Yes", "yes"), ("NO", "no"), ("n/a", "not_applicable"), ("", "unknown")]


@pytest.mark.parametrize(("offered", "expected"), ANSWERS)
def test_eclipses_blank_answer_is_not_known(offered: str, expected: str) -> None:
    file = _file(FORM, {"HASARETURNHOMEINTERVIEWBEENOFFERED5": offered})
    assert _trapped(file, "return_interview")["offered"] == (offered or None, expected, "eclipse.blank_answer")


def test_a_police_incident_starts_when_last_seen_else_when_reported() -> None:
    names = ("started_at", "reported_at", "found_at", "returned_at", "police_reference")
    times = ("2025-11-03 20:15", "2025-11-03 22:00", "2025-11-04 01:00", "2025-11-04 02:00", "06MP/71/25")
    assert _one(INCIDENT, {}, "missing_episode", *names) == times
    assert _one(INCIDENT, {"LAST_SEEN_DTTM": ""}, "missing_episode", "started_at") == ("2025-11-03 22:00",)


@pytest.mark.parametrize(
    ("day", "word", "status"),
    [
        ("2013-03-31", "No apparent risk", "missing"),
        ("2013-04-01", "No apparent risk", "absent"),
        ("2017-03-31", "No apparent risk", "absent"),
        ("2017-04-01", "No apparent risk", "missing"),
        ("2016-06-01", "No apparent risk (absent)", "absent"),
        ("2017-04-01", "No apparent risk (absent)", "missing"),
        ("2012-06-01", "No apparent risk (absent)", "No apparent risk (absent)"),
        ("2016-06-01", "Missing", "missing"),
        ("2016-06-01", "Absent", "absent"),
        ("2025-06-01", "Absent", "absent"),
        ("not a day", "No apparent risk", "missing"),
    ],
)
def test_no_apparent_risk_is_absent_in_the_years_in_which_it_was(day: str, word: str, status: str) -> None:
    file = _file(INCIDENT, {"LAST_SEEN_DTTM": day, "CLASSIFICATION": word})
    assert _columns(file, "missing_episode", "status") == [(status,)]
    assert _trapped(file, "missing_episode")["status"] == (word, status, "police_incident.absent")


def test_the_version_of_a_row_tells_its_year() -> None:
    days = {"2013-03-31": "1.0.0", "2013-04-01": "1.0.0+2014-2017", "2017-03-31": "1.0.0+2014-2017"}
    days |= {"2017-04-01": "1.0.0+2018-", "no day": "1.0.0", "": "1.0.0+2018-"}
    rows = [{"INCIDENT_REF": str(i), "LAST_SEEN_DTTM": day} for i, day in enumerate(days)]
    file = _file(INCIDENT, *rows)
    assert _columns(file, "missing_episode", "source_version") == [(version,) for version in days.values()]


@pytest.mark.parametrize(
    ("column", "words"),
    {
        "ethnicity": {
            "W1": "white",
            "m9": "mixed",
            "A4": "asian",
            "IC3": "black",
            "NS": "not_obtained",
            "N3": "refused",
        },
        "risk_initial": {"No apparent risk": "no_apparent_risk", "Very low": "very_low", "standard": "medium"},
        "missing_from_setting": {"Care home": "childrens_home", "foster care": "foster_care", "Shed": "Shed"},
        "reported_by": {"Care home": "care_home", "Social worker": "social_worker"},
        "found_by": {"Own accord": "own_accord", "returned by self": "own_accord"},
        "cse_flag": {"Y": "yes", "N": "no"},
        "looked_after": {"Y": "yes", "": "unknown"},
        "responsible_authority": {OTHER_BOROUGH.name: OTHER_BOROUGH.code, "": "unknown", "E06000001": "E06000001"},
        "area_missing_from": {OTHER_BOROUGH.slug: OTHER_BOROUGH.code, "": BOROUGH.code, "unknown": "unknown"},
    }.items(),
)
def test_police_words_become_codes(column: str, words: dict[str, str]) -> None:
    (header,) = load_sources()["police_incident"].main.columns[column].sources[:1]
    rows = [{"INCIDENT_REF": str(i), header: word} for i, word in enumerate(words)]
    assert _columns(_file(INCIDENT | {header: ""}, *rows), "missing_episode", column) == [(c,) for c in words.values()]


def test_a_district_stands_in_for_the_area_where_there_is_none() -> None:
    plain = INCIDENT | {"MISSING_FROM_LA": "", "DISTRICT": OTHER_BOROUGH.name}
    assert _one(plain, {}, "missing_episode", "area_missing_from") == (OTHER_BOROUGH.code,)


def test_the_words_that_a_layout_knows_are_told_by_header() -> None:
    police = load_sources()["police_incident"]
    coded = police.coded_cells(["LOCATION_TYPE", "nominal_id", "classification", "DISTRICT"])
    assert set(coded) == {"LOCATION_TYPE", "classification", "DISTRICT"}
    assert {"care home", "semi-independent"} <= coded["LOCATION_TYPE"]
    assert {"missing", "no apparent risk (absent)"} <= coded["classification"]
    assert BOROUGH.name.casefold() in coded["DISTRICT"]
    letter = load_sources()["mosaic.report"].coded_cells(["ReturnInterviewCompleted"])
    assert letter == {"ReturnInterviewCompleted": {"yes", "y", "no", "n", "na", "n/a", ""}}


def test_police_records_yield_no_interviews() -> None:
    assert [part.contract.dataset for part in _file(INCIDENT, {}).parts] == ["missing_episode"]


@pytest.mark.parametrize("name", load_sources())
def test_every_trap_of_a_layout_has_a_note_for_readers(name: str) -> None:
    source = load_sources()[name]
    said = {note.note_id for note in source.notes}
    used = {column.note_id for part in source.parts for column in part.columns.values() if column.note_id}
    assert used <= said
    assert all(note_id.startswith(f"{source.id}.") for note_id in said)
    assert all(note.text.endswith(".") for note in source.notes)
