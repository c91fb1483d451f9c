"""The attack on a public folder: it needs nothing else, says what the publisher said, and finds what leaks."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.disclosure.audit import AuditReport
from pipelines.disclosure.cells import PUBLISHED_CELL
from pipelines.disclosure.errors import CellsError, PolicyError
from pipelines.disclosure.evidence import AUDIT, CELLS, write_evidence
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.ledger import append_release, read_ledger
from pipelines.disclosure.outside import outside_counts
from pipelines.disclosure.policy_file import policy_path
from pipelines.disclosure.protect import Past, Protection, protect
from pipelines.disclosure.released import audit_folder, read_released, with_deduced
from pipelines.home import CONTRACTS
from tests.disclosure_data import POLICY, TOWNS, count_cells, simulate

KEY = RoundingKey(bytes(range(32)))


@pytest.fixture(scope="module")
def made() -> Protection:
    """A protected release, of which one town sent nothing."""
    cells = count_cells(simulate(5, 120, 1, TOWNS), TOWNS)
    covered = cells.with_columns(coverage=pl.col("area_code").replace_strict({"T1": "none"}, default="complete"))
    return protect(covered, POLICY, KEY, TOWNS, past=Past(outside=outside_counts(POLICY, CONTRACTS)))


@pytest.fixture
def folder(made: Protection, tmp_path: Path) -> Path:
    """What an outsider gets of it."""
    append_release(tmp_path / "home", "site-1", made.cells, policy_version=POLICY.version, key_fingerprint="secret")
    public = tmp_path / "public"
    public.mkdir()
    write_evidence(public, policy_path(CONTRACTS), read_ledger(tmp_path / "home"), made.public.to_json())
    return public


def attacked(folder: Path) -> AuditReport:
    """The attack that anybody can run."""
    return audit_folder(folder, TOWNS, CONTRACTS)


def test_anybody_finds_what_the_publisher_found(made: Protection, folder: Path) -> None:
    released = read_released(folder)
    assert released.release_id == "site-1"
    assert released.cells.equals(made.cells)
    assert dict(released.cells.schema) == PUBLISHED_CELL
    assert released.earlier.is_empty()
    assert "secret" not in (folder / CELLS).read_text()
    report = attacked(folder)
    assert report.passed
    assert report.to_json().replace('"cross_checked": 0', "") == (folder / AUDIT).read_text().replace(
        f'"cross_checked": {made.public.cross_checked}', ""
    )


def test_counts_behind_a_symbol_are_deduced_where_sums_give_them_away(made: Protection) -> None:
    deduced = with_deduced(made.cells, POLICY, TOWNS)
    of_town = deduced.filter(area_code="T1", measure="incidents", period_type="quarter", symbol="x")
    assert of_town.height >= 3
    # The region less the two other towns is the third, and rounded counts add up.
    assert of_town.get_column("count").null_count() == 0
    assert made.cells.filter(area_code="T1").get_column("count").null_count() > 0
    hidden = deduced.filter(pl.col("symbol") == "c")
    assert hidden.get_column("count").null_count() == hidden.height


def test_a_count_that_is_given_away_is_found_in_the_folder_alone(folder: Path) -> None:
    cells = pl.read_csv(folder / CELLS)
    leaky = (pl.col("measure") == "rhi_declined") & (pl.col("area_code") == "T2") & (pl.col("count") == 5)
    target = cells.filter(leaky).item(0, "cell_id")
    exact = pl.when(pl.col("cell_id") == target).then(0).otherwise("within")
    cells.with_columns(within=exact).write_csv(folder / CELLS)
    report = attacked(folder)
    assert not report.passed
    assert (target, "exactly known") in {(finding.cell_id, finding.reason) for finding in report.refused}


def test_a_folder_that_cannot_be_read_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        attacked(tmp_path)
    (folder / CELLS).write_text("release,count\n1,many\n")
    with pytest.raises(CellsError, match=r"cells\.csv cannot be read") as refusal:
        attacked(folder)
    assert "many" not in str(refusal.value)


def test_a_changed_true_count_changes_no_published_byte(made: Protection) -> None:
    """Non-interference: another true value in the window, with the same rounded table, leaves everything the same."""
    cells = count_cells(simulate(5, 120, 1, TOWNS), TOWNS)
    covered = cells.with_columns(coverage=pl.col("area_code").replace_strict({"T1": "none"}, default="complete"))
    # One more child behind a count of episodes, and another child with most: neither changes what is unsafe to tell.
    many = (pl.col("children") > 20) & (pl.col("largest") * 4 < pl.col("count")) & (pl.col("measure") == "incidents")
    other = covered.with_columns(
        children=pl.when(many).then(pl.col("children") - 1).otherwise("children"),
        largest=pl.when(many).then(pl.col("largest") + 1).otherwise("largest"),
    )
    assert not other.equals(covered)
    again = protect(other, POLICY, KEY, TOWNS, past=Past(outside=outside_counts(POLICY, CONTRACTS)))
    assert again.cells.write_csv() == made.cells.write_csv()
    assert again.public.to_json() == made.public.to_json()
