"""How numbers, periods and symbols are written for people, everywhere the same.

Formatting only: no value is computed here. Sentences made of several figures are in `sentences`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Europe/London")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

Unit = Literal["count", "share", "rate", "ratio"]

# Symbols in the order in which pages explain them (GSS shorthand; bare in files, in square brackets on pages).
SYMBOLS: dict[str, str] = {
    "x": "not available: no data for the period were sent, or too many of the records sent do not hold the answer",
    "u": "known in part: some months, boroughs or answers are missing, so the true number is likely to be higher",
    "z": "not applicable: the definition needs earlier data than is loaded",
    "c": "not shown: the published number it would be a percentage of is too small",
}
NO_VALUE = "[x]"
# What is counted, in words; the rule file names measures by their identifiers.
_MEASURE_NAMES = {
    "*": "All figures",
    "incidents": "Incidents",
    "children": "Children",
    "children looked_after yes": "Looked-after children",
    "children_10_17": "Children aged 10 to 17",
    "children_repeat": "Children missing more than once",
    "children_3_in_28": "Children with 3 in 28 days",
    "children_3_in_90": "Children with 3 in 90 days",
    "incidents_second_or_later": "Second or later incidents in 365 days",
    "incidents_of_repeaters": "Incidents of children missing more than once",
    "rhi_eligible": "Eligible episodes",
    "rhi_offered": "Offered",
    "rhi_completed": "Held",
    "rhi_completed_of_offered": "Held where offered",
    "rhi_completed_72h": "Held within 72 hours",
    "rhi_declined": "Declined",
    "rhi_overtaken": "Missing again before any interview",
    "fields_unknown": "Fields not filled",
    "fields_expected": "Fields looked at",
    "population aged 0-17": "Population aged 0 to 17",
}
_TO_THE_MINUTE = 96 * 60
# Codes of return interviews as plain words. A code that is not listed is written with its underscores as spaces.
_CODES = {
    "boundaries": "rules and boundaries",
    "exploitation_concern": "people who may exploit the child",
    "family_conflict": "conflict in the family",
    "family_contact": "seeing family",
    "placement_unhappy": "being unhappy in the placement",
    "relationship": "a relationship",
    "substance_use": "alcohol or drugs",
    "mental_health": "how the child was feeling",
    "other": "something else",
    "none_disclosed": "no harm disclosed",
    "physical_assault": "being assaulted",
    "sexual_harm": "sexual harm",
    "criminal_exploitation_concern": "signs of criminal exploitation",
    "self_harm": "self-harm",
    "safety_plan": "a safety plan",
    "referral": "a referral",
    "strategy_meeting": "a strategy meeting",
    "mapping_meeting": "a mapping meeting",
    "no_further_action": "no further action",
}
_NOTE_KINDS = {
    "layout": "canonical layout",
    "recording": "how the borough records",
    "break": "break in the series",
    "population": "population estimates",
    "months": "months not received",
    "source": "whose records",
    "field": "field often empty",
    "reconciliation": "police against authority",
}
# What a pattern adds about one flag.
_DETAILS = {
    "gaps": "the gaps between episodes grew shorter and shorter",
    "duration": "an episode was much longer than the child's earlier ones",
    "gaps and duration": "the gaps grew shorter and shorter, and an episode was much longer than earlier ones",
    "cse": "flagged for sexual exploitation",
    "cce": "flagged for criminal exploitation",
    "cse and cce": "flagged for sexual and for criminal exploitation",
    "undated flag": "a flag for exploitation has no date, so it may have been set later",
    "same setting": "from the same setting",
    "same area": "from the same borough",
    "found together": "found together",
    "end not recorded": "no end is recorded",
}


@dataclass(frozen=True)
class Measure:
    """How the values of one indicator are written: what kind of number, and with how many decimals."""

    unit: Unit
    decimals: int = 0


def number(value: float, decimals: int = 0) -> str:
    """Write a number with thousands separators: 1,234 or 3.7."""
    return f"{value:,.{decimals}f}"


def percent(value: float) -> str:
    """Write a proportion as a whole percentage: 0.4821 is 48%."""
    return f"{value * 100:.0f}%"


def amount(value: float, measure: Measure) -> str:
    """Write a value in the form its measure asks for."""
    return percent(value) if measure.unit == "share" else number(value, measure.decimals)


def shown(value: float | None, symbol: str, measure: Measure) -> str:
    """Write a table cell: the number, the number with its mark, or the mark alone. A gap is never written as 0."""
    if value is None:
        return f"[{symbol}]" if symbol else NO_VALUE
    return amount(value, measure) + (f" [{symbol}]" if symbol else "")


def month(day: date) -> str:
    """April 2025."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def short_month(day: date) -> str:
    """Apr 2025."""
    return f"{MONTHS[day.month - 1][:3]} {day.year}"


