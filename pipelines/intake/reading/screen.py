"""What is counted in a workbook before the library opens it.

The library keeps in memory, or passes over, what no spreadsheet holds: a row of millions of cells, cells out of order.
So every part is gone through once beforehand, and the library only gets what it reads whole and in bounded time and
memory. Knows how sheets are built, not what their cells mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.intake.reading.parts import Package, Screen, damaged, show
from pipelines.intake.reading.table import MOST_COLUMNS, MOST_ROWS, UnreadableFileError, column_letter

# The library takes six microseconds a cell, and up to twenty for a text written into its cell.
_MOST_CELLS = 1_500_000
_MOST_ELEMENTS = 4_000_000
# What is in memory at once: a row, a stored text, or all before the first row.
_MOST_AT_ONCE = 100_000
_MOST_ATTRIBUTES = 64
_MOST_ROW_ATTRIBUTES = 2_500_000
# The library reads the other parts (styles, the list of sheets, properties) as a whole.
_MOST_OTHER_ELEMENTS = 200_000
_MOST_OTHER_ATTRIBUTES = 2_000_000
_MOST_OTHER_TEXT = 16 << 20
# The library takes time that grows with the square of these. Excel's own limit of a format is 255.
_LONGEST_FORMAT = 255
_MOST_PRINT_AREAS = 8_000
_READ_WHOLE = ("xl/styles.xml", "docProps/core.xml", "docProps/custom.xml", "[Content_Types].xml")

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
_WORKSHEET, _TEXTS, _TEXT = _MAIN + "worksheet", _MAIN + "sst", _MAIN + "si"
_ROWS, _ROW, _CELL, _FORMULA = _MAIN + "sheetData", _MAIN + "row", _MAIN + "c", _MAIN + "f"
_MERGED, _NUMBER_FORMAT, _DEFINED_NAME = _MAIN + "mergeCell", _MAIN + "numFmt", _MAIN + "definedName"
_FILLS = frozenset([_MAIN + "v", _MAIN + "is"])
_ROW_DEPTH, _CELL_DEPTH, _TEXT_DEPTH = 3, 4, 6
_TYPES = frozenset([None, "n", "s", "b", "d", "str", "inlineStr", "e"])
_ROW_NUMBER = re.compile(r"[1-9][0-9]{0,6}")
_LAST_ROW = re.compile(r"[A-Z]([0-9]{1,7})$")

# Letters of a column, sorted as columns are: by their number first.
_Place = tuple[int, str]
_MOST_LETTERS = column_letter(MOST_COLUMNS - 1)


@dataclass
class Outline:
    """What a sheet holds: its last row, letters of the last filled column, its first formula, its last merged row."""

    last_row: int = 0
    last_column: str = ""
    formula: str = ""
    merged_to: int = 0


def outlines(package: Package, sheets: list[str], texts: str) -> dict[str, Outline]:
    """Go through all parts of a workbook and return what its sheets hold.

    Args:
        package: the workbook.
        sheets: names of the parts that are sheets.
        texts: name of the part of the texts that cells name by number, if there is one.

    Raises:
        UnreadableFileError: more in it than can be read, or not as a spreadsheet would have it.
    """
    if len({*sheets, texts, *_READ_WHOLE}) < len(sheets) + 1 + len(_READ_WHOLE) or not package.names.issuperset(sheets):
        raise damaged()
    found = {sheet: Outline() for sheet in sheets}
    other = _OtherScreen()
    begun = 0
    for name in sorted(package.names):
        screen: Screen = other
        root = ""
        if name in found:
            screen, root = _SheetScreen(found[name], _MOST_ELEMENTS - begun), _WORKSHEET
        elif name == texts:
            screen, root = _TextsScreen(_MOST_ELEMENTS - begun), _TEXTS
        is_xml = show(package.pieces(name), _rooted(screen, root))
        if root and not is_xml:
            raise damaged()
        begun += 0 if screen is other else screen.begun
        other.depth = 0
    return found


def _rooted(screen: Screen, root: str) -> Callable[[str], Screen]:
    """Return the screen for a part whose root is the one named (any where none is)."""

    def screen_for(name: str) -> Screen:
        if root and name != root:
            msg = "The workbook is not of the usual kind of .xlsx; save it as Excel Workbook (.xlsx) or as CSV."
            raise UnreadableFileError(msg)
        return screen

    return screen_for


def _too_much() -> UnreadableFileError:
    msg = (
        "The workbook has more cells, texts or formats than can be read; "
        "save the sheet with the table as CSV and send that."
    )
    return UnreadableFileError(msg)


class _SheetScreen(Screen):
    """Lets rows and cells pass in order only, each with its place or next to the one before."""

    def __init__(self, outline: Outline, most: int) -> None:
        self._outline = outline
        self._most = most
        self._stop = min(most, _MOST_AT_ONCE)
        self._in_rows = False
        self._row = ""
        self._last: _Place = (0, "")
        self._furthest: _Place = (0, "")
        self._cells = self._row_attributes = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.begun += 1
        self.depth = depth = self.depth + 1
        if self.begun > self._stop or len(attributes) > _MOST_ATTRIBUTES:
            raise _too_much()
        if not self._in_rows or depth < _ROW_DEPTH:
            self._start_outside(name, attributes, depth)
        elif depth == _CELL_DEPTH:
            self._start_cell(name, attributes)
        elif depth == _ROW_DEPTH:
            self._start_row(name, attributes)
        elif name in _FILLS:
            self._fill()
        elif name == _FORMULA:
            self._outline.formula = self._outline.formula or f"{self._last[1]}{self._row}"
        elif depth > _TEXT_DEPTH:
            # The runs of a text take the library twice as long as other elements.
            self.begun += 1

    def _start_outside(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        if name == _ROWS:
            if self._in_rows or self._row or depth != _ROW_DEPTH - 1:
                raise damaged()
            self._in_rows = True
        elif self._in_rows:
            # The library stops at the last row.
            self._in_rows, self._stop = False, self._most
        if name == _MERGED:
            last = _LAST_ROW.search(attributes.get("ref", ""))
            self._outline.merged_to = max(self._outline.merged_to, int(last[1]) if last else 0)

    def _start_row(self, name: str, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r") or str(self._outline.last_row + 1)
        if name != _ROW or not _ROW_NUMBER.fullmatch(number) or not self._outline.last_row < int(number) <= MOST_ROWS:
            raise damaged()
        self._row, self._outline.last_row, self._last = number, int(number), (0, "")
        self._stop = min(self._most, self.begun + _MOST_AT_ONCE)
        self._row_attributes += len(attributes)
        if self._row_attributes > _MOST_ROW_ATTRIBUTES:
            raise _too_much()

    def _start_cell(self, name: str, attributes: Mapping[str, str]) -> None:
        reference = attributes.get("r")
        letters = reference.removesuffix(self._row) if reference else _after(self._last[1])
        place = (len(letters), letters)
        ordered = letters.isalpha() and letters.isupper() and self._last < place <= (3, "XFD")
        if name != _CELL or not ordered or attributes.get("t") not in _TYPES:
            raise damaged()
        self._last = place
        self._cells += 1
        if self._cells > _MOST_CELLS:
            msg = f"A sheet of the workbook has more than {_MOST_CELLS:,} cells; save it as CSV and send that."
            raise UnreadableFileError(msg)

    def _fill(self) -> None:
        if self._last > self._furthest:
            self._furthest, self._outline.last_column = self._last, self._last[1]
            if self._last > (len(_MOST_LETTERS), _MOST_LETTERS):
                msg = (
                    f"A sheet has cells beyond column {_MOST_LETTERS} (the first in row {self._row}); "
                    "delete what stands there or save the table as CSV."
                )
                raise UnreadableFileError(msg)


def _after(letters: str) -> str:
    """Letters of the next column."""
    from openpyxl.utils import column_index_from_string

    return column_letter(column_index_from_string(letters) if letters else 0)


class _TextsScreen(Screen):
    """Counts the texts that cells name by number; each takes the library twice as long as an element of a sheet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stop = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.begun += 2
        self.depth += 1
        if self.depth <= _ROW_DEPTH - 1:
            if self.depth > 1 and name != _TEXT:
                raise damaged()
            self._stop = min(self._most, self.begun + _MOST_AT_ONCE)
        if self.begun > self._stop or len(attributes) > _MOST_ATTRIBUTES:
            raise _too_much()


class _OtherScreen(Screen):
    """Counts what is in all other parts together."""

    def __init__(self) -> None:
        self._attributes = self._text = self._print_areas = 0
        self._in_print_area = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.begun += 1
        self.depth += 1
        self._attributes += len(attributes)
        self._in_print_area = name == _DEFINED_NAME and attributes.get("name", "").startswith("_xlnm.Print")
        if self.begun > _MOST_OTHER_ELEMENTS or self._attributes > _MOST_OTHER_ATTRIBUTES:
            raise _too_much()
        if name == _NUMBER_FORMAT and len(attributes.get("formatCode", "")) > _LONGEST_FORMAT:
            raise damaged()

    def characters(self, text: str) -> None:
        self._text += len(text)
        self._print_areas += len(text) if self._in_print_area else 0
        if self._text > _MOST_OTHER_TEXT or self._print_areas > _MOST_PRINT_AREAS:
            raise _too_much()
