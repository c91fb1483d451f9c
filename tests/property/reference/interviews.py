"""Return interviews: which episodes they are about, whether they were held, how soon, and what came of them.

A recorded time may be read as the first or as the last instant that the record allows. A verdict is yes where every
reading says so, no where none does, and otherwise cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.property.reference.deliveries import Live, Moment, moment
from tests.property.reference.episodes import Episode, first_known

YES, NO, UNCLEAR = "yes", "no", "not_measurable"
LIMIT = timedelta(hours=72)


@dataclass(frozen=True)
class Cascade:
    """What is known of the interview after one return."""

    due: str
    offered: str
    accepted: str
    held: str
    within_72_hours: str
    declined: bool
    overtaken: str
    interviews: int
    first_held_at: datetime | None
    hours_from_return: float | None
    is_shared: bool
    is_before_return: bool
    is_after_next: bool


def offered(interview: Live) -> str:
    """Whether an interview was offered: who accepts was offered one."""
    if interview.row.offered == YES or accepted(interview) == YES:
        return YES
    return UNCLEAR if interview.row.offered == "unknown" else NO


def accepted(interview: Live) -> str:
    """Whether the child accepted: who is heard has accepted."""
    if held(interview) == YES:
        return YES
    if interview.row.offered in ("no", "not_applicable") or interview.row.accepted == NO:
        return NO
    if interview.row.accepted == YES:
        return YES
    return NO if declined(interview) else UNCLEAR


def declined(interview: Live) -> bool:
    """Whether the child or a parent said no."""
    return interview.row.accepted == NO or interview.row.declined_reason in ("child_declined", "parent_declined")


def held(interview: Live) -> str:
    """Whether an interview was held: it has a date, or something says that it was not, or nobody can tell."""
    row = interview.row
    if row.held is not None:
        return YES
    if row.offered in ("no", "not_applicable") or row.accepted == "no" or row.declined_reason is not None:
        return NO
    return UNCLEAR


def about(interview: Live, episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes of the interview's child that the same sender gave one of the names."""
    named = {(interview.row.borough, name) for name in interview.row.episode_ids}
    return [
        episode
        for episode in episodes
        if episode.child_key == interview.child_key
        and any((one.row.borough, one.row.episode_id) in named for one in episode.rows)
    ]


def interviews_of(episode: Episode, interviews: Sequence[Live], episodes: Sequence[Episode]) -> list[Live]:
    """Interviews about an episode."""
    return [one for one in interviews if any(other is episode for other in about(one, episodes))]


def within_72_hours(interview: Live, episode: Episode) -> str | None:
    """Whether the interview was within 72 hours of the return; nothing where none was held."""
    when, back = moment(interview.row.held), return_of(episode)
    if when is None:
        return None
    if back is None:
        return UNCLEAR
    return verdict(
        held_at - returned_at <= LIMIT
        for held_at in readings(when)
        for returned_at in readings(back)
        if held_at >= returned_at
    )


def return_of(episode: Episode) -> Moment | None:
    """The return of an episode, else its finding, with what the record leaves open."""
    return episode.return_ or episode.end


def readings(when: Moment) -> set[datetime]:
    """First and last instant that a record allows."""
    return {when.earliest, when.latest}


def verdict(answers: Iterable[bool]) -> str:
    """Yes or no where all readings agree; where there is none, nobody can tell."""
    return {frozenset({True}): YES, frozenset({False}): NO}.get(frozenset(answers), UNCLEAR)


def any_of(verdicts: Iterable[str | None]) -> str:
    """Yes where one says so, no where none may."""
    said = list(verdicts)
    return next((answer for answer in (YES, UNCLEAR) if answer in said), NO)


def in_cascade(episode: Episode) -> bool:
    """Whether an interview is owed after an episode: a child was missing and is back."""
    age = first_known(episode, "age", None)
    return episode.status == "missing" and (age is None or age < 18) and return_of(episode) is not None


