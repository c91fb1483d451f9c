"""Recognising a layout by its header; Liquidlogic and SSDA903 mapped on extracts made by hand."""

from datetime import datetime, time
from typing import Any

import pytest

from pipelines.contracts.contract import load_contracts
from pipelines.intake.examine import Examined
from pipelines.intake.judge import judge
from pipelines.intake.layout import CANONICAL
from pipelines.intake.sources import UnrecognisedFileError, header_test, layout_named, load_sources, recognise
from tests.intake_data import (
    BOROUGH,
    CHILD,
    DATASETS,
    LIQUIDLOGIC,
    OTHER_BOROUGH,
    csv_of,
    csv_rows,
    episode,
    examined,
    required_columns,
)

OTHER_CHILD = CHILD[::-1]
SSDA903 = ("CHILD", "AGE_AT_START", "MISSING", "MIS_START", "MIS_END")


def _columns(file: Examined, dataset: str, *names: str) -> list[tuple[Any, ...]]:
    (rows,) = (part.rows for part in file.parts if part.contract.dataset == dataset)
    return rows.select(names).rows()


def _ssda903(*rows: tuple[str, str, str, str], child: str = CHILD) -> Examined:
    """Understand an extract of rows of age, status, start and end."""
    return examined(csv_of(SSDA903, [(child, *row) for row in rows]))


def _liquidlogic(*rows: dict[str, str]) -> Examined:
    """Understand an extract of rows that share their columns."""
    plain = {
        "FACT_MISSING_PERSON_ID": "7001",
        "DIM_PERSON_ID": CHILD,
        "START_DTTM": "2025-11-03 20:15:00",
        "MISSING_STATUS": "Missing",
        "END_DTTM": "2025-11-04 02:00:00",
        "RETURN_INTERVIEW_OFFERED": "Yes",
        "RETURN_INTERVIEW_ACCEPTED": "No",
    }
    return examined(csv_rows([plain | row for row in rows]))


@pytest.mark.parametrize("dataset", DATASETS)
def test_required_canonical_columns_are_enough_in_any_order_and_case(dataset: str) -> None:
    header = [name.upper() for name in reversed(required_columns(dataset))]
    source = recognise(header)
    assert (source.id, source.main.dataset, source.version) == (CANONICAL, dataset, load_contracts()[dataset].version)


@pytest.mark.parametrize(("header", "source_id"), [(SSDA903, "ssda903_missing"), (LIQUIDLOGIC, "liquidlogic")])
def test_native_headers_are_recognised_also_with_columns_we_do_not_know(
    header: tuple[str, ...], source_id: str
) -> None:
    assert recognise([*header, "WHATEVER"]).id == source_id


@pytest.mark.parametrize("name", load_sources())
def test_every_layout_is_recognised_by_its_own_columns_alone(name: str) -> None:
    needed = [column.replace("*", "_17") for column in load_sources()[name].recognised_by]
    assert recognise(needed).name == name
    assert header_test()(needed)
    for lacking in needed:
        header = [column for column in needed if column != lacking]
        assert not header_test()(header)
        with pytest.raises(UnrecognisedFileError, match=rf"Nearest is {name} .*: {lacking.removesuffix('_17')}\."):
            recognise(header)


def test_a_layout_is_chosen_by_id_and_among_its_variants_by_the_header() -> None:
    assert layout_named("liquidlogic", ["x"]).name == "liquidlogic"
    assert layout_named("mosaic", ["MFHID", "PERSONID", "MFHSTART"]).name == "mosaic.report"
    assert layout_named("mosaic", ["WORKFLOW_STEP_ID", "PERSON_ID"]).name == "mosaic.workflow"
    assert layout_named("mosaic.report", ["WORKFLOW_STEP_ID", "PERSON_ID"]).name == "mosaic.report"
    with pytest.raises(
        UnrecognisedFileError, match=r"'azeus' is not a layout we know; .*: eclipse, liquidlogic, mosaic,"
    ):
        layout_named("azeus", ["x"])


def test_a_title_row_is_not_taken_for_a_header() -> None:
    assert not header_test()(["Missing episodes April 2025", "", ""])
    assert header_test()(["", *required_columns("missing_episode")])


def test_a_header_of_no_layout_names_the_nearest_and_what_it_lacks() -> None:
    header = [name for name in required_columns("return_interview") if name != "offered"]
    with pytest.raises(UnrecognisedFileError) as caught:
        recognise([*header, "secret_name_of_column"])
    message = str(caught.value)
    assert "Nearest is canonical (Return home interview), which also needs the columns: offered." in message
    assert "secret" not in message


def test_nearest_is_by_share_of_the_layouts_own_columns() -> None:
    with pytest.raises(UnrecognisedFileError, match=r"Nearest is ssda903_missing .* needs the columns: MIS_END\."):
        recognise(["child", "missing", "mis_start", "child_id", "status", "started_at"])


