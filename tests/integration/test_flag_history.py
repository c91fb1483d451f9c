"""Flags over time: first raised, raised late or retrospectively, gone with a reason, back again; the same however run.

One home lives through the instants below, each worked out from receipts and accepted rows by the functions of a run,
without Dagster. Nobody runs at the second one: a later run works it out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from pipelines.contracts.patterns import Pattern, load_patterns, pattern_frame
from pipelines.history import filing
from pipelines.history.chain import Entry, HistoryError, append, read_chain
from pipelines.history.filing import Recorded, record_flags, tables_compared
from pipelines.home import CONTRACTS, Home
from pipelines.warehouse.connection import connect, query_frame, replace_table
from pipelines.warehouse.graph import build_table, tables_needed
from pipelines.warehouse.load import as_at_instants, load_intake, load_reference
from tests.builders.home import arrive, instant, withdraw
from tests.builders.rows import EpisodeRow, InterviewRow, PlacementRow, Row, as_child, delivery, utc
from tests.intake_data import CommandLine

FIRST = "2026-04-10 09:00"
DUE = "2026-04-20 22:59"  # March is due at midnight by the clock in London
OVERDUE = "2026-04-20 23:00"
MUCH = "2026-05-10 09:00"
LINKED = "2026-06-01 09:00"
PARTED = "2026-07-01 09:00"
READ_BY_EXPLAIN = (
    "core.interview_cascade",
    "core.interview_voice",
    "patterns.co_missing_partner",
    "patterns.setting_cluster",
)
# Pseudonyms as links.yaml wants them; the smaller one is the child's key.
ADA, BEA = "a" * 64, "b" * 64
R3 = "R3-28"


def at(episode_id: str, started: str, hours: int = 2, **cells: Any) -> EpisodeRow:
    """An episode of some hours."""
    day, clock = started.split(" ")
    ended = f"{day} {int(clock[:2]) + hours:02}{clock[2:]}"
    return EpisodeRow(episode_id=episode_id, started=started, found=ended, returned=ended, **cells)


def march(*days: int, **cells: Any) -> list[Row]:
    """Episodes of one child on days of March 2026."""
    return [at(f"{day} March", f"2026-03-{day:02} 10:00", **cells) for day in days]


@dataclass(frozen=True, kw_only=True)
class Placed(PlacementRow):
    """A placement whose number stays what it is when its day is corrected."""

    def columns(self) -> dict[str, Any]:
        """Values under the names of the contract."""
        return super().columns() | {"placement_id": f"{self.child}: placement"}


SETTING: dict[str, Any] = {"setting": "childrens_home", "setting_id": "S1", "looked_after": "yes"}
RUN_OF_WINTER = [at(f"{day} January", f"2026-01-{day:02} 10:00") for day in (1, 5, 10)]
BETWEEN = [at(day, f"2026-{day} 10:00") for day in ("01-30", "02-01", "02-15", "02-25")]
DELIVERED: dict[str, dict[str, Sequence[Row]]] = {
    FIRST: {
        "second came late": march(1, 20),
        "third came on time": march(1, 5),
        "third came too late": march(1, 5),
        "third of April": march(28, 30),
        "stays": march(2, 9, 16),
        "withdrawn": march(1, 5),
        "withdrawn correction": [*march(1, 5), at("third", "2025-01-09 10:00")],
        "withdrawn move": [*march(1, 5), at("third", "2026-03-09 10:00")],
        "withdrawn early": march(1, 9),
        "corrected away": march(1, 5, 9),
        "moved by an hour": march(1, 5, 9),
        "filled in": march(1, 5, 9),
        "heard later": march(1, 5, 9),
        "merged": [at("a", "2026-03-01 10:00"), at("b", "2026-03-01 14:00"), *march(9)],
        "earlier one": march(5, 10, 20),
        "joined": [*RUN_OF_WINTER, *march(10, 15, 20)],
        "day, then time": [*march(1, 5), EpisodeRow(episode_id="9 March", started="2026-03-09")],
        "goes on": [EpisodeRow(episode_id="open", started="2026-04-10 05:00")],
        "absent": [at(day, f"2026-03-{day} 10:00", status="absent") for day in ("02", "09", "16")],
        "moved house": [Placed(started="2026-02-28", because="P"), *march(1, 5)],
        "changes scope": march(1, 5, 9, scope="borough"),
        "partly old": [at(day, f"2011-{day} 10:00") for day in ("04-28", "05-05", "05-24")],
        "wholly old": [at(day, f"2011-04-{day} 10:00") for day in ("15", "20", "25")],
        "with a friend": march(1, 8, 15, **SETTING),
        "the friend": [at(day, f"2026-03-{day} 11:00", **SETTING) for day in ("01", "08", "15")],
        ADA: march(1, 5),
        BEA: march(3, 7),
    },
    DUE: {
        "third came on time": march(20),
        "withdrawn": march(9),
        "withdrawn part": march(5),
        "withdrawn early": march(5),
        "withdrawn correction": [at("third", "2026-03-09 10:00")],
        "withdrawn move": [at("third", "2025-01-09 10:00")],
    },
    OVERDUE: {
        "withdrawn early": march(14),
        "second came late": march(10),
        "third came too late": march(20),
        "third of April": [at("April", "2026-04-01 10:00")],
        "goes on": [at("later", "2026-04-20 10:00", child="somebody else")],
    },
    MUCH: {
        "withdrawn part": march(1, 9),
        "corrected away": [at("9 March", "2025-03-09 10:00")],
        "moved by an hour": [at("9 March", "2026-03-09 11:00")],
        "filled in": [at("9 March", "2026-03-09 10:00", ethnicity="mixed", sex="other")],
        "heard later": [InterviewRow(interview_id="1", episode_ids=["5 March"], held="2026-03-06 10:00")],
        "merged": [at("c", "2026-03-01 11:00", hours=4)],
        "earlier one": march(1),
        "joined": BETWEEN,
        "day, then time": [at("to the minute", "2026-03-09 15:00")],
        "absent": march(4),
        "moved house": [Placed(started="2026-03-04", because="P")],
        "changes scope": [at("May", "2026-05-01 10:00")],
    },
}


def run(
    home: Home, as_at: str | None = None, database: Path = Path(":memory:")
) -> tuple[Recorded, list[dict[str, Any]]]:
    """Work out the tables of an instant and return every flag of the history."""
    with connect(database, read_only=False) as connection:
        build(connection, home, as_at)
        recorded = record_flags(connection, home)
        if database.name != ":memory:":
            for table in tables_needed(READ_BY_EXPLAIN):
                build_table(connection, table)
        return recorded, flags_in(connection)


def flags_in(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Every flag of the history that was recorded last."""
    for table in tables_needed(("history.flag",)):
        build_table(connection, table)
    return query_frame(connection, "select * from history.flag order by flag_id").to_dicts()


