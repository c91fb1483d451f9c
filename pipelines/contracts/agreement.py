"""What a borough has agreed to share and for how long it may be kept: `data_contracts/boroughs/<slug>/agreement.yaml`.

Without an agreement in force nothing of a borough is taken in. Which columns and rows that leaves is decided here;
leaving them out is done by `intake.examine` (columns) and `warehouse.load` (rows past retention). How the borough
records, as far as figures cannot be read without it, is stated here too, and attached to figures by
`sql/quality/note.sql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.concerns import bases_of, indicators_of, measures_behind
from pipelines.contracts.contract import Contract, ContractError, load_contracts
from pipelines.contracts.keys import Keys
from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS
from pipelines.region import load_region

_KEYS = {"borough", "reference", "valid_from", "valid_until", "retention_years", "fields", "recording_notes"}
_NOTE_NEEDED = {"id", "text", "indicators", "source"}
_NOTE_KNOWN = _NOTE_NEEDED | {"bases", "from", "to"}
_NOTE_SCHEMA: dict[str, pl.DataType] = {
    "note_id": pl.String(),
    "area_code": pl.String(),
    "text": pl.String(),
    "from_day": pl.Date(),
    "to_day": pl.Date(),
    "indicators": pl.List(pl.String()),
    "measures": pl.List(pl.String()),
    "bases": pl.List(pl.String()),
    "source": pl.String(),
}


@dataclass(frozen=True)
class RecordingNote:
    """How a borough records something, in one sentence without a count of ours, and which figures it concerns.

    `indicators` are ids, none for all; without `first` or `last` it holds since ever, or still.
    """

    note_id: str
    text: str
    first: date | None
    last: date | None
    indicators: tuple[str, ...]
    bases: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Agreement:
    """One borough's sharing agreement.

    `fields` are the agreed columns of each dataset; `retention_years` is how long after its end an episode, and the
    interviews about it, may be kept.
    """

    borough: str
    reference: str
    valid_from: date
    valid_until: date | None
    retention_years: int
    fields: Mapping[str, frozenset[str]]
    recording_notes: tuple[RecordingNote, ...] = ()

    def in_force(self, on: date) -> bool:
        """Whether the agreement covers a delivery that arrives on a day; both ends count."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    def agreed(self, dataset: str) -> frozenset[str]:
        """Columns of a dataset that may be kept; none where the dataset is not part of the agreement."""
        return self.fields.get(dataset, frozenset())


@cache
def load_agreement(borough: str, contracts: Path = CONTRACTS) -> Agreement | None:
    """Read a borough's agreement; None where there is none.

    Raises:
        ContractError: the file has a key or a field we do not know, or leaves out a field without which no row of the
            dataset can be used.
    """
    path = contracts / "boroughs" / borough / "agreement.yaml"
    if not path.exists():
        return None
    raw: dict[str, Any] = read_yaml(path)
    where = f"boroughs/{borough}/agreement.yaml"
    unknown = sorted(raw.keys() - _KEYS)
    if unknown:
        msg = f"{where}: unknown keys {', '.join(unknown)}"
        raise ContractError(msg)
    if raw["borough"] != borough:
        msg = f"{where}: it is the agreement of another borough"
        raise ContractError(msg)
    datasets = load_contracts(contracts)
    return Agreement(
        borough=borough,
        reference=str(raw["reference"]),
        valid_from=raw["valid_from"],
        valid_until=raw.get("valid_until"),
        retention_years=_whole_years(
            raw["retention_years"], min(c.longest_retention for c in datasets.values()), where
        ),
        fields={name: _fields(datasets, name, stated, where) for name, stated in raw["fields"].items()},
        recording_notes=_recording_notes(raw, where),
    )


def recording_note_frame(contracts: Path = CONTRACTS) -> pl.DataFrame:
    """Make the rows of `rules.recording_note`, one per borough and note of its agreement."""
    rows = [
        (
            f"{borough.slug}.{note.note_id}",
            borough.code,
            note.text,
            note.first,
            note.last,
            list(note.indicators),
            measures_behind(note.indicators, contracts),
            list(note.bases),
            note.source,
        )
        for borough in load_region(contracts).boroughs
        if (agreement := load_agreement(borough.slug, contracts))
        for note in agreement.recording_notes
    ]
    return pl.DataFrame(rows, schema=_NOTE_SCHEMA, orient="row")


def _recording_notes(raw: Mapping[str, Any], where: str) -> tuple[RecordingNote, ...]:
    keys = Keys({"recording_notes": raw.get("recording_notes", [])}, where)
    notes = tuple(_recording_note(entry) for entry in keys.entries("recording_notes"))
    ids = [note.note_id for note in notes]
    for note_id in ids:
        if ids.count(note_id) > 1:
            keys.fail("recording_notes", f"the id {note_id} stands twice")
    return notes


def _recording_note(keys: Keys) -> RecordingNote:
    keys.only(_NOTE_KNOWN, _NOTE_NEEDED)
    first, last = (keys.day(name) if name in keys.raw else None for name in ("from", "to"))
    if first and last and last < first:
        keys.fail("to", "this lies before `from`")
    for name in ("id", "text", "source"):
        if not keys.text(name).strip():
            keys.fail(name, "this must not be blank")
    return RecordingNote(
        note_id=keys.text("id"),
        text=keys.text("text"),
        first=first,
        last=last,
        indicators=indicators_of(keys),
        bases=bases_of(keys),
        source=keys.text("source"),
    )


def _whole_years(stated: object, longest: int, where: str) -> int:
    if not isinstance(stated, int) or not 1 <= stated <= longest:
        msg = (
            f"{where}: retention_years must be a whole number of years, at least 1 and at most the contract's {longest}"
        )
        raise ContractError(msg)
    return stated


def _fields(datasets: Mapping[str, Contract], dataset: str, stated: object, where: str) -> frozenset[str]:
    """`all`, a list of columns, or `{all_except: [...]}`."""
    if dataset not in datasets:
        msg = f"{where}: there is no dataset {dataset}"
        raise ContractError(msg)
    contract = datasets[dataset]
    columns = frozenset(contract.columns)
    excluded = frozenset(stated["all_except"]) if isinstance(stated, dict) else frozenset()
    named = columns if stated == "all" or isinstance(stated, dict) else frozenset(_listed(stated, where))
    unknown = sorted((named | excluded) - columns)
    if unknown:
        msg = f"{where}: {dataset} has no field {', '.join(unknown)}"
        raise ContractError(msg)
    agreed = named - excluded
    missing = sorted(set(contract.required) - agreed)
    if missing:
        msg = f"{where}: {dataset} cannot be used without {', '.join(missing)}; agree them or leave the dataset out"
        raise ContractError(msg)
    return agreed


def _listed(stated: object, where: str) -> list[str]:
    if not isinstance(stated, list):
        msg = f"{where}: fields must be `all`, a list of columns or `all_except`"
        raise ContractError(msg)
    return [str(name) for name in stated]