def cascade(
    episode: Episode, episodes: Sequence[Episode], interviews: Sequence[Live], data_to: dict[str, datetime]
) -> Cascade:
    """What became of the interview after an episode with a return."""
    mine = interviews_of(episode, interviews, episodes)
    back = return_of(episode)
    assert back is not None
    was_held = any_of(held(one) for one in mine)
    shown = _shown(mine, back)
    when = moment(shown.row.held) if shown else None
    after = next_missing(episode, episodes)
    return Cascade(
        due=verdict(returned_at + LIMIT <= data_to[episode.lead.row.borough] for returned_at in readings(back)),
        offered=any_of(offered(one) for one in mine),
        accepted=any_of(accepted(one) for one in mine),
        held=was_held,
        within_72_hours=any_of(UNCLEAR if held(one) == UNCLEAR else within_72_hours(one, episode) for one in mine),
        declined=was_held != YES and any(declined(one) for one in mine),
        overtaken=_overtaken(episode, after, mine, interviews),
        interviews=len(mine),
        first_held_at=when.earliest if when else None,
        hours_from_return=_hours(when, back),
        is_shared=any(len(about(one, episodes)) > 1 for one in mine),
        is_before_return=when is not None and when.latest < back.earliest,
        is_after_next=when is not None and after is not None and when.earliest > after.latest,
    )


def next_missing(episode: Episode, episodes: Sequence[Episode]) -> Moment | None:
    """When the child was next missing."""
    later = [
        one.started
        for one in episodes
        if one.child_key == episode.child_key and one.status == "missing" and one.start > episode.start
    ]
    return min(later, key=lambda start: start.earliest, default=None)


def _shown(mine: Sequence[Live], back: Moment) -> Live | None:
    """The first interview held that is not dated before the return, else the first."""
    dated = [(moment(one.row.held), one) for one in mine]
    ranked = [(when.latest < back.earliest, when.earliest, one.key, one) for when, one in dated if when]
    return min(ranked, default=(None, None, None, None))[-1]


def _hours(when: Moment | None, back: Moment) -> float | None:
    """Elapsed hours, where neither time leaves anything open."""
    if when is None or len(readings(when)) > 1 or len(readings(back)) > 1:
        return None
    return (when.earliest - back.earliest) / timedelta(hours=1)


def _overtaken(episode: Episode, after: Moment | None, mine: Sequence[Live], interviews: Sequence[Live]) -> str:
    """Whether the child was missing again within 72 hours and nobody had listened."""
    back = return_of(episode)
    assert back is not None
    if after is None:
        return NO
    again = verdict(
        started_at - returned_at < LIMIT for started_at in readings(after) for returned_at in readings(back)
    )
    heard = any_of(
        _heard_between(moment(one.row.held), back, after)
        for one in interviews
        if one.child_key == episode.child_key and held(one) == YES
    )
    if again == NO or heard == YES:
        return NO
    undated = any(held(one) == UNCLEAR for one in mine)
    misdated = any(when.latest < back.earliest for when in (moment(one.row.held) for one in mine) if when)
    return UNCLEAR if UNCLEAR in (again, heard) or undated or misdated else YES


def _heard_between(when: Moment | None, back: Moment, after: Moment) -> str:
    """Whether an interview lay between the return (a day that may be the return's counts) and the next start."""
    assert when is not None
    if when.latest < back.earliest:
        return NO
    return verdict(held_at <= started_at for held_at in readings(when) for started_at in readings(after))


def heard_between(child_key: str, interviews: Sequence[Live], after: datetime, until: datetime) -> bool:
    """Whether an interview may have been held with the child from one instant to another."""
    return any(
        one.child_key == child_key and held(one) == YES and possible(moment(one.row.held), after, until)
        for one in interviews
    )


def possible(when: Moment | None, after: datetime, until: datetime) -> bool:
    """Whether a recorded time may lie between two instants, both included."""
    assert when is not None
    return when.latest >= after and when.earliest <= until
