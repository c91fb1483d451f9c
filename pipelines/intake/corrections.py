"""Corrections a borough asked for and cannot yet make at the source (`<home>/corrections/<borough>/corrections.yaml`).

A correction names one record, the cells it changes and what it expects to find there. Where something else is found,
the source has changed: nothing is changed and the delivery says so loudly. Corrections are applied to mapped text,
before it is parsed and judged, to deliveries that arrive until the correction's last day. No value of a cell leaves
this module in a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.contracts.contract import Contract, load_contracts
from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS

NOT_AS_EXPECTED = "correction.not_as_expected"
APPLIED = "correction.applied"
_KEYS = {"id", "dataset", "record", "expect", "set", "why", "asked_by", "asked_on", "until"}
OUTCOME_SCHEMA = {
    "correction_id": pl.String,
    "dataset": pl.String,
    "row_number": pl.Int64,
    "column_name": pl.String,
    "rule_id": pl.String,
}


class CorrectionsError(Exception):
    """The file of corrections cannot be used; the message says which entry and why, without its values."""


@dataclass(frozen=True)
class Correction:
    """One correction: `record` is the primary key of the row; `expect` and `set` are text by canonical column."""

    correction_id: str
    dataset: str
    record: str
    expect: Mapping[str, str]
    set: Mapping[str, str]
    until: date


def load_corrections(path: Path, contracts: Path = CONTRACTS) -> tuple[Correction, ...]:
    """Read a borough's corrections; none where there is no file.

    Raises:
        CorrectionsError: an entry is incomplete, names an unknown column, or shares its id.
    """
    if not path.exists():
        return ()
    try:
        raw = read_yaml(path) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = "corrections.yaml is not well-formed YAML"
        raise CorrectionsError(msg) from error
    entries = raw.get("corrections") if isinstance(raw, dict) else None
    if not isinstance(entries, list):
        msg = "corrections.yaml must hold a list under `corrections`"
        raise CorrectionsError(msg)
    datasets = load_contracts(contracts)
    corrections = tuple(_correction(entry, place, datasets) for place, entry in enumerate(entries, start=1))
    ids = [correction.correction_id for correction in corrections]
    if len(set(ids)) < len(ids):
        msg = "corrections.yaml uses one id for two corrections"
        raise CorrectionsError(msg)
    return corrections


def _correction(entry: object, place: int, datasets: Mapping[str, Contract]) -> Correction:
    where = f"corrections.yaml, entry {place}"
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        msg = f"{where}: needs exactly {', '.join(sorted(_KEYS))}"
        raise CorrectionsError(msg)
    if entry["dataset"] not in datasets:
        msg = f"{where}: there is no such dataset"
        raise CorrectionsError(msg)
    contract = datasets[entry["dataset"]]
    if not all(isinstance(entry[name], dict) and entry[name] for name in ("set", "expect")):
        msg = f"{where}: `set` and `expect` must each name at least one column"
        raise CorrectionsError(msg)
    unknown = sorted((entry["set"].keys() | entry["expect"].keys()) - set(contract.columns))
    if unknown or contract.primary_key in entry["set"]:
        msg = f"{where}: `set` and `expect` may name columns of {contract.dataset}, and not change its identifier"
        raise CorrectionsError(msg)
    if not set(entry["set"]) <= set(entry["expect"]):
        msg = f"{where}: `expect` must say what each changed column holds before"
        raise CorrectionsError(msg)
    if not all(str(entry[name] or "").strip() for name in ("id", "why", "asked_by", "record")):
        msg = f"{where}: id, record, why and asked_by may not be blank"
        raise CorrectionsError(msg)
    if not all(isinstance(entry[name], date) for name in ("asked_on", "until")):
        msg = f"{where}: asked_on and until must be dates such as 2026-03-31"
        raise CorrectionsError(msg)
    return Correction(
        correction_id=str(entry["id"]),
        dataset=contract.dataset,
        record=str(entry["record"]),
        expect=_text(entry["expect"]),
        set=_text(entry["set"]),
        until=entry["until"],
    )


def _text(cells: Mapping[str, Any]) -> dict[str, str]:
    """Cells as text; YAML reads an unquoted date or number as one."""
    return {name: "" if value is None else str(value) for name, value in cells.items()}


def apply_corrections(
    mapped: pl.DataFrame, contract: Contract, corrections: Sequence[Correction], arrived: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Change the cells that corrections name.

    Args:
        mapped: canonical text with `row_number`.
        contract: of the dataset.
        corrections: the borough's, of any dataset.
        arrived: local day on which the delivery arrived; later than `until`, a correction is over.

    Returns:
        The corrected text, and a row for each cell that a correction concerned (`OUTCOME_SCHEMA`): changed, or not as
        expected.
    """
    outcomes = []
    for correction in corrections:
        if correction.dataset != contract.dataset or arrived > correction.until:
            continue
        mapped, outcome = _apply(mapped, contract.primary_key, correction)
        outcomes.append(outcome)
    return mapped, pl.concat(outcomes) if outcomes else pl.DataFrame(schema=OUTCOME_SCHEMA)


def _apply(mapped: pl.DataFrame, key: str, correction: Correction) -> tuple[pl.DataFrame, pl.DataFrame]:
    absent = [name for name in (*correction.expect, key) if name not in mapped.columns]
    mapped = mapped.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    named = pl.col(key) == correction.record
    expected = pl.all_horizontal(pl.col(name).fill_null("") == text for name, text in correction.expect.items())
    concerned = mapped.filter(named).select("row_number", expected.alias("as_expected"))
    outcome = concerned.join(pl.DataFrame({"column_name": list(correction.set)}), how="cross").select(
        pl.lit(correction.correction_id).alias("correction_id"),
        pl.lit(correction.dataset).alias("dataset"),
        "row_number",
        "column_name",
        pl.when("as_expected").then(pl.lit(APPLIED)).otherwise(pl.lit(NOT_AS_EXPECTED)).alias("rule_id"),
    )
    changed = mapped.with_columns(
        pl.when(named & expected).then(pl.lit(text or None, dtype=pl.String)).otherwise(pl.col(name)).alias(name)
        for name, text in correction.set.items()
    )
    return changed, outcome
