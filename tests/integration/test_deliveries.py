"""Deliveries over time: re-sent, corrected, cumulative and partial files, withdrawals, links, retention, the past.

Goes from files to tables without Dagster, so that many histories can be tried.
"""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.home import CONTRACTS, Home
from pipelines.intake import landing
from pipelines.intake.deliver import ingest
from pipelines.intake.withdrawal import REINSTATE, WITHDRAW, WithdrawalEvent, record
from pipelines.warehouse.connection import connect, query_frame
from pipelines.warehouse.graph import Table, build_tables, load_tables, tables_needed
from pipelines.warehouse.load import LOADED_FROM_DELIVERIES, load_intake, load_reference
from tests.intake_data import BOROUGH, CHILD, OTHER_BOROUGH, CommandLine, csv_rows, episode, interview, land

FIRST = datetime(2026, 4, 20, 12, tzinfo=UTC)
SECOND, THIRD = FIRST + timedelta(days=30), FIRST + timedelta(days=60)
# The columns that say when a row was extracted are left out, so that arrival decides which version is newer.
SENT = [name for name in episode() if name != "extracted_at"]
_AFTER_PUBLICATION = {
    "published", "quality.figure_delivery", "quality.figure_note", "quality.note", "statistics.indicator",
    "statistics.indicator_cell",
}  # fmt: skip
_AFTER_FILING = {"history", "leads"}
_SHOWN = (
    "core.missing_episode", "intake.delivery", "intake.delivery_month", "intake.episode_version",
    "quality.borough_month",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "_MOMENT_SECONDS", 0.0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def rows(*changes: dict[str, str]) -> bytes:
    return csv_rows([{name: episode(**cells)[name] for name in SENT} for cells in changes])


def arrive(home: Home, name: str, data: bytes, at: datetime, slug: str = BOROUGH.slug) -> str:
    """Land a file, take it in, and return its delivery id; blank where the same bytes came before."""
    land(home, name, data, slug)
    receipts = ingest(home, (BOROUGH, OTHER_BOROUGH), at)
    return next((r.delivery_id for r in receipts if r.file_name == name and r.borough == slug), "")


def every_table(
    connection: duckdb.DuckDBPyConnection, home: Home, as_at: datetime | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Every table that comes before publication, as of an instant, made where those of other instants stood."""
    of = [t for t in load_tables() if not {t.schema, t.qualified} & (_AFTER_PUBLICATION | _AFTER_FILING)]
    return tables_in(connection, home, as_at, of=of)


def tables(home: Home, as_at: datetime | None = None, contracts: Path = CONTRACTS) -> dict[str, list[dict[str, Any]]]:
    """Those tables as of an instant that say what became of deliveries and episodes."""
    with connect(home.working_database, read_only=False) as connection:
        return tables_in(connection, home, as_at, contracts, tables_needed(_SHOWN))


def tables_in(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    as_at: datetime | None,
    contracts: Path = CONTRACTS,
    of: Sequence[Table] = (),
) -> dict[str, list[dict[str, Any]]]:
    """Some tables as of an instant, and what they are made of."""
    load_intake(connection, home, as_at, contracts)
    load_reference(connection, contracts)
    built = [table.qualified for table, _ in build_tables(connection, of)]
    loaded = ["intake.receipt", "intake.finding", "intake.rule_outcome", "intake.missing_episode", "run.parameter"]
    return {
        name: query_frame(connection, f"select * from {name} order by all").to_dicts()  # noqa: S608 - our own names
        for name in [*loaded, *built]
    }


def column(found: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in found]


def of_delivery(found: dict[str, list[dict[str, Any]]], delivery_id: str) -> dict[str, Any]:
    return next(row for row in found["intake.delivery"] if row["delivery_id"] == delivery_id)


ONE = {"episode_id": "EP-1"}
OPEN = dict.fromkeys(("reported_at", "found_at", "returned_at", "prevention_interview_at"), "")
TWO = OPEN | {"episode_id": "EP-2", "started_at": "2025-12-03T20:15"}
THREE = TWO | {"episode_id": "EP-3", "started_at": "2026-03-01T10:00"}
TWO_CLOSED = TWO | {"found_at": "2025-12-04T01:30", "returned_at": "2025-12-04T02:00"}


def test_an_earlier_instant_gives_every_table_as_it_was(home: Home) -> None:
    with connect(Path(":memory:"), read_only=False) as connection:
        connection.execute("set threads = 1")  # a handful of rows: a second thread only waits
        at = partial(every_table, connection, home)
        arrive(home, "a.csv", rows(ONE, TWO), FIRST)
        arrive(home, "rhi.csv", csv_rows([interview(episode_ids="EP-1")]), FIRST)
        before = at()
        corrected = arrive(home, "b.csv", rows(TWO_CLOSED, THREE), SECOND)
        arrive(home, "broken.csv", b"a,b\n1,2\n", SECOND)
        between = at()
        record(home, BOROUGH.slug, WithdrawalEvent(corrected, WITHDRAW, THIRD.isoformat(), "sent in error", "analyst"))
        after = at()
        assert column(between["core.missing_episode"], "ended_at") != column(before["core.missing_episode"], "ended_at")
        assert after["core.missing_episode"] == before["core.missing_episode"]
        assert at(FIRST) == before
        assert at(SECOND) == between
        assert at(THIRD) == after
    last_of_before = SECOND - timedelta(microseconds=1)
    assert tables(home, last_of_before)["core.missing_episode"] == before["core.missing_episode"]


def test_a_corrected_file_supersedes_row_by_row_and_history_says_when(home: Home) -> None:
    first = arrive(home, "a.csv", rows(ONE, TWO), FIRST)
    second = arrive(home, "b.csv", rows(TWO_CLOSED), SECOND)
    found = tables(home)
    log = {d["delivery_id"]: (d["status"], d["rows_live"], d["rows_superseded"]) for d in found["intake.delivery"]}
    assert log == {first: ("superseded_in_part", 1, 1), second: ("accepted", 1, 0)}
    history = {
        (v["episode_id"], v["delivery_id"]): (v["current_from"], v["current_to"])
        for v in found["intake.episode_version"]
    }
    utc = {at: at.replace(tzinfo=None) for at in (FIRST, SECOND)}
    assert history == {
        ("EP-1", first): (utc[FIRST], None),
        ("EP-2", first): (utc[FIRST], utc[SECOND]),
        ("EP-2", second): (utc[SECOND], None),
    }


def test_an_older_extract_that_arrives_late_changes_nothing(home: Home) -> None:
    new = csv_rows([episode(**TWO_CLOSED, extracted_at="2026-04-01T06:00")])
    old = csv_rows([episode(**TWO, extracted_at="2026-01-01T06:00")])
    arrive(home, "new.csv", new, FIRST)
    before = tables(home)
    late = arrive(home, "old.csv", old, SECOND)
    found = tables(home)
    assert column(found["core.missing_episode"], "ended_at") == column(before["core.missing_episode"], "ended_at")
    (version,) = (v for v in found["intake.episode_version"] if v["delivery_id"] == late)
    assert (version["current_from"], version["current_to"]) == (None, None)
    assert of_delivery(found, late)["status"] == "superseded_in_part"


def test_re_sent_and_cumulative_files_count_each_episode_once(home: Home) -> None:
    arrive(home, "a.csv", rows(ONE, TWO), FIRST)
    before = tables(home)["core.missing_episode"]
    arrive(home, "a-again.csv", rows(ONE, TWO), SECOND)
    assert len(tables(home)["intake.receipt"]) == 1
    arrive(home, "cumulative.csv", rows(ONE, TWO, THREE), THIRD)
    found = tables(home)
    after = found["core.missing_episode"]
    assert len(after) == len(before) + 1
    assert [row for row in after if row["started_at"].year == 2025] == before
    months = [(m["month"].isoformat(), m["rows_accepted"], m["rows_live"]) for m in found["intake.delivery_month"]]
    assert sorted(months) == [
        ("2025-11-01", 1, 0),
        ("2025-11-01", 1, 1),
        ("2025-12-01", 1, 0),
        ("2025-12-01", 1, 1),
        ("2026-03-01", 1, 1),
    ]


def test_a_partial_file_leaves_what_it_does_not_mention(home: Home) -> None:
    arrive(home, "whole.csv", rows(ONE, TWO), FIRST)
    arrive(home, "partial.csv", rows(TWO_CLOSED), SECOND)
    assert len(tables(home)["core.missing_episode"]) == 2


def test_a_withdrawn_delivery_stays_in_the_books_and_can_be_reinstated(home: Home) -> None:
    arrive(home, "a.csv", rows(ONE, TWO), FIRST)
    second = arrive(home, "b.csv", rows(TWO_CLOSED), SECOND)
    whole = tables(home)
    hour = timedelta(hours=1)
    record(home, BOROUGH.slug, WithdrawalEvent(second, WITHDRAW, (SECOND + hour).isoformat(), "wrong file", "officer"))
    found = tables(home)
    entry = of_delivery(found, second)
    assert (entry["status"], entry["reason"], entry["rows_live"], entry["rows_accepted"]) == (
        "withdrawn",
        "wrong file",
        0,
        1,
    )
    assert next(e for e in found["core.missing_episode"] if e["started_at"].month == 12)["ended_at"] is None
    arrive(home, "b-again.csv", rows(TWO_CLOSED), THIRD)
    assert of_delivery(tables(home), second)["status"] == "withdrawn"
    record(home, BOROUGH.slug, WithdrawalEvent(second, REINSTATE, (THIRD + hour).isoformat(), "was right", "officer"))
    assert tables(home)["core.missing_episode"] == whole["core.missing_episode"]


SAME_CHILD = CHILD[::-1]
LINK = {
    "id": "gm-1",
    "pseudonyms": [
        {"borough": BOROUGH.slug, "child_id": CHILD},
        {"borough": OTHER_BOROUGH.slug, "child_id": SAME_CHILD},
    ],
    "reason": "moved and was given a new number",
    "decided_by": "regional analyst",
    "decided_at": SECOND.isoformat(),
}


def loaded_and_core(home: Home, as_at: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """What was loaded as of an instant, and its episodes; readers find the same in the snapshot."""
    built = tables_needed(("core.missing_episode", "quality.link_pseudonym"))
    with connect(home.working_database, read_only=False) as connection:
        load_intake(connection, home, as_at)
        load_reference(connection)
        list(build_tables(connection, built))
        found = {
            name: query_frame(connection, f"select * from {name} order by all").to_dicts()  # noqa: S608 - our own names
            for name in (*LOADED_FROM_DELIVERIES, *(table.qualified for table in built))
        }
    shutil.copy(home.working_database, home.current_database)
    return found


def test_a_link_moves_the_tables_and_an_earlier_instant_gives_them_as_they_were(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrive(home, "a.csv", csv_rows([episode(pseudonym_scope="borough")]), FIRST)
    theirs = episode(episode_id="X-1", child_id=SAME_CHILD, sex="male")
    arrive(home, "a.csv", csv_rows([theirs]), FIRST, OTHER_BOROUGH.slug)
    before = loaded_and_core(home)
    mfh = CommandLine(monkeypatch, capsys)
    assert mfh("links", "--home", home.root)[:2] == (0, "No pseudonyms are linked in the tables.\n")

    home.links_file.write_text(yaml.safe_dump({"links": [LINK]}), encoding="utf-8")
    assert mfh.json("links", "--home", home.root) == (0, {"links": [], "not_in_the_tables": ["gm-1"]})
    after = loaded_and_core(home)
    assert column(after["run.parameter"], "as_at") == [SECOND.replace(tzinfo=None)]
    assert column(before["core.missing_episode"], "source_rows") == [1, 1]
    assert column(after["core.missing_episode"], "source_rows") == [2]

    code, report = mfh.json("links", "--home", home.root)
    (shown,) = report["links"]
    assert (code, report["not_in_the_tables"]) == (1, [])  # 1: the two sexes do not fit
    counts = [shown[name] for name in ("state", "rows", "episodes", "never_delivered", "contradicts")]
    assert counts == ["in force", 2, 2, 0, 2]
    code, out, err = mfh("links", "--home", home.root)
    assert (code, err) == (1, "")
    assert "another sex" in out
    assert CHILD[:8] in out
    assert not any(child[:9] in out + str(report) for child in (CHILD, SAME_CHILD))

    ended = {"at": THIRD.isoformat(), "by": "regional analyst", "reason": "two children"}
    home.links_file.write_text(yaml.safe_dump({"links": [LINK | {"ended": ended}]}), encoding="utf-8")
    assert loaded_and_core(home)["core.missing_episode"] == before["core.missing_episode"]
    code, out, _ = mfh("links", "--home", home.root)
    assert code == 0
    assert "gm-1 was ended 2026-06-19T12:00:00Z by regional analyst: two children" in out
    assert loaded_and_core(home, FIRST) == before


def _agreement(tmp_path: Path, retention_years: int) -> Path:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    path = contracts / "boroughs" / BOROUGH.slug / "agreement.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8")) | {"retention_years": retention_years}
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return contracts


def test_rows_past_retention_are_counted_and_not_loaded(home: Home, tmp_path: Path) -> None:
    contracts = _agreement(tmp_path, retention_years=2)
    ended = {"returned_at": "", "reported_at": "", "prevention_interview_at": ""}
    old = [
        {"episode_id": "just past", "started_at": "2024-04-19T10:00", "found_at": "2024-04-19T23:59"} | ended,
        {"episode_id": "just kept", "started_at": "2024-04-19T10:00", "found_at": "2024-04-21T00:00"} | ended,
        {"episode_id": "open since", "started_at": "2024-04-19T10:00", "found_at": ""} | ended,
    ]
    spoken = [
        interview(interview_id="dated", episode_ids="just kept", held_at="2024-04-19", offered_at=""),
        interview(interview_id="undated", episode_ids="just past", held_at="", offered_at="", accepted="no"),
        interview(interview_id="of both", episode_ids="just past;just kept", held_at="", offered_at="", accepted="no"),
    ]
    land(home, "a.csv", rows(*old))
    land(home, "rhi.csv", csv_rows(spoken))
    ingest(home, (BOROUGH,), FIRST, contracts)
    found = tables(home, contracts=contracts)
    assert column(found["staging.missing_episode"], "episode_id") == ["just kept"]
    assert column(found["staging.return_interview"], "interview_id") == ["of both"]
    counted = {
        d["dataset"]: (d["rows_accepted"], d["rows_live"], d["rows_past_retention"]) for d in found["intake.delivery"]
    }
    assert counted == {"missing_episode": (3, 1, 2), "return_interview": (3, 1, 2)}
    with connect(home.working_database, read_only=True) as connection:
        kept = query_frame(connection, "select episode_id from intake.missing_episode").to_series().to_list()
    assert kept == ["just kept"]
    assert b"open since" not in home.working_database.read_bytes()


def test_a_month_that_did_not_come_is_told_from_one_that_was_quarantined(home: Home) -> None:
    arrive(
        home,
        "a.csv",
        rows(
            ONE,
            {"episode_id": "EP-4", "started_at": "2026-02-01T10:00"}
            | dict.fromkeys(("found_at", "returned_at", "reported_at", "prevention_interview_at"), ""),
        ),
        FIRST,
    )
    arrive(home, "b.csv", rows(TWO_CLOSED | {"status": "gone"}), FIRST)
    arrive(home, "theirs.csv", rows(ONE), FIRST, OTHER_BOROUGH.slug)
    arrive(home, "theirs-broken.csv", b"a,b\n1,2\n", SECOND, OTHER_BOROUGH.slug)
    grid = {(m["borough"], m["month"].isoformat()[:7]): m["status"] for m in tables(home)["quality.borough_month"]}
    ours = [grid[BOROUGH.slug, month] for month in ("2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-05")]
    assert ours == ["received", "quarantined", "late", "received", "late", "not due"]
    theirs = [grid[OTHER_BOROUGH.slug, month] for month in ("2025-11", "2025-12", "2026-05")]
    assert theirs == ["received", "failed", "not due"]


def test_a_month_is_due_at_the_end_of_its_day(home: Home) -> None:
    arrive(home, "a.csv", rows(ONE), datetime(2026, 4, 20, 22, 59, tzinfo=UTC))  # 23:59 by the clock in London
    march = [m["status"] for m in tables(home)["quality.borough_month"] if m["month"].isoformat() == "2026-03-01"]
    assert set(march) == {"not due"}
    midnight = datetime(2026, 4, 20, 23, tzinfo=UTC)
    arrive(home, "b.csv", rows(TWO_CLOSED), midnight)
    march = [m["status"] for m in tables(home)["quality.borough_month"] if m["month"].isoformat() == "2026-03-01"]
    assert set(march) == {"late"}