def build(
    connection: duckdb.DuckDBPyConnection, home: Home, as_at: str | None, patterns: Sequence[Pattern] | None = None
) -> None:
    """Make every table that flags are recorded from."""
    connection.execute("set threads = 1")  # a handful of rows: a second thread only waits
    load_intake(connection, home, instant(as_at) if as_at else None)
    load_reference(connection)
    if patterns:
        replace_table(connection, "rules.pattern", pattern_frame(patterns))
    for table in tables_needed(tables_compared()):
        build_table(connection, table)


def changed_rules() -> list[Pattern]:
    """The shipped rules, with a second version of 3 in 28 days, and 3 in 30 days changed without a new one."""
    rules = {rule.rule_id: rule for rule in load_patterns()}
    first, unversioned = rules.pop(R3), rules.pop("R3-30")
    second = replace(first, version=2, parameters={**first.parameters, "window_days": 27})
    quietly = replace(unversioned, parameters={**unversioned.parameters, "window_days": 10})
    return [*rules.values(), replace(first, is_current=False), second, quietly]


def link_two(home: Home, *, decided: str = LINKED, ended: bool = False) -> None:
    """Write down that two pseudonyms are one child, or that they no longer are."""
    link = {
        "id": "L1",
        "pseudonyms": [{"borough": "bolton", "child_id": child} for child in (ADA, BEA)],
        "reason": "one child by both records",
        "decided_by": "regional analyst",
        "decided_at": f"{decided}Z",
    }
    end = {"ended": {"at": f"{PARTED}Z", "by": "regional analyst", "reason": "two sisters"}} if ended else {}
    home.links_file.write_text(yaml.safe_dump({"links": [link | end]}), encoding="utf-8")


