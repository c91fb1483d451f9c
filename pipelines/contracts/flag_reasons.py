"""The words for how a flag came and why it went, read strictly from `data_contracts/rules/flag_reasons.yaml`.

Which of the codes holds for a flag is decided in `sql/filing/`.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS

_ARRIVALS = ("first delivery", "on time", "late", "retrospective", "recomputed")
_COLUMNS = ("change", "code", "arrival", "words")


def flag_reason_frame(contracts: Path = CONTRACTS) -> pl.DataFrame:
    """Make the rows of `rules.flag_reason`: one per change (raised, gone) and code, with arrival and words.

    Raises:
        ContractError: the file is not as it must be.
    """
    keys = Keys.of_file(contracts / "rules" / "flag_reasons.yaml", "rules/flag_reasons.yaml")
    keys.only({"raised", "gone"}, {"raised", "gone"})
    raised = [_reason(entry, "raised") for entry in keys.entries("raised")]
    gone = [_reason(entry, "gone") for entry in keys.entries("gone")]
    codes = [row[:2] for row in (*raised, *gone)]
    for change, code in codes:
        if codes.count((change, code)) > 1:
            keys.fail(change, f"the code {code} stands twice")
    return pl.DataFrame([*raised, *gone], schema=dict.fromkeys(_COLUMNS, pl.String()), orient="row")


def _reason(keys: Keys, change: str) -> tuple[str, str, str | None, str]:
    needed = {"code", "words"} | ({"arrival"} if change == "raised" else set())
    keys.only(needed, needed)
    arrival = keys.one_of("arrival", _ARRIVALS) if change == "raised" else None
    return change, keys.text("code"), arrival, keys.text("words")
