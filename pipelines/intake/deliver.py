"""The books of intake: find files, keep the bytes, store accepted and quarantined rows, write receipt and feedback.

A delivery is a borough and a checksum. Derived files are keyed by the checksum and by the rules that made them, so a
second run does nothing and a changed rule redoes the work. The receipt is written last: a run killed half-way is
simply done again. Judging is in `examine`; nothing here looks at a cell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.contract import load_contracts
from pipelines.home import CONTRACTS, Home
from pipelines.intake.examine import (
    Examined,
    RefusedFileError,
    examine,
)
from pipelines.intake.judge import judge, messages_by_rule
from pipelines.intake.read import MOST_BYTES, column_letter
from pipelines.intake.store import write_bytes, write_parquet, write_text
from pipelines.intake.typed import accepted_columns
from pipelines.region import Area

# Raised when the code that reads or judges changes what it would make of the same bytes.
ENGINE_VERSION = 1
_ROWS_NAMED = 50
# Files are judged together up to this many rows: a Great Expectations run costs half a second, a row some kilobytes.
_ROWS_AT_ONCE = 50_000
_SYNTHETIC = "synthetic"


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
    """What was made of one delivery. Holds counts, row numbers, column names and rule ids; never a cell."""

    delivery_id: str
    borough: str
    file_name: str
    sha256: str
    received_at: str
    status: str
    reason: str
    dataset: str = ""
    source: str = ""
    source_version: str = ""
    rules_key: str = ""
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    synthetic: bool = False
    accepted: dict[str, str] = field(default_factory=dict)
    also_accepted: dict[str, int] = field(default_factory=dict)
    also_refused: dict[str, int] = field(default_factory=dict)
    findings: list[RuleCount] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LandedFile:
    """A file in landing, with its bytes."""

    borough: Area
    name: str
    data: bytes
    sha256: str
    received_at: datetime

    @property
    def delivery_id(self) -> str:
        """The borough and the first half of the checksum."""
        return f"{self.borough.slug}-{self.sha256[:32]}"

    @property
    def suffix(self) -> str:
        """File extension, `.csv.gz` kept whole."""
        lower = self.name.lower()
        return ".csv.gz" if lower.endswith(".csv.gz") else Path(lower).suffix


def rules_key(contracts: Path = CONTRACTS) -> str:
    """Digest of everything that decides what is made of a delivery's bytes."""
    digest = hashlib.sha256(str(ENGINE_VERSION).encode())
    files = [
        *contracts.glob("deliveries/*.yaml"),
        *contracts.glob("sources/*.yaml"),
        contracts / "rules/identifiers.yaml",
    ]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def ingest(home: Home, boroughs: Iterable[Area], received_at: datetime, contracts: Path = CONTRACTS) -> list[Receipt]:
    """Take in every file of the boroughs' landing folders.

    Args:
        home: run-time home.
        boroughs: whose landing to read.
        received_at: the arrival recorded for files not seen before (UTC).
        contracts: folder of contracts, layouts and rules.

    Returns:
        One receipt per distinct file (by checksum), in borough and file-name order. Whatever is wrong with one file,
        the others are taken in.
    """
    key = rules_key(contracts)
    receipts: list[Receipt] = []
    waiting: list[tuple[LandedFile, Examined]] = []
    for item in _landed(home, boroughs, received_at):
        if isinstance(item, Receipt):
            receipts.append(_record(home, item))
            continue
        known = _known(home, item)
        if known and known.rules_key == key:
            receipts.append(known)
            continue
        landed = _with_first_arrival(item, known)
        outcome = _understand(landed, contracts)
        if not isinstance(outcome, Examined):
            receipts.append(_refuse(home, landed, outcome, key))
            continue
        waiting.append((landed, outcome))
        if sum(file.table.rows_read for _, file in waiting) >= _ROWS_AT_ONCE:
            receipts += _judge_and_store(home, waiting, key, contracts)
            waiting = []
    receipts += _judge_and_store(home, waiting, key, contracts)
    return sorted(receipts, key=lambda r: (r.borough, r.file_name, r.sha256))


