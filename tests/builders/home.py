"""A home that is filled without intake: receipts and accepted rows are written as intake would have left them.

For tests of what follows from what arrived when; reading and judging files costs seconds and is tested elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import polars as pl

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.schema import accepted_schema
from pipelines.home import Home
from pipelines.intake.receipt import Receipt, receipt_path, write_receipt
from pipelines.intake.store import write_parquet
from pipelines.intake.withdrawal import REINSTATE, WITHDRAW, WithdrawalEvent, record
from tests.builders.rows import Delivery, Row


def instant(text: str) -> datetime:
    """An instant given in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def arrive(home: Home, *deliveries: Delivery) -> list[str]:
    """File deliveries, each borough and dataset of one as a file of its own, and return the delivery ids."""
    schemas = {name: accepted_schema(contract) for name, contract in load_contracts().items()}
    ids = []
    for delivery in deliveries:
        files: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in delivery.rows:
            files[row.borough, row.dataset].append(row)
        for (borough, dataset), rows in files.items():
            receipt = _receipt(delivery, borough, dataset, len(rows))
            cells = [_accepted(row, receipt, place) for place, row in enumerate(rows, start=2)]
            complete = [{name: row.get(name) for name in schemas[dataset]} for row in cells]
            frame = pl.DataFrame(complete, schema=schemas[dataset])
            write_parquet(home.root / receipt.accepted[dataset], frame)
            write_receipt(home, receipt)
            ids.append(receipt.delivery_id)
    return ids


def lose(home: Home, borough: str, delivery_id: str) -> None:
    """Undo the arrival of a delivery, as where a home is rebuilt without it."""
    receipt_path(home, borough, delivery_id).unlink()


def withdraw(home: Home, borough: str, delivery_id: str, at: str, *, undo: bool = False) -> None:
    """Take a delivery back, or count it again."""
    action = REINSTATE if undo else WITHDRAW
    event = WithdrawalEvent(delivery_id, action, instant(at).isoformat(), "sent in error", "data officer")
    record(home, borough, event)


def _receipt(delivery: Delivery, borough: str, dataset: str, count: int) -> Receipt:
    delivery_id = f"{borough}.{dataset}.{delivery.name}"
    return Receipt(
        delivery_id=delivery_id,
        borough=borough,
        file_name=f"{delivery.name}.csv",
        sha256=delivery_id,
        received_at=instant(delivery.received).isoformat(),
        status="accepted",
        reason="",
        dataset=dataset,
        source=delivery.source,
        source_version="1",
        rules_key="1",
        rows_read=count,
        rows_accepted=count,
        synthetic=True,
        accepted={dataset: f"accepted/{borough}/{delivery_id}.parquet"},
    )


def _accepted(row: Row, receipt: Receipt, row_number: int) -> dict[str, object]:
    provenance = {name: getattr(receipt, name) for name in ("delivery_id", "borough", "source", "source_version")}
    return provenance | {"row_number": row_number} | row.columns()
