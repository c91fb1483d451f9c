"""What moved between two releases, and why, as the restricted side is told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.ledger import append_release, read_ledger
from pipelines.disclosure.protect import Past, protect
from pipelines.release.revisions import BESIDE, CHANGED, HIDDEN, SHOWN, revisions
from tests.disclosure_data import TOWNS, count_cells, policy_for, simulate

PLAN = policy_for({"measures": ["incidents"], "breakdowns": ["total", "sex"]})
KEY = RoundingKey(bytes(range(32)))


def told(before: tuple[int | None, str], now: tuple[int | None, str], true: int) -> list[str]:
    """Why one figure moved."""
    earlier = pl.DataFrame(
        {"sequence": [1, 2], "cell_id": ["a", "a"], "count": [70, before[0]], "symbol": ["", before[1]]}
    )
    published = pl.DataFrame(
        {"cell_id": ["a"], "count": [now[0]], "symbol": [now[1]]}, schema_overrides={"count": pl.Int64}
    )
    return revisions(earlier, published, pl.DataFrame({"cell_id": ["a"], "count": [true]}), 5)["why"].to_list()


@pytest.mark.parametrize(
    ("before", "now", "true", "why"),
    [
        ((10, ""), (15, ""), 15, CHANGED),
        ((10, ""), (15, ""), 14, BESIDE),
        ((15, ""), (10, ""), 11, BESIDE),
        ((15, ""), (10, ""), 10, CHANGED),
        ((10, ""), (None, "c"), 12, HIDDEN),
        ((None, "c"), (10, ""), 12, SHOWN),
    ],
)
def test_why_a_figure_moved(before: tuple[int | None, str], now: tuple[int | None, str], true: int, why: str) -> None:
    assert told(before, now, true) == [why]


@pytest.mark.parametrize("same", [(10, ""), (None, "c"), (None, "x")])
def test_what_stayed_is_not_listed(same: tuple[int | None, str]) -> None:
    assert told(same, same, 12) == []


def test_every_figure_of_a_later_release_that_moved_has_its_reason(tmp_path: Path) -> None:
    episodes = simulate(3, 90, 1, TOWNS)
    early, late = count_cells(episodes.head(-30), TOWNS), count_cells(episodes, TOWNS)
    first = protect(early, PLAN, KEY, TOWNS).cells
    append_release(tmp_path, "r1", first, policy_version=PLAN.version, key_fingerprint=KEY.fingerprint)
    earlier = read_ledger(tmp_path)
    second = protect(late, PLAN, KEY, TOWNS, past=Past(earlier)).cells
    listed = revisions(earlier, second, late, PLAN.base)
    moved = first.join(second, on="cell_id", suffix="_now").filter(pl.col("count").ne_missing(pl.col("count_now")))
    assert listed["cell_id"].to_list() == moved.sort("cell_id")["cell_id"].to_list()
    assert CHANGED in listed["why"].to_list()
