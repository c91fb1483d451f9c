"""Europe/London clock time by the law: summer time runs from the last Sunday of March to the last of October.

The repeated hour is its first pass unless asked otherwise; the skipped hour is read as if the clock had not been put
forward.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def to_utc(clock: datetime) -> datetime:
    """Instant at which a wall clock in London shows this."""
    forward = datetime.combine(_last_sunday(clock.year, 3), time(2))
    back = datetime.combine(_last_sunday(clock.year, 10), time(2))
    return clock - HOUR if forward <= clock < back else clock


def second_pass(clock: datetime) -> datetime:
    """The later instant at which a wall clock in London shows this: another one only in October's repeated hour."""
    back = datetime.combine(_last_sunday(clock.year, 10), time(2))
    return clock if back - HOUR <= clock < back else to_utc(clock)


def to_london(instant: datetime) -> datetime:
    """What a wall clock in London shows at an instant."""
    forward = datetime.combine(_last_sunday(instant.year, 3), time(1))
    back = datetime.combine(_last_sunday(instant.year, 10), time(1))
    return instant + HOUR if forward <= instant < back else instant


def day_after(clock: datetime) -> datetime:
    """First instant of the day after the day of a clock time."""
    return to_utc(datetime.combine(clock.date(), time()) + DAY)


@cache
def _last_sunday(year: int, month: int) -> date:
    days = [date(year, month, day) for day in range(1, 32)]
    return max(day for day in days if day.weekday() == 6)
