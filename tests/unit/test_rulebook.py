"""Headings are made of the indicators' own titles."""

from __future__ import annotations

import pytest

from dashboards.rulebook import Rulebook, load_rulebook
from pipelines.home import CONTRACTS


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(CONTRACTS)


@pytest.mark.parametrize(
    ("readings", "heading"),
    [
        ([("I28", "")], "Return interview held"),
        ([("I02", ""), ("I01", "")], "Children missing and missing incidents"),
        ([("I27", ""), ("I28", ""), ("I30", "")], "Return interview offered, held and declined"),
        ([("I14", ""), ("I14", "of incidents")], "Looked-after share of children missing and incidents"),
        ([("I04", ""), ("I04", "")], "Incident rate per 10,000 children aged 0 to 17"),
    ],
)
def test_a_heading_names_each_indicator_once(rulebook: Rulebook, readings: list[tuple[str, str]], heading: str) -> None:
    assert rulebook.titled(readings) == heading


def test_an_indicator_that_is_not_stated_has_no_heading(rulebook: Rulebook) -> None:
    with pytest.raises(KeyError, match="no indicator I99"):
        rulebook.titled([("I99", "")])
