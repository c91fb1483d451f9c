"""Receipts and feedback: what was made of each delivery, in counts, row numbers, column names and rule ids.

A receipt is the book entry, kept as JSON; feedback is the same for the borough, as CSV. Neither holds a cell. Deciding
what goes into them belongs in `deliver`.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.intake.store import write_text

_LONGEST_NAME = 150
_SHOWN_AS_BLANK = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True)
class RuleCount:
    """How many rows of a delivery failed a rule, in the sender's coordinates."""

    rule_id: str
    severity: str
    column_name: str
    column_letter: str
    rows: int
    message: str
    first_rows: list[int]


@dataclass(frozen=True)
class Receipt:
    """What was made of one delivery. Files are named relative to the home.

    `unread` marks a file whose bytes could not be read; it is looked at afresh in the next run.
    """

    delivery_id: str
    borough: str
    file_name: str
    sha256: str
    received_at: str
    status: str
    reason: str
    unread: bool = False
    dataset: str = ""
    source: str = ""
    source_version: str = ""
    source_notes: list[str] = field(default_factory=list)
    rules_key: str = ""
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    quarantined_months: dict[str, int] = field(default_factory=dict)
    synthetic: bool = False
    accepted: dict[str, str] = field(default_factory=dict)
    also_accepted: dict[str, int] = field(default_factory=dict)
    also_refused: dict[str, int] = field(default_factory=dict)
    findings_file: str = ""
    outcomes_file: str = ""
    trapped_file: str = ""
    findings: list[RuleCount] = field(default_factory=list)
    not_applicable: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def shown_name(name: str) -> str:
    """A file name as it may be shown: what a terminal or a page would obey, and not show, becomes a blank mark."""
    shown = "".join("\ufffd" if unicodedata.category(sign) in _SHOWN_AS_BLANK else sign for sign in name)
    return shown if len(shown) <= _LONGEST_NAME else shown[:_LONGEST_NAME] + "..."


def receipt_path(home: Home, borough: str, sha256: str) -> Path:
    """Where the receipt of a checksum is."""
    return home.receipts / borough / f"{sha256}.json"


def feedback_path(home: Home, borough: str, sha256: str) -> Path:
    """Where the feedback on a checksum is."""
    return home.quarantine / borough / f"{sha256}.feedback.csv"


def write_receipt(home: Home, receipt: Receipt) -> None:
    """Write feedback, then the receipt: a receipt says that all the rest is there."""
    write_text(feedback_path(home, receipt.borough, receipt.sha256), feedback_csv(receipt))
    text = json.dumps(asdict(receipt), indent=1, sort_keys=True) + "\n"
    write_text(receipt_path(home, receipt.borough, receipt.sha256), text)


def read_receipt(path: Path) -> Receipt:
    """Read one receipt."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    raw["findings"] = [RuleCount(**finding) for finding in raw["findings"]]
    return Receipt(**raw)


def read_receipts(home: Home) -> list[Receipt]:
    """Read every receipt of the home, in borough and file-name order."""
    receipts = [read_receipt(path) for path in sorted(home.receipts.glob("*/*.json"))]
    return in_order(receipts)


def in_order(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Receipts by borough and file name."""
    return sorted(receipts, key=lambda r: (r.borough, r.file_name, r.sha256))


def feedback_csv(receipt: Receipt) -> str:
    """The feedback file for the borough: one line per rule and column, rows as a spreadsheet numbers them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")

    def line(*cells: object) -> None:
        writer.writerow([_as_text(str(cell)) for cell in cells])

    line("file", receipt.file_name)
    line("outcome", _outcome(receipt))
    for note in receipt.notes:
        line("note", note)
    line("severity", "rule", "column_letter", "column_name", "rows", "what_is_wrong", "row_numbers")
    for f in receipt.findings:
        rows = " ".join(map(str, f.first_rows)) + (" ..." if f.rows > len(f.first_rows) > 0 else "")
        line(f.severity, f.rule_id, f.column_letter, f.column_name, f.rows or "", f.message, rows)
    for rule_id, reason in receipt.not_applicable.items():
        line("not applicable", rule_id, "", "", "", reason, "")
    return out.getvalue()


def _as_text(cell: str) -> str:
    """Names of files and columns are the sender's: none may start a formula when the feedback is opened."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _outcome(receipt: Receipt) -> str:
    if receipt.status == "rejected":
        return f"refused: {receipt.reason}"
    return (
        f"{receipt.rows_read} rows read = {receipt.rows_accepted} accepted + {receipt.rows_quarantined} quarantined "
        f"+ {receipt.rows_duplicate} exact duplicates"
    )
