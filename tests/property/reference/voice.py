"""What came of the interviews held with a child, and when the child was first recognised.

Counting by area and period is not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tests.property.reference.clock import to_london
from tests.property.reference.deliveries import Live, moment
from tests.property.reference.episodes import Episode, first_known
from tests.property.reference.interviews import NO, UNCLEAR, YES, about, held

MEETING = "strategy_meeting"
LONG_AGO, NEVER = datetime.min, datetime.max  # noqa: DTZ901 - UTC without zone, as everywhere here


@dataclass(frozen=True)
class Recognition:
    """When something about a child first appeared, in episodes and in days since the first."""

    verdict: str
    at_episode: int | None = None
    days_after_first: int | None = None


def voice(interview: Live) -> tuple[str, str, str]:
    """Answers to: someone independent, own account recorded, something done."""
    row = interview.row
    independent = {"independent": YES, "commissioned": YES, "responsible_authority": NO, "placement": NO}
    account = row.account if row.account in (YES, NO) else UNCLEAR
    done = YES if set(row.actions) - {"no_further_action"} else NO if row.actions else UNCLEAR
    return independent.get(row.interviewer, UNCLEAR), account, done


def recognitions(episodes: Sequence[Episode], interviews: Sequence[Live]) -> dict[tuple[str, str], Recognition]:
    """Child and kind to when it first appeared, for every child who was missing."""
    lived: dict[str, list[Episode]] = {}
    for episode in episodes:
        if episode.status == "missing" and _is_child(episode):
            lived.setdefault(episode.child_key, []).append(episode)
    return {
        (child_key, kind): _recognised(mine, known, unclear)
        for child_key, mine in lived.items()
        for kind, (known, unclear) in {
            "exploitation_flag": _flags([one for one in episodes if one.child_key == child_key]),
            "return_interview": _heard(child_key, interviews, episodes),
            MEETING: _met(child_key, interviews, episodes),
        }.items()
    }


def _is_child(episode: Episode) -> bool:
    age = first_known(episode, "age", None)
    return age is None or age < 18


def _recognised(lived: Sequence[Episode], known: Sequence[datetime], unclear: Sequence[datetime]) -> Recognition:
    """The first known instant, unless something that is not known may have come first."""
    first = min(known, default=NEVER)
    if min(unclear, default=NEVER) <= first and unclear:
        return Recognition("cannot_be_told")
    if not known:
        return Recognition("not_yet")
    begun = [one for one in lived if one.start <= first]
    days = (to_london(first).date() - min(_day(one) for one in lived)).days
    return Recognition("recognised", len(begun), days)


def _day(episode: Episode) -> date:
    return to_london(episode.start).date()


def _flags(episodes: Sequence[Episode]) -> tuple[list[datetime], list[datetime]]:
    """Ends of the days on which flags were set, and whether one has no day at all."""
    rows = [one.row for episode in episodes for one in episode.rows]
    known: list[datetime] = []
    unclear: list[datetime] = []
    for kind in ("cse", "cce"):
        days = [day for row in rows if (day := moment(getattr(row, f"{kind}_flag_date")))]
        known += [day.latest for day in days]
        if not days and any(getattr(row, f"{kind}_flag") == YES for row in rows):
            unclear.append(LONG_AGO)
    return known, unclear


def _heard(
    child_key: str, interviews: Sequence[Live], episodes: Sequence[Episode]
) -> tuple[list[datetime], list[datetime]]:
    """Instants of the interviews held, and from when on others may have been."""
    mine = [one for one in interviews if one.child_key == child_key]
    known = [when.latest for when in (moment(one.row.held) for one in mine) if when]
    return known, [_not_before(one, episodes) for one in mine if held(one) == UNCLEAR]


def _met(
    child_key: str, interviews: Sequence[Live], episodes: Sequence[Episode]
) -> tuple[list[datetime], list[datetime]]:
    """Instants of the interviews that led to a meeting, and from when on others may have."""
    mine = [one for one in interviews if one.child_key == child_key]
    dated = [(when, one) for when, one in ((moment(one.row.held), one) for one in mine) if when]
    known = [when.latest for when, one in dated if MEETING in one.row.actions]
    blank = [when.earliest for when, one in dated if not one.row.actions]
    return known, blank + [_not_before(one, episodes) for one in mine if held(one) == UNCLEAR]


def _not_before(interview: Live, episodes: Sequence[Episode]) -> datetime:
    """No interview is held before the first of its episodes begins; of an unknown episode nothing is known."""
    return min((one.start for one in about(interview, episodes)), default=LONG_AGO)