def land(home: Home, at_instant: str) -> None:
    """Let arrive what arrives at an instant; what is withdrawn later comes in a file of its own."""
    by_child = DELIVERED[at_instant]
    apart = {child: rows for child, rows in by_child.items() if child.startswith("withdrawn")}
    for name, cases in ((at_instant, by_child.keys() - apart.keys()), (f"apart {at_instant}", apart.keys())):
        rows = [row for child in sorted(cases) for row in as_child(child, *by_child[child])]
        arrive(home, delivery(*rows, received=at_instant, name=name))


@dataclass(frozen=True)
class Told:
    """The flags of the history as the run at each instant told them, what it filed, and the tables of the last run."""

    home: Home
    flags: dict[str, list[dict[str, Any]]]
    recorded: dict[str, Recorded]
    last: duckdb.DuckDBPyConnection

    def one(self, at_instant: str, child: str, rule: str = R3) -> dict[str, Any]:
        """The only flag of a rule that a child ever had."""
        (found,) = self.all(at_instant, child, rule)
        return found

    def all(self, at_instant: str, child: str, rule: str = R3) -> list[dict[str, Any]]:
        """Flags of a rule and a child, in the order in which they were raised in the child's life."""
        found = [flag for flag in self.flags[at_instant] if (flag["child_key"], flag["rule_id"]) == (child, rule)]
        return sorted(found, key=lambda flag: (flag["raised_at"], flag["first_as_at"]))


VERSIONED = "the rules are changed"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    home = Home(tmp_path_factory.mktemp("history"))
    flags, recorded = {}, {}

    def tell(name: str, **given: Any) -> None:
        recorded[name], flags[name] = run(home, **given)

    land(home, FIRST)
    tell(FIRST)
    land(home, DUE)
    land(home, OVERDUE)
    tell(OVERDUE)
    land(home, MUCH)
    withdraw(home, "bolton", f"bolton.missing_episode.apart {DUE}", MUCH)
    tell(MUCH)
    link_two(home)
    withdraw(home, "bolton", f"bolton.missing_episode.apart {DUE}", LINKED, undo=True)
    tell(LINKED, database=home.current_database)
    link_two(home, ended=True)
    tell(PARTED)
    with connect(Path(":memory:"), read_only=False) as last:
        build(last, home, None, changed_rules())
        recorded[VERSIONED] = record_flags(last, home)
        flags[VERSIONED] = flags_in(last)
        yield Told(home, flags, recorded, last)


def test_every_instant_is_filed_once_also_the_one_at_which_nobody_ran(told: Told) -> None:
    filed = [entry.as_at for entry in read_chain(told.home)]
    assert filed == [utc(one) for one in (FIRST, DUE, OVERDUE, MUCH, LINKED, PARTED, PARTED)]
    assert told.recorded[FIRST] == Recorded(instants=1, filed=1)
    assert told.recorded[OVERDUE] == Recorded(instants=3, filed=2)


def test_the_history_begins_with_the_first_delivery(tmp_path: Path) -> None:
    home = Home(tmp_path)
    link_two(home, decided="2021-01-01 00:00")
    assert as_at_instants(home) == []
    arrive(home, delivery(*march(1), received=FIRST))
    assert as_at_instants(home) == [utc(FIRST)]


def test_what_came_with_the_first_delivery_is_known_since_then(told: Told) -> None:
    flag = told.one(PARTED, "stays")
    assert flag["raised_words"] == "Known since the first delivery of Bolton was taken in on 10 April 2026."
    assert (flag["first_as_at"], flag["arrival"]) == (utc(FIRST), "first delivery")
    assert (flag["last_as_at"], flag["gone_as_at"]) == (utc(PARTED), None)


