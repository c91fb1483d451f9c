"""Sharing agreements: what they allow, from when to when, and mistakes in them that must not pass."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from pipelines.contracts.agreement import load_agreement
from pipelines.contracts.contract import ContractError, load_contracts
from pipelines.home import CONTRACTS
from pipelines.region import load_region
from tests.intake_data import BOROUGH

SLUG = BOROUGH.slug
WHOLE = {
    "borough": SLUG,
    "reference": "agreement 7",
    "valid_from": date(2024, 4, 1),
    "valid_until": date(2027, 3, 31),
    "retention_years": 6,
    "fields": {"missing_episode": {"all_except": ["ethnicity"]}, "return_interview": "all"},
}


def write(contracts: Path, **changes: object) -> Path:
    """Write an agreement into a copy of the contracts' folder and return it."""
    if not (contracts / "deliveries").exists():
        contracts.mkdir(parents=True, exist_ok=True)
        (contracts / "deliveries").symlink_to(CONTRACTS / "deliveries")
    folder = contracts / "boroughs" / SLUG
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agreement.yaml").write_text(yaml.safe_dump(WHOLE | changes))
    load_agreement.cache_clear()
    return contracts


def test_every_borough_of_the_region_has_an_agreement_that_can_be_used() -> None:
    for borough in load_region().boroughs:
        agreement = load_agreement(borough.slug)
        assert agreement is not None
        assert set(agreement.fields) == set(load_contracts())


def test_fields_left_out_are_not_agreed(tmp_path: Path) -> None:
    agreement = load_agreement(SLUG, write(tmp_path))
    assert agreement is not None
    episode = load_contracts()["missing_episode"]
    assert agreement.agreed("missing_episode") == set(episode.columns) - {"ethnicity"}
    assert agreement.agreed("return_interview") == set(load_contracts()["return_interview"].columns)


def test_a_dataset_outside_the_agreement_has_no_agreed_field(tmp_path: Path) -> None:
    agreement = load_agreement(SLUG, write(tmp_path, fields={"missing_episode": "all"}))
    assert agreement is not None
    assert agreement.agreed("return_interview") == frozenset()


@pytest.mark.parametrize(
    ("day", "covered"),
    [
        (date(2024, 3, 31), False),
        (date(2024, 4, 1), True),
        (date(2027, 3, 31), True),
        (date(2027, 4, 1), False),
    ],
)
def test_both_ends_of_the_agreement_count(tmp_path: Path, day: date, *, covered: bool) -> None:
    agreement = load_agreement(SLUG, write(tmp_path))
    assert agreement is not None
    assert agreement.in_force(day) is covered


def test_an_agreement_without_an_end_holds_on(tmp_path: Path) -> None:
    agreement = load_agreement(SLUG, write(tmp_path, valid_until=None))
    assert agreement is not None
    assert agreement.in_force(date(2099, 1, 1))


def test_no_agreement_is_no_error_here(tmp_path: Path) -> None:
    assert load_agreement("nowhere", write(tmp_path)) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"retention": 5}, "unknown keys retention"),
        ({"borough": "elsewhere"}, "another borough"),
        ({"retention_years": 0}, "at least 1"),
        ({"retention_years": 16}, "at most the contract's 15"),
        ({"retention_years": "ten"}, "whole number"),
        ({"fields": {"visits": "all"}}, "no dataset visits"),
        ({"fields": {"missing_episode": ["episode_idd"]}}, "no field episode_idd"),
        ({"fields": {"missing_episode": {"all_except": ["child_id"]}}}, "cannot be used without child_id"),
        ({"fields": {"missing_episode": "everything"}}, "fields must be"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ContractError, match=says):
        load_agreement(SLUG, write(tmp_path, **changes))
