"""Rules that compare the rows of a delivery, as slowly and obviously as they can be written: every pair, every day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

A_DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Written:
    """One row: a start and an end as a sender writes them (a day, or a day and a time), and an age."""

    child: str
    started: str
    ended: str | None
    age: int | None


def earliest(text: str) -> datetime:
    """First moment that the record allows."""
    return datetime.fromisoformat(text)


def latest(text: str) -> datetime:
    """Last moment that the record allows."""
    return earliest(text) if ":" in text else earliest(text) + A_DAY - MICROSECOND


def overlapping(rows: Sequence[Written]) -> set[int]:
    """Places of the rows that start while an earlier one of the child is open or has certainly not ended."""

    def comes_before(one: int, other: int) -> bool:
        keys = [
            (earliest(rows[n].started), rows[n].ended is None, earliest(rows[n].ended or "0001-01-01"), n)
            for n in (one, other)
        ]
        return keys[0] < keys[1]

    def reaches(one: Written, other: Written) -> bool:
        return one.ended is None or earliest(one.ended) > latest(other.started)

    return {
        later
        for later, row in enumerate(rows)
        for earlier, other in enumerate(rows)
        if row.child == other.child and comes_before(earlier, later) and reaches(other, row)
    }


def of_inconsistent_age(rows: Sequence[Written]) -> set[int]:
    """Places of the rows such that with some other row of the child no day of birth gives both ages."""
    births = [set(_days_of_birth(row)) for row in rows]
    return {
        n
        for n, row in enumerate(rows)
        for m, other in enumerate(rows)
        if row.child == other.child and row.age is not None and other.age is not None and not births[n] & births[m]
    }


def _days_of_birth(row: Written) -> Iterator[date]:
    """Every day of birth with which a child has the age on a day the start can be."""
    if row.age is None:
        return
    started = earliest(row.started).date()
    day = started.replace(year=started.year - row.age - 2, day=1)
    while day <= started:
        if _age(day, started) == row.age:
            yield day
        day += A_DAY


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
