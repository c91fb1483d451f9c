"""Return interviews: which episodes they are about, whether they were held, and how soon after the return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from tests.property.reference.clock import day_after, to_london
from tests.property.reference.deliveries import Live, Moment, moment
from tests.property.reference.episodes import Episode

YES, NO, UNCLEAR = "yes", "no", "not_measurable"
LIMIT = timedelta(hours=72)


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
        if any(
            (one.row.borough, one.row.episode_id) in named and one.row.child == interview.row.child
            for one in episode.rows
        )
    ]


def interviews_of(episode: Episode, interviews: Sequence[Live], episodes: Sequence[Episode]) -> list[Live]:
    """Interviews about an episode."""
    return [one for one in interviews if any(other is episode for other in about(one, episodes))]


def within_72_hours(interview: Live, episode: Episode) -> str | None:
    """Yes or no where every reading of the recorded times agrees, else not measurable; nothing where none was held."""
    when, back = moment(interview.row.held), return_of(episode)
    if when is None:
        return None
    if back is None or not possible(when, back.earliest, when.until):
        return UNCLEAR
    if when.until - back.earliest <= LIMIT:
        return YES
    if when.earliest - back.until > LIMIT or (back.day_only and when.earliest - back.until == LIMIT):
        return NO
    return UNCLEAR


def return_of(episode: Episode) -> Moment | None:
    """The return of an episode, else its finding, with what the record leaves open."""
    if episode.back is None:
        return None
    exact = episode.returned_exact if episode.returned else episode.ended_exact
    until = episode.back if exact else day_after(datetime.combine(to_london(episode.back).date(), time()))
    return Moment(episode.back, until, exact)


def heard_between(child_key: str, interviews: Sequence[Live], after: datetime, until: datetime) -> bool:
    """Whether an interview may have been held with the child from one instant to another."""
    return any(
        one.child_key == child_key and held(one) == YES and possible(moment(one.row.held), after, until)
        for one in interviews
    )


def possible(when: Moment | None, after: datetime, until: datetime) -> bool:
    """Whether a recorded time may lie between two instants, both included."""
    assert when is not None
    not_too_early = when.earliest >= after if when.exact else when.until > after
    return not_too_early and when.earliest <= until