def months(days: Sequence[date]) -> str:
    """Write months as ranges: "Apr 2025 to Jun 2025, Sep 2025"."""
    places = sorted({day.year * 12 + day.month - 1 for day in days})
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    named = [[short_month(date(place // 12, place % 12 + 1, 1)) for place in (run[0], run[-1])] for run in runs]
    return ", ".join(" to ".join(dict.fromkeys(ends)) for ends in named)


def ordinal(day: int) -> str:
    """1st, 2nd, 3rd, 20th."""
    teens = day % 100 in {11, 12, 13}
    return f"{day}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def visible(text: str, most: int = 0) -> str:
    """Write a name chosen by others so that it cannot pass for something else.

    A character that is not seen itself, such as one that turns the order of its neighbours round, is written as its
    number; a name longer than `most` is cut in the middle, where its ending can still be read.
    """
    shown_ = "".join(c if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029" else _coded(c) for c in text)
    if not most or len(shown_) <= most:
        return shown_
    return f"{shown_[: most - most // 3]} \u2026 {shown_[-(most // 3) :]}"


def _coded(character: str) -> str:
    return f"[U+{ord(character):04X}]"


def full_date(day: date) -> str:
    """21 April 2026."""
    return f"{day.day} {month(day)}"


def period(period_type: str, start: date, end: date) -> str:
    """Write a period so that it can stand in a sentence after "in"."""
    if period_type == "month":
        return month(start)
    if period_type == "quarter":
        return f"{MONTHS[start.month - 1]} to {month(end)}"
    return f"the year to {month(end)}"


def short_period(period_type: str, start: date, end: date) -> str:
    """Write a period for an axis or a table header."""
    if period_type == "month":
        return short_month(start)
    if period_type == "quarter":
        return f"{MONTHS[start.month - 1][:3]}\u2013{short_month(end)}"
    return f"Year to {short_month(end)}"


def span(period_type: str, first: tuple[date, date], last: tuple[date, date]) -> str:
    """Write a range of periods: "April 2023 to March 2026, by quarter"."""
    by = {"month": "by month", "quarter": "by quarter", "year_to_march": "by year to March"}[period_type]
    return f"{month(first[0])} to {month(last[1])}, {by}"


def local(instant: datetime) -> datetime:
    """Turn a UTC instant of the warehouse into the clock time that people in the region saw."""
    return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(LOCAL)


def clock(instant: datetime | None, precision: str | None = "minute") -> str:
    """Write an instant as local clock time, or as the day alone where only the day was recorded."""
    if instant is None:
        return "not recorded"
    seen = local(instant)
    day = f"{seen.day} {MONTHS[seen.month - 1][:3]} {seen.year}"
    text = day if precision == "date" else f"{day}, {seen:%H:%M}"
    # Kept on one line: a date broken in two is hard to compare down a column.
    return text.replace(" ", "\u00a0")


def day_words(instant: datetime | None) -> str:
    """21 April 2026, the local day of an instant; or that there is none."""
    return full_date(local(instant).date()) if instant else "(no delivery accepted yet)"


def instant_words(instant: datetime) -> str:
    """21 April 2026, 10:00."""
    seen = local(instant)
    return f"{full_date(seen.date())}, {seen:%H:%M}"


def duration(hours: float) -> str:
    """Write elapsed time to the minute up to four days, so that it never contradicts a verdict about 72 hours."""
    minutes = math.floor(hours * 60 + 1e-6)
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes} min"
    if minutes < _TO_THE_MINUTE:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{hours / 24:.1f} days"


def measure_name(measure: str) -> str:
    """Name what is counted, as a table heads it."""
    text = _MEASURE_NAMES.get(measure, measure.replace("_", " "))
    return text[:1].upper() + text[1:]


def note_kind(kind: str) -> str:
    """Name the kind of a comparability note."""
    return _NOTE_KINDS.get(kind, kind)


def code_words(code: str) -> str:
    """Write a code of a return interview in plain words."""
    return _CODES.get(code, code.replace("_", " "))


def detail_words(detail: str) -> str:
    """Write what a pattern adds about one flag in plain words; any other detail is a length, "48 hours or more"."""
    length = detail.replace(", end not recorded", ", and no end is recorded")
    return _DETAILS.get(detail, f"the first of them {length}")


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does: "Bolton, Bury and Wigan"."""
    if len(names) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """1 child, 2 children."""
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"
