"""The command line a borough's data officer uses: what is printed, where, with which code; never a cell, never a key.

`mfh` runs in this process through its entry point, so that Great Expectations is imported once.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.home import PROJECT_ROOT, Home
from pipelines.intake.read import read_table
from pipelines.warehouse.connection import connect, query_frame
from tests.intake_data import (
    BOROUGH,
    CHILD,
    KEY,
    LIQUIDLOGIC,
    OTHER_BOROUGH,
    SSDA903,
    CommandLine,
    csv_of,
    csv_rows,
    episode,
    land,
)

CELL = "Quixotewindmill"
SAMPLE = PROJECT_ROOT.parent / "shared" / "samples" / "ssda903_missing.csv"
STATED_KEYS = ["file", "borough", "dataset", "source", "rows_read", "rows_accepted", "refused"]
REPORT_KEYS = [*STATED_KEYS, "findings", "not_applicable", "notes"]
FINDING_KEYS = ["rule_id", "severity", "row_number", "column_letter", "column_name", "message"]
COMMANDS = (
    "demo", "check", "pseudonymise", "run", "status", "deliveries", "withdraw", "links", "reference", "explain", "cite",
    "up",
)  # fmt: skip

CANONICAL = csv_rows(
    [
        episode(),
        episode(episode_id="EP-2", found_at="2025-11-01", sex=CELL),  # row 3: refused, and a warning
        episode(),  # row 4: exact duplicate
        episode(episode_id="EP-3", status=CELL),  # row 5: refused
    ]
)
LIQUIDLOGIC_FILE = csv_of(
    LIQUIDLOGIC,
    [
        ["7001", CHILD, "2025-11-03 20:15:00", "Missing", "2025-11-04 02:00:00", "Yes", "No"],
        ["7002", CHILD, "2025-11-05 20:15:00", "Missing", "2025-11-04 02:00:00", "", "NA"],  # row 3: ends too early
    ],
)
RAW_SSDA903 = csv_of(
    SSDA903,
    [
        ["510000", "12/03/2010", "A", "13/11/2025", "25/11/2025"],
        ["92296", "19/05/2012", "M", "21/11/2025", "04/11/2025"],  # row 3: end before start
        ["92296", "19/05/2000", "M", "21/12/2025", ""],  # row 4: 25 years old
        ["355937", "", "M", "01/01/2026", ""],  # row 5: no age, which the layout need not have
    ],
)


@pytest.fixture
def mfh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(monkeypatch, capsys)


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _check(mfh: CommandLine, path: Path, *more: object) -> tuple[int, dict[str, Any]]:
    code, report = mfh.json("check", path, "--borough", BOROUGH.slug, *more)
    assert list(report) == REPORT_KEYS
    assert all(list(finding) == FINDING_KEYS for finding in report["findings"])
    assert CELL not in json.dumps(report)
    return code, report


def _brief(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(finding[key] for key in FINDING_KEYS[:-1]) for finding in report["findings"]]


def test_check_of_a_canonical_file_as_json(mfh: CommandLine, tmp_path: Path) -> None:
    code, report = _check(mfh, _file(tmp_path, "episodes.csv", CANONICAL))
    assert code == 1
    assert {key: report[key] for key in STATED_KEYS} == {
        "file": "episodes.csv",
        "borough": BOROUGH.slug,
        "dataset": "missing_episode",
        "source": "canonical",
        "rows_read": 4,
        "rows_accepted": 1,
        "refused": False,
    }
    assert _brief(report) == [
        ("missing_episode.sex.codes", "warning", 3, "J", "sex"),
        ("ssda903.567", "critical", 3, "G", "found_at"),
        ("file.duplicate_row", "info", 4, None, None),
        ("missing_episode.status.codes", "critical", 5, "D", "status"),
    ]
    assert report["findings"][1]["message"] == "The end (found) is before the start."


def test_check_of_a_canonical_file_in_words(mfh: CommandLine, tmp_path: Path) -> None:
    code, out, err = mfh("check", _file(tmp_path, "episodes.csv", CANONICAL), "--borough", BOROUGH.slug)
    assert (code, err) == (1, "")
    assert out.startswith(
        "4 rows read as canonical (missing_episode): 1 would be accepted, 2 quarantined, 1 counted as repeats.\n"
    )
    (line,) = (line for line in out.splitlines() if "ssda903.567" in line)
    cells = [cell.strip() for cell in line.split("│")[1:-1]]
    assert cells == ["critical", "ssda903.567", "G found_at", "1", "The end (found) is before the start.", "3"]
    assert CELL not in out


def test_check_groups_rows_and_shows_twelve_of_them(mfh: CommandLine, tmp_path: Path) -> None:
    rows = [episode(episode_id=f"EP-{i}", status=CELL) for i in range(13)]
    code, out, _ = mfh("check", _file(tmp_path, "many.csv", csv_rows(rows)), "--borough", BOROUGH.slug)
    assert code == 1
    assert "2 3 4 5 6 7 8 9 10 11 12 13" in " ".join(out.replace("│", " ").split())
    assert "..." in out
    assert " 13 " in out


def test_check_of_a_file_with_nothing_to_correct(mfh: CommandLine, tmp_path: Path) -> None:
    path = _file(tmp_path, "good.csv", csv_rows([episode()]))
    code, report = _check(mfh, path)
    assert (code, report["rows_read"], report["rows_accepted"], report["findings"]) == (0, 1, 1, [])
    assert report["notes"] == []
    assert {rule["rule_id"] for rule in report["not_applicable"]} >= {"ssda903.575", "ssda903.576"}
    code, out, err = mfh("check", path, "--borough", BOROUGH.slug)
    assert (code, out.splitlines()[1], err) == (0, "Nothing to correct.", "")
    assert all("not applicable" in line.lower() for line in out.splitlines()[2:])


def test_information_alone_is_no_fault(mfh: CommandLine, tmp_path: Path) -> None:
    code, report = _check(mfh, _file(tmp_path, "twice.csv", csv_rows([episode(), episode()])))
    assert (code, [finding["severity"] for finding in report["findings"]]) == (0, ["info"])


def test_check_of_a_liquidlogic_file(mfh: CommandLine, tmp_path: Path) -> None:
    code, report = _check(mfh, _file(tmp_path, "extract.csv", LIQUIDLOGIC_FILE))
    assert (code, report["dataset"], report["source"]) == (1, "missing_episode", "liquidlogic")
    assert (report["rows_read"], report["rows_accepted"]) == (2, 1)
    assert _brief(report) == [
        ("missing_episode.age_at_start.required", "info", 2, None, "AGE_AT_START"),
        ("missing_episode.age_at_start.required", "info", 3, None, "AGE_AT_START"),
        ("ssda903.567.returned", "critical", 3, "E", "END_DTTM"),
    ]


def test_check_of_a_raw_extract_applies_the_rules_and_says_that_it_must_be_pseudonymised(
    mfh: CommandLine, tmp_path: Path
) -> None:
    path = _file(tmp_path, "missing.csv", RAW_SSDA903)
    code, report = _check(mfh, path)
    assert (code, report["source"], report["rows_read"], report["rows_accepted"]) == (1, "ssda903_missing", 4, 2)
    assert _brief(report) == [
        ("identifier.not_pseudonymised", "critical", None, "A", "CHILD"),
        ("identifier.date_of_birth", "critical", None, "B", "DOB"),
        ("ssda903.567", "critical", 3, "E", "MIS_END"),
        ("missing_episode.age_at_start.maximum", "critical", 4, None, "AGE_AT_START"),
        ("missing_episode.age_at_start.required", "info", 5, None, "AGE_AT_START"),
        ("missing_episode.open_long", "warning", 5, "D", "MIS_START"),  # open since January 2026
    ]
    assert "mfh pseudonymise" in report["findings"][0]["message"]
    assert _check(mfh, path, "--source", "ssda903_missing") == (code, report)
    _, out, _ = mfh("check", path, "--borough", BOROUGH.slug)
    assert "mfh pseudonymise" in " ".join(out.replace("│", " ").split())
    assert not any(cell in out for cell in ("510000", "92296", "12/03/2010"))


def test_check_of_a_raw_extract_names_columns_as_the_file_does(mfh: CommandLine, tmp_path: Path) -> None:
    header = ["UPN", "SURNAME", *SSDA903]
    path = _file(
        tmp_path, "wide.csv", csv_of(header, [["", CELL, "510000", "1/3/2010", "M", "9/11/2025", "8/11/2025"]])
    )
    _, report = _check(mfh, path)
    assert _brief(report) == [
        ("identifier.upn", "critical", None, "A", "UPN"),
        ("identifier.name", "critical", None, "B", "SURNAME"),
        ("identifier.not_pseudonymised", "critical", None, "C", "CHILD"),
        ("identifier.date_of_birth", "critical", None, "D", "DOB"),
        ("ssda903.567", "critical", 2, "G", "MIS_END"),
    ]


def test_check_of_a_canonical_file_with_names_is_refused_whole(mfh: CommandLine, tmp_path: Path) -> None:
    path = _file(tmp_path, "named.csv", csv_rows([episode() | {"Surname": CELL}]))
    code, report = _check(mfh, path)
    assert (code, report["refused"], report["dataset"]) == (1, True, None)
    assert (report["rows_read"], report["rows_accepted"]) == (0, 0)
    assert _brief(report) == [("identifier.name", "critical", None, "AF", "Surname")]
    assert mfh("check", path, "--borough", BOROUGH.slug)[1].startswith(
        "This file would be refused; nothing of it would be kept.\n"
    )


PLACEMENTS = csv_of(
    ("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "DEC", "REC", "REASON_PLACE_CHANGE"),
    [["510000", "01/09/2024", "S", "C2", "N1", "K2", "20/11/2025", "E4A", ""]],
)


def test_check_beside_other_files_runs_the_rules_that_compare_them(mfh: CommandLine, tmp_path: Path) -> None:
    path = _file(tmp_path, "missing.csv", RAW_SSDA903)
    _, alone = _check(mfh, path)
    code, beside = _check(mfh, path, "--with", _file(tmp_path, "placements.csv", PLACEMENTS))
    assert (code, alone["rows_accepted"]) == (1, beside["rows_accepted"])
    found = [finding for finding in beside["findings"] if finding not in alone["findings"]]
    assert [(f["rule_id"], f["severity"], f["row_number"], f["column_letter"]) for f in found] == [
        ("ssda903.577", "warning", 2, "E")
    ]
    could_not = {rule["rule_id"] for rule in alone["not_applicable"]}
    assert {"ssda903.575", "ssda903.577", "ssda903.578", "ssda903.581"} <= could_not
    assert "ssda903.577" not in {rule["rule_id"] for rule in beside["not_applicable"]}


def test_check_beside_a_file_that_would_be_refused_says_which(mfh: CommandLine, tmp_path: Path) -> None:
    named = _file(tmp_path, "named.csv", csv_rows([episode() | {"Surname": CELL}]))
    path = _file(tmp_path, "missing.csv", RAW_SSDA903)
    code, out, err = mfh("check", path, "--borough", BOROUGH.slug, "--with", named)
    assert (code, out) == (2, "")
    assert err.startswith("mfh: named.csv cannot be compared with:")
    assert CELL not in err


@pytest.mark.parametrize("as_file", [True, False], ids=["to a file", "to the screen"])
def test_check_as_a_page(mfh: CommandLine, tmp_path: Path, *, as_file: bool) -> None:
    path, page = _file(tmp_path, "<b>episodes.csv", CANONICAL), tmp_path / "page.html"
    code, out, _ = mfh("check", path, "--borough", BOROUGH.slug, "--html", *([page] if as_file else []))
    html = page.read_text(encoding="utf-8") if as_file else out
    assert (code, CELL in html, "<b>episodes" in html, "&lt;b&gt;episodes.csv" in html) == (1, False, False, True)
    assert "ssda903.567" in html
    assert out.startswith("4 rows read" if as_file else "<!")


def test_a_page_that_cannot_be_written_is_one_line(mfh: CommandLine, tmp_path: Path) -> None:
    path = _file(tmp_path, "episodes.csv", CANONICAL)
    (tmp_path / "plain").write_text("a file")
    code, _, err = mfh("check", path, "--borough", BOROUGH.slug, "--html", tmp_path / "plain" / "page.html")
    assert code == 2
    assert err.startswith("mfh: ")


def test_check_of_an_unknown_layout_names_the_nearest(mfh: CommandLine, tmp_path: Path) -> None:
    code, report = _check(mfh, _file(tmp_path, "odd.csv", f"CHILD,MISSING,x\n{CELL},M,1\n".encode()))
    assert (code, report["refused"]) == (1, True)
    assert _brief(report) == [("file.unrecognised", "critical", None, None, None)]
    assert "ssda903_missing" in report["findings"][0]["message"]


def test_check_of_a_file_that_cannot_be_read(mfh: CommandLine, tmp_path: Path) -> None:
    code, report = _check(mfh, _file(tmp_path, "empty.csv", b""))
    assert (code, report["refused"], report["findings"][0]["rule_id"]) == (2, True, "file.unreadable")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The region's key, as a borough holds it."""
    return _file(tmp_path, "region.key", f"{KEY.hex()}\n".encode())


