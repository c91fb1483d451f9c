"""Public CSV files: every cell is worked out anew from published counts, and the rows must be the complete matrix.

A column that is not listed here is a finding, so that nothing new is published unseen. Text in cells is judged in
`text`; what a figure is, in `derive`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product

from pipelines.disclosure.cells import COORDINATES
from pipelines.disclosure.evidence import CELL_COLUMNS
from pipelines.disclosure.scan.charted import SIGNS, Charts, Told, add_control, add_funnel
from pipelines.disclosure.scan.derive import Figure, Published
from pipelines.disclosure.scan.findings import Finding
from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values, is_share, row_names, values_of
from pipelines.disclosure.scan.vocabulary import Vocabulary

_LIMITS = tuple(
    f"{kind}{side}_{level}" for kind in ("", "widened_") for level in (95, 998) for side in ("lower", "upper")
)
_FUNNEL = ("target", "phi", "standing", *_LIMITS)
_CONTROL = ("run", "run_months", "centre", "lower_limit", "upper_limit", *SIGNS)
_WHOLE = frozenset({"numerator", "denominator", "population_year", "standing", "run", "run_months", *SIGNS})
_VALUES = ("value", "lower_95", "upper_95")
_TEXTS = frozenset({"notes"})
_SYMBOLS = frozenset({"", "c", "x", "z", "u"})
_METHODS = frozenset({"controlled_rounding", "suppression"})
# A name of a release is short, so that no hash of anything else passes for one.
_RELEASE_ID = re.compile(r"[a-z]{1,12}-[0-9A-Za-z.-]{1,16}")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,2}")
_WITHIN = re.compile(r"\d{0,2}")
_NEARLY = 1e-9
Row = Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """One line of a file with the figure that its id names."""

    line: int
    row: Row
    figure: Figure


class TableReader:
    """Judges files of figures."""

    def __init__(self, vocabulary: Vocabulary, reader: TextReader, charts: Charts, releases: frozenset[str]) -> None:
        """Take what is published and the releases that a file may name."""
        self._known = vocabulary
        self._text = reader
        self._charts = charts
        self._releases = releases

    def read(self, name: str, text: str) -> tuple[list[Finding], Values]:
        """Judge a file of figures.

        Returns:
            What is wrong with it, and the numbers that the figure of its name may show.
        """
        header, rows = _rows(text)
        found = [Finding(name, f"column {column or '(no name)'}", "column") for column in self._unknown(header)]
        found += [
            Finding(name, f"column {column}", rule) for column in header for rule in self._text.name_faults(column)
        ]
        if "figure_id" not in header:
            return [*found, Finding(name, "header", "figure")], Values()
        places = []
        for line, row in rows:
            figure = self._known.published.figure(row.get("figure_id") or "")
            if figure is None or None in row:
                found.append(Finding(name, f"line {line}", "derived"))
                continue
            place = Place(line, row, figure)
            places.append(place)
            found += [Finding(name, f"line {line}, {column}", rule) for column, rule in self._row_faults(place, header)]
        found += [Finding(name, where, "rows") for where in self._matrix_faults(places, header)]
        return found, self._values(places, header)

    def _unknown(self, header: Sequence[str]) -> list[str]:
        known = {*_EXPECTED, *_VALUES, *_FUNNEL, *_CONTROL, *_TEXTS, "figure_id", "release_id"}
        return [column for column in header if column not in known]

    def _row_faults(self, place: Place, header: Sequence[str]) -> Iterator[tuple[str, str]]:
        own = values_of([place.figure], self._total_of)
        for column in header:
            cell = place.row[column]
            if column == "symbol" and cell not in _SYMBOLS:
                yield column, "symbol"
            elif column == "release_id":
                if cell not in self._releases:
                    yield column, "derived"
            elif column in _TEXTS:
                yield from ((column, rule) for rule in self._text.faults(cell, own))
            elif column in _EXPECTED:
                if cell != _EXPECTED[column](self._known, place.figure, header):
                    yield column, "derived"
            elif column in {*_VALUES, *_FUNNEL, *_CONTROL} and not self._is_derived(column, cell, place, header):
                yield column, "derived"

    def _is_derived(self, column: str, cell: str, place: Place, header: Sequence[str]) -> bool:
        figure = place.figure
        told = self._told(figure, header)
        if column in told or column not in _VALUES:
            value = told.get(column)
        else:
            value = {"value": figure.value, "lower_95": figure.lower, "upper_95": figure.upper}[column]
            if value is None and figure.value is None and not told and "target" not in header:
                return cell == figure.symbol
        if value is None:
            return cell == ""
        decimals = 0 if column in _WHOLE or column in _CONTROL else _decimals(figure)
        return _is_near(cell, value, 1 if column == "phi" else decimals)

    def _told(self, figure: Figure, header: Sequence[str]) -> Told:
        """What a funnel or a control chart adds; in a funnel's file the 95% limits are the funnel's."""
        if "target" in header:
            absent: dict[str, float | int | None] = {"lower_95": None, "upper_95": None}
            return absent | dict(self._charts.funnel(figure).get(figure.at.area_code, {}))
        if "centre" in header:
            return self._charts.control(figure).get(figure.at.period_start.isoformat(), {})
        return {}

    def _values(self, places: Sequence[Place], header: Sequence[str]) -> Values:
        """The numbers of the whole figure, and of each of its rows."""
        values = self._numbers([place.figure for place in places], header)
        named: dict[str, list[Figure]] = {}
        areas = dict(zip(self._known.area_codes, self._known.areas, strict=True))
        for place in places:
            for name in row_names(place.figure, areas[place.figure.at.area_code]):
                named.setdefault(name, []).append(place.figure)
        values.rows = {name: self._numbers(figures, header) for name, figures in named.items() if name}
        return values

    def _numbers(self, figures: Sequence[Figure], header: Sequence[str]) -> Values:
        values = values_of(figures, self._total_of)
        told = [self._told(figure, header) for figure in figures]
        if "target" in header:
            add_funnel(values, figures, told)
        elif "centre" in header:
            add_control(values, told)
        return values

    def _total_of(self, figure: Figure) -> int | None:
        at = figure.at
        if at.breakdown in {"total", "variant"}:
            return None
        start = f"{at.indicator_id}.{at.basis}.{at.area_code}.{at.period_type}.{at.period_start}"
        whole = self._known.published.figure(f"{start}.total.Total")
        return whole.numerator if whole else None

    def _matrix_faults(self, places: Sequence[Place], header: Sequence[str]) -> Iterator[str]:
        """Compare the rows with every area, period and value there must be, in the fixed order."""
        readings = groupby(places, key=lambda one: (one.figure.at.indicator_id, one.figure.at.variant))
        for (indicator, variant), group in readings:
            rows = [(place.line, _key(place.figure)) for place in group]
            wanted = self._wanted(
                [key for _, key in rows], [place.figure for place in places], header, indicator, variant
            )
            for place, key in enumerate(wanted):
                if place >= len(rows) or rows[place][1] != key:
                    yield f"line {rows[place][0] if place < len(rows) else rows[-1][0] + 1}"
                    break
            else:
                if len(rows) > len(wanted):
                    yield f"line {rows[len(wanted)][0]}"

    def _wanted(
        self, keys: Sequence[tuple[str, str, str]], figures: Sequence[Figure], header: Sequence[str], *reading: str
    ) -> list[tuple[str, str, str]]:
        """Every period, area and value that a reading in a file must have."""
        own = next(one for one in figures if [one.at.indicator_id, one.at.variant] == list(reading))
        periods = _periods(self._known.published, own)
        if len({period for period, _, _ in keys}) == 1:
            periods = [keys[0][0]] if "target" in header else periods[-1:]
        areas = {area for _, area, _ in keys}
        region = self._known.region
        boroughs = [area.code for area in region.boroughs]
        listed = [region.area.code]
        if areas & set(boroughs):
            # A funnel compares boroughs; every other table that has one borough has all, and the region.
            listed = boroughs if "target" in header else [*boroughs, region.area.code]
        return list(product(periods, listed, _breakdown_values(self._known.published, own)))


def cell_faults(name: str, text: str, published: Published, releases: frozenset[str], base: int) -> list[Finding]:
    """Judge the file of all published cells: each named by its coordinates, marked and rounded as it must be.

    The cells of the newest release must be those that everything else is derived from, no more and no fewer. What
    earlier releases said is in the ledger; here their cells must only have the form of published ones.
    """
    header, rows = _rows(text)
    if tuple(header) != tuple(CELL_COLUMNS):
        return [Finding(name, "header", "column")]
    found = []
    newest = max((int(row["release"]) for _, row in rows if row["release"].isdigit()), default=0)
    listed = set()
    for line, row in rows:
        coordinates = [row[column] for column in COORDINATES if column not in {"cell_id", "period_end"}]
        if row["symbol"] not in _SYMBOLS:
            found.append(Finding(name, f"line {line}", "symbol"))
        if row["cell_id"] != "|".join(coordinates) or not _is_cell(row, base):
            found.append(Finding(name, f"line {line}", "derived"))
        if row["release"] == str(newest):
            listed.add(row["cell_id"])
            own = published.cells.get(row["cell_id"])
            told = (row["count"], row["symbol"], row["period_end"])
            if own is None or told != (_text_of(own.count), own.symbol, own.period_end.isoformat()):
                found.append(Finding(name, f"line {line}", "derived"))
            if row["release_id"] not in releases:
                found.append(Finding(name, f"line {line}", "derived"))
    if listed != set(published.cells):
        found.append(Finding(name, f"release {newest}", "rows"))
    return found


def _is_cell(row: Row, base: int) -> bool:
    """Whether the parts of a cell that follow from no other have the form they must have."""
    is_named = _RELEASE_ID.fullmatch(row["release_id"]) and row["release"].isdigit()
    if not is_named or not _VERSION.fullmatch(row["policy_version"]):
        return False
    if row["method"] not in _METHODS or not _WITHIN.fullmatch(row["within"]):
        return False
    return row["count"] == "" or _is_count(row["count"], row["method"], base)


def _is_count(count: str, method: str, base: int) -> bool:
    return count.isdigit() and (method != "controlled_rounding" or int(count) % base == 0)


def _rows(text: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The header and the rows of a file, each with the line on which it ends."""
    reader = csv.DictReader(io.StringIO(text), restval="", strict=True)
    return list(reader.fieldnames or []), [(reader.line_num, row) for row in reader]


