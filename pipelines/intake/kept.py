"""What stays of a delivery, so that it can be read again when rules change: its bytes, or the agreed part of it.

Where the table that was read is all there is in a file, the bytes as received are kept. Else the table is, without the
cells of columns that are not used or not agreed: what may not be kept, and what nobody looked at (title rows, other
sheets, ragged rows), is not kept in the original either.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.intake.landing import LandedFile
from pipelines.intake.read import Table
from pipelines.intake.receipt import read_receipt, receipt_path
from pipelines.intake.store import write_bytes
from pipelines.region import Area

_REDUCED = ".agreed.parquet"
_ABOUT = "mfh"


def keep_bytes(home: Home, landed: LandedFile) -> None:
    """Keep the bytes as received."""
    if landed.kept is None:
        _keep(home, landed, f"{landed.sha256}{landed.suffix}", landed.data)


def keep_table(home: Home, landed: LandedFile, table: Table) -> None:
    """Keep the table, from which the cells of columns that may not be kept have been taken out."""
    about = {
        "row_numbers": table.row_numbers.to_list(),
        "ragged": table.ragged,
        "notes": table.notes,
        "first_column": table.first_column,
    }
    out = io.BytesIO()
    table.frame.write_parquet(out, metadata={_ABOUT: json.dumps(about)})
    _keep(home, landed, f"{landed.sha256}{_REDUCED}", out.getvalue())


def kept_files(home: Home, borough: Area, seen: set[str]) -> Iterator[LandedFile]:
    """Yield the deliveries of a borough whose file has since left landing."""
    folder = home.deliveries / borough.slug
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        sha256 = path.name.split(".", 1)[0]
        known = receipt_path(home, borough.slug, sha256)
        if sha256 in seen or path.name.startswith(".") or not known.exists():
            continue
        receipt = read_receipt(known)
        arrived = datetime.fromisoformat(receipt.received_at)
        if path.name.endswith(_REDUCED):
            yield LandedFile(borough, receipt.file_name, b"", sha256, arrived, kept=_read_table(path))
        else:
            name = receipt.file_name if receipt.file_name.lower().endswith(path.suffix) else path.name
            yield LandedFile(borough, name, path.read_bytes(), sha256, arrived)


def forget(home: Home, landed: LandedFile) -> None:
    """Remove what was kept of a delivery."""
    for path in (home.deliveries / landed.borough.slug).glob(f"{landed.sha256}.*"):
        path.unlink()


def _keep(home: Home, landed: LandedFile, name: str, data: bytes) -> None:
    path = home.deliveries / landed.borough.slug / name
    if not path.exists():
        forget(home, landed)  # an agreement that changed may have made it the other kind
        write_bytes(path, data)


def _read_table(path: Path) -> Table:
    about = json.loads(pl.read_parquet_metadata(path)[_ABOUT])
    return Table(
        frame=pl.read_parquet(path),
        row_numbers=pl.Series("row_number", about["row_numbers"], dtype=pl.Int64),
        ragged=tuple(about["ragged"]),
        notes=tuple(about["notes"]),
        first_column=about["first_column"],
    )
