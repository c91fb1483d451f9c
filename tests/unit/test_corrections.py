"""Corrections: applied where they find what they expect, loud where they do not, over after their last day."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contracts
from pipelines.intake.corrections import (
    APPLIED,
    NOT_AS_EXPECTED,
    Correction,
    CorrectionsError,
    apply_corrections,
    load_corrections,
)

CONTRACT = load_contracts()["missing_episode"]
CELL = "Quixotewindmill"
ENTRY: dict[str, Any] = {
    "id": "bury-1",
    "dataset": "missing_episode",
    "record": "EP-2",
    "expect": {"found_at": "2025-10-04T01:30"},
    "set": {"found_at": "2025-11-04T01:30"},
    "why": "the month was mistyped",
    "asked_by": "data officer",
    "asked_on": date(2026, 4, 1),
    "until": date(2026, 6, 30),
}


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "corrections.yaml"
    path.write_text(yaml.safe_dump({"corrections": list(entries)}))
    return path


def one(tmp_path: Path, **changes: Any) -> tuple[Correction, ...]:
    return load_corrections(written(tmp_path, ENTRY | changes))


def rows(**columns: list[str | None]) -> pl.DataFrame:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return frame.with_columns(pl.Series("row_number", range(2, 2 + frame.height), dtype=pl.Int64))


THREE = rows(episode_id=["EP-1", "EP-2", "EP-3"], found_at=["2025-10-04T01:30", "2025-10-04T01:30", None])


def test_it_changes_the_named_row_and_no_other(tmp_path: Path) -> None:
    changed, outcome = apply_corrections(THREE, CONTRACT, one(tmp_path), date(2026, 4, 20))
    assert changed["found_at"].to_list() == ["2025-10-04T01:30", "2025-11-04T01:30", None]
    assert outcome.select("correction_id", "row_number", "column_name", "rule_id").rows() == [
        ("bury-1", 3, "found_at", APPLIED)
    ]


def test_a_source_that_has_been_put_right_is_left_alone_and_said_loudly(tmp_path: Path) -> None:
    fixed = rows(episode_id=["EP-2"], found_at=["2025-11-04T01:45"])
    changed, outcome = apply_corrections(fixed, CONTRACT, one(tmp_path), date(2026, 4, 20))
    assert changed.equals(fixed)
    assert outcome["rule_id"].to_list() == [NOT_AS_EXPECTED]


def test_blank_can_be_expected_and_set(tmp_path: Path) -> None:
    correction = one(tmp_path, record="EP-3", expect={"found_at": None, "sex": ""}, set={"found_at": "2025-11-05"})
    changed, outcome = apply_corrections(THREE, CONTRACT, correction, date(2026, 4, 20))
    assert changed["found_at"].to_list()[2] == "2025-11-05"
    assert outcome["rule_id"].to_list() == [APPLIED]
    emptied, _ = apply_corrections(THREE, CONTRACT, one(tmp_path, set={"found_at": ""}), date(2026, 4, 20))
    assert emptied["found_at"].to_list()[1] is None


@pytest.mark.parametrize(("arrived", "applied"), [(date(2026, 6, 30), 1), (date(2026, 7, 1), 0)])
def test_it_is_over_after_its_last_day(tmp_path: Path, arrived: date, applied: int) -> None:
    changed, outcome = apply_corrections(THREE, CONTRACT, one(tmp_path), arrived)
    assert outcome.height == applied
    assert changed.equals(THREE) is not bool(applied)


def test_a_record_that_is_not_in_the_delivery_is_no_matter(tmp_path: Path) -> None:
    changed, outcome = apply_corrections(THREE, CONTRACT, one(tmp_path, record="EP-9"), date(2026, 4, 20))
    assert changed.equals(THREE)
    assert outcome.is_empty()


def test_corrections_of_the_other_dataset_pass_by(tmp_path: Path) -> None:
    _, outcome = apply_corrections(THREE, load_contracts()["return_interview"], one(tmp_path), date(2026, 4, 20))
    assert outcome.is_empty()


def test_no_file_is_no_correction(tmp_path: Path) -> None:
    assert load_corrections(tmp_path / "corrections.yaml") == ()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([{k: v for k, v in ENTRY.items() if k != "why"}], "needs exactly"),
        ([ENTRY | {"why": " "}], "may not be blank"),
        ([ENTRY | {"dataset": "visits"}], "no such dataset"),
        ([ENTRY | {"set": {"foundat": CELL}}], "may name columns"),
        ([ENTRY | {"set": {"episode_id": CELL}, "expect": {"episode_id": CELL}}], "not change its identifier"),
        ([ENTRY | {"expect": {"sex": CELL}}], "`expect` must say"),
        ([ENTRY | {"set": {}}], "at least one column"),
        ([ENTRY | {"until": "soon"}], "must be dates"),
        ([ENTRY, ENTRY], "one id for two"),
        (["free text"], "entry 1: needs exactly"),
    ],
)
def test_a_mistake_is_named_by_its_entry_without_a_value(tmp_path: Path, entries: list[Any], says: str) -> None:
    with pytest.raises(CorrectionsError, match=says) as error:
        load_corrections(written(tmp_path, *entries))
    assert CELL not in str(error.value)


@pytest.mark.parametrize("text", ["corrections: [", "just a sentence", "corrections: {}"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "corrections.yaml"
    path.write_text(text)
    with pytest.raises(CorrectionsError):
        load_corrections(path)