def test_a_second_episode_that_arrives_late_raises_the_flag_retrospectively(told: Told) -> None:
    assert told.all(FIRST, "second came late") == []
    flag = told.one(PARTED, "second came late")
    assert flag["raised_at"] == utc("2026-03-20 10:00")
    assert (flag["first_as_at"], flag["arrival"]) == (utc(OVERDUE), "retrospective")
    assert (
        flag["raised_words"] == "Raised on 21 April 2026, retrospectively: an episode of March 2026 first arrived then."
    )


def test_the_episode_that_completes_a_pattern_is_late_from_the_end_of_the_day_on_which_its_month_was_due(
    told: Told,
) -> None:
    in_time, too_late = told.one(PARTED, "third came on time"), told.one(PARTED, "third came too late")
    assert (in_time["first_as_at"], in_time["arrival"]) == (utc(DUE), "on time")
    assert (too_late["first_as_at"], too_late["arrival"]) == (utc(OVERDUE), "late")
    assert too_late["raised_words"] == (
        "Raised on 21 April 2026, late: the episode of March 2026 that completes it arrived after that month was due."
    )
    assert told.one(PARTED, "third of April")["arrival"] == "on time"


def test_an_episode_that_was_not_over_raises_its_flag_when_it_has_gone_on_for_long_enough(told: Told) -> None:
    assert told.all(FIRST, "goes on", "RLONG") == []
    flag = told.one(PARTED, "goes on", "RLONG")
    assert (flag["raised_because"], flag["arrival"]) == ("went_on", "on time")


GONE = {
    "a delivery was withdrawn": ("withdrawn", R3, "withdrawn"),
    "a delivery that corrected was withdrawn": ("withdrawn correction", R3, "withdrawn"),
    "a correction takes an episode out of the window": ("corrected away", R3, "corrected"),
    "an interview became known": ("heard later", "RNORHI", "interview_known"),
    "two episodes turned out to be one": ("merged", R3, "merged"),
    "one of the rows may no longer be kept": ("partly old", R3, "past_retention"),
    "a missing episode became known among absences": ("absent", "RABS", "other_rows"),
    "a placement was corrected": ("moved house", "RMOVE", "placement_known"),
}


@pytest.mark.parametrize(("child", "rule", "reason"), GONE.values(), ids=GONE)
def test_a_flag_disappears_only_with_its_reason(told: Told, child: str, rule: str, reason: str) -> None:
    assert told.one(OVERDUE, child, rule)["gone_as_at"] is None
    flag = told.one(MUCH, child, rule)
    assert (flag["reason"], flag["gone_as_at"], flag["last_as_at"]) == (reason, utc(MUCH), utc(OVERDUE))
    assert flag["gone_words"].startswith("Not shown since 10 May 2026: ")
    assert flag["replaced_by"] is None


REPLACED = {
    "a correction moves the start": ("moved by an hour", "corrected", "2026-03-09 11:00"),
    "an earlier episode became known": ("earlier one", "earlier_episode", "2026-03-10 10:00"),
    "another record gives the time": ("day, then time", "other_record", "2026-03-09 15:00"),
    "episodes became known that join two runs": ("joined", "runs_joined", "2026-01-10 10:00"),
}


@pytest.mark.parametrize(("child", "reason", "raised_at"), REPLACED.values(), ids=REPLACED)
def test_a_flag_that_is_replaced_says_by_which_one(told: Told, child: str, reason: str, raised_at: str) -> None:
    (gone,) = (flag for flag in told.all(MUCH, child) if flag["reason"])
    (stands,) = (flag for flag in told.all(MUCH, child) if not flag["reason"])
    assert gone["reason"] == reason
    assert gone["replaced_by"] == stands["flag_id"]
    assert stands["raised_at"] == utc(raised_at)
    assert gone["flag_id"] in stands["replaces"]
    assert stands["known_since"] == utc(FIRST)


def test_the_flag_that_replaces_one_is_raised_retrospectively(told: Told) -> None:
    moved, earlier = told.all(MUCH, "moved by an hour")[1], told.all(MUCH, "earlier one")[0]
    assert (moved["arrival"], moved["raised_because"]) == ("retrospective", "record_changed")
    timed = told.all(MUCH, "day, then time")[1]
    assert (earlier["arrival"], earlier["raised_because"]) == ("retrospective", "episode_arrived")
    assert (timed["arrival"], timed["raised_because"]) == ("retrospective", "other_record")
    assert "an episode of March 2026 first arrived then" in earlier["raised_words"]