def test_a_header_of_two_layouts_is_refused_with_both_named() -> None:
    with pytest.raises(UnrecognisedFileError, match=r"more than one layout: canonical \(.*\) and ssda903_missing \("):
        recognise([*required_columns("missing_episode"), *SSDA903])


def test_canonical_cells_pass_unchanged() -> None:
    file = examined(csv_rows([episode()]))
    row = episode()
    assert file.main.rows.select(*row).to_dicts() == [row]
    assert file.left_out == ()


def test_ssda903_end_is_found_for_missing_and_returned_for_away() -> None:
    file = _ssda903(("15", "M", "13/11/2025", "25/11/2025"), ("15", "a", "01/12/2025", "02/12/2025"))
    names = ("status", "started_at", "found_at", "returned_at")
    assert _columns(file, "missing_episode", *names) == [
        ("missing", "13/11/2025", "25/11/2025", None),
        ("away", "01/12/2025", None, "02/12/2025"),
    ]


def test_ssda903_constants_and_the_borough_stand_on_every_row() -> None:
    file = _ssda903(("15", "M", "13/11/2025", ""), ("16", "A", "13/12/2025", ""))
    names = ("pseudonym_scope", "looked_after", "responsible_authority", "area_missing_from", "source_system")
    assert _columns(file, "missing_episode", *names) == [("borough", "yes", BOROUGH.code, "unknown", "ssda903")] * 2
    assert _columns(file, "missing_episode", "child_id", "age_at_start") == [(CHILD, "15"), (CHILD, "16")]


def test_ssda903_dates_are_read_day_first_and_known_to_the_day() -> None:
    file = _ssda903(("15", "M", "03/11/2025", "2025-11-05"), ("15", "M", "13/13/2025", ""))
    values = ("started_at.value", "started_at.precision", "found_at.latest", "started_at.readable")
    assert _columns(file, "missing_episode", *values) == [
        (datetime(2025, 11, 3), "date", datetime(2025, 11, 5, 23, 59, 59, 999999), True),  # noqa: DTZ001 - local clock
        (None, None, None, False),
    ]


def test_a_code_the_mapping_does_not_know_is_kept_for_the_contract_to_report() -> None:
    file = _ssda903(("15", "X", "13/11/2025", "14/11/2025"))
    assert _columns(file, "missing_episode", "status", "found_at", "returned_at") == [("X", None, None)]
    found = judge([file]).findings
    assert found.select("rule_id", "column").rows() == [("missing_episode.status.codes", "status")]
    assert (file.header_of(file.main.part, "status"), file.table.letter("MISSING")) == ("MISSING", "C")


def _ids(file: Examined) -> list[str]:
    return [row[0] for row in _columns(file, "missing_episode", "episode_id")]


def test_derived_ids_are_the_same_in_every_delivery_and_distinct_within_one() -> None:
    first = ("15", "M", "13/11/2025", "")
    closed = ("15", "m", "13/11/2025", "25/11/2025")
    others = [("15", "A", "13/11/2025", ""), ("15", "M", "14/11/2025", "")]
    (ours,) = _ids(_ssda903(first))
    assert ours.startswith("ssda903-")
    assert _ids(_ssda903(*others, closed))[-1] == ours
    assert _ids(_ssda903(first, child=OTHER_CHILD)) != [ours]
    twice = _ids(_ssda903(first, closed, *others))
    assert twice[:2] == [ours, f"{ours}-2"]
    assert len(set(twice)) == 4


def test_derived_ids_are_made_of_the_cells_and_not_of_their_concatenation() -> None:
    one = examined(csv_of(SSDA903, [(CHILD, "", "M", "1", ""), (CHILD, "", "M1", "", "")]))
    assert len(set(_ids(one))) == 2


def test_liquidlogic_status_is_mapped_whatever_its_case() -> None:
    words = ["Missing from Care", "AWAY FROM PLACEMENT WITHOUT AUTHORISATION", "a", "absent", "Gone fishing"]
    file = _liquidlogic(*({"FACT_MISSING_PERSON_ID": str(i), "MISSING_STATUS": w} for i, w in enumerate(words)))
    statuses = [row[0] for row in _columns(file, "missing_episode", "status")]
    assert statuses == ["missing", "away", "away", "absent", "Gone fishing"]


def test_liquidlogic_midnight_is_a_date_whose_time_is_not_known() -> None:
    times = ["2025-11-03 00:00:00", "2025-11-03 00:01:00", "2025-11-03", "03/11/2025 00:00", "03/11/2025 23:59"]
    file = _liquidlogic(*({"FACT_MISSING_PERSON_ID": str(i), "START_DTTM": t} for i, t in enumerate(times)))
    precisions = [row[0] for row in _columns(file, "missing_episode", "started_at.precision")]
    assert precisions == ["date", "minute", "date", "date", "minute"]
    latest = [row[0].time() for row in _columns(file, "missing_episode", "started_at.latest")]
    assert latest == [time.max, time(0, 1), time.max, time.max, time(23, 59)]


