"""What a Parquet file says it will unpack to, read from its footer and page headers before anything is unpacked.

A few bytes of Parquet can stand for a billion rows, so the library is only let loose on a file whose pages, counted
one by one, are bounded. Knows just enough of Thrift's compact protocol to walk structures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.intake.reading.table import MOST_BYTES, UnreadableFileError, refuse_size

Struct = dict[int, "Value"]
Value = int | bytes | list["Value"] | Struct | None

_MAGIC = b"PAR1"
# The magic at both ends and the length of the footer.
_FRAME = 12
# A byte of a number says with its highest bit that more follow; a list says with 15 that its length follows.
_MORE, _LONG_LIST = 0x80, 15
_LONGEST_FOOTER = 8 << 20
_MOST_VALUES = 1_000_000
_MOST_DEPTH = 16
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
# Field numbers of parquet.thrift.
_FILE_ROW_GROUPS, _GROUP_COLUMNS, _GROUP_ROWS, _CHUNK_META = 4, 1, 3, 3
_META_COMPRESSED, _META_DATA, _META_DICTIONARY = 7, 9, 11
_PAGE_UNCOMPRESSED, _PAGE_COMPRESSED, _PAGE_DATA, _PAGE_DATA_2 = 2, 3, 5, 8
_DATA_VALUES = 1


def damaged() -> UnreadableFileError:
    """Return the error of a file that does not hold together."""
    return UnreadableFileError("The Parquet file is damaged or holds nested columns; export it again.")


@dataclass
class _Compact:
    """Reads Thrift's compact protocol from a place on; every value read counts against one budget."""

    data: bytes
    place: int
    end: int
    budget: list[int] = field(default_factory=lambda: [_MOST_VALUES])

    def byte(self) -> int:
        """One byte."""
        if not 0 <= self.place < self.end:
            raise damaged()
        self.place += 1
        return self.data[self.place - 1]

    def unsigned(self) -> int:
        """A number of any length up to 64 bits."""
        value = 0
        for shift in range(0, 64, 7):
            byte = self.byte()
            value |= (byte & (_MORE - 1)) << shift
            if byte < _MORE:
                return value
        raise damaged()

    def signed(self) -> int:
        """A zig-zag number."""
        value = self.unsigned()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> Struct:
        """A structure by field number."""
        if depth > _MOST_DEPTH:
            raise damaged()
        fields: Struct = {}
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.signed()
            fields[number] = self.value(head & 0x0F, depth)
        return fields

    def value(self, kind: int, depth: int, *, within: bool = False) -> Value:
        """One value; a truth value within a list takes a byte, as a field it is its own type."""
        self.budget[0] -= 1
        if self.budget[0] < 0:
            raise _too_many_pages()
        if kind in {_TRUE, _FALSE}:
            return self.byte() if within else int(kind == _TRUE)
        if kind in {_I16, _I32, _I64}:
            return self.signed()
        if kind in {_LIST, _SET}:
            return self._list(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in {_BYTE, _DOUBLE, _BINARY}:
            return self._bytes(self.unsigned() if kind == _BINARY else 1 if kind == _BYTE else 8)
        raise damaged()

    def _bytes(self, length: int) -> bytes:
        if length > self.end - self.place:
            raise damaged()
        self.place += length
        return self.data[self.place - length : self.place]

    def _list(self, depth: int) -> list[Value]:
        head = self.byte()
        length = head >> 4 if head >> 4 < _LONG_LIST else self.unsigned()
        if depth > _MOST_DEPTH or length > self.end - self.place:
            raise damaged()
        return [self.value(head & 0x0F, depth + 1, within=True) for _ in range(length)]


def _too_many_pages() -> UnreadableFileError:
    msg = "The Parquet file consists of too many row groups or pages; write it with one row group."
    return UnreadableFileError(msg)


def _structs(value: Value) -> Iterator[Struct]:
    if not isinstance(value, list):
        raise damaged()
    for item in value:
        yield _struct(item)


def _struct(value: Value) -> Struct:
    if not isinstance(value, dict):
        raise damaged()
    return value


def _whole(value: Value) -> int:
    if not isinstance(value, int) or value < 0:
        raise damaged()
    return value


def refuse_pages(data: bytes) -> None:
    """Raise where the pages of a file would unpack to more than can be read in bounded memory.

    Raises:
        UnreadableFileError: too large, or not a Parquet file that holds together.
    """
    if len(data) < _FRAME or not data.endswith(_MAGIC):
        raise damaged()
    length = int.from_bytes(data[-8:-4], "little")
    if length > min(_LONGEST_FOOTER, len(data) - _FRAME):
        raise damaged()
    footer = _Compact(data, len(data) - 8 - length, len(data) - 8)
    rows = values = unpacked = 0
    for group in _structs(footer.struct().get(_FILE_ROW_GROUPS)):
        columns = list(_structs(group.get(_GROUP_COLUMNS)))
        rows += _whole(group.get(_GROUP_ROWS))
        refuse_size(rows, max(len(columns), 1))
        for column in columns:
            for page in _pages(data, _struct(column.get(_CHUNK_META)), footer.budget):
                unpacked += _whole(page.get(_PAGE_UNCOMPRESSED))
                values += _values_of(page)
                refuse_size(1, values)
                if unpacked > MOST_BYTES:
                    msg = f"The Parquet file unpacks to more than {MOST_BYTES >> 20} MiB; send it in parts."
                    raise UnreadableFileError(msg)


def _pages(data: bytes, meta: Struct, budget: list[int]) -> Iterator[Struct]:
    """Yield the page headers of a column chunk."""
    starts = [_whole(meta.get(number, 0)) for number in (_META_DATA, _META_DICTIONARY)]
    place = min(start for start in starts if start) if any(starts) else len(data)
    end = place + _whole(meta.get(_META_COMPRESSED))
    if end > len(data):
        raise damaged()
    while place < end:
        header = _Compact(data, place, end, budget)
        page = header.struct()
        place = header.place + _whole(page.get(_PAGE_COMPRESSED))
        yield page


def _values_of(page: Struct) -> int:
    return sum(_whole(_struct(page[kind]).get(_DATA_VALUES)) for kind in (_PAGE_DATA, _PAGE_DATA_2) if kind in page)
