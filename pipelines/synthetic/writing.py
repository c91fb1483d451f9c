"""Bytes of a delivery: CSV, gzipped CSV or XLSX, the same bytes for the same rows.

Belongs here: containers, encodings, what stands around a table, and folders. Does not: what is in a row, or how
a cell is spelled (`forms`).
"""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipelines.synthetic.deliveries import Delivery
from pipelines.synthetic.forms import is_temporal, spelled
from pipelines.synthetic.workbook import Sheet, workbook_bytes

NUMBERS = frozenset({"age_at_start", "placement_distance_miles"})
TITLES = (["Missing from home and care", "synthetic demonstration"], ["Extract for the region"])
NOTES = pl.DataFrame(
    {"Word": ["missing", "away", "unknown"], "Meaning": ["place not known", "place known", "not recorded"]}
)
# Columns (first and last) under a heading of their own where a header has two rows.
GROUPS = (("Child", "age_at_start", "looked_after"), ("Times", "started_at", "returned_at"))


def delivery_bytes(file: Delivery) -> bytes:
    """The bytes of one delivery, hidden columns left out."""
    frame = spelled(file.frame.select(pl.exclude("^_.*$")), file.form)
    if file.container == "xlsx":
        return _workbook(frame, file)
    buffer = io.BytesIO()
    frame.write_csv(buffer, separator=file.form.delimiter)
    data = buffer.getvalue()
    if file.form.separator_line:
        data = f"sep={file.form.delimiter}\n".encode() + data
    if file.form.encoding != "utf-8":
        # The mark at the beginning is the one that Excel writes.
        codec = {"utf-16": "utf-16-le", "windows-1252": "cp1252"}[file.form.encoding]
        mark = b"\xff\xfe" if codec == "utf-16-le" else b""
        data = mark + data.decode().replace("\n", "\r\n").encode(codec)
    # No time of writing inside: the same rows must give the same SHA-256, which identifies a delivery.
    return gzip.compress(data, compresslevel=6, mtime=0) if file.container == "csv.gz" else data


def _workbook(frame: pl.DataFrame, file: Delivery) -> bytes:
    form = file.form
    temporal = frozenset(name for name in frame.columns if is_temporal(name)) if form.times != "text" else frozenset()
    # The last row above the header is empty, as people leave it.
    above = [*TITLES[: form.title_rows - 1], []] if form.title_rows else []
    table = Sheet(
        frame,
        numbers=NUMBERS | temporal,
        dates=temporal if form.times == "cells" else frozenset(),
        above=above,
        groups=_groups(frame.columns) if form.merged_header else (),
        first_column=form.first_column,
    )
    return workbook_bytes({"Extract": table, "Notes": Sheet(NOTES)} if form.notes_sheet else {"Extract": table})


def _groups(columns: Sequence[str]) -> list[tuple[str, int]]:
    """Every column alone, but those of a group together."""
    spans = {first: (name, columns.index(last) - columns.index(first) + 1) for name, first, last in GROUPS}
    groups: list[tuple[str, int]] = []
    place = 0
    while place < len(columns):
        group = spans.get(columns[place], (columns[place], 1))
        groups.append(group)
        place += group[1]
    return groups


def write_delivery(landing: Path, file: Delivery) -> Path:
    """Write one delivery to `landing/<borough slug>/<name>` and return its path."""
    folder = landing / file.area.slug
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    path.write_bytes(delivery_bytes(file))
    return path
