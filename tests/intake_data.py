"""Hand-made extracts for the tests of contracts, intake and commands: rows, files and bytes.

Every row is invented; no real child is behind any of it.
"""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from pipelines.cli import main
from pipelines.contracts.contract import load_contracts
from pipelines.home import Home
from pipelines.intake.examine import Examined, examine
from pipelines.intake.read import Table, read_table
from pipelines.region import load_region

BOROUGH, OTHER_BOROUGH = load_region().boroughs[:2]
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
KEY = bytes(range(1, 33))
CHILD = "0123456789abcdef" * 4
DATASETS = ("missing_episode", "placement", "return_interview")

# One row of each dataset with every column filled that can be (who was heard did not decline); no rule fires on it.
VALID: dict[str, dict[str, str]] = {
    "missing_episode": {
        "episode_id": "EP-1",
        "child_id": CHILD,
        "pseudonym_scope": "regional",
        "status": "missing",
        "started_at": "2025-11-03T20:15",
        "reported_at": "2025-11-03T21:00",
        "found_at": "2025-11-04T01:30",
        "returned_at": "2025-11-04T02:00",
        "age_at_start": "14",
        "sex": "female",
        "ethnicity": "mixed",
        "sen_or_disability": "no",
        "looked_after": "yes",
        "responsible_authority": BOROUGH.code,
        "area_missing_from": OTHER_BOROUGH.code,
        "missing_from_setting": "childrens_home",
        "setting_id": "SET-7",
        "placement_distance_miles": "12.5",
        "risk_initial": "medium",
        "risk_highest": "high",
        "reported_by": "care_home",
        "found_by": "own_accord",
        "cse_flag_date": "2025-01-10",
        "cce_flag_date": "2025-02-11",
        "cse_flag": "yes",
        "cce_flag": "unknown",
        "harm": "no",
        "prevention_interview_at": "2025-11-04",
        "police_reference": "INC-00042",
        "source_system": "mosaic",
        "extracted_at": "2026-04-01T06:00:00",
    },
    "return_interview": {
        "interview_id": "RHI-1",
        "child_id": CHILD,
        "pseudonym_scope": "regional",
        "episode_ids": "EP-1;EP-2",
        "offered": "yes",
        "offered_at": "2025-11-04T10:00",
        "accepted": "yes",
        "declined_reason": "",
        "held_at": "2025-11-06T16:00",
        "interviewer": "independent",
        "child_account_recorded": "yes",
        "push_factors": "conflict_at_home;bullying",
        "pull_factors": "friends",
        "harms_disclosed": "exploitation",
        "actions": "shared_with_school",
        "shared_with_police_at": "2025-11-07",
        "extracted_at": "2026-04-01T06:00:00",
    },
    "placement": {
        "placement_id": "PL-1",
        "child_id": CHILD,
        "pseudonym_scope": "regional",
        "started_on": "2024-06-01",
        "ended_on": "2025-12-24",
        "reason_started": "S",
        "reason_ended": "E4A",
        "age_at_end": "14",
        "source_system": "mosaic",
        "extracted_at": "2026-04-01T06:00:00",
    },
}

SSDA903 = ("CHILD", "DOB", "MISSING", "MIS_START", "MIS_END")
LIQUIDLOGIC = (
    "FACT_MISSING_PERSON_ID",
    "DIM_PERSON_ID",
    "START_DTTM",
    "MISSING_STATUS",
    "END_DTTM",
    "RETURN_INTERVIEW_OFFERED",
    "RETURN_INTERVIEW_ACCEPTED",
)


def row_of(dataset: str, **cells: str) -> dict[str, str]:
    """Return the valid row of a dataset with some cells changed."""
    return VALID[dataset] | cells


def episode(**cells: str) -> dict[str, str]:
    """Return the valid episode with some cells changed."""
    return row_of("missing_episode", **cells)


def interview(**cells: str) -> dict[str, str]:
    """Return the valid interview with some cells changed."""
    return row_of("return_interview", **cells)


def csv_of(header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    """Return a CSV file with the standard library's writer."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def csv_rows(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return a CSV file of rows that share their columns."""
    return csv_of(list(rows[0]), [list(row.values()) for row in rows])


def table_of(header: Sequence[str], *rows: Sequence[str]) -> Table:
    """Return the table that reading a CSV file of these cells makes."""
    return read_table("made.csv", csv_of(header, rows))


def cells_of(**columns: Sequence[str | None]) -> pl.DataFrame:
    """Return text columns by name."""
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def examined(data: bytes, delivery_id: str = "made", name: str = "made.csv") -> Examined:
    """Understand a file of the first borough, received `NOW`."""
    return examine(name, data, BOROUGH, NOW, delivery_id)


def land(home: Home, name: str, data: bytes, slug: str = BOROUGH.slug) -> None:
    """Drop a file in a borough's landing folder."""
    folder = home.landing / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def required_columns(dataset: str) -> tuple[str, ...]:
    """Return the columns a delivery of the dataset must carry."""
    return load_contracts()[dataset].required


class CommandLine:
    """Runs `mfh` in this process, as its entry point would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """Keep pytest's tools."""
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["mfh", *map(str, arguments)])
        code: Any = 0
        self._capsys.readouterr()
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        out, err = self._capsys.readouterr()
        return int(code or 0), out, err

    def json(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        """Return exit code and the printed object."""
        code, out, _ = self(*arguments, "--json")
        return code, json.loads(out)
