"""DfE's thirteen figures the slow way: every child and day of a return looked at one by one, in plain Python.

Written from the definitions in `rules/dfe_publication.yaml`, not from the SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Placement:
    """A readable row of the episodes module."""

    child: str
    start: date
    end: date | None
    legal_status: str


@dataclass(frozen=True)
class Absence:
    """A readable row of the missing module, with its row number."""

    row: int
    child: str
    status: str
    start: date
    end: date | None


def adult_on(born: date) -> date:
    """The eighteenth birthday."""
    later = born.year + 18
    return date(later, 3, 1) if (born.month, born.day) == (2, 29) and later % 4 else date(later, born.month, born.day)


class Reference:
    """One borough's year."""

    def __init__(self, year: int, births: dict[str, date], placements: Sequence[Placement]) -> None:
        """Take the children's births and placements; those that end before they start do not count."""
        first = date(year - 1, 4, 1)
        self.days = [first + DAY * n for n in range((date(year, 3, 31) - first).days + 1)]
        self._births = births
        self._placements = [p for p in placements if p.end is None or p.end >= p.start]

    def in_care(self, child: str, day: date) -> bool:
        """Whether a child, not yet 18, is in a placement that counts on a day; first and last day belong to it."""
        if day >= adult_on(self._births[child]):
            return False
        return any(
            p.child == child and p.legal_status not in {"V3", "V4"} and p.start <= day and (not p.end or day <= p.end)
            for p in self._placements
        )

    def in_care_after(self, child: str) -> bool:
        """Whether a child is looked after, and not yet 18, when the last day has ended."""
        last = self.days[-1]
        return self.in_care(child, last) and any(
            p.child == child and p.legal_status not in {"V3", "V4"} and p.start <= last and (not p.end or p.end > last)
            for p in self._placements
        )

    def kept(self, absences: Sequence[Absence]) -> list[Absence]:
        """Rows that break no rule: 567, 586, then 574 among those that are left."""
        own = [a for a in absences if (not a.end or a.end >= a.start) and a.start > self._births[a.child]]
        own.sort(key=lambda a: (a.start, a.end or date.max, a.row))
        return [
            a
            for place, a in enumerate(own)
            if not any(o.child == a.child and (o.end is None or o.end > a.start) for o in own[:place])
        ]

    def runs(self, absence: Absence, day: date) -> bool:
        """Whether an absence runs on a day."""
        return absence.start <= day and (absence.end is None or day <= absence.end)

    def figures(self, absences: Sequence[Absence]) -> dict[str, int]:
        """The counts behind the thirteen figures, by indicator id (averages and percentages are made of these)."""
        children = set(self._births)
        found = {"looked_after": sum(any(self.in_care(c, day) for day in self.days) for c in children)}
        counted = [
            a for a in self.kept(absences) if any(self.runs(a, day) and self.in_care(a.child, day) for day in self.days)
        ]
        for status, name in (("M", "missing"), ("A", "away")):
            own = [a for a in counted if a.status == status]
            by_child = {c: [a for a in own if a.child == c] for c in children}
            found |= {
                f"{name}_children": sum(bool(rows) for rows in by_child.values()),
                f"{name}_repeat": sum(len(rows) > 1 for rows in by_child.values()),
                f"{name}_incidents": len(own),
                f"{name}_at_year_end": sum(
                    self.in_care_after(c) and any(not a.end or a.end > self.days[-1] for a in rows)
                    for c, rows in by_child.items()
                ),
            }
        return found
