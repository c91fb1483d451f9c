"""Damage to files: to their bytes, and to what is packed in them with the packing made good again."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

_TOKENS = (
    *(
        b"\x00",
        b'"',
        b'""',
        b"\n",
        b"\r",
        b"\r\n",
        b",",
        b";",
        b"\t",
        b"|",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xe2\x80\xae",
    ),
    *(
        b"sep=,\n",
        b"<c/>",
        b"<c r='XFD1048576'><v>1</v></c>",
        b"<f>1</f>",
        b"]]>",
        b"<!--",
        b"&#0;",
        b"&amp;",
        b"</row>",
    ),
    *(
        b"1e999",
        b"-1",
        b"NaN",
        b"99999999999999999999",
        b"_x0000_",
        b"PAR1",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"A" * 300,
    ),
)
_MOST_BYTES = 1 << 20
Mutation = Callable[[Random, bytes, bytes], bytes]


def _place(random: Random, data: bytes) -> int:
    """Somewhere, often near an end, where headers and footers are."""
    if random.random() < 0.5:
        return random.randrange(len(data) + 1)
    near = min(random.randrange(64), len(data))
    return near if random.random() < 0.5 else len(data) - near


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = _place(random, data)
    return start, min(len(data), start + random.choice([1, 4, 40, 400]))


def flip_bits(random: Random, data: bytes, _: bytes) -> bytes:
    """Change one bit of up to eight bytes."""
    out = bytearray(data)
    for _try in range(random.randint(1, 8)):
        place = _place(random, data)
        if place < len(out):
            out[place] ^= 1 << random.randrange(8)
    return bytes(out)


def truncate(random: Random, data: bytes, _: bytes) -> bytes:
    """Cut the end off."""
    return data[: _place(random, data)]


def remove(random: Random, data: bytes, _: bytes) -> bytes:
    """Take some bytes out."""
    start, end = _span(random, data)
    return data[:start] + data[end:]


def repeat(random: Random, data: bytes, _: bytes) -> bytes:
    """Write some bytes many times over."""
    start, end = _span(random, data)
    return data[:start] + data[start:end] * random.choice([2, 3, 17, 600]) + data[end:]


def splice(random: Random, data: bytes, other: bytes) -> bytes:
    """Go over into another file."""
    return data[: _place(random, data)] + other[_place(random, other) :]


def insert(random: Random, data: bytes, _: bytes) -> bytes:
    """Put something in that means something in one of the formats."""
    place = _place(random, data)
    return data[:place] + random.choice(_TOKENS) + data[place:]


def overwrite_number(random: Random, data: bytes, _: bytes) -> bytes:
    """Lie about a size or an offset: write an odd number of two, four or eight bytes somewhere."""
    form = random.choice(["<H", "<I", "<Q"])
    number = random.choice([0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 40])
    written = struct.pack(form, number & ((1 << 8 * struct.calcsize(form)) - 1))
    place = _place(random, data)
    return data[:place] + written + data[place + len(written) :]


def lie_in_zip(random: Random, data: bytes, _: bytes) -> bytes:
    """Change a field of one of the zip file's own records."""
    marks = [place for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06") for place in _all(data, mark)]
    if not marks:
        return data
    place = random.choice(marks) + random.randint(4, 45)
    number = random.choice([b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x01\x00\x00\x00", b"\x00\x00\x00\x7f"])
    return data[:place] + number + data[place + 4 :]


def _all(data: bytes, mark: bytes) -> list[int]:
    places, place = [], data.find(mark)
    while place >= 0:
        places.append(place)
        place = data.find(mark, place + 1)
    return places


ON_BYTES: tuple[Mutation, ...] = (
    flip_bits,
    truncate,
    remove,
    repeat,
    splice,
    insert,
    insert,
    overwrite_number,
    lie_in_zip,
)


def mutated(random: Random, ending: str, data: bytes, other: bytes) -> bytes:
    """Return a file damaged one to four times; half of the packed ones inside their packing."""
    for _ in range(random.randint(1, 4)):
        mutation = random.choice(ON_BYTES)
        inside = {".xlsx": _in_part, ".csv.gz": _in_gzip}.get(ending) if random.random() < 0.5 else None
        data = (inside(random, data, other, mutation) if inside else mutation(random, data, other))[:_MOST_BYTES]
    return data


def _in_part(random: Random, data: bytes, other: bytes, mutation: Mutation) -> bytes:
    """Damage one part of a workbook, or leave it out."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
            chosen = random.choice(before.namelist())
            for name in before.namelist():
                content = before.read(name)
                if name != chosen:
                    after.writestr(name, content)
                elif random.random() < 0.95:
                    after.writestr(name, mutation(random, content, other))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, IndexError, NotImplementedError):
        return mutation(random, data, other)
    return out.getvalue()


def _in_gzip(random: Random, data: bytes, other: bytes, mutation: Mutation) -> bytes:
    try:
        return gzip.compress(mutation(random, gzip.decompress(data), other), mtime=0)
    except (OSError, EOFError, zlib.error):
        return mutation(random, data, other)