def test_a_cell_that_no_pattern_reads_changes_nothing(told: Told) -> None:
    flag = told.one(PARTED, "filled in")
    assert (flag["first_as_at"], flag["gone_as_at"]) == (utc(FIRST), None)


def test_a_pseudonym_that_becomes_regional_takes_its_flags_along(told: Told) -> None:
    gone = told.one(MUCH, "bolton:changes scope")
    stands = told.one(MUCH, "changes scope")
    assert (gone["reason"], gone["replaced_by"]) == ("pseudonym_changed", stands["flag_id"])
    assert (stands["arrival"], stands["known_since"]) == ("retrospective", utc(FIRST))


def test_what_is_left_of_a_pattern_after_a_withdrawal_is_raised_retrospectively(told: Told) -> None:
    gone, stands = told.all(MUCH, "withdrawn early")
    assert (gone["reason"], gone["replaced_by"]) == ("withdrawn", stands["flag_id"])
    assert (stands["raised_at"], stands["raised_because"]) == (utc("2026-03-14 10:00"), "withdrawn")
    assert stands["known_since"] == utc(DUE)


def test_a_delivery_that_counts_again_brings_its_flag_back(told: Told) -> None:
    flag = told.one(LINKED, "withdrawn")
    assert (flag["first_as_at"], flag["back_as_at"]) == (utc(DUE), utc(LINKED))
    assert (flag["gone_as_at"], flag["reason"]) == (None, None)


def test_a_delivery_that_counts_again_takes_away_what_it_had_corrected(told: Told) -> None:
    shown = told.one(MUCH, "withdrawn move")
    assert (shown["first_as_at"], shown["back_as_at"], shown["reason"]) == (utc(FIRST), utc(MUCH), None)
    gone = told.one(LINKED, "withdrawn move")
    assert (gone["reason"], gone["gone_as_at"], gone["last_as_at"]) == ("reinstated", utc(LINKED), utc(MUCH))


def test_a_delivery_that_counts_again_completes_a_pattern_retrospectively(told: Told) -> None:
    flag = told.one(LINKED, "withdrawn part")
    assert (flag["first_as_at"], flag["arrival"], flag["raised_because"]) == (
        utc(LINKED),
        "retrospective",
        "reinstated",
    )


def test_linked_pseudonyms_raise_a_flag_retrospectively_and_take_the_other_one_away(told: Told) -> None:
    assert told.all(MUCH, ADA) == []
    assert told.all(MUCH, BEA) == []
    flag = told.one(LINKED, ADA)
    assert (flag["raised_because"], flag["first_as_at"]) == ("linked", utc(LINKED))
    assert "two pseudonyms were found to be one child" in flag["raised_words"]
    gone = told.one(LINKED, BEA, "R2Y")
    (stands,) = (flag for flag in told.all(LINKED, ADA, "R2Y") if not flag["reason"])
    assert (gone["reason"], gone["replaced_by"]) == ("linked", stands["flag_id"])


def test_parted_pseudonyms_take_the_flag_away_and_bring_the_others_back(told: Told) -> None:
    flag = told.one(PARTED, ADA)
    assert (flag["reason"], flag["replaced_by"]) == ("unlinked", None)
    back = told.one(PARTED, BEA, "R2Y")
    assert (back["gone_as_at"], back["back_as_at"]) == (None, utc(PARTED))


def test_flags_of_which_nothing_may_be_kept_any_longer_are_left_out(told: Told) -> None:
    assert told.one(OVERDUE, "wholly old")
    assert told.all(MUCH, "wholly old") == []
    assert told.one(MUCH, "partly old")["reason"] == "past_retention"
    assert told.all(LINKED, "partly old") == []


