"""Opening workbooks: which sheet and rows are the table, what numbers and dates become, and what is never taken."""

import io
import re
import struct
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl.comments import Comment  # type: ignore[import-untyped]
from openpyxl.styles import NamedStyle  # type: ignore[import-untyped]

from pipelines.intake.read import Table, UnreadableFileError, read_table
from pipelines.intake.reading import screen
from tests.builders.workbooks import NAMESPACE, SHEET, with_parts, with_sheet, workbook_of

CELL = "Zacharias"
TABLE = [["Child", "Start"], ["1", "2"]]


def _is_known(cells: Sequence[str]) -> bool:
    return {"child", "start"} <= {cell.casefold() for cell in cells}


def _seen(table: Table) -> list[tuple[Any, ...]]:
    return [(number, *row) for number, row in zip(table.row_numbers, table.frame.iter_rows(), strict=True)]


def _read(*sheets: Sequence[Sequence[Any]], **how: Any) -> Table:
    return read_table("a.xlsx", workbook_of(*sheets, **how), _is_known)


def _refusal(data: bytes) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read_table("a.xlsx", data, _is_known)
    message = str(caught.value)
    assert re.fullmatch(r"[^\n]+\.", message)
    assert CELL.lower() not in message.lower()
    return message


def test_dates_times_and_numbers_become_text_without_invented_midnights() -> None:
    rows = [
        ["d", "t", "n", "s"],
        [date(2024, 1, 5), datetime(2024, 1, 5, 13, 45), 14, "007"],  # noqa: DTZ001 - a workbook has no zones
        [datetime(2024, 1, 6), None, 12.5, None],  # noqa: DTZ001 - as above
        [None, None, None, None],
        ["2024-01-07", datetime(2024, 7, 1, 0, 1), 0, " x "],  # noqa: DTZ001 - as above
        [date(1900, 3, 1), time(13, 45), True, False],
    ]
    assert _seen(read_table("a.xlsx", workbook_of(rows))) == [
        (2, "2024-01-05", "2024-01-05 13:45:00", "14", "007"),
        (3, "2024-01-06", None, "12.5", None),
        (5, "2024-01-07", "2024-07-01 00:01:00", "0", "x"),
        (6, "1900-03-01", "13:45:00", "true", "false"),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("45234.84375", "45234.84375"),
        ("45234.833333333336", "45234.833333333336"),
        ("45234.843749999", "45234.843749999"),
        ("14.0", "14"),
        ("1.4E1", "14"),
        ("-0.5", "-0.5"),
        ("1234567890", "1234567890"),
        ("1.23456789E9", "1234567890"),
        ("1E-7", "0.0000001"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("999999999999999", "999999999999999"),
    ],
)
def test_a_number_keeps_its_digits_and_has_no_exponent(written: str, read: str) -> None:
    table = read_table("a.xlsx", with_sheet(f'<row><c t="str"><v>a</v></c></row><row><c><v>{written}</v></c></row>'))
    assert (_seen(table), table.notes) == ([(2, read)], ())


def test_numbers_that_excel_rounded_are_noted() -> None:
    table = read_table("a.xlsx", with_sheet("<row><c><v>1</v></c></row><row><c><v>1.2345678901234567E19</v></c></row>"))
    assert _seen(table) == [(2, "12345678901234567000")]
    assert "rounded by Excel" in table.notes[0]


