"""Reading a demonstration's files without the pipeline's reader, for tests of the generator.

Every file comes out as its layout writes it: text, one name for each column, dates in one spelling, whatever its
container, encoding, delimiter or form of dates.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import polars as pl

from pipelines.synthetic import Demonstration, write_demonstration

CONTRACTS = Path(__file__).parents[1] / "data_contracts"
SCALE = 0.06
# A column that only one layout has.
SIGNS = {
    "FACT_MISSING_PERSON_ID": "liquidlogic",
    "WORKFLOW_STEP_ID": "mosaic_workflow",
    "MFHID": "mosaic_report",
    "INSTANCEID": "eclipse",
    "INCIDENT_REF": "police_incident",
    "MIS_START": "ssda903_missing",
    "DECOM": "ssda903_episodes",
    "interview_id": "return_interview",
    "episode_id": "canonical",
}
# The column with the number of an episode, by layout.
EPISODE_ID = {layout: sign for sign, layout in SIGNS.items() if sign not in {"MIS_START", "DECOM", "interview_id"}}
# How a layout spells a time and a day, where a file may spell them otherwise.
SPELLED = {
    "canonical": ("%Y-%m-%dT%H:%M", "%Y-%m-%d"),
    "police_incident": ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y"),
    "ssda903_missing": ("%d/%m/%Y", "%d/%m/%Y"),
    "ssda903_episodes": ("%d/%m/%Y", "%d/%m/%Y"),
}
NATIVE = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d 00:00:00")
TIMES = re.compile(r"(_at|_date|_DTTM|_AT|^MFHStart|^DateFound|^ReturnInterviewDate|^ExtractedAt)$")
FORMS = (("%d/%m/%Y %H:%M", 0), ("%d-%b-%y %H:%M", 0), ("%d/%m/%Y", 1), ("%d-%b-%y", 1))
USUAL_NAMES = {"DISTRICT": "MISSING_FROM_LA"}
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
Cells = Sequence[Any]


@dataclass(frozen=True)
class File:
    """A delivery: its layout, its rows as text, and the spreadsheet row of the first of them."""

    kind: str
    frame: pl.DataFrame
    first_row: int

    def row(self, number: int) -> Mapping[str, str | None]:
        """The data row with the number that a spreadsheet shows."""
        return self.frame.row(number - self.first_row, named=True)


def write(folder: Path, *, seed: int = 17, scale: float = SCALE, **more: Any) -> Demonstration:
    """Write a demonstration into a folder."""
    return write_demonstration(folder / "landing", seed=seed, scale=scale, contracts=CONTRACTS, **more)


def read(path: Path) -> File:
    """Read one file."""
    rows = workbook_rows(path) if path.suffix == ".xlsx" else _csv_rows(path)
    place = next(place for place, row in enumerate(rows) if SIGNS.keys() & set(row))
    names = list(rows[place])
    if "started_at" in rows[place + 1]:  # the names of some columns stand in the row below
        place += 1
        names = [lower or upper for upper, lower in zip(names, rows[place], strict=True)]
    left = next(column for column, name in enumerate(names) if name)
    header = [USUAL_NAMES.get(name, name) for name in names[left:]]
    kind = next(layout for sign, layout in SIGNS.items() if sign in header)
    if kind == "liquidlogic":
        header = ["GENDER" if name == "SEX" else name for name in header]
    spelled = SPELLED.get(kind, NATIVE)
    columns = {
        name: [_text(row[left + column], *(spelled if TIMES.search(name) else ())) for row in rows[place + 1 :]]
        for column, name in enumerate(header)
    }
    return File(kind, pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String)), place + 2)


def workbook_rows(path: Path) -> list[Cells]:
    """Every row of a workbook's first sheet, from the first row and column on."""
    load: Callable[[Path], Any] = openpyxl.load_workbook
    return list(load(path).worksheets[0].iter_rows(values_only=True))


def _csv_rows(path: Path) -> list[Cells]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data.startswith(b"\xff\xfe"):
        text = data.decode("utf-16")
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("cp1252")
    if text.startswith("sep="):
        text = text.split("\n", 1)[1]
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


def _text(cell: object, timed: str = "", dated: str = "") -> str | None:
    """A cell as text; with formats, a date or serial number in the layout's own spelling."""
    if cell is None or cell == "":
        return None
    if timed and isinstance(cell, int | float):
        cell = EXCEL_EPOCH + timedelta(minutes=round(cell * 1440))
    if timed and isinstance(cell, datetime):
        return cell.strftime(timed if (cell.hour, cell.minute) != (0, 0) else dated)
    text = str(cell)
    for form, is_day in FORMS if timed and text[2:3] in "/-" else ():
        try:
            return datetime.strptime(text, form).strftime(dated if is_day else timed)  # noqa: DTZ007 - clock time
        except ValueError:
            continue
    return text
