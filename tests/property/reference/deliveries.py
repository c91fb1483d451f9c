"""What is known now: of every record its newest version, and under which name its child is matched."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any

from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, recorded
from tests.property.reference.clock import day_after, second_pass, to_utc


@dataclass(frozen=True)
class Moment:
    """A recorded time: the instants it may stand for, from `earliest` until just before (a day) or at `until`.

    `exact` says that a clock time was recorded; in October's repeated hour it may still be either of two.
    """

    earliest: datetime
    until: datetime
    exact: bool

    @property
    def latest(self) -> datetime:
        """The last instant that it may stand for."""
        return self.until if self.exact else self.until - timedelta(microseconds=1)

    def not_before(self, instant: datetime) -> Moment:
        """The same time knowing that it lies at an instant or after it, which settles some repeated hours."""
        return Moment(self.until, self.until, exact=True) if self.exact and self.earliest < instant else self

    @property
    def day_only(self) -> bool:
        """Whether only the day is known."""
        return not self.exact


@dataclass(frozen=True)
class Live:
    """The newest version of a record."""

    row: Any
    known_at: datetime
    child_key: str

    @property
    def key(self) -> str:
        """Settles ties: which of two equal rows leads must not depend on the order of a file."""
        identity = self.row.episode_id if isinstance(self.row, EpisodeRow) else self.row.interview_id
        digest = md5(f"{self.row.borough}|canonical|{identity}".encode(), usedforsecurity=False).digest()
        return urlsafe_b64encode(digest)[:12].decode()

    @property
    def recorded_by(self) -> str:
        """Who keeps the record."""
        return "police" if self.row.system == "police" else "authority"


def moment(text: str | None) -> Moment | None:
    """Read a recorded time."""
    reading = recorded(text)
    if reading is None:
        return None
    clock, precision = reading
    if precision == "minute":
        return Moment(to_utc(clock), second_pass(clock), exact=True)
    return Moment(to_utc(clock), day_after(clock), exact=False)


def live_episodes(deliveries: Sequence[Delivery], as_at: datetime) -> list[Live]:
    """Newest version of every episode row received by the as-at instant."""
    return [_live(row, known_at, deliveries, as_at) for row, known_at, _ in _newest(deliveries, as_at, EpisodeRow)]


def live_interviews(deliveries: Sequence[Delivery], as_at: datetime) -> list[Live]:
    """Newest version of every interview received by the as-at instant."""
    return [_live(row, known_at, deliveries, as_at) for row, known_at, _ in _newest(deliveries, as_at, InterviewRow)]


def data_to(deliveries: Sequence[Delivery], as_at: datetime) -> dict[str, datetime]:
    """Borough to the instant up to which it is known: its newest episode row, else the arrival of its interviews."""
    known: dict[str, list[datetime]] = {}
    for live in live_episodes(deliveries, as_at):
        known.setdefault(live.row.borough, []).append(live.known_at)
    senders = set(known)
    for row, _, received in _newest(deliveries, as_at, InterviewRow):
        if row.borough not in senders:
            known.setdefault(row.borough, []).append(received)
    return {borough: min(as_at, max(instants)) for borough, instants in known.items()}


def _newest(
    deliveries: Sequence[Delivery], as_at: datetime, kind: type
) -> list[tuple[EpisodeRow | InterviewRow, datetime, datetime]]:
    """Newest versions of one kind of row, when each was known and when it arrived."""
    best: dict[tuple[str, str], tuple[tuple[Any, ...], Any, datetime, datetime]] = {}
    for received, name, place, row in _received(deliveries, as_at):
        if isinstance(row, kind):
            extracted = moment(row.extracted)
            known_at = extracted.earliest if extracted else received
            rank = (known_at, received, name, -place)
            identity = (row.borough, row.episode_id if isinstance(row, EpisodeRow) else row.interview_id)
            if identity not in best or rank > best[identity][0]:
                best[identity] = (rank, row, known_at, received)
    return [(row, known_at, received) for _, row, known_at, received in best.values()]


def _received(
    deliveries: Sequence[Delivery], as_at: datetime
) -> Iterator[tuple[datetime, str, int, EpisodeRow | InterviewRow]]:
    for delivery in deliveries:
        received = datetime.fromisoformat(delivery.received)
        if received <= as_at:
            for place, row in enumerate(delivery.rows):
                yield received, delivery.name, place, row


def _live(row: Any, known_at: datetime, deliveries: Sequence[Delivery], as_at: datetime) -> Live:
    scopes = {
        sent.scope
        for _, _, _, sent in _received(deliveries, as_at)
        if isinstance(sent, EpisodeRow) and (sent.borough, sent.child) == (row.borough, row.child)
    }
    regional = "regional" in (scopes or {row.scope})
    return Live(row, known_at, row.child if regional else f"{row.borough}:{row.child}")
