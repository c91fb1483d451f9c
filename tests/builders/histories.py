"""Hypothesis strategies for the histories of a few made-up children, drawn to fall on the edges of the rules.

Each row starts an edge after the one before: touching, nested, a whole window later, a minute to either side of it.
Rows tie, know only days, stay open, come from several boroughs under both scopes of pseudonym, and are sent again in
newer versions.
Histories begin just before a clock change, a new year or the end of a quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, area_codes

BOROUGHS = ("bolton", "bury", "wigan")
AREAS = (*(area_codes()[slug] for slug in BOROUGHS), "unknown", "E08000011")
ANCHORS = tuple(
    datetime.fromisoformat(text)
    for text in ("2024-03-30 22:00", "2024-10-26 22:00", "2023-12-31 20:00", "2024-06-29 12:00")
)
RECEIVED = ("2025-06-10 09:00", "2025-07-10 09:00")
# Around the clock changes and other anchors: days on which a flag may have been set or a child moved.
FLAGGED = ("2023-12-31", "2024-01-01", "2024-03-31", "2024-04-01", "2024-10-27")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# From the start or the end of the row before to the start of the next: within one absence, and a whole window apart.
NEAR = (-1, 0, 0, 1, 2, 2, 3.5, 8, 23, 24, 24, 25, 48)
FAR = (71, 72, 73, 3 * 24, 7 * 24, 28 * 24, 30 * 24, 90 * 24, 365 * 24)
LENGTHS = (0, 0.5, 1.5, 8, 24, 30, 72)

often = st.sampled_from((True, True, True, False))
rarely = st.sampled_from((False, False, False, True))
hardly_ever = st.sampled_from((*[False] * 11, True))
minute_either_side = st.sampled_from((timedelta(), timedelta(), -MINUTE, MINUTE))


@dataclass(frozen=True)
class Sent:
    """Deliveries and the instant at which they are looked at."""

    deliveries: Sequence[Delivery]
    as_at: datetime

    @property
    def rows(self) -> list[EpisodeRow | InterviewRow]:
        """Everything sent."""
        return [row for delivery in self.deliveries for row in delivery.rows]


@st.composite
def sent(draw: st.DrawFn, *, families: int = 6, least: int = 1) -> Sent:
    """Histories of some families, sent in two deliveries of which the second may not have come yet."""
    first: list[EpisodeRow | InterviewRow] = []
    second: list[EpisodeRow | InterviewRow] = []
    for number in range(draw(st.integers(least, families))):
        episodes, interviews = draw(family(number))
        first.append(episodes[0])
        for row in (*episodes[1:], *interviews):
            (second if draw(rarely) else first).append(row)
    deliveries = (Delivery(first, RECEIVED[0], "first"), Delivery(second, RECEIVED[1], "second"))
    return Sent(deliveries, datetime.fromisoformat(draw(st.sampled_from(("2025-08-01", "2025-08-01", "2025-06-20")))))


@st.composite
def family(draw: st.DrawFn, number: int = 0) -> tuple[list[EpisodeRow], list[InterviewRow]]:
    """A child, now and then a second one under the same roof, and the interviews after some of the returns."""
    anchor, home = ANCHORS[number % len(ANCHORS)], BOROUGHS[number % len(BOROUGHS)]
    scope = draw(st.sampled_from(("regional", "regional", "borough")))
    gaps = st.sampled_from(draw(st.sampled_from((NEAR, (*NEAR, *FAR), (*NEAR, *FAR, *FAR)))))
    day_only = draw(st.sampled_from((hardly_ever, hardly_ever, st.booleans())))
    start = anchor
    episodes: list[EpisodeRow] = []
    interviews: list[InterviewRow] = []
    for _ in range(draw(st.integers(2, 7))):
        length = max(draw(st.sampled_from(LENGTHS)) * HOUR + draw(minute_either_side), timedelta())
        row = draw(
            episode_row(
                family=number, home=home, scope=scope, start=start, found=start + length, day_only=draw(day_only)
            )
        )
        episodes.append(row)
        if draw(rarely):
            interviews.append(draw(interview_row(number, row, draw(st.sampled_from(episodes)))))
        start += draw(gaps) * HOUR + draw(minute_either_side)
        if (row.found or row.returned) and draw(often):
            start += length
    return episodes, interviews


@st.composite
def episode_row(
    draw: st.DrawFn, *, family: int, home: str, scope: str, start: datetime, found: datetime, day_only: bool
) -> EpisodeRow:
    """One row. Identifiers are few, so that some rows are versions of others."""
    returned = found + draw(st.sampled_from((0, 0, 1, 12))) * HOUR
    has_found, has_returned = draw(st.sampled_from(((True, False), (True, True), (False, True), (False, False))))
    return EpisodeRow(
        episode_id=f"{family}.{draw(st.integers(1, 20))}",
        started=written(start, day_only=day_only or draw(hardly_ever)),
        found=written(found, day_only=day_only or draw(hardly_ever)) if has_found else None,
        returned=written(returned, day_only=day_only or draw(hardly_ever)) if has_returned else None,
        child=f"{family}{'b' if draw(hardly_ever) else 'a'}",
        borough=draw(st.sampled_from(BOROUGHS)) if draw(rarely) else home,
        scope=draw(st.sampled_from(("regional", "borough"))) if draw(hardly_ever) else scope,
        status=draw(st.sampled_from(("missing", "missing", "missing", "missing", "missing", "away", "absent"))),
        age=draw(st.sampled_from((14, 14, 15, 11, 9, 17, 18, None))),
        sex=draw(st.sampled_from(("female", "male", "unknown"))),
        looked_after=draw(st.sampled_from(("yes", "no", "unknown"))),
        ethnicity=draw(st.sampled_from(("white", "black", "not_obtained", "unknown", "unknown"))),
        risk=draw(st.sampled_from((None, "unknown", "no_apparent_risk", "medium", "high"))),
        area=draw(st.sampled_from((None, None, *AREAS))),
        responsible=draw(st.sampled_from((None, None, *AREAS))),
        setting=draw(st.sampled_from((None, None, "home", "childrens_home", "other", "unknown"))),
        cse_flag=draw(st.sampled_from((None, None, None, "no", "yes"))),
        cse_flag_date=draw(st.sampled_from((None, None, None, None, *FLAGGED))),
        cce_flag_date=draw(st.sampled_from((None, None, None, None, None, *FLAGGED))),
        system=draw(st.sampled_from((None, None, "police"))),
        extracted=draw(st.sampled_from((None, None, None, "2025-06-01 10:00", "2025-05-01"))),
    )


@st.composite
def interview_row(draw: st.DrawFn, family: int, row: EpisodeRow, other: EpisodeRow) -> InterviewRow:
    """An interview near the return of a row, about that row and perhaps another, held or not, or nobody can tell."""
    back = datetime.fromisoformat(row.returned or row.found or row.started)
    hours = draw(st.sampled_from((-2, 0, 1, 3, 30, 72, 72, 73, 24 * 20)))
    day_only, was_held = draw(rarely), draw(often)
    when = back + hours * HOUR + draw(minute_either_side)
    return InterviewRow(
        interview_id=f"{family}.{draw(st.integers(1, 9))}",
        episode_ids=(row.episode_id, other.episode_id) if draw(rarely) else (row.episode_id,),
        held=written(when, day_only=day_only) if was_held else None,
        offered=draw(st.sampled_from(("yes", "yes", "yes", "no", "unknown", "not_applicable"))),
        accepted=draw(st.sampled_from(("yes", "yes", "no", "unknown", "not_applicable"))),
        declined_reason="child_declined" if draw(hardly_ever) else None,
        child=row.child,
        borough=draw(st.sampled_from(BOROUGHS)) if draw(rarely) else row.borough,
        scope=row.scope,
    )


def written(clock: datetime, *, day_only: bool) -> str:
    """The clock time as a sender writes it."""
    return clock.date().isoformat() if day_only else clock.isoformat(" ", "minutes")