def _pseudonymise(
    mfh: CommandLine, path: Path, key: Path, out: Path, source: str = "ssda903_missing"
) -> tuple[int, str, str]:
    return mfh(
        "pseudonymise", path, "--borough", BOROUGH.slug, "--source", source, "--key-file", key, "--out", out
    )  # fmt: skip


def test_pseudonymise_then_check(mfh: CommandLine, tmp_path: Path, key_file: Path) -> None:
    raw, delivery = _file(tmp_path, "missing.csv", RAW_SSDA903), tmp_path / "delivery.csv"
    code, out, err = _pseudonymise(mfh, raw, key_file, delivery)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"4 rows written to {delivery}.",
        "Left out: columns B (DOB).",
        "1 rows have no age, because a date of birth or a start is blank or unreadable.",
    ]
    made = read_table(delivery.name, delivery.read_bytes())
    assert made.header == ["CHILD", "AGE_AT_START", "MISSING", "MIS_START", "MIS_END"]
    assert made.frame["AGE_AT_START"].to_list() == ["15", "13", "25", None]
    assert made.frame["CHILD"].str.contains("^[0-9a-f]{64}$").all()
    assert made.frame["CHILD"].n_unique() == 3
    code, report = _check(mfh, delivery)
    assert (code, report["rows_read"], report["rows_accepted"], report["refused"]) == (1, 4, 2, False)
    assert ("missing_episode.age_at_start.maximum", "critical", 4, "B", "AGE_AT_START") in _brief(report)
    assert "identifier.not_pseudonymised" not in [finding["rule_id"] for finding in report["findings"]]


