"""The strongest single test of what is public: other true values under the same published counts, the same bytes.

Attacks 19, 21 and 22 of a kind that no search for numbers finds: orders, axes, notes, file lists and words that follow
from a true count change when it does.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dashboards.constants import constant_wording
from dashboards.site import write_public_pages
from pipelines.disclosure.scan import allowed_from_warehouse, scan
from pipelines.home import CONTRACTS
from pipelines.warehouse.connection import connect, query_frame
from tests.site_data import build_public_warehouse

Two = tuple[Path, Path]


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Two:
    """Two warehouses made by the same SQL, with other children, answers and episodes, and one published table."""
    folder = tmp_path_factory.mktemp("two")
    one, other = folder / "one.duckdb", folder / "other.duckdb"
    build_public_warehouse(one)
    build_public_warehouse(other, published=one)
    return one, other


def pages(warehouse: Path, folder: Path) -> dict[str, str]:
    folder.mkdir()
    with connect(warehouse, read_only=True) as connection:
        write_public_pages(connection, folder, contracts=CONTRACTS)
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def true_and_published(warehouse: Path) -> tuple[list[object], list[object]]:
    with connect(warehouse, read_only=True) as connection:
        true = query_frame(connection, "select figure_id, numerator from statistics.indicator order by figure_id")
        cells = query_frame(connection, "from published.count_cell order by cell_id")
    return list(true.rows()), list(cells.rows())


def test_the_two_warehouses_differ_in_most_true_values_and_in_no_published_one(warehouses: Two) -> None:
    (true, cells), (other_true, other_cells) = map(true_and_published, warehouses)
    assert cells == other_cells
    assert len(true) == len(other_true)
    changed = sum(one != other for one, other in zip(true, other_true, strict=True))
    assert changed > 5000


def test_attack_19_21_22_public_bytes_do_not_change_with_true_values(warehouses: Two, tmp_path: Path) -> None:
    one, other = (pages(warehouse, tmp_path / warehouse.stem) for warehouse in warehouses)
    assert len(one) > 30
    assert one == other


def test_the_scan_says_the_same_of_both(warehouses: Two, tmp_path: Path) -> None:
    for warehouse in warehouses:
        pages(warehouse, tmp_path / warehouse.stem)
        with connect(warehouse, read_only=True) as connection:
            allowed = allowed_from_warehouse(connection, constant_wording())
        assert scan(tmp_path / warehouse.stem / "public", allowed) == []
