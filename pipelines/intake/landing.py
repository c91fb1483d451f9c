"""Reading what lies in landing, carefully: regular files of bearable size that nobody is writing to.

Yields bytes, or a sentence why there are none. Landing is the boroughs': nothing is moved or changed there. What the
bytes mean is decided in `examine`; books are kept in `deliver`.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.home import Home
from pipelines.intake.read import MOST_BYTES, Table
from pipelines.region import Area

# A file changed this recently may still be growing; it is looked at twice, a moment apart.
_FRESH_SECONDS = 2.0
_MOMENT_SECONDS = 0.1
_LINK = "This is a link or a folder, not a file; put the file itself into landing."
_LINKED_FOLDER = "The borough's landing folder is a link; make it a folder."
_GROWING = "The file was still being written; it will be read at the next run."
_TOO_LARGE = f"The file is larger than {MOST_BYTES >> 20} MiB; send it in parts."
_CLOSED = "The file could not be opened; check its permissions."


@dataclass(frozen=True)
class LandedFile:
    """A file that was read: its bytes, or, where only an agreed part of it was kept, that part as a table."""

    borough: Area
    name: str
    data: bytes
    sha256: str
    received_at: datetime
    kept: Table | None = None

    @property
    def delivery_id(self) -> str:
        """The borough and the first half of the checksum."""
        return f"{self.borough.slug}-{self.sha256[:32]}"

    @property
    def suffix(self) -> str:
        """File extension, `.csv.gz` kept whole."""
        lower = self.name.lower()
        return ".csv.gz" if lower.endswith(".csv.gz") else Path(lower).suffix


@dataclass(frozen=True)
class UnreadFile:
    """A file that could not be read; `problem` is the sentence for the sender."""

    borough: Area
    name: str
    problem: str
    received_at: datetime

    @property
    def sha256(self) -> str:
        """Stands in for the checksum, which the bytes would be needed for."""
        return hashlib.sha256(f"unread|{self.name}".encode(errors="surrogateescape")).hexdigest()


def landed_files(home: Home, borough: Area, received_at: datetime) -> Iterator[LandedFile | UnreadFile]:
    """Read a borough's landing folder in file-name order, each checksum once.

    Temporary files of office programs and file transfers (a leading dot or `~$`) are passed over.
    """
    folder = home.landing / borough.slug
    if folder.is_symlink():
        yield UnreadFile(borough, borough.slug, _LINKED_FOLDER, received_at)
        return
    if not folder.is_dir():
        return
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "~$"))]
    before = _settled_states(paths)
    seen: set[str] = set()
    for path in paths:
        problem, data = _read_bytes(path, before[path])
        if problem:
            yield UnreadFile(borough, path.name, problem, received_at)
            continue
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in seen:
            seen.add(sha256)
            yield LandedFile(borough, path.name, data, sha256, received_at)


def strange_folders(home: Home, slugs: tuple[str, ...]) -> list[str]:
    """Names in landing that are no borough's folder, so that nothing put there is overlooked."""
    if not home.landing.is_dir():
        return []
    return sorted(path.name for path in home.landing.iterdir() if path.name not in slugs and path.name[:1] != ".")


def _settled_states(paths: list[Path]) -> dict[Path, tuple[int, int] | None]:
    """Size and time of every file, after a moment's wait where one has only just been changed."""
    states = {path: _state(path) for path in paths}
    newest = max((state[1] for state in states.values() if state), default=0)
    if time.time_ns() - newest < _FRESH_SECONDS * 1e9:
        time.sleep(_MOMENT_SECONDS)
    return states


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _read_bytes(path: Path, before: tuple[int, int] | None) -> tuple[str, bytes]:
    """Return a sentence or the bytes.

    The file is judged by what was opened and not by its name, which may point elsewhere a moment later.
    """
    try:
        if path.is_symlink():
            return _LINK, b""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            opened = os.fstat(descriptor)
            if not stat.S_ISREG(opened.st_mode):
                return _LINK, b""
            if opened.st_size > MOST_BYTES:
                return _TOO_LARGE, b""
            data = file.read(MOST_BYTES + 1)
            after = os.fstat(descriptor)
    except OSError:
        return _CLOSED if path.exists() and not path.is_dir() else _LINK, b""
    if (after.st_size, after.st_mtime_ns) != before or len(data) != after.st_size:
        return _GROWING, b""
    return "", data