def _landed(home: Home, boroughs: Iterable[Area], received_at: datetime) -> Iterator[LandedFile | Receipt]:
    """Yield landing's files, then the deliveries whose file has since left landing, each checksum once."""
    for borough in boroughs:
        _forget_unread(home, borough)
        seen: set[str] = set()
        folder = home.landing / borough.slug
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.name.startswith((".", "~$")):
                continue
            problem, data = _read_bytes(path)
            if problem:
                yield _unread(borough, path.name, problem, received_at)
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 not in seen:
                seen.add(sha256)
                yield LandedFile(borough, path.name, data, sha256, received_at)
        yield from _kept(home, borough, seen)


def _kept(home: Home, borough: Area, seen: set[str]) -> Iterator[LandedFile]:
    kept = home.deliveries / borough.slug
    for path in sorted(kept.iterdir()) if kept.is_dir() else []:
        sha256 = path.name.split(".", 1)[0]
        receipt_path = _receipt_path(home, borough.slug, sha256)
        if sha256 in seen or path.name.startswith(".") or not receipt_path.exists():
            continue
        receipt = read_receipt(receipt_path)
        yield LandedFile(
            borough, receipt.file_name, path.read_bytes(), sha256, datetime.fromisoformat(receipt.received_at)
        )


def _forget_unread(home: Home, borough: Area) -> None:
    """Drop the receipts of files that could not be opened last time; they are looked at afresh."""
    for path in (home.receipts / borough.slug).glob("*.json"):
        if not read_receipt(path).rules_key:
            (home.quarantine / borough.slug / f"{path.stem}.feedback.csv").unlink(missing_ok=True)
            path.unlink()


def _read_bytes(path: Path) -> tuple[str, bytes]:
    """Return a sentence or the bytes; only a regular file of bearable size is read."""
    try:
        if path.is_symlink() or not path.is_file():
            return "This is a link or a folder, not a file; put the file itself into landing.", b""
        size = path.stat().st_size
        if size > MOST_BYTES:
            return "The file is larger than 1 GiB; send it in parts.", b""
        data = path.read_bytes()
        if len(data) != size:
            return "The file was still being written; it will be read at the next run.", b""
    except OSError:
        return "The file could not be opened; check its permissions.", b""
    return "", data


def _unread(borough: Area, name: str, problem: str, received_at: datetime) -> Receipt:
    """Receipt of a file whose bytes could not be read; identified by its name, since it has no checksum."""
    digest = hashlib.sha256(f"unread|{name}".encode()).hexdigest()
    return Receipt(
        delivery_id=f"{borough.slug}-{digest[:32]}",
        borough=borough.slug,
        file_name=name,
        sha256=digest,
        received_at=received_at.isoformat(),
        status="rejected",
        reason=problem,
    )


def _understand(landed: LandedFile, contracts: Path) -> Examined | RefusedFileError:
    try:
        return examine(landed.name, landed.data, landed.borough, landed.received_at, landed.delivery_id, contracts)
    except RefusedFileError as refused:
        return refused
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - one odd file must not stop the others
        msg = f"The file could not be processed (internal error {type(error).__name__}); tell the regional analyst."
        return RefusedFileError("file.internal_error", msg)


def _judge_and_store(
    home: Home, waiting: Sequence[tuple[LandedFile, Examined]], key: str, contracts: Path
) -> list[Receipt]:
    """Judge all files together, since a Great Expectations run has a fixed cost; if that fails, one by one."""
    if not waiting:
        return []
    try:
        findings = judge([file for _, file in waiting])
    except Exception as error:  # noqa: BLE001 - one file, however odd, must not stop the others
        if len(waiting) == 1:
            msg = f"The rules could not be run (internal error {type(error).__name__}); tell the regional analyst."
            return [_refuse(home, waiting[0][0], RefusedFileError("file.internal_error", msg), key)]
        return [receipt for one in waiting for receipt in _judge_and_store(home, [one], key, contracts)]
    by_delivery = findings.partition_by("delivery_id", as_dict=True)
    empty = findings.clear()
    return [
        _store(home, landed, file, by_delivery.get((file.delivery_id,), empty), key, contracts)
        for landed, file in waiting
    ]


