"""Which numbers one figure may show, and how they may be written: built from figures that published counts give.

A chart, a table, a sentence or an alternative text may hold these numbers and no other. Where they stand is not judged
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pipelines.disclosure.scan.derive import Figure

_SHARES = frozenset({"proportion", "concentration", "not_delivered"})


def is_share(method: str) -> bool:
    """Whether values of a method are written as percentages."""
    return method in _SHARES


@dataclass
class Values:
    """Numbers as charts hold them, and as text writes them without separators of thousands."""

    numbers: set[float] = field(default_factory=set)
    # Those that an axis of values is made for.
    heights: set[float] = field(default_factory=set)
    # Where an axis of sizes ends.
    ends: set[float] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    # How many rows there are, of which a sentence may count some.
    most_counted: int = 0
    # The numbers of one row of a table or one place on an axis, by its name: an area, a period, a group.
    rows: dict[str, Values] = field(default_factory=dict)

    def of_row(self, name: str) -> Values:
        """The numbers of a row; those of the whole figure where the name is not that of one."""
        return self.rows.get(name, self)

    def add_count(self, count: int | None) -> None:
        """Allow a count."""
        if count is not None:
            self.numbers.add(float(count))
            self.texts.add(str(count))

    def add_value(self, value: float | None, *, share: bool, decimals: int) -> None:
        """Allow a value, rounded as pages and files round it."""
        if value is None:
            return
        fine = round(value, 2 if share else decimals)
        self.numbers.add(fine)
        self.heights.add(fine)
        if share:
            # A page writes the value it drew, a sentence the value itself: both readings of a half.
            self.texts |= {f"{value * 100:.0f}%", f"{fine * 100:.0f}%", f"{value:.2f}"}
        else:
            self.texts.add(f"{value:.{decimals}f}")

    def add_reach(self, value: float | None, *limits: float | None, share: bool, decimals: int) -> None:
        """Allow the distances from a value to its limits, which is how a chart keeps an interval."""
        places = 2 if share else decimals
        for limit in limits:
            if value is not None and limit is not None:
                apart = round(abs(round(limit, places) - round(value, places)), 6)
                self.numbers.add(apart)

    def merge(self, other: Values) -> None:
        """Allow what another figure may show, too."""
        self.numbers |= other.numbers
        self.heights |= other.heights
        self.texts |= other.texts
        self.most_counted = max(self.most_counted, other.most_counted)
        for name, row in other.rows.items():
            self.rows.setdefault(name, Values()).merge(row)


def row_names(figure: Figure, area_name: str) -> tuple[str, ...]:
    """What a row or a place on an axis is called that stands for a figure."""
    at, end = figure.at, figure.period_end
    month = f"{end:%b %Y}"
    period = {"month": month, "quarter": f"{at.period_start:%b}\u2013{month}", "year_to_march": f"Year to {month}"}
    group = at.value[:1].upper() + at.value[1:]
    return area_name, period.get(at.period_type, ""), group


def values_of(figures: Iterable[Figure], total_of: Callable[[Figure], int | None]) -> Values:
    """The numbers of some figures.

    Args:
        figures: as derived.
        total_of: the published whole of which a figure is a group; None where it is none.
    """
    # A chart keeps an interval of no reach for a value that is not given.
    made = Values(numbers={0.0})
    for figure in figures:
        share, decimals = is_share(figure.indicator.method), figure.indicator.decimals
        made.add_count(figure.numerator)
        made.add_count(figure.denominator)
        for value in (figure.value, figure.lower, figure.upper):
            made.add_value(value, share=share, decimals=decimals)
        made.add_reach(figure.value, figure.lower, figure.upper, share=share, decimals=decimals)
        total = total_of(figure)
        if total and figure.numerator is not None:
            made.texts.add(f"{min(1.0, figure.numerator / total) * 100:.0f}%")
            made.add_count(total)
        made.most_counted += 1
    return made