def test_pseudonymise_is_repeatable_and_another_borough_makes_other_pseudonyms(
    mfh: CommandLine, tmp_path: Path, key_file: Path
) -> None:
    raw = _file(tmp_path, "missing.csv", RAW_SSDA903)
    outs = [tmp_path / f"{i}.csv" for i in range(3)]
    for out, borough in zip(outs, [BOROUGH, BOROUGH, OTHER_BOROUGH], strict=True):
        arguments = ["--borough", borough.slug, "--source", "ssda903_missing", "--key-file", key_file, "--out", out]
        assert mfh("pseudonymise", raw, *arguments)[0] == 0
    ours, again, theirs = (out.read_bytes() for out in outs)
    assert ours == again
    assert not set(pl.read_csv(ours)["CHILD"]) & set(pl.read_csv(theirs)["CHILD"])


def test_pseudonymise_writes_nothing_where_it_refuses(mfh: CommandLine, tmp_path: Path, key_file: Path) -> None:
    out = tmp_path / "delivery.csv"
    rows = [[f"{i}", "12/03/2010", "Jane Smith", "13/11/2025", ""] for i in range(9)]
    code, _, err = _pseudonymise(mfh, _file(tmp_path, "names.csv", csv_of(SSDA903, rows)), key_file, out)
    assert (code, out.exists(), "Smith" in err) == (2, False, False)
    assert "MISSING (holds names of people)" in err


