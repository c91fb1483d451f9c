"""Whatever a borough drops into landing, intake ends with an account that adds up and says nothing of any cell.

Examples are files, many to a home, because a run of Great Expectations costs the same for one file as for twenty.
"""

import gzip
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.intake.deliver import Receipt, ingest
from pipelines.intake.examine import RefusedFileError, examine
from pipelines.intake.identifiers import find_identifiers
from pipelines.intake.read import UnreadableFileError, read_table
from tests.intake_data import BOROUGH, LIQUIDLOGIC, NOW, SSDA903, VALID, csv_of, land

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
# Letters of which no word of a message, no column name and no digest is made, so that finding one is no accident.
MARK = st.text(alphabet="QXZJKVWqxzjkvw", min_size=6, max_size=12)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
WELL_FORMED_TIMES = ["2025-11-03T20:15", "2025-11-03", "03/11/2025", "2025-11-03 00:00:00", "2026-03-29 01:30"]
ODD_TIMES = ["2025-10-26T01:30+01:00", "0001-01-01", "9999-12-31", "+262142-12-31", "-0044-03-15", "2025-02-30"]
TIMES = st.sampled_from(WELL_FORMED_TIMES + ODD_TIMES)
NUMBERS = st.sampled_from(["14", "0", "18", "-1", "1e999", "nan", "9.5", "٣", "1,5"])
VALUES = sorted({cell for row in VALID.values() for cell in row.values()})
CELL = st.one_of(st.just(""), st.sampled_from(VALUES), TIMES, NUMBERS, TEXT, MARK)
HEADERS = st.sampled_from([tuple(VALID["missing_episode"]), tuple(VALID["return_interview"]), SSDA903, LIQUIDLOGIC])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header of a known layout, perhaps with a column more, and rows of any cells; some repeat, some are short."""
    header = [*draw(HEADERS), *draw(st.sampled_from([[], ["TEAM"], ["extra", "more"]]))]
    valid = VALID["missing_episode"] | VALID["return_interview"]
    mostly_valid = st.tuples(*(st.one_of(st.just(valid.get(name, "1")), CELL) for name in header)).map(list)
    rows = draw(st.lists(mostly_valid, min_size=1, max_size=6))
    rows += draw(st.lists(st.sampled_from(rows), max_size=2))
    rows += draw(st.lists(st.lists(CELL, max_size=len(header) + 1), max_size=1))
    return header, rows


def _as_csv(header: list[str], rows: list[list[str]]) -> tuple[str, bytes]:
    return ".csv", csv_of(header, rows)


def _as_semicolons_in_windows_1252(header: list[str], rows: list[list[str]]) -> tuple[str, bytes]:
    return ".csv", csv_of(header, rows, ";").decode().encode("cp1252", errors="replace")


def _as_gzip(header: list[str], rows: list[list[str]]) -> tuple[str, bytes]:
    return ".csv.gz", gzip.compress(csv_of(header, rows), mtime=0)


def _as_workbook(header: list[str], rows: list[list[str]]) -> tuple[str, bytes]:
    workbook = openpyxl.Workbook()
    for row in [header, *rows]:
        workbook.active.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row])
    out = io.BytesIO()
    workbook.save(out)
    return ".xlsx", out.getvalue()


def _as_parquet(header: list[str], rows: list[list[str]]) -> tuple[str, bytes]:
    out = io.BytesIO()
    whole = [row for row in rows if len(row) == len(header)]
    pl.DataFrame(whole, schema=dict.fromkeys(header, pl.String), orient="row").write_parquet(out)
    return ".parquet", out.getvalue()


WRITERS = st.sampled_from([_as_csv, _as_semicolons_in_windows_1252, _as_gzip, _as_workbook, _as_parquet])
MAGIC = st.sampled_from(
    [b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"PAR1", b"\xff\xfe", b"\xef\xbb\xbf", b"CHILD,MISSING,"]
)
ENDINGS = st.sampled_from([".csv", ".csv.gz", ".xlsx", ".parquet", ".txt", ""])
ANY_BYTES = st.tuples(ENDINGS, st.builds(bytes.__add__, MAGIC, st.binary(max_size=200)))


@st.composite
def tables_as_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A table in one of the formats."""
    return draw(WRITERS)(*draw(tables()))


