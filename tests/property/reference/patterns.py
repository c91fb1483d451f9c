"""Repeat-missing patterns: for every start, look back and count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.property.reference.deliveries import Live
from tests.property.reference.episodes import Episode, by_child
from tests.property.reference.interviews import UNCLEAR, heard_between, held, interviews_of

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Hit:
    """A start that completes a pattern, and the window (after, at] it looks back over."""

    after: datetime
    at: datetime
    episode: Episode


@dataclass(frozen=True)
class Flag:
    """A run of overlapping windows of one rule and child."""

    rule_id: str
    child_key: str
    raised_at: datetime
    last_hit_at: datetime
    raised_by: Episode
    episodes: Sequence[Episode]


def missing_only(episodes: Sequence[Episode]) -> list[Episode]:
    """Away and absent never count."""
    return [one for one in episodes if one.status == "missing"]


def flags(rules: Sequence[dict[str, Any]], episodes: Sequence[Episode], interviews: Sequence[Live]) -> list[Flag]:
    """Every flag of every rule."""
    return [
        _flag(rule["id"], run, history)
        for history in by_child(missing_only(episodes)).values()
        for rule in rules
        for run in _runs(hits(rule, history, interviews, episodes))
    ]


def hits(
    rule: dict[str, Any], history: Sequence[Episode], interviews: Sequence[Live], episodes: Sequence[Episode]
) -> list[Hit]:
    """Starts of one child that complete a rule's pattern."""
    found = [_look_back(rule, history[: place + 1], interviews, episodes) for place in range(len(history))]
    return [hit for hit in found if hit is not None]


def _look_back(
    rule: dict[str, Any], so_far: Sequence[Episode], interviews: Sequence[Live], episodes: Sequence[Episode]
) -> Hit | None:
    match rule["kind"]:
        case "window":
            return _window(rule, so_far)
        case "unheard":
            hit = _window(rule, so_far)
            return None if hit and _heard_or_unclear(hit, so_far, interviews, episodes) else hit
        case "rapid":
            return _rapid(rule, so_far)
        case "before_interview":
            return _before_interview(rule, so_far, interviews, episodes)
    raise AssertionError(rule["kind"])


def _window(rule: dict[str, Any], so_far: Sequence[Episode]) -> Hit | None:
    now = so_far[-1]
    after = now.start - timedelta(hours=24 * rule["window_days"])
    enough = len([one for one in so_far if after < one.start <= now.start]) >= rule["episodes"]
    return Hit(after, now.start, now) if enough else None


def _heard_or_unclear(
    hit: Hit, so_far: Sequence[Episode], interviews: Sequence[Live], episodes: Sequence[Episode]
) -> bool:
    inside = [one for one in so_far if hit.after < one.start <= hit.at]
    heard = heard_between(hit.episode.child_key, interviews, hit.after + INSTANT, hit.at)
    return heard or any(_unclear(one, interviews, episodes) for one in inside)


def _unclear(episode: Episode, interviews: Sequence[Live], episodes: Sequence[Episode]) -> bool:
    return any(held(one) == UNCLEAR for one in interviews_of(episode, interviews, episodes))


def _rapid(rule: dict[str, Any], so_far: Sequence[Episode]) -> Hit | None:
    if len(so_far) < 2 or so_far[-2].ended is None:
        return None
    before, now = so_far[-2:]
    soon = now.start - before.ended <= timedelta(hours=24 * rule["window_days"])
    return Hit(before.start - INSTANT, now.start, now) if soon else None


def _before_interview(
    rule: dict[str, Any], so_far: Sequence[Episode], interviews: Sequence[Live], episodes: Sequence[Episode]
) -> Hit | None:
    if len(so_far) < 2 or so_far[-2].back is None:
        return None
    before, now = so_far[-2:]
    soon = timedelta() <= now.start - before.back < timedelta(hours=rule["window_hours"])
    heard = heard_between(now.child_key, interviews, before.back, now.start)
    if not soon or heard or _unclear(before, interviews, episodes):
        return None
    return Hit(before.start - INSTANT, now.start, now)


def _runs(found: Sequence[Hit]) -> list[list[Hit]]:
    """Hits whose windows overlap, directly or through others."""
    runs: list[list[Hit]] = []
    for hit in found:
        touching = [run for run in runs if any(one.after < hit.at and hit.after < one.at for one in run)]
        runs = [run for run in runs if run not in touching] + [[one for run in touching for one in run] + [hit]]
    return runs


def _flag(rule_id: str, run: Sequence[Hit], history: Sequence[Episode]) -> Flag:
    evidence = [one for one in history if any(hit.after < one.start <= hit.at for hit in run)]
    first, last = min(run, key=lambda hit: hit.at), max(run, key=lambda hit: hit.at)
    return Flag(rule_id, history[0].child_key, first.at, last.at, first.episode, evidence)