GOOD_OUT = "delivery.csv"
BAD_USE: dict[str, tuple[list[str], str]] = {
    "no such file": (["check", "nowhere.csv", "--borough", BOROUGH.slug], "nowhere.csv cannot be read"),
    "a folder": (["check", ".", "--borough", BOROUGH.slug], "cannot be read"),
    "no such borough": (["check", "raw.csv", "--borough", "atlantis"], "'atlantis' is not a borough of"),
    "no such layout": (
        ["check", "raw.csv", "--borough", BOROUGH.slug, "--source", "mosaik"],
        "'mosaik' is not a layout",
    ),
    "no key": (
        ["pseudonymise", "raw.csv", "--key-file", "nowhere.key", "--out", GOOD_OUT],
        "nowhere.key cannot be read",
    ),
    "key too short": (["pseudonymise", "raw.csv", "--key-file", "short.key", "--out", GOOD_OUT], "too short"),
    "not a key": (["pseudonymise", "raw.csv", "--key-file", "raw.csv", "--out", GOOD_OUT], "not hold hexadecimal"),
    "not CSV out": (["pseudonymise", "raw.csv", "--key-file", "good.key", "--out", "d.xlsx"], "must end in .csv"),
    "unreadable": (["pseudonymise", "empty.csv", "--key-file", "good.key", "--out", GOOD_OUT], "0 bytes"),
    "another layout": (
        ["pseudonymise", "odd.csv", "--key-file", "good.key", "--out", GOOD_OUT],
        "it lacks the columns",
    ),
    "status before a run": (["status", "--home", "."], "Nothing has been run"),
    "explain before a run": (["explain", "F1", "--home", "."], "Nothing has been run"),
    "cite before a run": (["cite", "F1", "--home", "."], "Nothing has been run"),
    "no such population file": (["reference", "--home", ".", "add", "nowhere.csv"], "nowhere.csv cannot be read"),
    "no population file": (["reference", "--home", ".", "add", "raw.csv"], "not one of the ONS mid-year estimates"),
    "empty population file": (["reference", "--home", ".", "add", "empty.csv"], "0 bytes"),
    "run without deliveries": (["run", "--home", "."], "No deliveries in"),
    "run of no borough": (["run", "--home", ".", "--boroughs", "atlantis"], "'atlantis' is not a borough of"),
    "months reversed": (["demo", "--out", "d", "--from", "2025-02", "--to", "2025-01"], "is before"),
    "no volume": (["demo", "--out", "d", "--scale", "0"], "above 0"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD_USE.values(), ids=BAD_USE.keys())
def test_bad_use_is_one_line_on_standard_error(
    mfh: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "raw.csv": RAW_SSDA903,
        "empty.csv": b"",
        "odd.csv": f"CHILD,{CELL}\n{CELL},1\n".encode(),
        "good.key": KEY.hex().encode(),
        "short.key": KEY.hex()[:-2].encode(),
    }.items():
        _file(tmp_path, name, data)
    if arguments[0] == "pseudonymise":
        arguments = [*arguments, "--borough", BOROUGH.slug, "--source", "ssda903_missing"]
    before = sorted(tmp_path.iterdir())
    code, out, err = mfh(*arguments)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("mfh: ")
    assert says in line
    assert CELL not in line
    assert KEY.hex()[:8] not in line
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "a.csv"], "Missing option '--borough'"),
        (["demo", "--out", "d", "--from", "April"], "'April' is not a month"),
        (["run", "--as-at", "2026-04-20T12:00:00"], "has no offset from UTC"),
        (["run", "--as-at", "soon"], "is not an instant"),
        (["reference", "add", "mid2024.csv", "--published", "July"], "is not a day"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_bad_arguments_end_with_code_2_and_no_traceback(mfh: CommandLine, arguments: list[str], says: str) -> None:
    code, out, err = mfh(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_an_unexpected_error_is_one_line_without_its_message(
    mfh: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.commands import check

    def fails(*_: object, **__: object) -> int:
        raise RuntimeError(CELL)

    monkeypatch.setattr(check, "check_file", fails)
    code, out, err = mfh("check", tmp_path / "a.csv", "--borough", BOROUGH.slug)
    assert (code, out, err) == (2, "", "mfh: unexpected RuntimeError; please report what you ran.\n")


LINKS = f"""
links:
  - id: gm-1
    pseudonyms:
      - {{borough: {BOROUGH.slug}, child_id: {CHILD}}}
      - {{borough: {OTHER_BOROUGH.slug}, child_id: {CHILD}}}
    reason: {CELL}
    decided_by: regional analyst
    decided_at: 2999-06-01T09:00:00Z
"""


def test_a_wrong_file_of_links_stops_the_run_before_any_table_and_says_one_sentence(
    mfh: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    home = Home(tmp_path / "home")
    land(home, "refused.csv", b"a,b\n1,2\n")
    home.links_file.write_text(LINKS)
    code, out, err = mfh("run", "--home", home.root)
    assert (code, out) == (1, "")
    assert "\nmfh: delivered_tables failed: links.yaml, link gm-1: decided_at lies in the future" in err
    assert "Traceback" not in err
    with connect(home.working_database, read_only=True) as connection:
        assert "intake" not in query_frame(connection, "from duckdb_schemas()")["schema_name"]
    home.links_file.write_text(LINKS.replace("gm-1", CELL).replace("2999", ""))
    code, out, err = mfh("links", "--home", home.root)
    assert (code, out) == (2, "")
    assert err.startswith(f"mfh: links.yaml, link {CELL}: decided_at must be an instant with its offset from UTC")
    home.links_file.unlink()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert home.working_database in kept
    assert not [path for path in kept if any(text.encode() in path.read_bytes() for text in (CELL, CHILD))]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(mfh: CommandLine, command: str) -> None:
    code, out, err = mfh(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: mfh {command} [OPTIONS]")
    assert "--help" in out


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    script = (
        "import sys\nfrom pipelines.cli import mfh\n"
        "mfh(['--help'], standalone_mode=False)\n"
        "print(sorted(set(sys.modules) & {'dagster', 'great_expectations', 'polars', 'duckdb', 'pandas'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    listed = {line.split()[0] for line in lines[lines.index("Commands:") + 1 : -1] if line.startswith("  ")}
    assert set(COMMANDS) <= listed


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"the sector's sample is not beside the checkout ({SAMPLE})")
def test_the_sectors_own_sample_goes_all_the_way(mfh: CommandLine, tmp_path: Path, key_file: Path) -> None:
    code, report = _check(mfh, SAMPLE)
    assert (code, report["source"], report["rows_read"], report["refused"]) == (1, "ssda903_missing", 43, False)
    raw_rules = {finding["rule_id"] for finding in report["findings"]}
    delivery = tmp_path / "delivery.csv"
    code, out, _ = _pseudonymise(mfh, SAMPLE, key_file, delivery)
    assert (code, out.splitlines()[0]) == (0, f"43 rows written to {delivery}.")
    code, sent = _check(mfh, delivery)
    assert (sent["rows_read"], sent["rows_accepted"], sent["refused"]) == (43, report["rows_accepted"], False)
    assert raw_rules - {finding["rule_id"] for finding in sent["findings"]} == {
        "identifier.not_pseudonymised",
        "identifier.date_of_birth",
    }
    refused = {f["row_number"] for f in sent["findings"] if f["severity"] == "critical"}
    duplicates = {f["row_number"] for f in sent["findings"] if f["rule_id"] == "file.duplicate_row"}
    assert sent["rows_accepted"] + len(refused) + len(duplicates) == 43
    assert sent["rows_accepted"] > 30
