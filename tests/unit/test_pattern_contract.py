"""The file of patterns is read strictly: each way of writing it wrong is refused in a sentence that says where."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.contracts.keys import ContractError
from pipelines.contracts.patterns import load_patterns
from pipelines.home import CONTRACTS

Entries = list[dict[str, Any]]


def _entry(entries: Entries, rule_id: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["id"] == rule_id)


def _set(rule_id: str, **keys: object) -> Callable[[Entries], None]:
    return lambda entries: _entry(entries, rule_id).update(keys)


WRONG: dict[str, tuple[Callable[[Entries], None], str]] = {
    "one gap is no fall": (_set("RESC", gaps=1), "gaps"),
    "no window": (_set("R3-28", window_days=0), "window_days"),
    "an unknown kind": (_set("R3-28", kind="often"), "kind"),
    "a parameter of another kind": (_set("R3-28", pairings=2), "pairings"),
    "a night that ends before it starts": (_set("RNIGHT", night_from=7), "night_to"),
    "a percentile of all": (_set("RPLACE", percentile=100), "percentile"),
    "no source": (_set("R3-28", source=" "), "source"),
    "a small id": (_set("R3-28", id="r3-28"), "id"),
    "another thing to fill in": (_set("R3-28", summary="{child}"), "summary"),
    "a need that no contract has": (_set("RMOVE", needs=["school"]), "needs"),
    "one version twice": (lambda entries: entries.append(_entry(entries, "R3-28")), "R3-28"),
}


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONTRACTS, tmp_path / "contracts"))


def test_the_file_as_it_is_has_the_21_patterns_and_the_boroughs_own(contracts: Path) -> None:
    current = [pattern for pattern in load_patterns(contracts) if pattern.is_current]
    assert len({pattern.rule_id for pattern in current if pattern.scope == "region"}) == 21
    assert [pattern.rule_id for pattern in current if pattern.scope != "region"] == ["R3-28.salford"]


@pytest.mark.parametrize(("change", "where"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_refused_and_named(contracts: Path, change: Callable[[Entries], None], where: str) -> None:
    path = contracts / "rules" / "patterns.yaml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(stated["patterns"])
    path.write_text(yaml.safe_dump(stated), encoding="utf-8")
    with pytest.raises(ContractError, match=r"rules/patterns\.yaml.*" + where):
        load_patterns(contracts)
