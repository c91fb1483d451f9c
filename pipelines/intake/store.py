"""Writing files so that a reader, or a second run after a kill, never meets half of one."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes under a temporary name beside the target, then move it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    write_bytes(path, text.encode())


def write_parquet(path: Path, frame: pl.DataFrame, metadata: dict[str, str] | None = None) -> None:
    """Write a Parquet file, with metadata in its footer if given, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    frame.write_parquet(partial, compression="zstd", metadata=metadata)
    partial.replace(path)


def sweep_partials(folder: Path) -> None:
    """Remove what a killed run was writing; partial files of a process that still runs are left alone."""
    for partial in folder.glob(".*.partial") if folder.is_dir() else []:
        writer = partial.name.rsplit(".", 2)[1]
        if not writer.isdigit() or not _is_running(int(writer)):
            partial.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
