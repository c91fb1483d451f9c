"""The books of intake: what is kept, what is counted, and what happens when a run is repeated, changed or killed."""

import csv
import gzip
import hashlib
import io
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.schema import accepted_schema
from pipelines.home import CONTRACTS, Home
from pipelines.intake import deliver
from pipelines.intake.deliver import Receipt, ingest, read_receipts, rules_key
from pipelines.intake.examine import Examined
from pipelines.intake.judge import judge
from tests.intake_data import BOROUGH, CHILD, NOW, OTHER_BOROUGH, csv_of, csv_rows, episode, interview, land

LATER = NOW + timedelta(days=9)
CELL = "Quixotewindmill"
HEADER, GOOD = list(episode()), list(episode().values())


def _with(**cells: str) -> list[str]:
    return list(episode(**cells).values())


MIXED = csv_of(
    HEADER,
    [
        GOOD,  # row 2: accepted
        _with(episode_id="EP-2", sex=CELL),  # row 3: accepted with a warning
        _with(episode_id="EP-3", status=CELL, age_at_start="99"),  # row 4: quarantined, for two reasons
        GOOD,  # row 5: exact duplicate
        ["EP-4", CELL],  # row 6: ragged
        _with(episode_id="EP-5", status=CELL),  # row 7: quarantined
    ],
)
LIQUIDLOGIC_HEADER = "FACT_MISSING_PERSON_ID,DIM_PERSON_ID,START_DTTM,MISSING_STATUS,RETURN_INTERVIEW_OFFERED,TEAM"
LIQUIDLOGIC_ROWS = [
    f"1,{CHILD},2025-11-03 20:15,Missing,Yes,North",
    f"2,{CHILD},2025-11-04 20:15,Missing,{CELL},North",  # the interview is refused, the episode is not
    f"3,{CHILD},2025-11-05 20:15,{CELL},No,North",  # the episode is quarantined and takes its interview with it
    f"4,{CHILD},2025-11-06 20:15,Away,,North",  # no interview
]
LIQUIDLOGIC_FILE = gzip.compress("\n".join([LIQUIDLOGIC_HEADER, *LIQUIDLOGIC_ROWS]).encode(), mtime=0)
NAMED = csv_of([*HEADER, "Surname"], [[*GOOD, CELL]])
INTERVIEWS = csv_rows([interview(), interview(interview_id="RHI-2")])
FILES = {
    "a-mixed.csv": MIXED,
    "b-mixed-again.csv": MIXED,
    "c-liquidlogic.csv.gz": LIQUIDLOGIC_FILE,
    "d-named.csv": NAMED,
    "e-notes.docx": b"anything",
    "f-unknown.csv": f"a,b\n1,{CELL}\n".encode(),
    "synthetic-interviews.csv": INTERVIEWS,
    ".hidden.csv": b"a temporary file",
    "~$open.xlsx": b"Excel's lock",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which every file above was taken in, once."""
    home = Home(tmp_path_factory.mktemp("home"))
    for name, data in FILES.items():
        land(home, name, data)
    (home.landing / BOROUGH.slug / "g-folder").mkdir()
    (home.landing / BOROUGH.slug / "h-link.csv").symlink_to(home.landing / BOROUGH.slug / "a-mixed.csv")
    land(home, "theirs.csv", MIXED, OTHER_BOROUGH.slug)
    returned = ingest(home, (BOROUGH, OTHER_BOROUGH), NOW)
    assert returned == read_receipts(home)
    return home


@pytest.fixture(scope="module")
def receipts(home: Home) -> dict[str, Receipt]:
    """Receipts of the first borough by file name."""
    return {receipt.file_name: receipt for receipt in read_receipts(home) if receipt.borough == BOROUGH.slug}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _feedback(home: Home, receipt: Receipt) -> list[list[str]]:
    path = home.quarantine / receipt.borough / f"{receipt.sha256}.feedback.csv"
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))


def _files(home: Home) -> dict[str, bytes]:
    """Everything in the home outside landing, by path."""
    found = [path for path in home.root.rglob("*") if path.is_file() and home.landing not in path.parents]
    return {str(path.relative_to(home.root)): path.read_bytes() for path in found}


def test_every_file_has_a_receipt_but_temporary_ones_and_the_same_bytes_again(receipts: dict[str, Receipt]) -> None:
    assert {name: receipt.status for name, receipt in receipts.items()} == {
        "a-mixed.csv": "accepted",
        "c-liquidlogic.csv.gz": "accepted",
        "d-named.csv": "rejected",
        "e-notes.docx": "rejected",
        "f-unknown.csv": "rejected",
        "g-folder": "rejected",
        "h-link.csv": "rejected",
        "synthetic-interviews.csv": "accepted",
    }


def test_the_same_bytes_from_two_boroughs_are_two_deliveries(home: Home, receipts: dict[str, Receipt]) -> None:
    (theirs,) = (receipt for receipt in read_receipts(home) if receipt.borough == OTHER_BOROUGH.slug)
    ours = receipts["a-mixed.csv"]
    assert (ours.sha256, theirs.sha256) == (_sha256(MIXED), _sha256(MIXED))
    assert (ours.delivery_id, theirs.delivery_id) == (
        f"{BOROUGH.slug}-{ours.sha256[:32]}",
        f"{OTHER_BOROUGH.slug}-{ours.sha256[:32]}",
    )
    assert theirs.rows_accepted == ours.rows_accepted


def test_every_row_is_accounted_for_and_counted_once(receipts: dict[str, Receipt]) -> None:
    def counts(receipt: Receipt) -> tuple[int, ...]:
        return receipt.rows_read, receipt.rows_accepted, receipt.rows_quarantined, receipt.rows_duplicate

    assert counts(receipts["a-mixed.csv"]) == (6, 2, 3, 1)
    assert counts(receipts["c-liquidlogic.csv.gz"]) == (4, 3, 1, 0)
    assert counts(receipts["synthetic-interviews.csv"]) == (2, 2, 0, 0)
    assert counts(receipts["d-named.csv"]) == (0, 0, 0, 0)


def test_a_second_dataset_in_the_file_has_an_account_of_its_own(receipts: dict[str, Receipt]) -> None:
    receipt = receipts["c-liquidlogic.csv.gz"]
    assert (receipt.dataset, receipt.source, receipt.source_version) == ("missing_episode", "liquidlogic", "1.0.0")
    assert (receipt.also_accepted, receipt.also_refused) == ({"return_interview": 1}, {"return_interview": 2})


def test_receipts_say_who_sent_what_when_and_by_which_rules(receipts: dict[str, Receipt]) -> None:
    receipt = receipts["a-mixed.csv"]
    assert (receipt.borough, receipt.received_at, receipt.rules_key) == (BOROUGH.slug, NOW.isoformat(), rules_key())
    assert (receipt.dataset, receipt.source) == ("missing_episode", "canonical")
    assert [name for name, r in receipts.items() if r.synthetic] == ["synthetic-interviews.csv"]


def test_findings_are_in_the_senders_words_with_rows_a_spreadsheet_shows(receipts: dict[str, Receipt]) -> None:
    found = [
        (f.severity, f.rule_id, f.column_letter, f.column_name, f.first_rows) for f in receipts["a-mixed.csv"].findings
    ]
    assert found == [
        ("critical", "file.ragged_row", "", "", [6]),
        ("critical", "missing_episode.age_at_start.maximum", "I", "age_at_start", [4]),
        ("critical", "missing_episode.status.codes", "D", "status", [4, 7]),
        ("info", "file.duplicate_row", "", "", [5]),
        ("warning", "missing_episode.sex.codes", "J", "sex", [3]),
    ]
    native = {
        (f.rule_id, f.column_letter, f.column_name): f.first_rows for f in receipts["c-liquidlogic.csv.gz"].findings
    }
    assert native["missing_episode.status.codes", "D", "MISSING_STATUS"] == [4]
    assert native["return_interview.offered.codes", "E", "RETURN_INTERVIEW_OFFERED"] == [3]
    assert receipts["c-liquidlogic.csv.gz"].notes == ["Columns we do not use were left out: F."]


def test_feedback_says_the_same_as_the_receipt(home: Home, receipts: dict[str, Receipt]) -> None:
    lines = _feedback(home, receipts["a-mixed.csv"])
    assert lines[:3] == [
        ["file", "a-mixed.csv"],
        ["outcome", "6 rows read = 2 accepted + 3 quarantined + 1 exact duplicates"],
        ["severity", "rule", "column_letter", "column_name", "rows", "what_is_wrong", "row_numbers"],
    ]
    message = "Status is not one of: missing, away, absent."
    assert lines[5] == ["critical", "missing_episode.status.codes", "D", "status", "2", message, "4 7"]
    assert len(lines) == 8


@pytest.mark.parametrize(("rows", "shown"), [(51, "50 51 ..."), (50, "50 51"), (0, "")])
def test_feedback_names_fifty_rows_and_says_where_there_are_more(rows: int, shown: str) -> None:
    named = list(range(2, 52)) if rows else []
    finding = deliver.RuleCount("some.rule", "critical", "status", "D", rows, "No.", named)
    receipt = Receipt("id", BOROUGH.slug, "a.csv", "0", "", "accepted", "", findings=[finding])
    (*_, last) = csv.reader(io.StringIO(deliver.feedback_csv(receipt)))
    assert last[-1].endswith(shown)
    assert len(last[-1].split()) == len(named) + (rows > len(named))


def test_feedback_of_a_refused_file_names_the_column(home: Home, receipts: dict[str, Receipt]) -> None:
    receipt = receipts["d-named.csv"]
    lines = _feedback(home, receipt)
    assert lines[1] == ["outcome", f"refused: {receipt.reason}"]
    letter = "AF"
    message = f"Column {letter} (Surname) holds names of people."
    assert lines[3:] == [["critical", "identifier.name", letter, "Surname", "", message, ""]]


def test_accepted_rows_have_the_contracts_schema_and_their_origin(home: Home, receipts: dict[str, Receipt]) -> None:
    receipt = receipts["a-mixed.csv"]
    frame = pl.read_parquet(home.root / receipt.accepted["missing_episode"])
    assert dict(frame.schema) == accepted_schema(load_contracts()["missing_episode"])
    origin = frame.select("delivery_id", "borough", "source", "row_number", "episode_id").rows()
    assert origin == [
        (receipt.delivery_id, BOROUGH.slug, "canonical", 2, "EP-1"),
        (receipt.delivery_id, BOROUGH.slug, "canonical", 3, "EP-2"),
    ]
    interviews = pl.read_parquet(home.root / receipts["c-liquidlogic.csv.gz"].accepted["return_interview"])
    assert interviews.select("row_number", "interview_id", "offered").rows() == [(2, "RHI-1", "yes")]


def test_quarantined_rows_are_kept_as_they_came_beside_their_findings(home: Home, receipts: dict[str, Receipt]) -> None:
    receipt = receipts["a-mixed.csv"]
    stem = home.quarantine / BOROUGH.slug / f"{receipt.sha256}.{receipt.rules_key}"
    rows = pl.read_parquet(f"{stem}.parquet")
    assert rows.select("row_number", "episode_id", "status").rows() == [(4, "EP-3", CELL), (7, "EP-5", CELL)]
    findings = pl.read_parquet(f"{stem}.findings.parquet")
    assert findings.height == sum(f.rows for f in receipt.findings)
    assert set(findings["delivery_id"]) == {receipt.delivery_id}
    assert "column" not in findings.columns


def test_bytes_are_kept_as_received_for_accepted_files_only(home: Home) -> None:
    kept = {path.name: path.read_bytes() for path in (home.deliveries / BOROUGH.slug).iterdir()}
    assert kept == {
        f"{_sha256(MIXED)}.csv": MIXED,
        f"{_sha256(LIQUIDLOGIC_FILE)}.csv.gz": LIQUIDLOGIC_FILE,
        f"{_sha256(INTERVIEWS)}.csv": INTERVIEWS,
    }


def test_a_refused_file_leaves_only_its_receipt_and_its_feedback(home: Home) -> None:
    of_named = sorted(path for path in _files(home) if _sha256(NAMED) in path)
    assert of_named == [
        f"quarantine/{BOROUGH.slug}/{_sha256(NAMED)}.feedback.csv",
        f"receipts/{BOROUGH.slug}/{_sha256(NAMED)}.json",
    ]


def test_no_cell_is_in_a_receipt_a_feedback_file_or_the_findings(home: Home) -> None:
    open_to_borough = [data for path, data in _files(home).items() if path.endswith((".json", ".feedback.csv"))]
    assert len(open_to_borough) == 18
    assert not any(CELL.encode() in data for data in open_to_borough)
    for path in home.quarantine.rglob("*.findings.parquet"):
        assert CELL not in pl.read_parquet(path).write_csv()


def test_landing_is_left_as_it_was(home: Home) -> None:
    folder = home.landing / BOROUGH.slug
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert len(list(folder.iterdir())) == len(FILES) + 2


def _must_not_run(*_: object) -> NoReturn:
    raise AssertionError


def _times(home: Home) -> dict[str, int]:
    return {path: (home.root / path).stat().st_mtime_ns for path in _files(home) if "receipts" not in path}


def test_a_second_run_does_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before, times = _files(home), _times(home)
    unread = {r.file_name for r in read_receipts(home) if not r.rules_key}
    assert unread == {"g-folder", "h-link.csv"}
    for name in ("judge", "examine", "write_parquet", "write_bytes"):
        monkeypatch.setattr(deliver, name, _must_not_run)
    again = ingest(home, (BOROUGH, OTHER_BOROUGH), NOW)
    assert _files(home) == before
    touched = {path for path, time in _times(home).items() if times[path] != time}
    assert len(touched) == len(unread)
    assert again == read_receipts(home)


@pytest.fixture
def small(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")


def _ingest(home: Home, contracts: Path = CONTRACTS, received_at: datetime = NOW) -> list[Receipt]:
    return ingest(home, (BOROUGH,), received_at, contracts)


@pytest.fixture
def changed_rules(tmp_path: Path) -> Path:
    """The contracts with another version of a layout, which is another set of rules."""
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    path = contracts / "sources" / "ssda903_missing.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("1.0.0", "1.0.1"), encoding="utf-8")
    return contracts


@pytest.mark.parametrize("landed", [True, False], ids=["still in landing", "gone from landing"])
def test_changed_rules_redo_the_work_and_keep_the_arrival(small: Home, changed_rules: Path, landed: bool) -> None:
    land(small, "a.csv", MIXED)
    (first,) = _ingest(small)
    if not landed:
        (small.landing / BOROUGH.slug / "a.csv").unlink()
    (second,) = _ingest(small, changed_rules, LATER)
    assert first.rules_key != second.rules_key == rules_key(changed_rules)
    assert (second.received_at, second.file_name, second.rows_accepted) == (NOW.isoformat(), "a.csv", 2)
    assert second.accepted != first.accepted
    assert pl.read_parquet(small.root / second.accepted["missing_episode"]).height == 2
    assert read_receipts(small) == [second]
    assert _ingest(small, changed_rules, LATER) == [second]


@pytest.mark.parametrize("landed", [True, False], ids=["still in landing", "gone from landing"])
def test_a_file_refused_under_newer_rules_is_forgotten_unless_it_is_the_only_copy(
    small: Home, tmp_path: Path, landed: bool
) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    land(small, "a.csv", MIXED)
    (first,) = _ingest(small)
    if not landed:
        (small.landing / BOROUGH.slug / "a.csv").unlink()
    path = contracts / "rules" / "identifiers.yaml"
    rules = path.read_text(encoding="utf-8").replace(
        "identifier.name: {pattern:", "identifier.name: {pattern: ^sex$|", 1
    )
    path.write_text(rules.replace('^sex$| "', '"^sex$|', 1), encoding="utf-8")
    (second,) = _ingest(small, contracts, LATER)
    assert (second.status, second.rows_read, second.accepted) == ("rejected", 0, {})
    assert not (small.root / first.accepted["missing_episode"]).exists()
    assert not list((small.quarantine / BOROUGH.slug).glob("*.parquet"))
    assert bool(list((small.deliveries / BOROUGH.slug).iterdir())) is not landed


def test_a_delivery_that_left_landing_is_still_a_delivery(small: Home) -> None:
    land(small, "a.csv", MIXED)
    first = _ingest(small)
    (small.landing / BOROUGH.slug / "a.csv").unlink()
    assert _ingest(small, received_at=LATER) == first


def test_every_rule_file_is_part_of_the_key(tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    keys = {rules_key(contracts)}
    paths = [
        *contracts.glob("deliveries/*.yaml"),
        *contracts.glob("sources/*.yaml"),
        contracts / "rules/identifiers.yaml",
    ]
    for path in paths:
        with path.open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        keys.add(rules_key(contracts))
    assert len(keys) == 1 + len(paths) >= 6


class KilledError(BaseException):
    """Stands for a kill: nothing catches it."""


def _killed(*_: object) -> NoReturn:
    raise KilledError


@pytest.mark.parametrize("at", ["_record", "write_text"], ids=["before the receipt", "before the feedback"])
def test_a_run_killed_before_the_receipt_is_done_again(
    small: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    land(small, "a.csv", MIXED)
    with monkeypatch.context() as patch:
        patch.setattr(deliver, at, _killed)
        with pytest.raises(KilledError):
            _ingest(small)
    assert list((small.deliveries / BOROUGH.slug).iterdir())
    assert read_receipts(small) == []
    clean = Home(tmp_path / "clean")
    land(clean, "a.csv", MIXED)
    assert _ingest(small) == _ingest(clean)
    assert _files(small) == _files(clean)


def test_half_written_files_are_never_met(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    land(small, "a.csv", MIXED)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", _killed)
        with pytest.raises(KilledError):
            _ingest(small)
    assert all(Path(path).name.startswith(".") for path in _files(small))
    (receipt,) = _ingest(small)
    assert receipt.rows_accepted == 2


def _cannot_open(path: Path) -> bytes:
    if "landing" in path.parts:
        raise PermissionError(CELL)
    with path.open("rb") as file:
        return file.read()


def test_a_file_that_could_not_be_opened_is_looked_at_afresh(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    land(small, "a.csv", MIXED)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", _cannot_open)
        (unread,) = _ingest(small)
    assert (unread.status, unread.file_name, unread.rules_key) == ("rejected", "a.csv", "")
    assert unread.reason == "The file could not be opened; check its permissions."
    (receipt,) = _ingest(small)
    assert (receipt.status, read_receipts(small)) == ("accepted", [receipt])
    assert not any(unread.sha256 in path for path in _files(small))


def test_a_file_that_is_still_growing_or_too_large_waits(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    land(small, "a.csv", MIXED)
    whole = Path.read_bytes
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: whole(path)[:-1])
        assert "still being written" in _ingest(small)[0].reason
    with monkeypatch.context() as patch:
        patch.setattr(deliver, "MOST_BYTES", len(MIXED) - 1)
        assert "larger than 1 GiB" in _ingest(small)[0].reason
    assert _ingest(small)[0].status == "accepted"


def test_a_link_to_nowhere_and_a_missing_landing_are_no_trouble(small: Home) -> None:
    assert _ingest(small) == []
    land(small, "a.csv", MIXED)
    (small.landing / BOROUGH.slug / "b.csv").symlink_to(small.root / "nowhere")
    assert [(r.file_name, r.status) for r in _ingest(small)] == [("a.csv", "accepted"), ("b.csv", "rejected")]


def test_a_file_that_trips_the_rules_does_not_stop_the_others(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    land(small, "a.csv", MIXED)
    land(small, "b.csv", INTERVIEWS)

    def trips(files: Sequence[Examined]) -> pl.DataFrame:
        if any(file.main.contract.dataset == "return_interview" for file in files):
            raise ValueError(CELL)
        return judge(files)

    monkeypatch.setattr(deliver, "judge", trips)
    good, bad = _ingest(small)
    assert (good.status, bad.status) == ("accepted", "rejected")
    assert bad.reason.startswith("The rules could not be run (internal error ValueError)")
    assert not any(bad.sha256 in path for path in _files(small) if "deliveries" in path or "accepted" in path)


@pytest.mark.parametrize("error", [RuntimeError(CELL), pl.exceptions.PanicException(CELL)], ids=["error", "panic"])
def test_a_file_that_trips_the_reader_is_refused_by_the_errors_name(
    small: Home, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def trips(*_: object) -> NoReturn:
        raise error

    land(small, "a.csv", MIXED)
    monkeypatch.setattr(deliver, "examine", trips)
    (receipt,) = _ingest(small)
    assert receipt.reason.startswith(f"The file could not be processed (internal error {type(error).__name__})")
    assert [f.rule_id for f in receipt.findings] == ["file.internal_error"]
    assert CELL not in "".join(map(str, _files(small).values()))
