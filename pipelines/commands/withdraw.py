"""`mfh withdraw`: take a delivery back, or undo that, with a reason that stays in the delivery log."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.intake.receipt import Receipt, read_receipts
from pipelines.intake.withdrawal import REINSTATE, WITHDRAW, WithdrawalError, WithdrawalEvent, record


def withdraw_delivery(home: Home, named: str, reason: str, asked_by: str, *, undo: bool) -> None:
    """Record the decision; the next run leaves the delivery out, or counts it again."""
    receipt = _delivery_named(home, named)
    event = WithdrawalEvent(
        delivery_id=receipt.delivery_id,
        action=REINSTATE if undo else WITHDRAW,
        at=datetime.now(UTC).isoformat(),
        reason=reason,
        asked_by=asked_by,
    )
    try:
        record(home, receipt.borough, event)
    except WithdrawalError as error:
        raise CommandError(str(error)) from error
    done = "counts again" if undo else "no longer counts"
    click.echo(
        f"{receipt.borough}/{receipt.file_name} ({receipt.rows_accepted} accepted rows) {done} from the next "
        f"`mfh run` on. Delivery {receipt.delivery_id}."
    )


def _delivery_named(home: Home, named: str) -> Receipt:
    """The accepted delivery with this id, or this `borough/file name`."""
    accepted = [receipt for receipt in read_receipts(home) if receipt.status == "accepted"]
    found = [r for r in accepted if named in {r.delivery_id, f"{r.borough}/{r.file_name}"}]
    if not found:
        msg = f"There is no accepted delivery {named}; `mfh deliveries` lists them."
        raise CommandError(msg)
    if len(found) > 1:
        ids = ", ".join(receipt.delivery_id for receipt in found)
        msg = f"{len(found)} deliveries came under that name; say which one: {ids}."
        raise CommandError(msg)
    return found[0]