def _store(  # noqa: PLR0917 - the file, what was found in it, and where it goes
    home: Home, landed: LandedFile, file: Examined, findings: pl.DataFrame, key: str, contracts: Path
) -> Receipt:
    main = file.main.contract.dataset
    stem = f"{landed.sha256}.{key}"
    _keep_bytes(home, landed)
    critical = findings.filter(pl.col("severity") == "critical")
    accepted: dict[str, str] = {}
    counts: dict[str, int] = {}
    refused: dict[str, int] = {}
    lost = critical.filter(pl.col("dataset") == main)["row_number"].unique()
    for part in file.parts:
        dataset = part.contract.dataset
        failed = critical.filter(pl.col("dataset") == dataset)["row_number"].unique().append(lost).unique()
        good = part.rows.filter(~pl.col("row_number").is_in(failed.implode()))
        path = home.accepted / landed.borough.slug / f"{stem}.{dataset}.parquet"
        write_parquet(path, _accepted(good, file, part.contract.dataset, contracts))
        accepted[dataset] = str(path.relative_to(home.root))
        counts[dataset] = good.height
        refused[dataset] = part.rows.height - good.height
    folder = home.quarantine / landed.borough.slug
    cells = file.table.frame.with_columns(file.table.row_numbers.alias("row_number"))
    write_parquet(folder / f"{stem}.parquet", cells.filter(pl.col("row_number").is_in(lost.implode())))
    write_parquet(folder / f"{stem}.findings.parquet", _in_senders_words(findings, file))
    receipt = Receipt(
        delivery_id=file.delivery_id,
        borough=landed.borough.slug,
        file_name=landed.name,
        sha256=landed.sha256,
        received_at=landed.received_at.isoformat(),
        status="accepted",
        reason="",
        dataset=main,
        source=file.source.id,
        source_version=file.source.version,
        rules_key=key,
        rows_read=file.table.rows_read,
        rows_accepted=counts[main],
        rows_quarantined=lost.len(),
        rows_duplicate=file.duplicates.len(),
        synthetic=_is_synthetic(landed, file),
        accepted=accepted,
        also_accepted={d: n for d, n in counts.items() if d != main},
        also_refused={d: n for d, n in refused.items() if d != main},
        findings=rule_counts(findings, file, contracts),
        notes=[*file.table.notes, *_unknown_columns_note(file)],
    )
    return _record(home, receipt)


def _accepted(rows: pl.DataFrame, file: Examined, dataset: str, contracts: Path) -> pl.DataFrame:
    provenance = rows.with_columns(
        pl.lit(file.delivery_id).alias("delivery_id"),
        pl.lit(file.borough.slug).alias("borough"),
        pl.lit(file.source.id).alias("source"),
    )
    return accepted_columns(provenance, load_contracts(contracts)[dataset])


def _keep_bytes(home: Home, landed: LandedFile) -> None:
    path = home.deliveries / landed.borough.slug / f"{landed.sha256}{landed.suffix}"
    if not path.exists():
        write_bytes(path, landed.data)


def _refuse(home: Home, landed: LandedFile, refused: RefusedFileError, key: str) -> Receipt:
    """Book a file refused whole: a receipt and feedback, none of its contents."""
    _forget_contents(home, landed)
    findings = [
        RuleCount(f.rule_id, "critical", f.column_name, column_letter(f.column_index), 0, f"{f.sentence}.", [])
        for f in refused.columns
    ] or [RuleCount(refused.rule_id, "critical", "", "", 0, str(refused), [])]
    return _record(
        home,
        Receipt(
            delivery_id=landed.delivery_id,
            borough=landed.borough.slug,
            file_name=landed.name,
            sha256=landed.sha256,
            received_at=landed.received_at.isoformat(),
            status="rejected",
            reason=str(refused),
            rules_key=key,
            synthetic=_SYNTHETIC in landed.name.lower(),
            findings=findings,
        ),
    )


def _forget_contents(home: Home, landed: LandedFile) -> None:
    """Remove what an earlier run, under other rules, had kept of a file.

    The bytes stay where they are the only copy, since the file has left landing: a mistaken rule must not destroy it.
    """
    slug = landed.borough.slug
    for folder in (home.accepted, home.quarantine):
        for path in (folder / slug).glob(f"{landed.sha256}*.parquet"):
            path.unlink()
    if (home.landing / slug / landed.name).exists():
        for path in (home.deliveries / slug).glob(f"{landed.sha256}.*"):
            path.unlink()


