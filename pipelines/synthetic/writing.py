"""Bytes of a delivery: CSV, gzipped CSV or XLSX, the same bytes for the same rows.

Belongs here: containers and folders. Does not: what is in a row.
"""

import gzip
import io
from pathlib import Path

import polars as pl

from pipelines.synthetic.deliveries import Delivery
from pipelines.synthetic.workbook import workbook_bytes

NUMBERS = frozenset({"age_at_start", "placement_distance_miles"})


def delivery_bytes(file: Delivery) -> bytes:
    """The bytes of one delivery, hidden columns left out."""
    frame = file.frame.select(pl.exclude("^_.*$"))
    if file.container == "xlsx":
        return workbook_bytes(frame, numbers=NUMBERS)
    buffer = io.BytesIO()
    frame.write_csv(buffer)
    text = buffer.getvalue()
    # No time of writing inside: the same rows must give the same SHA-256, which identifies a delivery.
    return gzip.compress(text, compresslevel=6, mtime=0) if file.container == "csv.gz" else text


def write_delivery(landing: Path, file: Delivery) -> Path:
    """Write one delivery to `landing/<borough slug>/<name>` and return its path."""
    folder = landing / file.area.slug
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    path.write_bytes(delivery_bytes(file))
    return path