def test_a_version_that_goes_out_of_force_hands_its_flags_over(told: Told) -> None:
    versions = told.all(VERSIONED, "stays")
    old, new = sorted(versions, key=lambda flag: flag["rule_version"])
    assert (old["reason"], old["replaced_by"]) == ("rule_retired", new["flag_id"])
    assert old["last_as_at"] == old["gone_as_at"] == utc(PARTED)
    assert (new["raised_because"], new["arrival"], new["known_since"]) == ("rule_new", "recomputed", utc(FIRST))
    assert "version 1 of the rule is no longer in force" in old["gone_words"]


def test_a_rule_that_is_changed_without_a_version_is_noticed(told: Told) -> None:
    flag = told.one(VERSIONED, "stays", "R3-30")
    assert (flag["reason"], flag["gone_as_at"]) == ("method_changed", utc(PARTED))


def files(home: Home) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.flags.iterdir()}


def test_recording_again_files_nothing_and_gives_the_same_tables(told: Told) -> None:
    before = files(told.home)
    assert record_flags(told.last, told.home) == Recorded(instants=7, filed=0)
    assert flags_in(told.last) == told.flags[VERSIONED]
    assert files(told.home) == before


def test_nothing_is_filed_that_nobody_could_put_into_words(told: Told) -> None:
    another = Home(told.home.root / "another")
    told.last.execute("begin")
    told.last.execute("delete from rules.flag_reason where code = 'first_delivery'")
    with pytest.raises(HistoryError, match=r"No words .*: raised first_delivery\. Nothing was filed"):
        record_flags(told.last, another)
    told.last.execute("rollback")
    assert not another.root.exists()


def test_an_earlier_instant_gives_the_history_of_that_time_and_files_nothing(told: Told) -> None:
    before = files(told.home)
    recorded, flags = run(told.home, OVERDUE)
    assert recorded == Recorded(instants=3, filed=0)
    assert flags == told.flags[OVERDUE]
    assert files(told.home) == before


BREAKING = {
    "every_flag_in_force_stands_in_the_history": "update history.flag set gone_as_at = last_as_at",
    "no_flag_is_gone_without_a_reason": "update history.flag set gone_words = null",
    "every_flag_says_how_it_came": "update history.flag set raised_words = null",
}


def test_the_checks_hold_and_can_fail(told: Told, tmp_path: Path) -> None:
    stated = yaml.safe_load((CONTRACTS / "rules" / "table_checks.yaml").read_text(encoding="utf-8"))["checks"]
    checks = {check["id"]: check for check in stated if check["table"] == "history.flag"}
    assert set(checks) == set(BREAKING)
    assert all(check["blocking"] for check in checks.values())
    copied = shutil.copy(told.home.current_database, tmp_path / "copy.duckdb")
    with connect(Path(copied), read_only=False) as connection:
        for check_id, breaks in BREAKING.items():
            assert query_frame(connection, checks[check_id]["query"]).item() == 0
            connection.execute("begin")
            connection.execute(breaks)
            assert query_frame(connection, checks[check_id]["query"]).item() > 0
            connection.execute("rollback")


def copy_of(home: Home, folder: Path, *, filed: int) -> Home:
    """The same home with only the first files of its history."""
    copied = Home(folder / "home")
    shutil.copytree(home.root, copied.root)
    for path in sorted(copied.flags.iterdir())[filed:]:
        path.unlink()
    return copied