def test_midnight_is_a_time_where_the_layout_does_not_say_otherwise() -> None:
    file = examined(csv_rows([episode(started_at="2025-11-03T00:00")]))
    assert _columns(file, "missing_episode", "started_at.precision") == [("minute",)]


def test_liquidlogic_columns_that_may_be_absent_fall_back() -> None:
    file = _liquidlogic({})
    names = ("responsible_authority", "area_missing_from", "looked_after", "sex", "age_at_start", "source_system")
    expected = (BOROUGH.code, BOROUGH.code, "unknown", "unknown", None, "liquidlogic")
    assert _columns(file, "missing_episode", *names) == [expected]
    findings = judge([file]).findings
    assert findings.select("rule_id", "severity").rows() == [("missing_episode.age_at_start.required", "info")]


def test_liquidlogic_columns_that_are_there_are_used_and_blanks_fall_back() -> None:
    given = {"RESPONSIBLE_LA_CODE": OTHER_BOROUGH.code, "LOOKED_AFTER": "Y", "GENDER": "F", "AGE_AT_START": "12"}
    blank = dict.fromkeys(given, "") | {"FACT_MISSING_PERSON_ID": "7002"}
    file = _liquidlogic(given | {"FACT_MISSING_PERSON_ID": "7001"}, blank)
    names = ("responsible_authority", "looked_after", "sex", "age_at_start")
    assert _columns(file, "missing_episode", *names) == [
        (OTHER_BOROUGH.code, "yes", "female", "12"),
        (BOROUGH.code, "unknown", "unknown", None),
    ]


INTERVIEW_ANSWERS = {
    ("Yes", "No"): ("yes", "no"),
    ("NA", "NA"): ("not_applicable", "not_applicable"),
    ("NA", ""): ("not_applicable", "unknown"),
    ("", "yes"): ("unknown", "yes"),
    ("n", "Y"): ("no", "yes"),
    ("letter sent", ""): ("letter sent", "unknown"),
    ("", ""): None,  # no answer at all: no interview
}


def test_liquidlogic_rows_answer_for_their_interview_and_empty_is_unknown_not_no() -> None:
    rows = [
        {"FACT_MISSING_PERSON_ID": str(i), "RETURN_INTERVIEW_OFFERED": offered, "RETURN_INTERVIEW_ACCEPTED": accepted}
        for i, (offered, accepted) in enumerate(INTERVIEW_ANSWERS)
    ]
    file = _liquidlogic(*rows)
    names = ("interview_id", "episode_ids", "child_id", "pseudonym_scope", "offered", "accepted")
    assert _columns(file, "return_interview", *names) == [
        (f"RHI-{i}", str(i), CHILD, "borough", *answers)
        for i, answers in enumerate(INTERVIEW_ANSWERS.values())
        if answers
    ]
    assert file.main.rows.height == len(rows)


def test_an_accepted_interview_is_not_a_held_one_unless_its_time_is_given() -> None:
    without = _liquidlogic({"RETURN_INTERVIEW_ACCEPTED": "Yes"})
    assert _columns(without, "return_interview", "held_at") == [(None,)]
    held = _liquidlogic(
        {
            "RETURN_INTERVIEW_OFFERED": "",
            "RETURN_INTERVIEW_ACCEPTED": "",
            "RETURN_INTERVIEW_DTTM": "2025-11-06 00:00:00",
        }
    )
    assert _columns(held, "return_interview", "held_at.precision", "offered") == [("date", "unknown")]


def test_findings_of_both_parts_carry_the_row_of_the_file() -> None:
    good = {"FACT_MISSING_PERSON_ID": "1", "AGE_AT_START": "12"}
    file = _liquidlogic(
        good,
        good | {"FACT_MISSING_PERSON_ID": "2", "DIM_PERSON_ID": OTHER_CHILD, "RETURN_INTERVIEW_OFFERED": "perhaps"},
        good | {"FACT_MISSING_PERSON_ID": "3", "DIM_PERSON_ID": OTHER_CHILD, "MISSING_STATUS": "?"},
    )
    found = judge([file]).findings.select("dataset", "row_number", "rule_id").sort("row_number")
    assert found.rows() == [
        ("return_interview", 3, "return_interview.offered.codes"),
        ("missing_episode", 4, "missing_episode.status.codes"),
    ]


def test_exact_duplicates_are_left_out_of_every_part() -> None:
    file = _liquidlogic({}, {}, {"FACT_MISSING_PERSON_ID": "7002"}, {})
    assert file.duplicates.to_list() == [3, 5]
    assert [part.rows["row_number"].to_list() for part in file.parts] == [[2, 4], [2, 4]]


def test_columns_no_layout_uses_are_named_as_unknown() -> None:
    file = _liquidlogic({"TEAM": "North", "END_DTTM": ""})
    assert file.left_out == ("TEAM",)
    assert file.table.letter("TEAM") == "H"
    assert file.table.letter("NOT_THERE") == ""
