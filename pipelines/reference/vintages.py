"""Vintages of population estimates in the home: one folder each, made once and never changed.

Keeps and lists them. How a file of the Office for National Statistics (ONS) is read and checked is in
`population_file`; which vintage a rate uses is decided in `sql/reference/`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256

import polars as pl

from pipelines.home import Home
from pipelines.intake.read import SUFFIXES
from pipelines.intake.store import write_bytes, write_parquet, write_text

LICENCE = "Open Government Licence v3.0"
# Columns of the rows of a vintage. `age` is a single year, the last one open-ended.
ROW_SCHEMA: dict[str, pl.DataType] = {
    "area_code": pl.String(),
    "mid_year": pl.Int64(),
    "sex": pl.String(),
    "age": pl.Int64(),
    "population": pl.Int64(),
}
_ROWS, _SHEET = "rows.parquet", "vintage.json"


@dataclass(frozen=True)
class Vintage:
    """One release of population estimates as it was added.

    `published` is ISO text, as exact as is known; `added_at` is ISO 8601 in UTC; `accepted_change` says that somebody
    accepted a larger change from the vintage before than the contract allows.
    """

    vintage_id: str
    sha256: str
    file_name: str
    layout: str
    source: str
    published: str
    licence: str
    added_at: str
    mid_years: tuple[int, ...]
    sexes: tuple[str, ...]
    contract_version: str
    accepted_change: bool


def digest(data: bytes) -> str:
    """Return what tells two files apart."""
    return sha256(data).hexdigest()


def read_vintages(home: Home) -> list[Vintage]:
    """Every vintage of the home, in the order in which they were added."""
    sheets = [json.loads(path.read_text(encoding="utf-8")) for path in home.populations.glob(f"*/{_SHEET}")]
    vintages = [
        Vintage(**sheet | {"mid_years": tuple(sheet["mid_years"]), "sexes": tuple(sheet["sexes"])}) for sheet in sheets
    ]
    return sorted(vintages, key=lambda vintage: (vintage.added_at, vintage.vintage_id))


def vintage_rows(home: Home, vintage: Vintage) -> pl.DataFrame:
    """Rows of a vintage, in the columns of `ROW_SCHEMA`."""
    return pl.read_parquet(home.populations / vintage.vintage_id / _ROWS)


def keep_vintage(home: Home, vintage: Vintage, rows: pl.DataFrame, data: bytes) -> None:
    """Keep a vintage: the bytes as they came, its rows, and last its sheet, without which it does not count."""
    folder = home.populations / vintage.vintage_id
    suffix = next(known for known in SUFFIXES if vintage.file_name.lower().endswith(known))
    write_bytes(folder / f"original{suffix}", data)
    write_parquet(folder / _ROWS, rows.select(*ROW_SCHEMA).sort(pl.all()))
    write_text(folder / _SHEET, json.dumps(asdict(vintage), indent=1, sort_keys=True) + "\n")