def _in_senders_words(findings: pl.DataFrame, file: Examined) -> pl.DataFrame:
    """Replace canonical columns by the sender's header cells and add their letters."""
    parts = {part.contract.dataset: part.part for part in file.parts}
    pairs = findings.select("dataset", "column").unique().rows()
    names = [(d, c, file.header_of(parts[d], c) if c else "") for d, c in pairs]
    lookup = pl.DataFrame(
        [(d, c, name, file.letter_of(name)) for d, c, name in names],
        schema=dict.fromkeys(("dataset", "column", "column_name", "column_letter"), pl.String),
        orient="row",
    )
    return findings.join(lookup, on=["dataset", "column"], how="left").drop("column")


def rule_counts(findings: pl.DataFrame, file: Examined, contracts: Path = CONTRACTS) -> list[RuleCount]:
    """Summarise findings per rule and column, critical first, in the sender's coordinates."""
    messages = messages_by_rule(contracts)
    grouped = (
        _in_senders_words(findings, file)
        .group_by("rule_id", "severity", "column_name", "column_letter")
        .agg(pl.len().alias("rows"), pl.col("row_number").sort().head(_ROWS_NAMED).alias("first_rows"))
        .sort("severity", "rule_id")
    )
    return [RuleCount(message=messages[row["rule_id"]], **row) for row in grouped.to_dicts()]


def _unknown_columns_note(file: Examined) -> list[str]:
    letters = [file.letter_of(name) for name in file.unknown_columns]
    return [f"Columns we do not use were left out: {', '.join(letters)}."] if letters else []


def _is_synthetic(landed: LandedFile, file: Examined) -> bool:
    main = file.main.rows
    marked = "source_system" in main.columns and main["source_system"].str.contains(_SYNTHETIC).any()
    return bool(marked) or _SYNTHETIC in landed.name.lower()


def _receipt_path(home: Home, borough: str, sha256: str) -> Path:
    return home.receipts / borough / f"{sha256}.json"


def _known(home: Home, landed: LandedFile) -> Receipt | None:
    path = _receipt_path(home, landed.borough.slug, landed.sha256)
    return read_receipt(path) if path.exists() else None


def _with_first_arrival(landed: LandedFile, known: Receipt | None) -> LandedFile:
    return replace(landed, received_at=datetime.fromisoformat(known.received_at)) if known else landed


def _record(home: Home, receipt: Receipt) -> Receipt:
    """Write feedback, then the receipt."""
    folder = home.quarantine / receipt.borough
    write_text(folder / f"{receipt.sha256}.feedback.csv", feedback_csv(receipt))
    text = json.dumps(asdict(receipt), indent=1, sort_keys=True) + "\n"
    write_text(_receipt_path(home, receipt.borough, receipt.sha256), text)
    return receipt


def read_receipt(path: Path) -> Receipt:
    """Read one receipt."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    raw["findings"] = [RuleCount(**finding) for finding in raw["findings"]]
    return Receipt(**raw)


def read_receipts(home: Home) -> list[Receipt]:
    """Read every receipt of the home, in borough and file-name order."""
    receipts = [read_receipt(path) for path in sorted(home.receipts.glob("*/*.json"))]
    return sorted(receipts, key=lambda r: (r.borough, r.file_name, r.sha256))


def feedback_csv(receipt: Receipt) -> str:
    """The feedback file for the borough: one line per rule and column, rows as a spreadsheet numbers them."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", receipt.file_name])
    writer.writerow(["outcome", _outcome(receipt)])
    for note in receipt.notes:
        writer.writerow(["note", note])
    writer.writerow(["severity", "rule", "column_letter", "column_name", "rows", "what_is_wrong", "row_numbers"])
    for f in receipt.findings:
        rows = " ".join(map(str, f.first_rows)) + (" ..." if f.rows > len(f.first_rows) > 0 else "")
        writer.writerow([f.severity, f.rule_id, f.column_letter, f.column_name, f.rows or "", f.message, rows])
    return out.getvalue()


def _outcome(receipt: Receipt) -> str:
    if receipt.status == "rejected":
        return f"refused: {receipt.reason}"
    return (
        f"{receipt.rows_read} rows read = {receipt.rows_accepted} accepted + {receipt.rows_quarantined} quarantined "
        f"+ {receipt.rows_duplicate} exact duplicates"
    )
