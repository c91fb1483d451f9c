"""The three files of a public folder that let anybody repeat the attack: their names, their columns, their writing.

Nothing is read or judged here: `released` attacks them, `scan` looks at what stands in every file.
"""

from pathlib import Path

import polars as pl

from pipelines.disclosure.ledger import LEDGER

CELLS, POLICY, AUDIT = "cells.csv", "disclosure-policy.yaml", "disclosure-audit.json"
# As the ledger has them, but for what only the holder of the key may compare.
RENAMED = {"sequence": "release"}
CELL_COLUMNS = {RENAMED.get(name, name): dtype for name, dtype in LEDGER.items() if name != "key_fingerprint"}


def write_evidence(folder: Path, policy: Path, ledger: pl.DataFrame, report: str) -> None:
    """Write what an outsider needs for the attack: every cell ever published, the policy, and the audit's own report.

    Args:
        folder: the public folder.
        policy: the policy file.
        ledger: all releases up to this one, columns of `LEDGER`.
        report: `AuditReport.to_json` of this release.
    """
    ordered = ledger.rename(RENAMED).select(*CELL_COLUMNS).sort("release", "cell_id")
    (folder / CELLS).write_text(ordered.write_csv(), encoding="utf-8")
    (folder / POLICY).write_text(policy.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / AUDIT).write_text(report, encoding="utf-8")