@st.composite
def damaged_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file in one of the formats, cut off or with a byte changed."""
    ending, data = draw(tables_as_files())
    place = draw(st.integers(0, len(data) - 1))
    keep = draw(st.booleans())
    return ending, data[:place] + (draw(st.binary(min_size=1, max_size=1)) + data[place + 1 :] if keep else b"")


FILES = st.one_of(tables_as_files(), tables_as_files(), damaged_files(), ANY_BYTES)


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(FILES)
def test_any_file_is_understood_or_refused_in_a_sentence(file: tuple[str, bytes]) -> None:
    ending, data = file
    try:
        examined = examine(f"a{ending}", data, BOROUGH, NOW, "made")
    except RefusedFileError as refused:
        assert re.fullmatch(r"[^\n]+\.", str(refused))  # noqa: PT017 - a refusal is one of two good ends
        return
    table = examined.table
    assert table.rows_read >= examined.main.rows.height + examined.duplicates.len()
    assert table.row_numbers.is_sorted()
    assert not set(table.row_numbers) & set(table.ragged)
    assert examined.main.rows["row_number"].is_in(table.row_numbers.implode()).all()


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(tables(), WRITERS)
def test_no_refusal_and_no_finding_about_a_table_holds_a_cell(
    table: tuple[list[str], list[list[str]]], writer: object
) -> None:
    header, rows = table
    ending, data = writer(header, rows)  # type: ignore[operator]
    try:
        read = read_table(f"a{ending}", data)
        said = " ".join(found.sentence for found in find_identifiers(read.frame))
    except UnreadableFileError as error:
        said = str(error)
    assert not _marks(rows, said)


def _marks(rows: list[list[str]], text: str) -> list[str]:
    """Cells made of marks that stand in a text."""
    cells = {cell for row in rows for cell in row if len(cell) >= 6 and set(cell) <= set("QXZJKVWqxzjkvw")}
    return [cell for cell in cells if cell in text]


def _open_to_borough(home: Home) -> Iterator[str]:
    """Everything a borough or a log may be shown."""
    for path in [*home.receipts.rglob("*.json"), *home.quarantine.rglob("*.feedback.csv")]:
        yield path.read_text(encoding="utf-8")
    for path in home.quarantine.rglob("*.findings.parquet"):
        yield pl.read_parquet(path).write_csv()


def _adds_up(receipt: Receipt) -> bool:
    known = receipt.rows_accepted + receipt.rows_quarantined + receipt.rows_duplicate
    return receipt.rows_read == known and (receipt.status == "accepted") == (receipt.rows_read > 0)


@settings(max_examples=6, deadline=None, suppress_health_check=SLOW)
@given(st.lists(st.tuples(tables(), WRITERS), min_size=8, max_size=16), st.lists(FILES, min_size=4, max_size=12))
def test_whatever_lands_every_row_is_accounted_for_and_no_cell_is_told(
    written: list[tuple[tuple[list[str], list[list[str]]], object]], others: list[tuple[str, bytes]]
) -> None:
    files = [writer(*table) for table, writer in written] + others  # type: ignore[operator]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        for number, (ending, data) in enumerate(files):
            land(home, f"{number}{ending}", data)
        receipts = ingest(home, [BOROUGH], NOW)
        assert len(receipts) == len({data for _, data in files})
        assert all(map(_adds_up, receipts))
        assert not [r.reason for r in receipts if "internal error" in r.reason]
        told = "\n".join(_open_to_borough(home))
        assert told.count('"rules_key"') == len(receipts)
        assert not _marks([row for (_, rows), _ in written for row in rows], told)
        for receipt in receipts:
            for dataset, path in receipt.accepted.items():
                height = pl.read_parquet(home.root / path).height
                assert height == {receipt.dataset: receipt.rows_accepted, **receipt.also_accepted}[dataset]
