"""Taking in deliveries: every file of every borough, once, whatever is wrong with the others.

A delivery is a borough and a checksum. What was made of it is keyed by the rules that made it, so a second run does
nothing and a changed rule redoes the work. Reading landing is in `landing`, understanding in `examine`, judging in
`judge`, storing in `filing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.contracts.contract import ContractError
from pipelines.home import CONTRACTS, SQL, Home
from pipelines.intake.corrections import Correction, CorrectionsError, load_corrections
from pipelines.intake.examine import Examined, RefusedFileError, examine, examine_table
from pipelines.intake.filing import refuse, refuse_unread, store
from pipelines.intake.findings import FINDINGS_SCHEMA, OUTCOMES_SCHEMA, Judged
from pipelines.intake.judge import judge
from pipelines.intake.kept import kept_files
from pipelines.intake.landing import LandedFile, UnreadFile, landed_files
from pipelines.intake.receipt import Receipt, feedback_path, in_order, read_receipt, receipt_path
from pipelines.intake.store import sweep_partials
from pipelines.region import Area

# Raised when the code that reads or judges changes what it would make of the same bytes.
ENGINE_VERSION = 2
# Files are judged together up to this many rows: a Great Expectations run costs half a second, a row some kilobytes.
_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Desk:
    """What a borough's files are taken in by: its corrections and the key of all rules, or why nothing can be."""

    borough: Area
    key: str
    corrections: tuple[Correction, ...] = ()
    problem: str = ""


def rules_key(borough: str, home: Home, contracts: Path = CONTRACTS) -> str:
    """Digest of everything that decides what is made of the bytes of a borough's delivery."""
    digest = hashlib.sha256(str(ENGINE_VERSION).encode())
    files = [
        *contracts.glob("deliveries/*.yaml"),
        *contracts.glob("sources/*.yaml"),
        *contracts.glob(f"boroughs/{borough}/*.yaml"),
        contracts / "rules/identifiers.yaml",
        contracts / "rules/ssda903.yaml",
        *SQL.glob("rules/**/*.sql"),
        *([home.corrections(borough)] if home.corrections(borough).exists() else []),
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
    receipts: list[Receipt] = []
    waiting: list[tuple[LandedFile, Examined, Desk]] = []
    for borough in boroughs:
        desk = _open_desk(home, borough, contracts)
        for file in _files(home, borough, received_at):
            outcome = _take_in(home, file, desk, contracts)
            if isinstance(outcome, Receipt):
                receipts.append(outcome)
                continue
            waiting.append((*outcome, desk))
            if sum(file.table.rows_read for _, file, _ in waiting) >= _ROWS_AT_ONCE:
                receipts += _judge_and_store(home, waiting, contracts)
                waiting = []
    receipts += _judge_and_store(home, waiting, contracts)
    return in_order(receipts)


def _open_desk(home: Home, borough: Area, contracts: Path) -> Desk:
    """Read what the borough's files need; a mistake there stops the borough's new files, and no other borough's."""
    for folder in (home.deliveries, home.accepted, home.quarantine, home.receipts):
        sweep_partials(folder / borough.slug)
    _forget_unread(home, borough)
    key = rules_key(borough.slug, home, contracts)
    try:
        return Desk(borough, key, load_corrections(home.corrections(borough.slug), contracts))
    except CorrectionsError as error:
        return Desk(borough, key, problem=f"{error}; nothing new is taken in until it is put right.")


def _files(home: Home, borough: Area, received_at: datetime) -> Iterator[LandedFile | UnreadFile]:
    seen = set()
    for file in landed_files(home, borough, received_at):
        seen.add(file.sha256)
        yield file
    yield from kept_files(home, borough, seen)


def _take_in(
    home: Home, file: LandedFile | UnreadFile, desk: Desk, contracts: Path
) -> Receipt | tuple[LandedFile, Examined]:
    """Return the receipt of a file that is done with, else the file as it was understood."""
    if isinstance(file, UnreadFile):
        return refuse_unread(home, file)
    known = _known(home, file)
    if known and known.rules_key == desk.key and _is_complete(home, known):
        return known
    landed = replace(file, received_at=datetime.fromisoformat(known.received_at)) if known else file
    if desk.problem:
        # What was made of it under the earlier rules stands.
        earlier = known if known and known.rules_key else None
        return earlier or refuse(home, landed, RefusedFileError("file.configuration", desk.problem), "")
    outcome = _understand(landed, desk, contracts)
    if isinstance(outcome, RefusedFileError):
        return refuse(home, landed, outcome, desk.key)
    return landed, outcome


def _forget_unread(home: Home, borough: Area) -> None:
    """Drop the receipts of files that could not be opened last time; they are looked at afresh."""
    for path in (home.receipts / borough.slug).glob("*.json"):
        if read_receipt(path).unread:
            feedback_path(home, borough.slug, path.stem).unlink(missing_ok=True)
            path.unlink()


def _known(home: Home, landed: LandedFile) -> Receipt | None:
    path = receipt_path(home, landed.borough.slug, landed.sha256)
    return read_receipt(path) if path.exists() else None


def _is_complete(home: Home, receipt: Receipt) -> bool:
    """Whether everything that the receipt names is still there; what was deleted is made again."""
    named = [*receipt.accepted.values(), receipt.findings_file, receipt.outcomes_file, receipt.trapped_file]
    return all((home.root / name).exists() for name in named if name)


def _understand(landed: LandedFile, desk: Desk, contracts: Path) -> Examined | RefusedFileError:
    try:
        if landed.kept is not None:
            return examine_table(
                landed.kept, landed.borough, landed.received_at, landed.delivery_id, contracts, desk.corrections
            )
        return examine(
            landed.name,
            landed.data,
            landed.borough,
            landed.received_at,
            landed.delivery_id,
            contracts,
            desk.corrections,
        )
    except RefusedFileError as refused:
        return refused
    except ContractError as error:
        return RefusedFileError("file.configuration", f"The borough's configuration cannot be used: {error}.")
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - one odd file must not stop the others
        msg = f"The file could not be processed (internal error {type(error).__name__}); tell the regional analyst."
        return RefusedFileError("file.internal_error", msg)


def _judge_and_store(
    home: Home, waiting: Sequence[tuple[LandedFile, Examined, Desk]], contracts: Path
) -> list[Receipt]:
    """Judge all files together, since a Great Expectations run has a fixed cost; if that fails, one by one."""
    if not waiting:
        return []
    try:
        judged = judge([file for _, file, _ in waiting])
    except Exception as error:  # noqa: BLE001 - one file, however odd, must not stop the others
        if len(waiting) == 1:
            landed, _, desk = waiting[0]
            msg = f"The rules could not be run (internal error {type(error).__name__}); tell the regional analyst."
            return [refuse(home, landed, RefusedFileError("file.internal_error", msg), desk.key)]
        return [receipt for one in waiting for receipt in _judge_and_store(home, [one], contracts)]
    findings = judged.findings.partition_by("delivery_id", as_dict=True)
    outcomes = judged.outcomes.partition_by("delivery_id", as_dict=True)
    receipts = []
    for landed, file, desk in waiting:
        own = Judged(
            findings.get((file.delivery_id,), pl.DataFrame(schema=FINDINGS_SCHEMA)),
            outcomes.get((file.delivery_id,), pl.DataFrame(schema=OUTCOMES_SCHEMA)),
        )
        receipts.append(store(home, landed, file, own, desk.key, contracts))
    return receipts
