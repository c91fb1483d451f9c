"""The ledger keeps every published value, in order, and notices when it was touched."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.disclosure.cells import PUBLISHED_CELL
from pipelines.disclosure.errors import LedgerError
from pipelines.disclosure.ledger import LEDGER, append_release, ledger_head, read_ledger

KEY = "00112233aabbccdd"


def published(*counts: int | None) -> pl.DataFrame:
    """Published cells, one for each count; None is a hidden one."""
    rows = [
        (f"cell{number}", "incidents", "A", "E1", "month", date(2024, number, 1), date(2024, number, 28), "total",
         "Total", count, "x" if count is None else "", "controlled_rounding", 4)
        for number, count in enumerate(counts, start=1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=PUBLISHED_CELL, orient="row")


def append(home: Path, release: str, cells: pl.DataFrame, *, policy: str = "1", key: str = KEY) -> str:
    """Record a release."""
    return append_release(home, release, cells, policy_version=policy, key_fingerprint=key)


def test_an_empty_ledger_has_its_columns(tmp_path: Path) -> None:
    ledger = read_ledger(tmp_path)
    assert ledger.is_empty()
    assert dict(ledger.schema) == LEDGER


def test_what_was_published_reads_back_in_order(tmp_path: Path) -> None:
    first, second = published(5, None, 10), published(5, 15, 10)
    append(tmp_path, "2024-1", first)
    append(tmp_path, "2024-2", second)
    ledger = read_ledger(tmp_path)
    assert dict(ledger.schema) == LEDGER
    assert ledger.filter(sequence=1).select(*PUBLISHED_CELL).equals(first)
    assert ledger.filter(release_id="2024-2").select(*PUBLISHED_CELL).equals(second)
    assert set(ledger.get_column("key_fingerprint")) == {KEY}


def test_the_same_release_again_changes_nothing(tmp_path: Path) -> None:
    cells = published(5, 10)
    first = append(tmp_path, "r1", cells)
    last = append(tmp_path, "r2", cells)
    assert append(tmp_path, "r1", cells.reverse()) == first
    assert ledger_head(tmp_path) == last != first
    assert len(list((tmp_path / "ledger").iterdir())) == 2


@pytest.mark.parametrize(("count", "policy"), [(15, "1"), (10, "2")])
def test_a_release_is_never_rewritten(tmp_path: Path, count: int, policy: str) -> None:
    append(tmp_path, "r1", published(5, 10))
    with pytest.raises(LedgerError, match="other content"):
        append(tmp_path, "r1", published(5, count), policy=policy)


def test_a_changed_key_is_refused(tmp_path: Path) -> None:
    append(tmp_path, "r1", published(5))
    for release in ("r1", "r2"):
        with pytest.raises(LedgerError, match="rounding key"):
            append(tmp_path, release, published(5), key="ffff")


def test_a_touched_value_is_noticed(tmp_path: Path) -> None:
    append(tmp_path, "r1", published(5, 10))
    path = tmp_path / "ledger" / "000001.jsonl"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"count":10', b'"count":15'))
    for use in (read_ledger, ledger_head, lambda home: append(home, "r2", published(5))):
        with pytest.raises(LedgerError, match="checksum"):
            use(tmp_path)


def test_a_missing_earlier_entry_is_noticed(tmp_path: Path) -> None:
    for release in ("r1", "r2", "r3"):
        append(tmp_path, release, published(5))
    (tmp_path / "ledger" / "000002.jsonl").unlink()
    with pytest.raises(LedgerError, match="missing or was replaced"):
        read_ledger(tmp_path)


def test_a_replaced_entry_is_noticed(tmp_path: Path) -> None:
    append(tmp_path / "a", "r1", published(5))
    append(tmp_path / "a", "r2", published(5))
    append(tmp_path / "b", "r1", published(10))
    (tmp_path / "b" / "ledger" / "000001.jsonl").replace(tmp_path / "a" / "ledger" / "000001.jsonl")
    with pytest.raises(LedgerError, match="missing or was replaced"):
        read_ledger(tmp_path / "a")


def test_the_head_shows_a_lost_last_entry(tmp_path: Path) -> None:
    append(tmp_path, "r1", published(5))
    recorded = append(tmp_path, "r2", published(5))
    (tmp_path / "ledger" / "000002.jsonl").unlink()
    assert ledger_head(tmp_path) != recorded


def test_an_unreadable_entry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "000001.jsonl").write_text("nothing of the kind\n", encoding="utf-8")
    with pytest.raises(LedgerError, match="cannot be read"):
        read_ledger(tmp_path)


def test_true_counts_cannot_enter(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="other columns"):
        append(tmp_path, "r1", published(5).with_columns(children=pl.lit(3)))
    assert read_ledger(tmp_path).is_empty()


@pytest.mark.parametrize("release", ["", "../r1", "a b", ".r"])
def test_a_release_id_is_plain(tmp_path: Path, release: str) -> None:
    with pytest.raises(LedgerError, match="release id"):
        append(tmp_path, release, published(5))


def test_entries_are_read_only(tmp_path: Path) -> None:
    append(tmp_path, "r1", published(5))
    assert (tmp_path / "ledger" / "000001.jsonl").stat().st_mode & 0o222 == 0