def _key(figure: Figure) -> tuple[str, str, str]:
    return figure.at.period_start.isoformat(), figure.at.area_code, figure.at.value


def _periods(published: Published, figure: Figure) -> list[str]:
    """First days of all published periods of a figure's measure, basis and kind of period."""
    measure = figure.indicator.numerator.measure if figure.indicator.numerator else ""
    start = f"{measure}|{figure.at.basis}|{figure.at.area_code}|{figure.at.period_type}|"
    return sorted({cell_id.split("|")[4] for cell_id in published.cells if cell_id.startswith(start)})


def _breakdown_values(published: Published, figure: Figure) -> list[str]:
    """Every published value of a figure's breakdown, sorted as files sort them."""
    if figure.at.breakdown in {"total", "variant"}:
        return [figure.at.value]
    measure = figure.indicator.numerator.measure if figure.indicator.numerator else ""
    start = f"{measure}|{figure.at.basis}|{figure.at.area_code}|{figure.at.period_type}|"
    parts = (cell_id.split("|") for cell_id in published.cells if cell_id.startswith(start))
    return sorted({part[6] for part in parts if part[5] == figure.at.breakdown})


def _decimals(figure: Figure) -> int:
    return 2 if is_share(figure.indicator.method) else figure.indicator.decimals


