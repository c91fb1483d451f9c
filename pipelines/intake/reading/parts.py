"""The parts of an Office Open XML package: which there are, their bytes and what they refer to.

Knows zip and XML, not sheets. Sizes that a zip states are never trusted: bytes are counted as they come.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from pipelines.intake.reading.table import MOST_BYTES, UnreadableFileError

_STEP = 1 << 18
_MOST_PARTS = 5_000
_MOST_DEPTH = 64
# In steps. A text, a comment or a tag longer than this is no spreadsheet's.
_MOST_WITHOUT_A_TAG = 4
_DIRECTORY_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


class Screen:
    """Looks at the elements of a part, each named by its namespace, a space and its name."""

    begun = 0
    depth = 0

    def start(self, _name: str, _attributes: Mapping[str, str]) -> None:
        """Look at an element as it begins."""
        self.begun += 1
        self.depth += 1

    def end(self, _name: str) -> None:
        """Leave an element."""
        self.depth -= 1

    def characters(self, text: str) -> None:
        """Look at a text."""


def damaged() -> UnreadableFileError:
    """Return the error of a workbook that does not hold together."""
    msg = "The Excel workbook is damaged or protected and cannot be opened; save it again as .xlsx or CSV."
    return UnreadableFileError(msg)


@dataclass(frozen=True)
class Relationship:
    """What one part says of another: the last word of its type, and the other part's name."""

    kind: str
    target: str


class _Relationships(Screen):
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.found: list[Relationship] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        super().start(name, attributes)
        if len(self.found) > _MOST_PARTS:
            raise damaged()
        if name.rpartition(" ")[2] == "Relationship":
            target = attributes.get("Target", "")
            inside = attributes.get("TargetMode", "") != "External"
            place = posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/") if inside else ""
            self.found.append(Relationship(attributes.get("Type", "").rsplit("/", 1)[-1], place))


@dataclass
class Package:
    """An opened package. Unpacked bytes are counted over all its parts."""

    archive: zipfile.ZipFile
    names: frozenset[str] = field(init=False)
    _unpacked: int = 0

    def __post_init__(self) -> None:
        """Collect the names."""
        self.names = frozenset(self.archive.namelist())

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a part piece by piece."""
        entry = self.archive.getinfo(name)
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise damaged()
        try:
            with self.archive.open(entry) as stream:
                while piece := stream.read(_STEP):
                    self._unpacked += len(piece)
                    if self._unpacked > MOST_BYTES:
                        msg = f"The Excel workbook unpacks to more than {MOST_BYTES >> 20} MiB; save the sheet as CSV."
                        raise UnreadableFileError(msg)
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise damaged() from error

    def relationships(self, part: str = "") -> list[Relationship]:
        """Return what a part (the package itself if none is named) refers to."""
        folder, base = posixpath.split(part)
        name = posixpath.join(folder, "_rels", f"{base}.rels")
        found = _Relationships(folder)
        if name in self.names:
            show(self.pieces(name), lambda _: found)
        return found.found


def open_package(data: bytes) -> Package:
    """Open the zip file around the parts.

    Raises:
        UnreadableFileError: it is no zip file, or one of absurdly many parts.
    """
    # Each entry of the directory starts with its mark, however many the directory says it has.
    if data.count(_DIRECTORY_ENTRY) > _MOST_PARTS:
        msg = f"The Excel workbook consists of more than {_MOST_PARTS:,} parts; save the sheet as CSV."
        raise UnreadableFileError(msg)
    try:
        return Package(zipfile.ZipFile(io.BytesIO(data)))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged() from error


def show(pieces: Iterator[bytes], screen_for: Callable[[str], Screen]) -> bool:
    """Show a part to a screen as far as it is XML, which is as far as any parser gets, and come to its end.

    Args:
        pieces: the bytes.
        screen_for: makes the screen, given the name of the root element.

    Returns:
        Whether all of it is XML.

    Raises:
        UnreadableFileError: a document type, absurd depth, an endless text or tag, or what the screen refuses.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    screen = Screen()

    def root(name: str, attributes: dict[str, str]) -> None:
        nonlocal screen
        screen = screen_for(name)
        parser.StartElementHandler, parser.EndElementHandler = screen.start, screen.end
        parser.CharacterDataHandler = screen.characters
        screen.start(name, attributes)

    def refuse(*_: object) -> None:
        raise damaged()

    parser.StartElementHandler = root
    parser.StartDoctypeDeclHandler = refuse
    seen, without_a_tag = (0, 0), 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            now = (screen.begun, screen.depth)
            without_a_tag = without_a_tag + 1 if now == seen else 0
            seen = now
            if screen.depth > _MOST_DEPTH or without_a_tag > _MOST_WITHOUT_A_TAG:
                raise damaged()
        parser.Parse(b"", True)
    except expat.ExpatError:
        for _ in pieces:
            """What is not XML is counted too."""
        return False
    return True
