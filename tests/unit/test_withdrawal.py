"""Withdrawing deliveries: an append-only list of decisions, each with its reason."""

from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.intake.withdrawal import REINSTATE, WITHDRAW, WithdrawalError, WithdrawalEvent, is_withdrawn, record
from pipelines.intake.withdrawal import read_events as events_of

NOON, ONE, TWO = (f"2026-04-20T{hour}:00:00+00:00" for hour in (12, 13, 14))


def decide(home: Home, action: str, at: str, reason: str = "sent in error", delivery: str = "bury-1") -> None:
    record(home, "bury", WithdrawalEvent(delivery, action, at, reason, "data officer"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_decisions_are_kept_in_order_and_the_last_one_holds(home: Home) -> None:
    decide(home, WITHDRAW, NOON)
    assert is_withdrawn(home, "bury-1")
    decide(home, REINSTATE, ONE, reason="it was right after all")
    assert not is_withdrawn(home, "bury-1")
    decide(home, WITHDRAW, TWO)
    assert [(e.action, e.at) for e in events_of(home)] == [(WITHDRAW, NOON), (REINSTATE, ONE), (WITHDRAW, TWO)]
    assert not is_withdrawn(home, "bury-2")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (None, REINSTATE, "not withdrawn"),
        (WITHDRAW, WITHDRAW, "already withdrawn"),
    ],
)
def test_a_decision_that_changes_nothing_is_refused(home: Home, first: str | None, second: str, says: str) -> None:
    if first:
        decide(home, first, NOON)
    before = events_of(home)
    with pytest.raises(WithdrawalError, match=says):
        decide(home, second, ONE)
    assert events_of(home) == before


def test_a_withdrawal_needs_a_reason(home: Home) -> None:
    with pytest.raises(WithdrawalError, match="needs a reason"):
        decide(home, WITHDRAW, NOON, reason="  ")


def test_a_clock_that_went_back_cannot_rewrite_the_order(home: Home) -> None:
    decide(home, WITHDRAW, ONE)
    with pytest.raises(WithdrawalError, match="clock"):
        decide(home, REINSTATE, NOON)