def _is_near(cell: str, value: float, decimals: int) -> bool:
    """Whether a cell is the value, written with so many decimals; a half may be rounded either way."""
    whole, _, fraction = cell.removeprefix("-").partition(".")
    if not whole.isdigit() or (fraction and not fraction.isdigit()) or len(fraction) != decimals:
        return False
    return abs(float(cell) - value) <= float(0.5 * 10.0**-decimals + _NEARLY)


def _text_of(number: int | None) -> str:
    return "" if number is None else str(number)


def _numerator(_: Vocabulary, figure: Figure, header: Sequence[str]) -> str:
    # The file of a control chart gives a month only where it was received in full.
    if "centre" in header and figure.symbol:
        return ""
    return _text_of(figure.numerator)


_EXPECTED: Mapping[str, Callable[[Vocabulary, Figure, Sequence[str]], str]] = {
    "indicator_id": lambda _, figure, __: figure.at.indicator_id,
    "variant": lambda _, figure, __: figure.at.variant,
    "title": lambda _, figure, __: figure.indicator.title,
    "basis": lambda _, figure, __: figure.at.basis,
    "area_code": lambda _, figure, __: figure.at.area_code,
    "area_name": lambda known, figure, __: dict(zip(known.area_codes, known.areas, strict=True))[figure.at.area_code],
    "period_type": lambda _, figure, __: figure.at.period_type,
    "period_start": lambda _, figure, __: figure.at.period_start.isoformat(),
    "period_end": lambda _, figure, __: figure.period_end.isoformat(),
    "breakdown": lambda _, figure, __: figure.at.breakdown,
    "breakdown_value": lambda _, figure, __: figure.at.value,
    "numerator": _numerator,
    "denominator": lambda _, figure, __: _text_of(figure.denominator),
    "symbol": lambda _, figure, __: figure.symbol,
    "population_year": lambda _, figure, __: _text_of(figure.population_year),
}
