"""The files of notes are read strictly: breaks in series, fields often empty, what agreements say of recording."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.contracts.agreement import load_agreement, recording_note_frame
from pipelines.contracts.concerns import measures_behind
from pipelines.contracts.contract import ContractError
from pipelines.contracts.field_notes import field_note_frame
from pipelines.contracts.series_breaks import load_series_breaks, series_break_frame
from pipelines.home import CONTRACTS
from pipelines.region import load_region

BREAK: dict[str, Any] = {
    "id": "new-system", "label": "new system", "text": "A new system.", "from": date(2019, 7, 1), "indicators": "all",
    "bases": ["A"], "areas": "all", "source": "a newspaper",
}  # fmt: skip
FIELD = {"field": "ethnicity", "indicators": ["I35"], "text": "ethnicity is often not recorded"}
NOTE: dict[str, Any] = {"id": "letters", "text": "letters count", "indicators": ["I27"], "source": "the council"}


def contracts(tmp_path: Path, name: str, content: object) -> Path:
    """A folder like `data_contracts/` in which one file is another."""
    for part in ("deliveries", "reference"):
        (tmp_path / part).symlink_to(CONTRACTS / part)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "indicators.yaml").symlink_to(CONTRACTS / "rules" / "indicators.yaml")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return tmp_path


def breaks(tmp_path: Path, *entries: object, **more: object) -> Path:
    content = {"version": 1, "months_beside": 12, "breaks": list(entries)} | more
    return contracts(tmp_path, "rules/series_breaks.yaml", content)


def without(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != name}


def test_the_breaks_that_are_known_are_there() -> None:
    known = {one.break_id: one for one in load_series_breaks()}
    assert (known["police-absent-2013"].first, known["police-absent-2013"].last) == (
        date(2013, 4, 1),
        date(2017, 1, 31),
    )
    assert known["police-records-2019"].first == date(2019, 7, 1)
    assert known["police-records-2027"].is_planned
    assert known["dfe-first-collection-2015"].bases == ("B",)
    assert not known["dfe-names-2025"].is_drawn
    assert all(one.source and set(one.areas) == {b.code for b in load_region().boroughs} for one in known.values())


def test_a_break_is_read_with_everything_it_says(tmp_path: Path) -> None:
    entry = BREAK | {"to": date(2020, 1, 31), "areas": ["wigan", "bury"], "indicators": ["I27", "I01"], "drawn": False}
    (row,) = series_break_frame(breaks(tmp_path, entry)).to_dicts()
    assert row["measures"] == ["incidents", "rhi_eligible", "rhi_offered"]
    assert (row["areas"], row["is_drawn"], row["is_planned"]) == (["E08000010", "E08000002"], False, False)
    assert (row["from_day"], row["to_day"], row["months_beside"]) == (date(2019, 7, 1), date(2020, 1, 31), 12)


def test_a_break_of_all_indicators_concerns_whatever_is_counted(tmp_path: Path) -> None:
    (row,) = series_break_frame(breaks(tmp_path, BREAK)).to_dicts()
    assert (row["indicators"], row["measures"]) == ([], ["*"])


def test_an_indicator_that_is_not_counted_has_no_measures() -> None:
    assert measures_behind(["I34"], CONTRACTS) == []


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        *((without(BREAK, name), f"{name}: this key is missing") for name in BREAK),
        (BREAK | {"form": 1}, "form: this key means nothing here"),
        (BREAK | {"from": "July 2019"}, "from: this must be a day"),
        (BREAK | {"to": date(2019, 6, 30)}, "to: this lies before `from`"),
        (BREAK | {"label": "x" * 41}, "label: a label has at most 40 characters"),
        (BREAK | {"text": " "}, "text: this must not be blank"),
        (BREAK | {"indicators": []}, "indicators: this must be `all` or a list"),
        (BREAK | {"indicators": ["I36"]}, "indicators: an indicator is written I01 to I35"),
        (BREAK | {"indicators": ["all", "I01"]}, "indicators: an indicator is written I01 to I35"),
        (BREAK | {"bases": ["C"]}, "bases: this must be A, B or both"),
        (BREAK | {"bases": []}, "bases: this must be A, B or both"),
        (BREAK | {"areas": ["hackney"]}, "areas: this must be `all` or a list of boroughs"),
        (BREAK | {"areas": []}, "areas: this must be `all` or a list of boroughs"),
        (BREAK | {"planned": "yes"}, "planned: this must be true or false"),
        (BREAK | {"drawn": 1}, "drawn: this must be true or false"),
    ],
)
def test_a_break_that_is_not_as_it_must_be_is_refused(tmp_path: Path, entry: object, sentence: str) -> None:
    with pytest.raises(ContractError) as refused:
        load_series_breaks(breaks(tmp_path, entry))
    assert "rules/series_breaks.yaml, breaks, entry 1" in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"breaks": [BREAK, BREAK]}, "the id new-system stands twice"),
        ({"months_beside": 0}, "months_beside: this must be a whole number"),
        ({"version": "one"}, "version: this must be a whole number"),
        ({"other": 1}, "other: this key means nothing here"),
    ],
)
def test_a_file_of_breaks_that_is_not_as_it_must_be_is_refused(
    tmp_path: Path, more: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ContractError, match=sentence):
        load_series_breaks(breaks(tmp_path, BREAK, **more))


def test_the_longest_label_and_the_shortest_stretch_pass(tmp_path: Path) -> None:
    entry = BREAK | {"label": "x" * 40, "to": date(2019, 7, 1)}
    assert len(load_series_breaks(breaks(tmp_path, entry))) == 1


def fields(tmp_path: Path, *entries: object, **more: object) -> Path:
    return contracts(tmp_path, "rules/field_notes.yaml", {"version": 1, "above": 0.05, "fields": list(entries)} | more)


def test_every_field_of_the_completeness_indicator_has_its_words() -> None:
    shipped = yaml.safe_load((CONTRACTS / "rules" / "indicators.yaml").read_text(encoding="utf-8"))
    assert field_note_frame()["field"].to_list() == shipped["breakdowns"]["field"]


@pytest.mark.parametrize(
    ("entries", "more", "sentence"),
    [
        ([without(FIELD, "text")], {}, "text: this key is missing"),
        ([FIELD | {"text": ""}], {}, "text: this must not be blank"),
        ([FIELD | {"field": "shoe size"}], {}, "field: this must be one of ethnicity"),
        ([FIELD | {"indicators": ["1"]}], {}, "indicators: an indicator is written"),
        ([FIELD | {"limit": 1}], {}, "limit: this key means nothing here"),
        ([FIELD, FIELD], {}, "the field ethnicity stands twice"),
        ([FIELD], {"above": 1}, "above: this must be a share below 1"),
        ([FIELD], {"above": 0}, "above: this must be a number above 0"),
        ([FIELD], {"below": 1}, "below: this key means nothing here"),
    ],
)
def test_a_file_of_fields_that_is_not_as_it_must_be_is_refused(
    tmp_path: Path, entries: list[object], more: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ContractError, match=sentence):
        field_note_frame(fields(tmp_path, *entries, **more))


def agreement(tmp_path: Path, *notes: object) -> Path:
    stated = yaml.safe_load((CONTRACTS / "boroughs" / "bury" / "agreement.yaml").read_text(encoding="utf-8"))
    return contracts(tmp_path, "boroughs/bury/agreement.yaml", stated | {"recording_notes": list(notes)})


def test_every_borough_says_how_it_records_away_and_salford_whom_it_interviews() -> None:
    rows = recording_note_frame().to_dicts()
    assert {row["area_code"] for row in rows if "away" in row["note_id"]} == {b.code for b in load_region().boroughs}
    (salford,) = [row for row in rows if row["note_id"] == "salford.interview-scope"]
    assert "rhi_offered" in salford["measures"]


def test_a_recording_note_holds_for_both_bases_and_ever_unless_it_says_otherwise(tmp_path: Path) -> None:
    (row,) = recording_note_frame(agreement(tmp_path, NOTE)).to_dicts()
    assert (row["note_id"], row["bases"]) == ("bury.letters", ["A", "B"])
    assert (row["from_day"], row["to_day"]) == (None, None)
    assert row["measures"] == ["rhi_eligible", "rhi_offered"]


@pytest.mark.parametrize(
    ("notes", "sentence"),
    [
        *(([without(NOTE, name)], f"{name}: this key is missing") for name in NOTE),
        ([NOTE | {"id": ""}], "id: this must not be blank"),
        ([NOTE | {"since": 1}], "since: this key means nothing here"),
        ([NOTE | {"from": date(2024, 1, 2), "to": date(2024, 1, 1)}], "to: this lies before"),
        ([NOTE | {"bases": ["D"]}], "bases: this must be A, B or both"),
        ([NOTE, NOTE], "the id letters stands twice"),
    ],
)
def test_a_recording_note_that_is_not_as_it_must_be_is_refused(
    tmp_path: Path, notes: list[object], sentence: str
) -> None:
    with pytest.raises(ContractError, match=sentence) as refused:
        load_agreement("bury", agreement(tmp_path, *notes))
    assert "boroughs/bury/agreement.yaml" in str(refused.value)
