"""The parts pages are put together from: sections of figures, headline cards, and the notes that go with a basis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.figures import Figure
from dashboards.points import Point
from dashboards.words import SYMBOLS

BASIS = {
    "A": "Basis A: each episode counts for the borough the child went missing from, wherever the child lives.",
    "B": "Basis B: each episode counts for the authority responsible for the child, wherever the child went missing.",
}
CHILDREN_NOTE = (
    "A child is counted once in each area and period, so boroughs do not add up to the region, nor months to a year. "
    "Where a borough's pseudonyms are its own, a child known to two boroughs is counted twice."
)
INTERVAL_NOTE = (
    "Thin lines are 95% intervals: the range that chance alone could explain. Where two areas' ranges overlap, do not "
    "read their order as a difference."
)

# What repeat-missing flags rest on: a note about any of these concerns them too.
FLAG_MEASURES = frozenset({"incidents", "children_repeat", "children_3_in_28", "children_3_in_90"})


@dataclass(frozen=True)
class Section:
    """A heading, what to know before reading on, and figures."""

    section_id: str
    heading: str
    paragraphs: tuple[str, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Card:
    """A headline number."""

    label: str
    value: str
    note: str


def symbols_of(*series: Sequence[Point]) -> tuple[tuple[str, str], ...]:
    """List the symbols that occur among figures, with their meaning, in the fixed order."""
    found = {point.symbol for points in series for point in points}
    return tuple((symbol, meaning) for symbol, meaning in SYMBOLS.items() if symbol in found)


def symbol_notes(*series: Sequence[Point]) -> tuple[str, ...]:
    """Say what each symbol among figures means."""
    return tuple(f"[{symbol}] {meaning}." for symbol, meaning in symbols_of(*series))


def newest(points: Iterable[Point]) -> list[Point]:
    """Keep the figures of the newest period."""
    listed = list(points)
    last = max((point.period_start for point in listed), default=None)
    return [point for point in listed if point.period_start == last]
