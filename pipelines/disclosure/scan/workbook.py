"""Public workbooks: every part of the file inside the XLSX, not only what a spreadsheet shows.

Sheets may hold texts and numbers that are published, and nothing else: no hidden sheet, row or column, no formula, no
comment, no defined name but print titles, no cache, no author. A part that is not listed is a finding.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values

Fault = tuple[str, str]
_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(?:core|app)\.xml|xl/(?:workbook|sharedStrings|styles)\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/theme/theme\d+\.xml|xl/worksheets/sheet\d+\.xml"
    r"|xl/worksheets/_rels/sheet\d+\.xml\.rels|xl/tables/table\d+\.xml"
)
_SHEET = re.compile(r"xl/worksheets/(sheet\d+)\.xml")
_PRINT = "_xlnm.Print_"
_PERSON = frozenset({"creator", "lastModifiedBy", "Manager", "Company"})
_UNTOLD = frozenset({"created", "modified", "Application", "AppVersion", "DocSecurity", "revision", "version"})
_MOST_BYTES = 200 << 20
_YES = frozenset({"1", "true"})
# Parts of a sheet that a reader does not see at once, or not at all.
_UNSEEN = frozenset(
    {
        "oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter", "dataValidation",
        "conditionalFormatting", "legacyDrawing", "drawing", "oleObject", "extLst",
    }
)  # fmt: skip


class WorkbookReader:
    """Judges workbooks."""

    def __init__(self, reader: TextReader, values: Values) -> None:
        """Take how texts are judged, and every published number of the folder."""
        self._text = reader
        self._values = values

    def faults(self, path: Path) -> list[Fault]:
        """Name every fault with the part, or the sheet and cell, in which it is."""
        try:
            with zipfile.ZipFile(path) as book:
                if sum(info.file_size for info in book.infolist()) > _MOST_BYTES or book.comment:
                    return [("workbook", "file")]
                return list(self._book(book))
        except (zipfile.BadZipFile, ET.ParseError, LookupError, ValueError):
            return [("workbook", "file")]

    def _book(self, book: zipfile.ZipFile) -> Iterator[Fault]:
        names = [info.filename for info in book.infolist()]
        for name in names:
            if not _PARTS.fullmatch(name):
                yield name, "metadata"
        shared = self._shared(book) if "xl/sharedStrings.xml" in names else []
        used: set[int] = set()
        for name in names:
            if name.startswith("docProps/"):
                yield from self._properties(name, _parse(book, name))
            elif name == "xl/workbook.xml":
                yield from self._contents(_parse(book, name))
            elif name.startswith("xl/tables/"):
                yield from self._table(name, _parse(book, name))
            elif sheet := _SHEET.fullmatch(name):
                yield from self._sheet(sheet.group(1), _parse(book, name), shared, used)
        for place in range(len(shared)):
            if place not in used:
                yield f"xl/sharedStrings.xml {place}", "hidden"

    def _shared(self, book: zipfile.ZipFile) -> list[str]:
        return ["".join(one.itertext()) for one in _parse(book, "xl/sharedStrings.xml")]

    def _properties(self, name: str, root: ET.Element) -> Iterator[Fault]:
        for node in root.iter():
            own = _bare(node.tag)
            text = (node.text or "").strip()
            if own in _PERSON and text:
                yield f"{name} {own}", "metadata"
            elif own not in _UNTOLD and text:
                yield from ((f"{name} {own}", rule) for rule in self._text.faults(text, self._values, constants=True))

    def _contents(self, root: ET.Element) -> Iterator[Fault]:
        for node in root.iter():
            own = _bare(node.tag)
            if own == "sheet":
                if node.get("state", "visible") != "visible":
                    yield "xl/workbook.xml sheet", "hidden"
                yield from (
                    ("xl/workbook.xml sheet", rule) for rule in self._text.faults(node.get("name", ""), Values())
                )
            elif own == "definedName" and not node.get("name", "").startswith(_PRINT):
                yield "xl/workbook.xml definedName", "hidden"
            elif own in {"externalReference", "pivotCache", "customWorkbookView"}:
                yield f"xl/workbook.xml {own}", "hidden"

    def _table(self, name: str, root: ET.Element) -> Iterator[Fault]:
        for node in root.iter():
            if _bare(node.tag) in {"calculatedColumnFormula", "totalsRowFormula"}:
                yield name, "formula"
            for text in (node.get("name"), node.get("displayName"), node.get("totalsRowLabel")):
                if text and _bare(node.tag) == "tableColumn":
                    yield from ((name, rule) for rule in self._text.faults(text, Values()))
                    yield from ((name, rule) for rule in self._text.name_faults(text))

    def _sheet(self, name: str, root: ET.Element, shared: list[str], used: set[int]) -> Iterator[Fault]:
        for node in root.iter():
            own = _bare(node.tag)
            if own in _UNSEEN or (own in {"row", "col"} and {node.get("hidden"), node.get("collapsed")} & _YES):
                yield f"{name} {own}", "hidden"
            if own == "row":
                yield from self._row(name, node, shared, used)

    def _row(self, sheet: str, row: ET.Element, shared: list[str], used: set[int]) -> Iterator[Fault]:
        """The cells of a row; where the first text in it names an area or a period, they must be of its figures."""
        texts = {cell: _text(cell, shared, used) for cell in row if _bare(cell.tag) == "c"}
        own = self._values.of_row(next((text for text in texts.values() if text is not None), ""))
        for cell, text in texts.items():
            where = f"{sheet} {cell.get('r', '?')}"
            if any(_bare(part.tag) == "f" for part in cell):
                yield where, "formula"
            if text is not None:
                yield from ((where, rule) for rule in self._text.faults(text, own))
            elif not _is_number(cell, own):
                yield where, "number"


def _text(cell: ET.Element, shared: list[str], used: set[int]) -> str | None:
    """The text of a cell; None where it holds a number or nothing."""
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(cell.itertext())
    if kind == "s":
        place = int(_value(cell))
        used.add(place)
        return shared[place]
    return None


def _is_number(cell: ET.Element, values: Values) -> bool:
    value = _value(cell)
    try:
        return value == "" or float(value) in values.numbers
    except ValueError:
        return False


def _value(cell: ET.Element) -> str:
    return next((part.text or "" for part in cell if _bare(part.tag) == "v"), "")


def _parse(book: zipfile.ZipFile, name: str) -> ET.Element:
    raw = book.read(name)
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw or b"<!--" in raw:
        msg = "a part with a comment or an entity"
        raise ValueError(msg)
    return ET.fromstring(raw)  # noqa: S314 - entities are refused above


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
