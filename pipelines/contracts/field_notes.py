"""Which figures rest on a field that is often not filled: `data_contracts/rules/field_notes.yaml`, read strictly.

How often a field is not filled is indicator I35; where the limit is passed is found in `sql/quality/note.sql`.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.contracts.concerns import indicators_of, measures_behind
from pipelines.contracts.indicators import load_indicators
from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS

_NAME = "rules/field_notes.yaml"
_SCHEMA: dict[str, pl.DataType] = {
    "field": pl.String(),
    "text": pl.String(),
    "above": pl.Float64(),
    "indicators": pl.List(pl.String()),
    "measures": pl.List(pl.String()),
}


def field_note_frame(contracts: Path = CONTRACTS) -> pl.DataFrame:
    """Make the rows of `rules.field_note`, one a field: the note's words, its limit and the figures it concerns.

    Raises:
        ContractError: the file is not as it must be, or a field is not one of the completeness indicator's.
    """
    keys = Keys.of_file(contracts / "rules" / "field_notes.yaml", _NAME)
    keys.only({"version", "above", "fields"}, {"version", "above", "fields"})
    keys.whole("version", least=1)
    above = keys.number("above")
    if above >= 1:
        keys.fail("above", "this must be a share below 1")
    known = _fields(contracts)
    rows = [_row(entry, known, above, contracts) for entry in keys.entries("fields")]
    named = [row[0] for row in rows]
    for field in named:
        if named.count(field) > 1:
            keys.fail("fields", f"the field {field} stands twice")
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _row(
    keys: Keys, known: tuple[str, ...], above: float, contracts: Path
) -> tuple[str, str, float, list[str], list[str]]:
    keys.only({"field", "indicators", "text"}, {"field", "indicators", "text"})
    if not keys.text("text").strip():
        keys.fail("text", "this must not be blank")
    indicators = indicators_of(keys)
    field = keys.one_of("field", known)
    return field, keys.text("text"), above, list(indicators), measures_behind(indicators, contracts)


def _fields(contracts: Path) -> tuple[str, ...]:
    return load_indicators(contracts).breakdowns["field"]