@pytest.mark.parametrize(
    ("serial", "text"),
    [
        ("61", "1900-03-01"),
        ("60", "1900-02-28"),  # Excel's 29 February 1900
        ("45234.833333333336", "2023-11-04 20:00:00"),
        ("45234.843749999", "2023-11-04 20:15:00"),
        ("45234.999999999", "2023-11-05"),
        ("45234.00000005", "2023-11-04 00:00:00.004"),
        ("2958465.9999", "9999-12-31 23:59:51.360"),
        ("2958466", "#VALUE!"),
        ("0.5", "12:00:00"),
        ("0.99999999999", "1900-01-01"),
        ("0", "00:00:00"),
        ("1", "1900-01-01"),
        ("-1", "1899-12-29"),
    ],
)
def test_serial_numbers_are_dates_only_where_the_cell_shows_one(serial: str, text: str) -> None:
    def dated(workbook: Any) -> None:
        workbook.add_named_style(NamedStyle("dated", number_format="dd/mm/yyyy hh:mm"))
        workbook.active["A2"].style = "dated"

    data = workbook_of([["a", "b"], [float(serial), float(serial)]], edit=dated)
    assert read_table("a.xlsx", data).frame["a"].to_list() == [text]
    assert read_table("a.xlsx", data).frame["b"].str.contains(r"^-?\d+(\.\d+)?$").all()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("dd/mm/yyyy", "2023-11-04 12:00:00"),
        ("[$-809]dd mmmm yyyy;@", "2023-11-04 12:00:00"),
        ("h:mm AM/PM", "2023-11-04 12:00:00"),
        ('yyyy"-"mm', "2023-11-04 12:00:00"),
        ("[h]:mm:ss", "45234.5"),  # a length of time
        ("[Red]0.00", "45234.5"),
        ('0 "days"', "45234.5"),
        (r"0\d", "45234.5"),
        ("#,##0 [$GBP-809]", "45234.5"),
        ("General", "45234.5"),
        ("0.00E+00", "45234.5"),
        ("@", "45234.5"),
    ],
)
def test_formats_that_show_a_date(code: str, text: str) -> None:
    def formatted(workbook: Any) -> None:
        workbook.active["A2"].number_format = code

    assert _seen(read_table("a.xlsx", workbook_of([["a"], [45234.5]], edit=formatted))) == [(2, text)]


def test_rows_are_numbered_and_columns_lettered_from_the_corner_of_the_sheet() -> None:
    table = read_table(
        "a.xlsx", workbook_of([["a", "b"], [1, None], [None, None], [3, 4]], first_row=3, first_column=2)
    )
    assert (table.header, _seen(table)) == (["a", "b"], [(4, "1", None), (6, "3", "4")])
    assert (table.first_column, table.letter("a"), table.letter("b"), table.letter("c")) == (1, "B", "C", "")


def test_the_sheet_whose_header_is_known_is_read_and_the_cells_of_the_others_are_kept_in_sight() -> None:
    notes = [["Contact"], [None, "0161 000 0000"], [45000, True]]
    table = _read([], notes, [["Report of May"], [], *TABLE], [[None, "x"]])
    assert (table.header, _seen(table)) == (["Child", "Start"], [(4, "1", "2")])
    assert [other.columns for other in table.others] == [["A", "B"], ["B"]]
    assert table.others[0].rows() == [("Contact", None), (None, "0161 000 0000"), ("45000", "true")]


def test_of_another_sheet_only_the_first_ten_thousand_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.intake.reading.workbook._OTHER_ROWS", 3)
    assert _read(TABLE, [[n] for n in range(9)]).others[0].rows() == [("0",), ("1",), ("2",)]


def test_two_sheets_that_could_be_meant_are_refused_by_their_numbers() -> None:
    def name(workbook: Any) -> None:
        workbook.worksheets[2].title = CELL

    assert "Sheets 1 and 3 each hold" in _refusal(workbook_of(TABLE, [["x"]], TABLE, edit=name))


def test_without_a_known_header_the_first_sheet_with_cells_is_read() -> None:
    assert _read([], [["x", "y"], [1, 2]], [["z"], [3]]).header == ["x", "y"]


def test_merged_header_cells_name_their_columns() -> None:
    rows = [["Episodes"], ["Child", "When", None, "Sex"], [None, "Start", "End", None], ["1", "2", "3", "F"]]

    def merge(workbook: Any) -> None:
        for cells in ("A2:A3", "B2:C2", "D2:D3"):
            workbook.active.merge_cells(cells)

    table = _read(rows, edit=merge)
    assert (table.header, _seen(table)) == (["Child", "Start", "End", "Sex"], [(4, "1", "2", "3", "F")])
    assert table.notes == ()


def test_merged_cells_below_the_header_are_noted() -> None:
    table = _read(
        [["Child", "Start"], ["1", "2"], [None, "3"]], edit=lambda workbook: workbook.active.merge_cells("A2:A3")
    )
    assert _seen(table) == [(2, "1", "2"), (3, None, "3")]
    assert "merged cells below the header" in table.notes[0]


