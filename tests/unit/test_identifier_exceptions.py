"""What a borough agreed to: exceptions say why, who and until when, and some are never made."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from pipelines.home import CONTRACTS
from pipelines.intake.identifier_exceptions import (
    IdentifierException,
    IdentifierExceptionError,
    excepted_on,
    load_exceptions,
)

ENTRY: dict[str, object] = {
    "column": "Local Ref",
    "rule": "identifier.nhs_number",
    "reason": "Ten-digit case numbers of the old system.",
    "agreed_by": "Regional analyst and data officer, 2026-02-01",
}


def _contracts(tmp_path: Path, *entries: object, key: str = "identifier_exceptions") -> Path:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "identifiers.yaml").write_bytes((CONTRACTS / "rules" / "identifiers.yaml").read_bytes())
    borough = tmp_path / "boroughs" / "anytown"
    borough.mkdir(parents=True)
    (borough / "source.yaml").write_text(yaml.safe_dump({"source": "mosaic", key: list(entries)}), encoding="utf-8")
    return tmp_path


def test_an_exception_is_read_with_its_reason(tmp_path: Path) -> None:
    contracts = _contracts(tmp_path, ENTRY, ENTRY | {"rule": "identifier.phone", "until": date(2026, 12, 31)})
    assert load_exceptions("anytown", contracts) == (
        IdentifierException(*map(str, ENTRY.values())),
        IdentifierException(
            "Local Ref", "identifier.phone", str(ENTRY["reason"]), str(ENTRY["agreed_by"]), date(2026, 12, 31)
        ),
    )


def test_a_borough_without_a_file_or_without_exceptions_has_none(tmp_path: Path) -> None:
    assert load_exceptions("anytown", _contracts(tmp_path, key="columns")) == ()
    assert load_exceptions("elsewhere", tmp_path) == ()
    (tmp_path / "boroughs" / "anytown" / "source.yaml").write_text("", encoding="utf-8")
    assert load_exceptions("anytown", tmp_path) == ()


@pytest.mark.parametrize(("on", "holds"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)])
def test_an_exception_holds_to_the_end_of_its_last_day(on: date, holds: bool) -> None:
    limited = IdentifierException("Local Ref", "identifier.phone", "a", "b", date(2026, 12, 31))
    always = IdentifierException("Other", "identifier.postcode", "a", "b")
    expected = {("other", "identifier.postcode")} | ({("local ref", "identifier.phone")} if holds else set())
    assert excepted_on([limited, always], on) == expected


REFUSED: dict[str, tuple[object, str]] = {
    "no reason": (ENTRY | {"reason": " "}, "reason is missing"),
    "nobody agreed": ({k: v for k, v in ENTRY.items() if k not in {"agreed_by", "reason"}}, "agreed_by are missing"),
    "not an entry": ("Local Ref", "column and rule and reason and agreed_by are missing"),
    "no such rule": (ENTRY | {"rule": "identifier.nhs"}, "there is no rule identifier.nhs;"),
    "a word too many": (ENTRY | {"untill": date(2026, 12, 31)}, "untill means nothing here"),
    "a date that is none": (ENTRY | {"until": "next year"}, "until is not a date"),
    "not pseudonymised": (ENTRY | {"rule": "identifier.not_pseudonymised"}, "has no exceptions"),
    "a header that says so": (ENTRY | {"column": "NHS No."}, "the header NHS No. itself says"),
}


@pytest.mark.parametrize(("entry", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_an_exception_that_cannot_hold_is_an_error_in_a_sentence(tmp_path: Path, entry: object, words: str) -> None:
    with pytest.raises(IdentifierExceptionError) as error:
        load_exceptions("anytown", _contracts(tmp_path, ENTRY, entry))
    assert words in str(error.value)
    assert str(error.value).startswith("boroughs/anytown/source.yaml, identifier_exceptions, entry 2: ")
    assert str(error.value).endswith(".")


def test_exceptions_that_are_no_list_are_an_error(tmp_path: Path) -> None:
    contracts = _contracts(tmp_path)
    path = contracts / "boroughs" / "anytown" / "source.yaml"
    path.write_text("identifier_exceptions: {column: Local Ref}", encoding="utf-8")
    with pytest.raises(IdentifierExceptionError, match="not a list"):
        load_exceptions("anytown", contracts)


def test_the_projects_own_boroughs_have_exceptions_that_hold() -> None:
    for folder in (CONTRACTS / "boroughs").glob("*"):
        load_exceptions(folder.name)
