"""The ledger: every value ever published, append-only, so that a release can be attacked together with earlier ones.

One file of JSON lines for each release under `<home>/ledger/`: a header that names the previous file's checksum, the
published cells, and a SHA-256 over both. It holds published values only. What else a release contains does not belong
here.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.disclosure.cells import PUBLISHED_CELL
from pipelines.disclosure.errors import LedgerError

FOLDER = "ledger"
LEDGER = {
    "sequence": pl.Int64,
    "release_id": pl.String,
    "policy_version": pl.String,
    "key_fingerprint": pl.String,
    **PUBLISHED_CELL,
}

_START = "0" * 64
_RELEASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DATES = [name for name, dtype in PUBLISHED_CELL.items() if dtype == pl.Date]
_AS_TEXT = {name: pl.String if name in _DATES else dtype for name, dtype in PUBLISHED_CELL.items()}


@dataclass(frozen=True)
class _Entry:
    """One release as its file has it: header fields, published cells, and the checksum that continues the chain."""

    header: dict[str, Any]
    cells: pl.DataFrame
    checksum: str


def read_ledger(home: Path) -> pl.DataFrame:
    """All that was ever published, checked against the chain of checksums.

    A file removed from the end cannot be noticed here: compare `ledger_head` with what the last release recorded.

    Args:
        home: the run-time home.

    Returns:
        Columns of `LEDGER`, by sequence and cell_id; no rows where nothing has been published yet.

    Raises:
        LedgerError: if a file is missing, changed or unreadable.
    """
    frames = [
        entry.cells.select(*(pl.lit(entry.header[name]).cast(LEDGER[name]).alias(name) for name in _HEADER), pl.all())
        for entry in _entries(home)
    ]
    return pl.concat([pl.DataFrame(schema=LEDGER), *(frame.select(*LEDGER) for frame in frames)])


def last_said(ledger: pl.DataFrame) -> pl.DataFrame:
    """What the newest release that has a cell says of it: one row for each cell ever published."""
    return ledger.sort("sequence").unique("cell_id", keep="last")


def ledger_head(home: Path) -> str:
    """The checksum that the next release will continue; 64 zeros for an empty ledger.

    Raises:
        LedgerError: if a file is missing, changed or unreadable.
    """
    head = _START
    for entry in _entries(home):
        head = entry.checksum
    return head


def append_release(
    home: Path, release_id: str, cells: pl.DataFrame, *, policy_version: str, key_fingerprint: str
) -> str:
    """Record what a release publishes. Recording the same again changes nothing.

    Args:
        home: the run-time home.
        release_id: letters, digits, point, hyphen and underscore.
        cells: published cells, columns of `PUBLISHED_CELL`.
        policy_version: version of the disclosure policy.
        key_fingerprint: fingerprint of the rounding key.

    Returns:
        The checksum of the release's entry, for its manifest.

    Raises:
        LedgerError: if the ledger is damaged, the release is recorded with other content, the rounding key differs from
            the one that the series was started with, or the cells do not have the agreed columns.
    """
    if not _RELEASE_ID.fullmatch(release_id):
        message = f"{release_id!r} is not a release id: letters, digits, '.', '-' and '_' only."
        raise LedgerError(message)
    recorded = _published_columns(cells)
    entries = list(_entries(home))
    _refuse_changed_key(entries, key_fingerprint)
    for entry in entries:
        if entry.header["release_id"] == release_id:
            return _same_release(entry, recorded, policy_version)
    header = {
        "sequence": len(entries) + 1,
        "release_id": release_id,
        "policy_version": policy_version,
        "key_fingerprint": key_fingerprint,
        "previous": entries[-1].checksum if entries else _START,
        "cells": recorded.height,
    }
    return _write(home / FOLDER, header, recorded)


_HEADER = ("sequence", "release_id", "policy_version", "key_fingerprint")


def _published_columns(cells: pl.DataFrame) -> pl.DataFrame:
    if dict(cells.schema) != PUBLISHED_CELL:
        message = "Only published cells may enter the ledger; these have other columns."
        raise LedgerError(message)
    return cells.sort("cell_id")


def _refuse_changed_key(entries: list[_Entry], key_fingerprint: str) -> None:
    if any(entry.header["key_fingerprint"] != key_fingerprint for entry in entries):
        message = (
            "The rounding key is not the one that this series was started with; two roundings would narrow a count."
        )
        raise LedgerError(message)


def _same_release(entry: _Entry, recorded: pl.DataFrame, policy_version: str) -> str:
    if not entry.cells.equals(recorded) or entry.header["policy_version"] != policy_version:
        message = f"Release {entry.header['release_id']} is already recorded with other content."
        raise LedgerError(message)
    return entry.checksum


def _write(folder: Path, header: dict[str, Any], recorded: pl.DataFrame) -> str:
    """Put a complete, read-only file in place in one step, never over another."""
    body = json.dumps(header, sort_keys=True).encode() + b"\n" + _lines(recorded)
    checksum = sha256(body).hexdigest()
    final = folder / f"{header['sequence']:06}.jsonl"
    partial = folder / f"{final.name}.{os.getpid()}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(body + json.dumps({"sha256": checksum}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o444)
        os.link(partial, final)
    except OSError as error:
        message = f"The ledger entry {final} cannot be written."
        raise LedgerError(message) from error
    finally:
        partial.unlink(missing_ok=True)
    return checksum


def _lines(recorded: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    recorded.with_columns(pl.col(_DATES).dt.to_string("iso")).write_ndjson(buffer)
    return buffer.getvalue()


def _entries(home: Path) -> Iterator[_Entry]:
    """The entries in order, each checked to continue the one before it."""
    head = _START
    for sequence, path in enumerate(sorted((home / FOLDER).glob("*.jsonl")), start=1):
        entry = _read(path)
        if entry.header["sequence"] != sequence or entry.header["previous"] != head:
            message = f"The ledger is broken at {path}: an earlier entry is missing or was replaced."
            raise LedgerError(message)
        yield entry
        head = entry.checksum


def _read(path: Path) -> _Entry:
    try:
        body, _, last = path.read_bytes().rstrip(b"\n").rpartition(b"\n")
        stated = json.loads(last)["sha256"]
        first, _, lines = body.partition(b"\n")
        header = json.loads(first)
        cells = pl.read_ndjson(lines, schema=_AS_TEXT) if lines else pl.DataFrame(schema=_AS_TEXT)
        typed = cells.with_columns(pl.col(name).str.to_date() for name in _DATES)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        message = f"The ledger entry {path} cannot be read."
        raise LedgerError(message) from error
    checksum = sha256(body + b"\n").hexdigest()
    if checksum != stated or header.get("cells") != typed.height:
        message = f"The ledger entry {path} has been changed: its checksum does not match."
        raise LedgerError(message)
    return _Entry(header, typed, checksum)
