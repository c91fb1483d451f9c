"""The delivery grid: what was received for each month, told by shape and words, never by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.intake import Month
from dashboards.words import MONTHS, number, short_month

# Status of quality.borough_month, with whether interviews came too: shape, class and words.
_LOOK = {
    "received": ("◐", "received", "episodes received, no interviews"),
    "received_with_interviews": ("●", "received", "episodes and interviews received"),
    "late": ("○", "late", "late"),
    "failed": ("✕", "failed", "failed: the newest file was refused"),
    "quarantined": ("▲", "quarantined", "every row quarantined"),
    "not due": ("\u2013", "due", "not due yet"),
}
LEGEND: tuple[tuple[str, str], ...] = tuple((shape, words) for shape, _, words in _LOOK.values())


@dataclass(frozen=True)
class GridCell:
    """One month of one borough as it is drawn."""

    shape: str
    look: str
    words: str
    rows: str


@dataclass(frozen=True)
class Grid:
    """A table of months."""

    caption: str
    corner: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[GridCell | None, ...]], ...]


def by_year(months: Sequence[Month], caption: str) -> Grid:
    """Lay one borough's months out: a row a calendar year, newest first, a column a month."""
    keyed = {(item.month.year, item.month.month): item for item in months}
    years = sorted({year for year, _ in keyed}, reverse=True)
    rows = tuple((str(year), tuple(_cell(keyed.get((year, number_))) for number_ in range(1, 13))) for year in years)
    return Grid(caption, "Year", tuple(name[:3] for name in MONTHS), rows)


def by_borough(months: Sequence[Month], names: Sequence[tuple[str, str]], caption: str) -> Grid:
    """Lay all boroughs' months out: a row a borough, a column a month, newest first."""
    keyed = {(item.borough, item.month): item for item in months}
    columns = sorted({item.month for item in months}, reverse=True)
    rows = tuple((name, tuple(_cell(keyed.get((slug, day))) for day in columns)) for slug, name in names)
    return Grid(caption, "Borough", tuple(short_month(day) for day in columns), rows)


def _cell(item: Month | None) -> GridCell | None:
    if item is None:
        return None
    key = "received_with_interviews" if item.status == "received" and item.interviews_received else item.status
    shape, look, words = _LOOK[key]
    return GridCell(shape, look, words, number(item.rows_accepted) if item.rows_accepted else "")
