"""What a borough sent, written the way a test wants to read it.

Times are the sender's: "2024-03-01 22:15" is local clock time known to the minute, "2024-03-01" a day without a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from pipelines.region import load_region

MINUTE, DATE = "minute", "date"


@cache
def area_codes() -> dict[str, str]:
    """Borough slug to ONS code."""
    return {borough.slug: borough.code for borough in load_region().boroughs}


def recorded(text: str | None) -> tuple[datetime, str] | None:
    """Return the clock time and its precision, or nothing where nothing was recorded."""
    if text is None:
        return None
    return datetime.fromisoformat(text), MINUTE if ":" in text else DATE  # a clock on a wall has no zone


@dataclass(frozen=True, kw_only=True)
class EpisodeRow:
    """One accepted row of dataset `missing_episode`. The areas are the sender's own unless given."""

    episode_id: str
    started: str
    found: str | None = None
    returned: str | None = None
    child: str = "anna"
    borough: str = "bolton"
    scope: str = "regional"
    status: str = "missing"
    age: int | None = 14
    sex: str = "female"
    looked_after: str = "no"
    ethnicity: str = "white"
    area: str | None = None
    responsible: str | None = None
    setting: str | None = None
    setting_id: str | None = None
    risk: str | None = None
    cse_flag: str | None = None
    cse_flag_date: str | None = None
    cce_flag: str | None = None
    cce_flag_date: str | None = None
    reported: str | None = None
    system: str | None = None
    extracted: str | None = None

    dataset = "missing_episode"

    @property
    def missing_from(self) -> str:
        """Code of the area missing from."""
        return self.area or area_codes()[self.borough]

    @property
    def authority(self) -> str:
        """Code of the responsible authority."""
        return self.responsible or area_codes()[self.borough]

    def columns(self) -> dict[str, Any]:
        """Values under the names of the contract."""
        return {
            "episode_id": self.episode_id,
            "child_id": self.child,
            "pseudonym_scope": self.scope,
            "status": self.status,
            "age_at_start": self.age,
            "sex": self.sex,
            "looked_after": self.looked_after,
            "ethnicity": self.ethnicity,
            "area_missing_from": self.missing_from,
            "responsible_authority": self.authority,
            "missing_from_setting": self.setting,
            "setting_id": self.setting_id,
            "risk_initial": self.risk,
            "cse_flag": self.cse_flag,
            "cce_flag": self.cce_flag,
            "source_system": self.system,
            **_clock("cse_flag_date", self.cse_flag_date),
            **_clock("cce_flag_date", self.cce_flag_date),
            **_clock("started_at", self.started),
            **_clock("reported_at", self.reported),
            **_clock("found_at", self.found),
            **_clock("returned_at", self.returned),
            **_clock("extracted_at", self.extracted),
        }


@dataclass(frozen=True, kw_only=True)
class InterviewRow:
    """One accepted row of dataset `return_interview`."""

    interview_id: str
    episode_ids: Sequence[str]
    held: str | None = None
    offered: str = "yes"
    accepted: str = "yes"
    declined_reason: str | None = None
    interviewer: str | None = None
    account: str | None = None
    push: Sequence[str] = ()
    pull: Sequence[str] = ()
    harms: Sequence[str] = ()
    actions: Sequence[str] = ()
    child: str = "anna"
    borough: str = "bolton"
    scope: str = "regional"
    extracted: str | None = None

    dataset = "return_interview"

    def columns(self) -> dict[str, Any]:
        """Values under the names of the contract."""
        return {
            "interview_id": self.interview_id,
            "child_id": self.child,
            "pseudonym_scope": self.scope,
            "episode_ids": "; ".join(self.episode_ids),
            "offered": self.offered,
            "accepted": self.accepted,
            "declined_reason": self.declined_reason,
            "interviewer": self.interviewer,
            "child_account_recorded": self.account,
            "push_factors": _codes(self.push),
            "pull_factors": _codes(self.pull),
            "harms_disclosed": _codes(self.harms),
            "actions": _codes(self.actions),
            **_clock("held_at", self.held),
            **_clock("extracted_at", self.extracted),
        }


@dataclass(frozen=True, kw_only=True)
class PlacementRow:
    """One accepted row of dataset `placement`; days are written as days."""

    started: str
    ended: str | None = None
    because: str | None = "S"
    ceased: str | None = None
    age_at_end: int | None = None
    child: str = "anna"
    borough: str = "bolton"
    scope: str = "regional"

    dataset = "placement"

    def columns(self) -> dict[str, Any]:
        """Values under the names of the contract."""
        return {
            "placement_id": f"{self.child}: {self.started} {self.because}",
            "child_id": self.child,
            "pseudonym_scope": self.scope,
            "reason_started": self.because,
            "reason_ended": self.ceased,
            "age_at_end": self.age_at_end,
            **_clock("started_on", self.started),
            **_clock("ended_on", self.ended),
        }


Row = EpisodeRow | InterviewRow | PlacementRow


@dataclass(frozen=True)
class Delivery:
    """Rows that arrived together (UTC) in one layout. Those of one borough and dataset are one file."""

    rows: Sequence[Row]
    received: str
    name: str = "delivery"
    source: str = "canonical"


def delivery(
    *rows: Row, received: str = "2026-06-01 09:00", name: str = "delivery", source: str = "canonical"
) -> Delivery:
    """One delivery, received long after everything in it unless said otherwise."""
    return Delivery(rows, received, name, source)


def as_child(name: str, *rows: Row) -> list[Row]:
    """The same rows about another child, under identifiers of its own: several cases fit into one delivery."""
    return [_of_child(name, row) for row in rows]


def cases(by_name: Mapping[str, Sequence[Row]]) -> Delivery:
    """One delivery of independent cases, each about a child named after it."""
    return delivery(*(row for name, rows in by_name.items() for row in as_child(name, *rows)))


def utc(text: str) -> datetime:
    """An instant as the warehouse keeps it: UTC without a zone."""
    return datetime.fromisoformat(text)


def _of_child(name: str, row: Row) -> Row:
    if isinstance(row, EpisodeRow):
        return replace(row, child=name, episode_id=f"{name}: {row.episode_id}")
    if isinstance(row, PlacementRow):
        return replace(row, child=name)
    named = tuple(f"{name}: {episode_id}" for episode_id in row.episode_ids)
    return replace(row, child=name, interview_id=f"{name}: {row.interview_id}", episode_ids=named)


def _clock(column: str, text: str | None) -> dict[str, Any]:
    clock, precision = recorded(text) or (None, None)
    return {column: clock, f"{column}_precision": precision}


def _codes(codes: Sequence[str]) -> str | None:
    return ";".join(codes) or None
