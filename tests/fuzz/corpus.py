"""Small sound files of every format and layout, as the fuzzer's point of departure.

Cells that could be recognised in a message are made of `MARKS`; every row is invented.
"""

import gzip
import io
from functools import cache

import polars as pl

from tests.builders.workbooks import workbook_of
from tests.intake_data import CHILD, LIQUIDLOGIC, SSDA903, VALID, csv_of

# Letters of which no word of a message is made.
MARKS = ("qzxjkvwq", "XJQZVKWX", "zvkqjxwz")

_RAW = [["123456", "01/02/2010", "M", "03/11/2025", MARKS[0]], [MARKS[1], "", "a", '0"3,/11', MARKS[2]]]
_NATIVE = [["1", CHILD, "03/11/2025 20:15", MARKS[0], "04/11/2025 01:30", "Y", "N"]] * 18


def _parquet(header: list[str], rows: list[list[str]], **options: str) -> bytes:
    out = io.BytesIO()
    frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    frame.with_columns(pl.Series("n", range(len(rows))) * 0.5).write_parquet(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return file endings and bytes."""
    files: list[tuple[str, bytes]] = []
    valid = [(list(row), [[*row.values()], [*[*row.values()][:-1], MARKS[1]]]) for row in VALID.values()]
    for header, rows in [*valid, (list(SSDA903), _RAW), (list(LIQUIDLOGIC), _NATIVE)]:
        plain = csv_of(header, rows)
        titled = [["A title", MARKS[0]], [], header, *rows]
        files += [
            (".csv", plain),
            (".csv", b"sep=;\r\n" + csv_of(header, rows, ";").replace(b"\n", b"\r\n")),
            (".csv", f"Title {MARKS[2]}\n\n".encode() + csv_of(header, rows, "\t")),
            (".csv", csv_of(header, rows, "|").decode().encode("utf-16")),
            (".csv", plain.decode().replace(MARKS[1], "né").encode("cp1252")),
            (".csv.gz", gzip.compress(plain, mtime=0) + gzip.compress(plain, mtime=0)),
            (".xlsx", workbook_of([["Notes", MARKS[0]]], titled, first_column=2)),
            (".xlsx", workbook_of([header, *rows])),
            (".parquet", _parquet(header, rows)),
            (".parquet", _parquet(header, rows, compression="uncompressed")),
        ]
    return tuple(files)
