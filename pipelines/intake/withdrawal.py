"""Taking a delivery back: who asked, why and when, as an append-only list of events beside the receipts.

A withdrawn delivery stays in the books. From the instant of its withdrawal its rows no longer count, and the rows
that it had replaced count again; at an earlier as-at instant it still counts. Selecting rows is done in `sql/staging/`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from pipelines.home import Home
from pipelines.intake.store import write_text

WITHDRAW, REINSTATE = "withdraw", "reinstate"


class WithdrawalError(Exception):
    """The delivery cannot be withdrawn or reinstated; the message says why."""


@dataclass(frozen=True)
class WithdrawalEvent:
    """One decision about a delivery. `at` is ISO 8601 in UTC."""

    delivery_id: str
    action: str
    at: str
    reason: str
    asked_by: str


def read_events(home: Home) -> list[WithdrawalEvent]:
    """Every decision of the home, in borough order and in the order in which they were taken."""
    paths = sorted(home.withdrawals.glob("*.jsonl"))
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [WithdrawalEvent(**json.loads(line)) for line in lines]


def is_withdrawn(home: Home, delivery_id: str) -> bool:
    """Whether the last decision about a delivery was to withdraw it."""
    actions = [event.action for event in read_events(home) if event.delivery_id == delivery_id]
    return bool(actions) and actions[-1] == WITHDRAW


def record(home: Home, borough: str, event: WithdrawalEvent) -> None:
    """Append a decision.

    Raises:
        WithdrawalError: it would change nothing, lies before the last decision, or gives no reason.
    """
    if not event.reason.strip():
        msg = "A withdrawal needs a reason; it stands in the delivery log."
        raise WithdrawalError(msg)
    if is_withdrawn(home, event.delivery_id) == (event.action == WITHDRAW):
        state = "already withdrawn" if event.action == WITHDRAW else "not withdrawn"
        msg = f"The delivery {event.delivery_id} is {state}; nothing was changed."
        raise WithdrawalError(msg)
    earlier = [datetime.fromisoformat(e.at) for e in read_events(home) if e.delivery_id == event.delivery_id]
    if earlier and datetime.fromisoformat(event.at) < max(earlier):
        msg = "The clock of this machine stands before the last decision about the delivery; set it right first."
        raise WithdrawalError(msg)
    path = home.withdrawals / f"{borough}.jsonl"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_text(path, before + json.dumps(asdict(event), sort_keys=True) + "\n")