def test_hidden_sheets_rows_and_columns_are_read_like_others() -> None:
    def hide(workbook: Any) -> None:
        workbook.worksheets[1].sheet_state = "hidden"
        workbook.worksheets[1].row_dimensions[2].hidden = True
        workbook.worksheets[1].column_dimensions["B"].hidden = True

    assert _seen(_read([["x"]], TABLE, edit=hide)) == [(2, "1", "2")]


def test_cells_that_do_not_say_their_place_follow_one_another() -> None:
    rows = (
        '<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><r><t>b</t></r>\n<r><t xml:space="preserve"> c'
        "</t></r></is></c></row><row><c/><c><v>1</v></c></row>"
        '<row r="5"><c><v>2</v></c><c r="B5"><v> 3 </v></c></row>'
        '<row><c r="A6" t="d"><v>2024-01-05T00:00:00</v></c></row>'
    )
    table = read_table("a.xlsx", with_sheet(rows))
    assert (table.header, _seen(table)) == (["a", "b c"], [(2, None, "1"), (5, "2", "3"), (6, "2024-01-05", None)])


def test_names_of_elements_may_have_a_prefix() -> None:
    """As the .NET library writes them."""
    data = workbook_of([["Child"], ["x"]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        plain = archive.read(SHEET).decode()
    prefixed = re.sub(r"<(/?)(\w)", r"<\1x:\2", plain).replace("xmlns=", "xmlns:x=")
    assert "<x:sheetData>" in prefixed
    assert _seen(read_table("a.xlsx", with_parts(data, {SHEET: prefixed}))) == [(2, "x")]


def _with_shared_texts(texts: str, rows: str) -> bytes:
    """A workbook whose cells name texts by number; openpyxl writes them into the cells."""
    relationship = '<Relationship Id="texts" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    data = with_sheet(rows)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        related = archive.read("xl/_rels/workbook.xml.rels").decode().replace("</Relationships>", relationship)
        kinds = archive.read("[Content_Types].xml").decode().replace("</Types>", override)
    return with_parts(
        data,
        {
            "xl/_rels/workbook.xml.rels": related,
            "[Content_Types].xml": kinds,
            "xl/sharedStrings.xml": f'<sst xmlns="{NAMESPACE}">{texts}</sst>',
        },
    )


def test_shared_texts_are_joined_from_their_runs_without_phonetic_guides_and_unescaped() -> None:
    texts = (
        "<si><t>a</t></si>\n<si><r><t>one</t></r>\n<r><t>_x0041_</t></r><rPh sb='0' eb='1'><t>no</t></rPh></si>"
        "<si><t>_xD800_&lt;&#233;</t></si>"
    )
    rows = "".join(f'<row><c t="s"><v>{n}</v></c></row>' for n in (0, 1, 2, 1))
    table = read_table("a.xlsx", _with_shared_texts(texts, rows))
    assert _seen(table) == [(2, "oneA"), (3, "\ufffd<é"), (4, "oneA")]


def test_a_sheet_that_claims_all_cells_but_holds_few_is_read_at_once() -> None:
    data = with_parts(
        workbook_of([["x"]]),
        {
            SHEET: f'<worksheet xmlns="{NAMESPACE}"><dimension ref="A1:XFD1048576"/><sheetData><row r="1">'
            '<c r="A1" t="str"><v>a</v></c>'
            '<c r="XFD1" s="0"/></row><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData></worksheet>'
        },
    )
    assert _seen(read_table("a.xlsx", data)) == [(1_048_576, "1")]


def _formulas(workbook: Any) -> None:
    workbook.worksheets[0]["B2"].data_type = "f"
    workbook.worksheets[0]["B2"].value = "=1+1"


def _comments(workbook: Any) -> None:
    workbook.active["A1"].comment = Comment(CELL, CELL)


def _link(workbook: Any) -> None:
    workbook.active["A2"].hyperlink = f"mailto:{CELL}@example.org"


def _from_1904(workbook: Any) -> None:
    workbook.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - a workbook has no zones


def _lying_about_sizes(data: bytes) -> bytes:
    """Say in the directory that each part unpacks to nothing."""
    out = bytearray(data)
    for found in re.finditer(rb"PK\x01\x02", data):
        out[found.start() + 24 : found.start() + 28] = struct.pack("<I", 0)
    return bytes(out)


def _encrypted(data: bytes) -> bytes:
    out = bytearray(data)
    for found in re.finditer(rb"PK\x01\x02", data):
        out[found.start() + 8] |= 1
    return bytes(out)


def _with_number_format(code: str) -> bytes:
    return workbook_of(TABLE, edit=lambda workbook: setattr(workbook.active["A2"], "number_format", code))


def _part(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def _with_styles_elsewhere() -> bytes:
    name = "xl/_rels/workbook.xml.rels"
    return with_parts(
        GOOD, {name: _part(GOOD, name).replace("styles.xml", "other.xml"), "xl/other.xml": _part(GOOD, "xl/styles.xml")}
    )


def _with_print_area(area: str) -> bytes:
    name = f'<definedNames><definedName name="_xlnm.Print_Area" localSheetId="0">{area}</definedName></definedNames>'
    workbook = re.sub("<definedNames ?/>", "", _part(GOOD, "xl/workbook.xml"))
    return with_parts(GOOD, {"xl/workbook.xml": workbook.replace("</sheets>", f"</sheets>{name}")})


GOOD = workbook_of(TABLE)
ONE = '<row><c t="str"><v>a</v></c></row>'
NAMED, NAMED_1 = (f'<row><c t="s"><v>{n}</v></c></row>' for n in (0, 1))
BINARY = '<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>'
DRAWING = f'<xdr:wsDr xmlns:xdr="x" xmlns:a="y"><a:t>{CELL}</a:t></xdr:wsDr>'
REFUSED: dict[str, tuple[bytes, str]] = {
    "formulas": (workbook_of(TABLE, edit=_formulas), "the first is cell B2"),
    "comments": (workbook_of(TABLE, edit=_comments), "comments or notes"),
    "links behind cells": (workbook_of(TABLE, edit=_link), "links behind its cells"),
    "dates from 1904": (workbook_of(TABLE, edit=_from_1904), "from 1904"),
    "macros": (with_parts(GOOD, {"xl/vbaProject.bin": CELL}), "holds macros"),
    "other workbooks": (with_parts(GOOD, {"xl/externalLinks/externalLink1.xml": CELL}), "links to other workbooks"),
    "pivot table": (with_parts(GOOD, {"xl/pivotCache/pivotCacheRecords1.xml": CELL}), "pivot table"),
    "documents inside": (with_parts(GOOD, {"xl/embeddings/oleObject1.bin": CELL}), "other documents inside"),
    "text boxes": (with_parts(GOOD, {"xl/drawings/drawing1.xml": DRAWING}), "text boxes"),
    "binary": (with_parts(GOOD, {"_rels/.rels": BINARY}), "binary workbook"),
    "no workbook": (with_parts(GOOD, {"xl/workbook.xml": None}), "damaged or protected"),
    "no relationships": (with_parts(GOOD, {"_rels/.rels": None}), "damaged or protected"),
    "no sheet": (with_parts(GOOD, {SHEET: None}), "damaged or protected"),
    "no such text among them": (_with_shared_texts("<si><t>a</t></si>", NAMED + NAMED_1), "damaged or protected"),
    "one text very often": (_with_shared_texts(f"<si><t>{'x' * 30_000}</t></si>", ONE + NAMED * 9_500), "MiB of text"),
    "not XML": (with_parts(GOOD, {SHEET: f'<worksheet xmlns="{NAMESPACE}">{CELL}'}), "damaged or protected"),
    "entities": (
        with_sheet('<row><c t="str"><v>&a;</v></c></row>', f'<!DOCTYPE x [<!ENTITY a "{CELL}">]>'),
        "damaged or protected",
    ),
    "entity from a file": (
        with_sheet('<row><c t="str"><v>&a;</v></c></row>', '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'),
        "damaged or protected",
    ),
    "lying sizes": (_lying_about_sizes(GOOD), "damaged or protected"),
    "encrypted parts": (_encrypted(GOOD), "damaged or protected"),
    "too many parts": (with_parts(GOOD, {f"x{n}": "" for n in range(5_001)}), "more than 5,000 parts"),
    "too many sheets": (workbook_of(*[[["x"]]] * 101), "more than 100 sheets"),
    "a full sheet's width": (with_sheet("<row>" + "<c><v>1</v></c>" * 16_384 + "</row>"), "beyond column SF"),
    "the last cell": (with_sheet(ONE + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "beyond column SF"),
    "too many columns": (workbook_of([[f"c{n}" for n in range(501)], [1]]), "beyond column SF"),
    "a row too far": (with_sheet(ONE + '<row><c r="A1048577"><v>1</v></c></row>'), "damaged or protected"),
    "no such cell": (with_sheet(ONE + f'<row><c r="{CELL}"><v>1</v></c></row>'), "damaged or protected"),
    "no such row": (with_sheet(ONE + f'<row r="{CELL}"><c><v>1</v></c></row>'), "damaged or protected"),
    "a cell twice": (with_sheet(ONE + '<row><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'), "damaged"),
    "a row before the one above": (
        with_sheet(ONE + '<row r="3"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>'),
        "damaged",
    ),
    "a row twice": (with_sheet(ONE + '<row r="1"><c><v>2</v></c></row>'), "damaged"),
    "a cell before the one on its left": (
        with_sheet('<row><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>'),
        "damaged",
    ),
    "a cell of another row": (with_sheet(ONE + '<row r="2"><c r="A12"><v>1</v></c></row>'), "damaged"),
    "rows in rows": (with_sheet('<row r="1"><row r="2"><c><v>1</v></c></row></row>'), "damaged"),
    "rows in two places": (with_sheet(ONE + '</sheetData><sheetData><row r="2"/>'), "damaged"),
    "cut off after a row": (
        with_parts(GOOD, {SHEET: f'<worksheet xmlns="{NAMESPACE}"><sheetData>{ONE}<row><c><v>1</v></c></row>'}),
        "damaged",
    ),
    "another kind of XLSX": (
        with_parts(GOOD, {SHEET: '<worksheet xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'}),
        "not of the usual kind",
    ),
    "styles elsewhere": (_with_styles_elsewhere(), "damaged or protected"),
    "an endless number format": (_with_number_format("[" * 256), "damaged or protected"),
    "no such style": (with_parts(GOOD, {"xl/styles.xml": "<styleSheet"}), "damaged or protected"),
    "an endless print area": (_with_print_area("'" * 8_001), "more cells, texts or formats"),
    "no such type": (with_sheet(ONE + f'<row><c t="{CELL}"><v>1</v></c></row>'), "damaged or protected"),
    "no number": (with_sheet(ONE + f"<row><c><v>{CELL}</v></c></row>"), "damaged or protected"),
    "infinite": (with_sheet(ONE + "<row><c><v>1e999</v></c></row>"), "damaged or protected"),
    "no such text": (with_sheet(ONE + '<row><c t="s"><v>7</v></c></row>'), "damaged or protected"),
    "a text too long": (with_sheet(ONE + f'<row><c t="str"><v>{CELL * 4_000}</v></c></row>'), "more than 32,767"),
    "a text in very many runs": (
        with_sheet("<row><c t='inlineStr'><is>" + "<r><t>xxxx</t></r>" * 9_000 + "</is></c></row>"),
        "more than 32,767",
    ),
    "an endless text": (with_sheet(ONE + f'<row><c t="str"><v>\n{CELL * 100_000}</v></c></row>'), "more than 32,767"),
    "depth": (with_sheet("<row>" * 100_000), "damaged or protected"),
    "a tag too long": (with_sheet(f'<row r="{"1" * (3 << 20)}"/>'), "damaged or protected"),
    "a name twice": (workbook_of([["Child", "Start", " child "], ["1", "2", "3"]]), r"twice (column C)"),
    "a name twice by merging": (
        workbook_of([["Child", None], [None, "Child"], ["1", "2"]], first_column=3),
        "no name in the header",
    ),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_a_plain_table_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    assert says in _refusal(data)


def test_formulas_on_another_sheet_do_no_harm() -> None:
    def formula(workbook: Any) -> None:
        workbook.worksheets[1]["A1"].data_type = "f"
        workbook.worksheets[1]["A1"].value = "=1+1"

    assert _seen(_read(TABLE, [["x"]], edit=formula)) == [(2, "1", "2")]


def test_settings_behind_the_last_row_that_the_library_does_not_know_do_no_harm() -> None:
    strange = '<pageMargins left="wide"/><pageSetup orientation="sideways"/>'
    sheet = re.sub("<pageMargins[^>]*>", strange, _part(GOOD, SHEET))
    assert "sideways" in sheet
    assert _seen(read_table("a.xlsx", with_parts(GOOD, {SHEET: sheet}))) == [(2, "1", "2")]


def test_formats_and_print_areas_up_to_the_limit_do_no_harm() -> None:
    assert _seen(read_table("a.xlsx", _with_number_format("0" * 255))) == [(2, "1", "2")]
    assert _seen(read_table("a.xlsx", _with_print_area("'a'!$A$1:" + "$" * 300))) == [(2, "1", "2")]


def test_a_workbook_without_styles_is_read() -> None:
    name = "xl/_rels/workbook.xml.rels"
    related = re.sub('<Relationship [^>]*styles.xml"[^>]*>', "", _part(GOOD, name))
    assert "styles.xml" not in related
    assert _seen(read_table("a.xlsx", with_parts(GOOD, {name: related, "xl/styles.xml": None}))) == [(2, "1", "2")]


@pytest.mark.parametrize(("limit", "most"), [("_MOST_OTHER_ELEMENTS", 50), ("_MOST_OTHER_ATTRIBUTES", 50)])
def test_what_the_library_reads_whole_is_counted(limit: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, limit, most)
    assert "more cells, texts or formats than can be read" in _refusal(GOOD)


def test_a_drawing_without_text_does_no_harm() -> None:
    picture = with_parts(GOOD, {"xl/drawings/drawing1.xml": '<xdr:wsDr xmlns:xdr="x"><xdr:pic/></xdr:wsDr>'})
    assert _seen(read_table("a.xlsx", picture)) == [(2, "1", "2")]


def test_parts_are_counted_as_they_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_parts(GOOD, {"xl/media/image1.png": bytes(5_000_000)})
    assert len(data) < 20_000
    assert read_table("a.xlsx", data).rows_read == 1
    monkeypatch.setattr("pipelines.intake.reading.parts.MOST_BYTES", 5_000_000)
    assert "unpacks to more than" in _refusal(data)


def test_cells_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_sheet(ONE + "<row><c><v>1</v></c>" + "<c/>" * 98 + "</row>")
    monkeypatch.setattr(screen, "_MOST_CELLS", 100)
    assert read_table("a.xlsx", data).rows_read == 1
    monkeypatch.setattr(screen, "_MOST_CELLS", 99)
    assert "more than 99 cells" in _refusal(data)


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        ("_MOST_ELEMENTS", 106),  # 8 and the 98 blank cells
        ("_MOST_AT_ONCE", 100),  # the second row
        ("_MOST_ATTRIBUTES", 2),
        ("_MOST_ROW_ATTRIBUTES", 2),
    ],
)
def test_what_the_library_holds_in_memory_is_counted(limit: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_sheet(ONE + '<row a="1" b="2"><c><v>1</v></c>' + "<c/>" * 98 + "</row>")
    monkeypatch.setattr(screen, limit, most)
    assert read_table("a.xlsx", data).rows_read == 1
    monkeypatch.setattr(screen, limit, most - 1)
    assert "more cells, texts or formats than can be read" in _refusal(data)


def test_cells_come_in_steps_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["Child", "Start"], *([f"child {n}", n] for n in range(200))]
    whole = _seen(_read(rows))
    monkeypatch.setattr("pipelines.intake.reading.sheet._ROWS_AT_ONCE", 7)
    monkeypatch.setattr("pipelines.intake.reading.parts._STEP", 101)
    assert _seen(_read(rows)) == whole
    assert len(whole) == 200
