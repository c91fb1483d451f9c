"""Texts of public files, judged: published numbers, coordinates and constant words pass, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboards.constants import constant_wording
from pipelines.disclosure.policy_file import load_policy
from pipelines.disclosure.scan import Allowed, allowed_from_warehouse
from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values
from pipelines.disclosure.scan.wording import HOLE, Wording
from pipelines.home import CONTRACTS
from tests.builders.public_site import RELEASE, published_warehouse

VALUES = Values(texts={"1234", "67%", "35", "3.7"}, most_counted=11)


@pytest.fixture(scope="module")
def allowed() -> Iterator[Allowed]:
    with published_warehouse() as connection:
        yield allowed_from_warehouse(connection, constant_wording())


@pytest.fixture
def reader(allowed: Allowed) -> TextReader:
    return TextReader(allowed.vocabulary)


@pytest.mark.parametrize(
    "text",
    [
        "1,234 children, 67% of them; 3.7 times each",
        "In the year to March 2026, 35 of Bolton",
        "Apr\u2013Jun 2024: 35 [u] (95% interval 35 to 1,234)",
        "Return interview held within 72 hours of the return",
        "35 per 10,000",
        "children aged 10 to 11",
        "2024-04-01",
        "2026-03-31",
        "As at 21 April 2026, 10:00. Data to 20 April 2026.",
        f"release {RELEASE}; indicator I27",
        "I28.B.E47000001.year_to_march.2024-04-01.total.Total",
        "boroughs ranged from 35 (4 boroughs) to 1,234 (Bury)",
        "Counts rounded to multiples of 5; disclosure policy {version}.",
        "[x] not available",
        "mid-2023 population estimates",
        "Rates use the population estimates published 2024 (vintage dfe-cla-2024) up to mid-2022",
        "",
    ],
)
def test_what_is_published_passes(reader: TextReader, text: str) -> None:
    said = text.format(version=load_policy(CONTRACTS / "rules" / "disclosure.yaml").version)
    assert list(reader.faults(said, VALUES)) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("number", "36 children"),
        ("number", "1 child"),
        ("number", "within 71 hours of the return"),
        ("number", "72 children"),
        ("number", "12 boroughs"),
        ("number", "67.1%"),
        ("number", "35% of them"),
        ("number", "2024 children"),
        ("number", "aged 10 to 13"),
        ("number", "E08000099"),
        ("number", "house3"),
        ("number", "\u00b3"),
        ("number", "I28.B.E47000001.year_to_march.2019-04-01.total.Total"),
        ("date", "22 April 2026"),
        ("date", "3rd May 2025"),
        ("date", "2025-05-12"),
        ("date", "2024-04-01T20:15"),
        ("date", "2024-02-31"),
        ("date", "12/05/2025"),
        ("date", "at 20:15"),
        ("date", "March 2031"),
        ("symbol", "[s]"),
        ("symbol", "low"),
        ("symbol", "< 35"),
        ("number", "estimates published 2025 (vintage dfe-cla-2025)"),
        ("pseudonym", "0f" * 16),
        ("pseudonym", "child 3fa9c0d1 of Bolton"),
        ("extremum", "the longest took 35 hours"),
    ],
)
def test_what_is_not_published_is_refused(reader: TextReader, rule: str, text: str) -> None:
    assert rule in set(reader.faults(text, VALUES))


def test_a_number_that_contracts_hold_alone_stands_alone_on_pages_without_figures_only(reader: TextReader) -> None:
    assert list(reader.faults("20", Values(), constants=True)) == []
    assert list(reader.faults("20", Values())) == ["number"]


@pytest.mark.parametrize("name", ["longest_hours", "max_episodes", "Minimum", "earliest start"])
def test_a_name_of_an_extreme_is_refused(reader: TextReader, name: str) -> None:
    assert list(reader.name_faults(name)) == ["extremum"]


@pytest.mark.parametrize("name", ["numerator", "Administered", "climax"])
def test_a_name_that_only_looks_like_one_is_not(reader: TextReader, name: str) -> None:
    assert list(reader.name_faults(name)) == []


def test_a_constant_number_stands_between_its_own_words_only() -> None:
    wording = Wording([f"held within 72 hours of {HOLE}", "95% from"])
    for text, start, is_known in (
        ("held within 72 hours of the return", 12, True),
        ("held within 72 days of the return", 12, False),
        ("within 72 hours of", 7, False),
        ("95% from", 0, True),
        ("95% from Bolton", 0, False),
    ):
        end = start + (3 if text[start + 2] == "%" else 2)
        assert wording.has_number(text, start, end) == is_known, text
