"""Where things are: the run-time home and the project's own folders.

Every path the pipeline reads or writes comes from here, so that a home can be moved and nothing else knows the
layout. No file is opened here and nothing about its contents is known.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = PROJECT_ROOT / "data_contracts"
SQL = PROJECT_ROOT / "sql"


@dataclass(frozen=True)
class Home:
    """The run-time home (`--home`, `$MFH_HOME`, default `./data`)."""

    root: Path

    @classmethod
    def resolve(cls, root: str | os.PathLike[str] | None = None) -> Home:
        """Return the home named by the argument, else by `$MFH_HOME`, else `./data`."""
        return cls(Path(root or os.environ.get("MFH_HOME") or "data").resolve())

    @property
    def landing(self) -> Path:
        """Where boroughs drop files; read, never changed."""
        return self.root / "landing"

    @property
    def deliveries(self) -> Path:
        """The bytes as received, immutable."""
        return self.root / "deliveries"

    @property
    def receipts(self) -> Path:
        """What was made of each delivery, without values."""
        return self.root / "receipts"

    @property
    def accepted(self) -> Path:
        """Accepted rows, rebuildable from deliveries."""
        return self.root / "accepted"

    @property
    def quarantine(self) -> Path:
        """Quarantined rows and the feedback for the borough."""
        return self.root / "quarantine"

    @property
    def withdrawals(self) -> Path:
        """Decisions to take deliveries back."""
        return self.root / "withdrawals"

    def corrections(self, borough: str) -> Path:
        """A borough's corrections; they name single records, so they live in the home and not with the contracts."""
        return self.root / "corrections" / borough / "corrections.yaml"

    @property
    def links_file(self) -> Path:
        """Which pseudonyms are one child, as people decided."""
        return self.root / "links.yaml"

    @property
    def links_log(self) -> Path:
        """Every decision of the file of links that a run has seen; only ever added to."""
        return self.root / "links-seen.jsonl"

    @property
    def flags(self) -> Path:
        """Which flags came and went at each as-at instant; only ever added to."""
        return self.root / "flags"

    @property
    def populations(self) -> Path:
        """Vintages of population estimates that were added to those of the contracts; never changed once added."""
        return self.root / "reference" / "population"

    @property
    def warehouse(self) -> Path:
        """Folder of the two DuckDB files."""
        return self.root / "warehouse"

    @property
    def working_database(self) -> Path:
        """The file with one writer."""
        return self.warehouse / "working.duckdb"

    @property
    def current_database(self) -> Path:
        """The read-only snapshot that every reader opens."""
        return self.warehouse / "current.duckdb"

    @property
    def site(self) -> Path:
        """Rendered pages."""
        return self.root / "site"

    @property
    def ledger(self) -> Path:
        """Every value ever published."""
        return self.root / "ledger"

    @property
    def rounding_key(self) -> Path:
        """Default place of the key of the controlled rounding."""
        return self.root / "keys" / "rounding.key"

    @property
    def dagster(self) -> Path:
        """Default `DAGSTER_HOME`."""
        return self.root / "dagster"
