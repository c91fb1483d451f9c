"""The page of `mfh check --html`: says what to do first, and trusts no name in the file."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from dashboards.feedback import feedback_page

HOSTILE = "<script>alert(1)</script>\"'&\u202egpj" + "x" * 300


def finding(
    rule_id: str, severity: str, row: int | None, column: tuple[str, str] | None = ("F", "Found")
) -> dict[str, Any]:
    letter, name = column or (None, None)
    message = f"What {rule_id} asks is not so; put it right."
    return {
        "rule_id": rule_id, "severity": severity, "row_number": row, "column_letter": letter, "column_name": name,
        "message": message,
    }  # fmt: skip


def report(*findings: dict[str, Any], read: int = 120, accepted: int = 120, **more: Any) -> dict[str, Any]:
    return {
        "file": "missing.csv", "borough": "some-borough", "dataset": "missing_episode", "source": "canonical",
        "rows_read": read, "rows_accepted": accepted, "refused": False, "findings": list(findings),
    } | more  # fmt: skip


class Seen(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += f" {' '.join(data.split())}"


def text(given: dict[str, Any]) -> str:
    return " ".join(Seen(feedback_page(given)).text.split())


def test_a_file_without_findings_can_be_sent() -> None:
    page = text(report())
    assert "This file can be sent as it is: all 120 rows would be used." in page
    assert "Send the file." in page
    assert "Must be corrected" not in page


def test_rows_set_aside_are_counted_and_exact_repeats_are_not_among_them() -> None:
    repeats = [finding("file.duplicate_row", "info", row, None) for row in (7, 8)]
    broken = finding("ssda903.567", "critical", 3)
    page = text(report(broken, *repeats, accepted=117))
    assert "This file can be sent, but 1 of its 120 rows would be set aside." in page
    assert "Of 120 rows read, 117 would be used, 1 set aside and 2 left out as exact repeats." in page


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (report(finding("a.b", "warning", 3)), "This file can be sent. All 120 rows would be used"),
        (report(finding("a.b", "warning", 2), read=1, accepted=1), "Its one row would be used"),
        (report(finding("a.b", "critical", 2), read=1, accepted=0), "none of its rows would be used"),
        (report(finding("a.b", "critical", None), refused=True, read=0, accepted=0), "it would be refused"),
        (report(finding("identifier.not_pseudonymised", "critical", None)), "it must be pseudonymised first"),
    ],
)
def test_the_verdict_comes_first(given: dict[str, Any], expected: str) -> None:
    page = feedback_page(given)
    assert expected in page
    assert page.index(expected) < page.index("What to do")


def test_rows_are_named_in_ranges_by_column() -> None:
    findings = [finding("ssda903.567", "critical", row) for row in (9, 3, 5, 6, 7)]
    page = text(report(*findings, accepted=115))
    assert "Column F: Found 5 rows rows 3, 5 to 7, 9" in page
    assert "Rule ssda903.567" in page


def test_very_many_rows_are_counted_and_not_all_named() -> None:
    findings = [finding("ssda903.567", "critical", row) for row in range(2, 402, 2)]
    page = feedback_page(report(*findings, read=400, accepted=200))
    assert "200 rows" in page
    assert "and 140 more rows" in page


def test_what_could_not_be_checked_is_said_with_its_reason() -> None:
    rules = [{"rule_id": f"ssda903.{code}", "reason": "No placement data was delivered."} for code in (575, 577)]
    page = feedback_page(report(not_applicable=rules))
    assert page.count("No placement data was delivered.") == 1
    assert "ssda903.575, ssda903.577" in page


def test_names_in_the_file_are_never_trusted() -> None:
    given = report(finding("a.b", "critical", 3, ("F", HOSTILE)), accepted=119, file=HOSTILE, notes=[HOSTILE])
    given["findings"][0]["message"] = HOSTILE
    page = feedback_page(given)
    seen = Seen(page)
    assert "script" not in seen.tags
    assert "\u202e" not in page
    assert "[U+202E]" in page
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href"}]
    assert "x" * 100 not in Seen(feedback_page(given | {"notes": [], "findings": []})).text
    page.encode("utf-8")


def test_a_file_name_that_is_no_text_can_still_be_written() -> None:
    feedback_page(report(file="epis\udcffodes.csv")).encode("utf-8")


def test_the_page_is_whole_in_itself() -> None:
    page = feedback_page(report(finding("a.b", "warning", 3)))
    assert page.startswith("<!doctype html>\n")
    assert '<html lang="en-GB">' in page
    assert "default-src 'none'" in page
    for outside in ("http:", "https:", "@import", "url(", "<link", "<img"):
        assert outside not in page


def test_importing_it_brings_nothing_slow() -> None:
    code = "import sys, dashboards.feedback; print(*sys.modules, sep='\\n')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not loaded & {"plotly", "dagster", "great_expectations", "pandas"}
