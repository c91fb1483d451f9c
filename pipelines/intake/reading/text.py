"""Bytes of a text file to UTF-8 with line feeds: unpacking gzip, encodings and line ends, all in bounded memory.

Belongs here: what must be settled before a byte can be taken for a delimiter. Does not: cells.
"""

from __future__ import annotations

import codecs
import zlib

from pipelines.intake.reading.table import MOST_BYTES, MOST_LINE_BYTES, UnreadableFileError

_STEP = MOST_LINE_BYTES // 2
_GZIP_STEP = 1 << 14
# `bgzip` writes a member for each 64 KiB.
_MOST_MEMBERS = 10_000
_GZIP_MAGIC = b"\x1f\x8b"
_AS_UTF_8 = "export it as CSV UTF-8"


def unpacked(data: bytes) -> bytes:
    """Unpack gzip, member by member, no further than `MOST_BYTES` or one endless line.

    Raises:
        UnreadableFileError: damaged, followed by something else, too large, or one line too long.
    """
    parts: list[bytes] = []
    size = place = members = 0
    lines = _LineLengths()
    while place < len(data):
        members += 1
        if members > _MOST_MEMBERS or not data.startswith(_GZIP_MAGIC, place):
            if not data[place:].strip(b"\x00"):
                break
            msg = "The gzip file is followed by bytes that are not part of it; compress the CSV file again."
            raise UnreadableFileError(msg)
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not member.eof:
            if place >= len(data) and not member.unconsumed_tail:
                raise _damaged()
            piece = member.unconsumed_tail or data[place : place + _GZIP_STEP]
            place += 0 if member.unconsumed_tail else len(piece)
            try:
                part = member.decompress(piece, _STEP)
            except zlib.error as error:
                raise _damaged() from error
            size += len(part)
            if size > MOST_BYTES:
                msg = f"The gzip file unpacks to more than {MOST_BYTES >> 20} MiB; send it in parts."
                raise UnreadableFileError(msg)
            lines.add(part)
            parts.append(part)
        place -= len(member.unused_data)
    return b"".join(parts)


def _damaged() -> UnreadableFileError:
    return UnreadableFileError("The gzip file is cut off or damaged; send it again.")


class _LineLengths:
    """Refuses a line of more than `MOST_LINE_BYTES`, seen in pieces that are shorter than that."""

    def __init__(self) -> None:
        self._open = 0

    def add(self, piece: bytes) -> None:
        """Look at the next piece."""
        ends = [place for place in (piece.find(b"\n"), piece.find(b"\r")) if place >= 0]
        first = min(ends, default=len(piece))
        if self._open + first > MOST_LINE_BYTES:
            msg = "A line of the file is longer than 1 MiB, so it is not a table we can read; export it again as CSV."
            raise UnreadableFileError(msg)
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        self._open = len(piece) - last - 1 if ends else self._open + len(piece)


def utf_8_lines(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return text as UTF-8 without byte order mark, its lines ended by line feeds, and notes about the encoding.

    Raises:
        UnreadableFileError: one line is too long, or it is not text.
    """
    lines = _LineLengths()
    for place in range(0, len(data), _STEP):
        lines.add(data[place : place + _STEP])
    text, notes = _utf_8(data)
    if b"\x00" in text:
        msg = f"The file is not text in an encoding we can read (it holds zero bytes); {_AS_UTF_8}."
        raise UnreadableFileError(msg)
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), notes


def _utf_8(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    utf_16 = _utf_16_kind(data)
    if utf_16:
        try:
            return data.decode(utf_16).removeprefix("\ufeff").encode(), ("Read as UTF-16.",)
        except UnicodeDecodeError as error:
            msg = f"The file starts as UTF-16 but is not; {_AS_UTF_8}."
            raise UnreadableFileError(msg) from error
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError:
        return _from_windows_1252(data)
    return data, ()


def _utf_16_kind(data: bytes) -> str:
    """Name the byte order of UTF-16: by its mark, or where zero bytes stand at every other place only, and often."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    first = data[:512]
    even, odd = first[::2], first[1::2]
    if len(data) % 2 == 0 and even and even.count(0) == 0 and 2 * odd.count(0) >= len(odd):
        return "utf-16-le"
    if len(data) % 2 == 0 and odd and odd.count(0) == 0 and 2 * even.count(0) >= len(even):
        return "utf-16-be"
    return ""


def _from_windows_1252(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        msg = f"The file is neither UTF-8 nor Windows-1252 text; {_AS_UTF_8}."
        raise UnreadableFileError(msg) from error
    return text.encode(), ("Read as Windows-1252 because it is not UTF-8; please export CSV UTF-8.",)
