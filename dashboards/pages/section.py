"""The parts pages are put together from: sections of figures, headline cards, and the notes that go with a basis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.figures import Figure, Table
from dashboards.leads import Version
from dashboards.points import Point
from dashboards.rulebook import Rulebook
from dashboards.words import SYMBOLS, number

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


def version_table(versions: Sequence[Version], rulebook: Rulebook, now: str) -> Table | None:
    """Lay the versions of a rule side by side; None where no rule has more than one.

    Args:
        versions: what each version of each rule finds.
        rulebook: what they say.
        now: the heading of the column of current flags.
    """
    several = Counter(version.rule_id for version in versions)
    rows = [version for version in versions if several[version.rule_id] > 1]
    if not rows:
        return None
    return Table(
        caption="Two versions of one pattern, side by side; only the one in force puts a child on the list",
        headings=("Pattern", "In force", "What it asks", now, "Children ever", "Flags ever"),
        rows=tuple(
            (
                f"{row.rule_id}, version {row.rule_version}",
                "yes" if row.is_current_rule else "no",
                rulebook.pattern(row.rule_id, row.rule_version).parameters,
                number(row.children_now),
                number(row.children),
                number(row.flags),
            )
            for row in rows
        ),
        numeric=False,
    )