def test_a_home_that_lost_its_history_works_out_the_same_also_when_it_is_killed_half_way(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy_of(told.home, tmp_path, filed=0)
    kept = files(told.home)
    first, second = sorted(kept)[:2]

    def killed(home: Home, entry: Entry, events: pl.DataFrame) -> Entry:
        if entry.sequence == 2:
            (home.flags / f".{second}.999999999.partial").write_bytes(b"half")
            raise KeyboardInterrupt
        return append(home, entry, events)

    (home.warehouse / ".past.999999999.partial.wal").write_bytes(b"of a run that was killed before")
    with monkeypatch.context() as patched:
        patched.setattr(filing, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            run(home, DUE)
    assert files(home) == {first: kept[first], f".{second}.999999999.partial": b"half"}
    assert run(home, DUE)[0] == Recorded(instants=2, filed=1)
    assert files(home) == {name: kept[name] for name in (first, second)}
    assert [path.name for path in home.warehouse.iterdir()] == ["current.duckdb"]


def test_a_history_with_a_gap_is_refused(told: Told, tmp_path: Path) -> None:
    home = copy_of(told.home, tmp_path, filed=3)
    sorted(home.flags.iterdir())[1].unlink()
    with pytest.raises(HistoryError, match="bring back the file that is missing"):
        read_chain(home)


@pytest.fixture
def run_mfh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


def test_a_flag_that_stands_is_explained(told: Told, run_mfh: CommandLine) -> None:
    flag = told.one(LINKED, "second came late")
    code, out, err = run_mfh("explain", flag["flag_id"], "--home", told.home.root)
    assert (code, err) == (0, "")
    for said in (
        "3 missing episodes; 3 or more within 28 days.",
        "Pattern first complete 20 March 2026 10:00",
        "Raised on 21 April 2026, retrospectively: an episode of March 2026 first arrived then.",
        "Certain: the pattern holds however the recorded times are read.",
        "10 March 2026 10:00 to 10 March 2026 12:00 (bolton)",
        "held: no",
        "Parameters: at least 3 episodes, within 28 days.",
        "Source: Salford Safeguarding Children",
        "A flag is a prompt to look, not a finding.",
    ):
        assert said in out


def test_merged_records_interviews_and_links_are_told(told: Told, run_mfh: CommandLine) -> None:
    heard = told.one(LINKED, "heard later")
    _, out, _ = run_mfh("explain", heard["flag_id"], "--home", told.home.root)
    assert "first held 6 March 2026 10:00 (22 h 0 min after the return)" in out
    (merged,) = (flag for flag in told.all(LINKED, "merged", "R2Y") if not flag["reason"])
    _, out, _ = run_mfh("explain", merged["flag_id"], "--home", told.home.root)
    assert out.count("merged because the times overlap") == 2
    _, out, _ = run_mfh("explain", told.one(LINKED, ADA)["flag_id"], "--home", told.home.root)
    assert "Link L1 of 1 June 2026 by regional analyst (one child by both records)" in out
    assert f"Known as {ADA} in bolton\nKnown as {BEA} in bolton\n" in out


def test_who_else_is_told(told: Told, run_mfh: CommandLine) -> None:
    flag = told.one(LINKED, "with a friend", "RCO")
    _, out, _ = run_mfh("explain", flag["flag_id"], "--home", told.home.root)
    assert "Missing 3 times together (same setting, " in out
    assert "with child the friend of bolton, 1 March 2026 11:00 to 15 March 2026 11:00" in out
    assert "3 of its episodes from setting bolton:S1, where 6 episodes of 2 children started" in out
    assert "The child is also flagged: R3-28-" in out


def test_a_flag_that_has_gone_is_explained(told: Told, run_mfh: CommandLine) -> None:
    later = told.all(LINKED, "earlier one")[1]
    code, out, _ = run_mfh("explain", later["flag_id"], "--home", told.home.root)
    assert code == 0
    assert "Not shown since 10 May 2026: an earlier episode became known" in out
    assert f"{later['replaced_by']} stands in its place." in out
    assert "It stood last on 21 April 2026." in out
    assert "The records behind it, as they are now:" in out
    _, out, _ = run_mfh("explain", later["replaced_by"], "--home", told.home.root)
    assert f"It stands in the place of {later['flag_id']}." in out
    assert "This child has been flagged for it since 10 April 2026." in out


def test_a_flag_is_explained_as_json(told: Told, run_mfh: CommandLine) -> None:
    gone = told.one(LINKED, "corrected away")
    _, found = run_mfh.json("explain", gone["flag_id"], "--home", told.home.root)
    assert (found["reason"], found["gone_as_at"]) == ("corrected", "2026-05-10T09:00:00Z")
    assert [event["change"] for event in found["story"]] == ["raised", "gone"]
    assert len(found["episodes"]) == 3
    assert json.dumps(found)


def test_a_flag_that_never_was_is_one_sentence(told: Told, run_mfh: CommandLine) -> None:
    code, out, err = run_mfh("explain", "R3-28-0000000000000000", "--home", told.home.root)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "There is no flag R3-28-0000000000000000 and never was" in err
