"""The books of intake: what is kept, what is counted, and what happens when a run is repeated, changed or killed."""

import csv
import gzip
import hashlib
import io
import shutil
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.schema import accepted_schema
from pipelines.home import CONTRACTS, Home
from pipelines.intake import deliver, filing, landing, store
from pipelines.intake.corrections import APPLIED, NOT_AS_EXPECTED
from pipelines.intake.deliver import ingest, rules_key
from pipelines.intake.examine import Examined
from pipelines.intake.findings import Judged
from pipelines.intake.judge import judge
from pipelines.intake.receipt import Receipt, RuleCount, feedback_csv, read_receipts
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


@pytest.fixture(autouse=True, scope="module")
def _no_wait() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "_MOMENT_SECONDS", 0.0)
        yield


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
    assert (receipt.dataset, receipt.source, receipt.source_version) == ("missing_episode", "liquidlogic", "1.1.0")
    assert (receipt.also_accepted, receipt.also_refused) == ({"return_interview": 1}, {"return_interview": 2})


def test_receipts_say_who_sent_what_when_and_by_which_rules(home: Home, receipts: dict[str, Receipt]) -> None:
    receipt = receipts["a-mixed.csv"]
    assert (receipt.borough, receipt.received_at) == (BOROUGH.slug, NOW.isoformat())
    assert receipt.rules_key == rules_key(BOROUGH.slug, home)
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
        ("warning", "ssda903.574", "E", "started_at", [3]),  # the same child and hours as row 2
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
    assert [line[0] for line in lines[3:9]] == ["critical", "critical", "critical", "info", "warning", "warning"]
    assert {line[0] for line in lines[9:]} <= {"not applicable"}


@pytest.mark.parametrize(("rows", "shown"), [(51, "50 51 ..."), (50, "50 51"), (0, "")])
def test_feedback_names_fifty_rows_and_says_where_there_are_more(rows: int, shown: str) -> None:
    named = list(range(2, 52)) if rows else []
    finding = RuleCount("some.rule", "critical", "status", "D", rows, "No.", named)
    receipt = Receipt("id", BOROUGH.slug, "a.csv", "0", "", "accepted", "", findings=[finding])
    (*_, last) = csv.reader(io.StringIO(feedback_csv(receipt)))
    assert last[-1].endswith(shown)
    assert len(last[-1].split()) == len(named) + (rows > len(named))


def test_feedback_of_a_refused_file_names_the_column(home: Home, receipts: dict[str, Receipt]) -> None:
    receipt = receipts["d-named.csv"]
    lines = _feedback(home, receipt)
    assert lines[1] == ["outcome", f"refused: {receipt.reason}"]
    letter = "AF"
    (line,) = lines[3:]
    assert line[:5] == ["critical", "identifier.name", letter, "Surname", ""]
    assert line[5].startswith(f"Column {letter} (Surname) holds names of people")


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


def test_what_was_read_is_kept_of_accepted_files_only_as_received_where_it_is_the_whole(home: Home) -> None:
    kept = {path.name: path.read_bytes() for path in (home.deliveries / BOROUGH.slug).iterdir()}
    mixed = pl.read_parquet(io.BytesIO(kept.pop(f"{_sha256(MIXED)}.agreed.parquet")))
    reduced = pl.read_parquet(io.BytesIO(kept.pop(f"{_sha256(LIQUIDLOGIC_FILE)}.agreed.parquet")))
    assert kept == {f"{_sha256(INTERVIEWS)}.csv": INTERVIEWS}
    assert mixed.height == 5  # all but the ragged row, whose cells nobody can place
    assert reduced["TEAM"].null_count() == len(LIQUIDLOGIC_ROWS)


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
    unread = {r.file_name for r in read_receipts(home) if r.unread}
    assert unread == {"g-folder", "h-link.csv"}
    for module, name in ((deliver, "judge"), (deliver, "examine"), (filing, "write_parquet")):
        monkeypatch.setattr(module, name, _must_not_run)
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
    path.write_text(path.read_text(encoding="utf-8").replace("version: 1.1.0", "version: 1.1.1"), encoding="utf-8")
    return contracts


@pytest.mark.parametrize("landed", [True, False], ids=["still in landing", "gone from landing"])
def test_changed_rules_redo_the_work_and_keep_the_arrival(small: Home, changed_rules: Path, landed: bool) -> None:
    land(small, "a.csv", MIXED)
    (first,) = _ingest(small)
    if not landed:
        (small.landing / BOROUGH.slug / "a.csv").unlink()
    (second,) = _ingest(small, changed_rules, LATER)
    assert first.rules_key != second.rules_key == rules_key(BOROUGH.slug, small, changed_rules)
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
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules["headers"]["identifier.name"]["pattern"] += "|^sex$"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
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


def test_every_rule_file_is_part_of_the_key(small: Home, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    keys = {rules_key(BOROUGH.slug, small, contracts)}
    paths = [
        *contracts.glob("deliveries/*.yaml"),
        *contracts.glob("sources/*.yaml"),
        *contracts.glob(f"boroughs/{BOROUGH.slug}/*.yaml"),
        contracts / "rules/identifiers.yaml",
        contracts / "rules/ssda903.yaml",
        small.corrections(BOROUGH.slug),
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        keys.add(rules_key(BOROUGH.slug, small, contracts))
    assert len(keys) == 1 + len(paths) >= 10


def test_another_boroughs_files_are_no_part_of_the_key(small: Home, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    before = rules_key(BOROUGH.slug, small, contracts)
    with (contracts / "boroughs" / OTHER_BOROUGH.slug / "agreement.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert rules_key(BOROUGH.slug, small, contracts) == before


class KilledError(BaseException):
    """Stands for a kill: nothing catches it."""


def _killed(*_: object) -> NoReturn:
    raise KilledError


@pytest.mark.parametrize("at", ["write_receipt", "write_parquet"], ids=["before the receipt", "before the rows"])
def test_a_run_killed_before_the_receipt_is_done_again(
    small: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    land(small, "a.csv", MIXED)
    with monkeypatch.context() as patch:
        patch.setattr(filing, at, _killed)
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


def _cannot_open(*_: object, **__: object) -> int:
    raise PermissionError(CELL)


def test_a_file_that_could_not_be_opened_is_looked_at_afresh(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    land(small, "a.csv", MIXED)
    with monkeypatch.context() as patch:
        patch.setattr(landing.os, "open", _cannot_open)
        (unread,) = _ingest(small)
    assert (unread.status, unread.file_name, unread.unread) == ("rejected", "a.csv", True)
    assert unread.reason == "The file could not be opened; check its permissions."
    (receipt,) = _ingest(small)
    assert (receipt.status, read_receipts(small)) == ("accepted", [receipt])
    assert not any(unread.sha256 in path for path in _files(small))


def test_a_link_to_nowhere_and_a_missing_landing_are_no_trouble(small: Home) -> None:
    assert _ingest(small) == []
    land(small, "a.csv", MIXED)
    (small.landing / BOROUGH.slug / "b.csv").symlink_to(small.root / "nowhere")
    assert [(r.file_name, r.status) for r in _ingest(small)] == [("a.csv", "accepted"), ("b.csv", "rejected")]


def test_a_file_that_trips_the_rules_does_not_stop_the_others(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    land(small, "a.csv", MIXED)
    land(small, "b.csv", INTERVIEWS)

    def trips(files: Sequence[Examined]) -> Judged:
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


def test_rows_that_were_deleted_are_made_again(small: Home) -> None:
    land(small, "a.csv", MIXED)
    (first,) = _ingest(small)
    whole = _files(small)
    (small.root / first.accepted["missing_episode"]).unlink()
    assert _ingest(small) == [first]
    assert _files(small) == whole


def test_what_a_killed_run_was_writing_is_swept_up_unless_it_still_runs(
    small: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small.accepted / BOROUGH.slug
    folder.mkdir(parents=True)
    left, writing = folder / ".a.parquet.111.partial", folder / ".b.parquet.222.partial"
    for path in (left, writing):
        path.write_bytes(b"half")
    monkeypatch.setattr(store, "_is_running", lambda process: process == 222)
    _ingest(small)
    assert (left.exists(), writing.exists()) == (False, True)


def _contracts_with(tmp_path: Path, **changes: object) -> Path:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    path = contracts / "boroughs" / BOROUGH.slug / "agreement.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return contracts


def test_fields_outside_the_agreement_are_dropped_at_the_door(small: Home, tmp_path: Path) -> None:
    fields = {"missing_episode": {"all_except": ["setting_id"]}}
    contracts = _contracts_with(tmp_path, fields=fields)
    land(
        small, "a.csv", csv_rows([episode(setting_id=CELL), episode(episode_id="EP-2", status="gone", setting_id=CELL)])
    )
    (receipt,) = _ingest(small, contracts)
    assert (receipt.rows_accepted, receipt.rows_quarantined) == (1, 1)
    assert receipt.notes == ["Columns outside the sharing agreement were dropped: Q."]
    rows = pl.read_parquet(small.root / receipt.accepted["missing_episode"])
    assert rows["setting_id"].null_count() == 1
    assert not any(CELL in frame.write_csv() for frame in map(pl.read_parquet, small.root.glob("**/*.parquet")))
    assert not any(CELL.encode() in data for data in _files(small).values())
    (small.landing / BOROUGH.slug / "a.csv").unlink()
    path = contracts / "sources" / "ssda903_missing.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    (again,) = _ingest(small, contracts, LATER)
    assert again.rules_key != receipt.rules_key
    assert [(f.rule_id, f.column_letter, f.first_rows) for f in again.findings] == [
        (f.rule_id, f.column_letter, f.first_rows) for f in receipt.findings
    ]


@pytest.mark.parametrize(
    ("changes", "rule_id"),
    [
        ({"valid_from": date(2026, 4, 21)}, "file.no_agreement"),
        ({"valid_until": date(2026, 4, 19)}, "file.no_agreement"),
        ({"fields": {"return_interview": "all"}}, "file.not_agreed"),
        ({"fields": {"missing_episode": ["episode_id"]}}, "file.configuration"),
    ],
)
def test_without_an_agreement_nothing_is_taken_in(
    small: Home, tmp_path: Path, changes: dict[str, object], rule_id: str
) -> None:
    contracts = _contracts_with(tmp_path, **changes)
    land(small, "a.csv", MIXED)
    land(small, "theirs.csv", MIXED, OTHER_BOROUGH.slug)
    ours, theirs = ingest(small, (BOROUGH, OTHER_BOROUGH), NOW, contracts)
    assert (ours.status, [f.rule_id for f in ours.findings], theirs.status) == ("rejected", [rule_id], "accepted")
    assert not list((small.deliveries / BOROUGH.slug).glob("*"))


def _correct(home: Home, **changes: object) -> None:
    entry = {
        "id": "one",
        "dataset": "missing_episode",
        "record": "EP-3",
        "expect": {"status": CELL, "age_at_start": "99"},
        "set": {"status": "missing", "age_at_start": "14"},
        "why": "mistyped",
        "asked_by": "data officer",
        "asked_on": NOW.date(),
        "until": LATER.date(),
    }
    path = home.corrections(BOROUGH.slug)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"corrections": [entry | changes]}), encoding="utf-8")


def test_a_correction_lets_a_row_pass_and_is_counted(small: Home) -> None:
    land(small, "a.csv", MIXED)
    (before,) = _ingest(small)
    _correct(small)
    (after,) = _ingest(small)
    assert (before.rows_accepted, after.rows_accepted) == (2, 3)
    applied = {f.column_letter: (f.rule_id, f.severity, f.first_rows) for f in after.findings if f.rule_id == APPLIED}
    assert applied == {letter: (APPLIED, "info", [4]) for letter in "DI"}
    assert not any(
        CELL.encode() in data
        for path, data in _files(small).items()
        if path.endswith((".json", ".csv")) and "deliveries" not in path
    )


def test_a_correction_that_no_longer_fits_is_not_applied_and_said(small: Home) -> None:
    land(small, "a.csv", MIXED)
    _correct(small, expect={"status": "away", "age_at_start": "99"})
    (receipt,) = _ingest(small)
    loud = [(f.severity, f.first_rows) for f in receipt.findings if f.rule_id == NOT_AS_EXPECTED]
    assert (receipt.rows_accepted, loud) == (2, [("warning", [4]), ("warning", [4])])


def test_corrections_that_cannot_be_read_stop_the_boroughs_new_files_only(small: Home) -> None:
    land(small, "a.csv", MIXED)
    (known,) = _ingest(small)
    _correct(small, set={"nothing": CELL})
    land(small, "b.csv", INTERVIEWS)
    land(small, "theirs.csv", MIXED, OTHER_BOROUGH.slug)
    first, new, theirs = ingest(small, (BOROUGH, OTHER_BOROUGH), LATER)
    assert first == known
    assert (new.status, [f.rule_id for f in new.findings]) == ("rejected", ["file.configuration"])
    assert CELL not in new.reason
    assert theirs.status == "accepted"
    _correct(small)
    first, new = ingest(small, (BOROUGH,), LATER + timedelta(days=1))
    assert (first.rows_accepted, new.status, new.received_at) == (3, "accepted", LATER.isoformat())


def test_a_wording_that_cannot_be_read_stops_the_boroughs_files_only(small: Home, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    (contracts / "boroughs" / BOROUGH.slug / "source.yaml").write_text("layouts: {nothing: {renamed: {A: B}}}\n")
    land(small, "a.csv", MIXED)
    land(small, "theirs.csv", MIXED, OTHER_BOROUGH.slug)
    ours, theirs = ingest(small, (BOROUGH, OTHER_BOROUGH), NOW, contracts)
    assert ([f.rule_id for f in ours.findings], theirs.status) == (["file.configuration"], "accepted")


def test_months_of_quarantined_rows_are_known(small: Home) -> None:
    rows = [
        episode(episode_id="1", status="gone", started_at="2025-11-30T23:59"),
        episode(episode_id="2", status="gone", started_at="2025-12-01"),
        episode(episode_id="3", status="gone", started_at="never"),
        episode(episode_id="4"),
    ]
    land(small, "a.csv", csv_rows(rows))
    assert _ingest(small)[0].quarantined_months == {"2025-11": 1, "2025-12": 1}


def test_raw_beside_mapped_value_is_kept_of_accepted_rows_where_the_mapping_needs_a_note(small: Home) -> None:
    land(small, "a.csv.gz", LIQUIDLOGIC_FILE)
    (receipt,) = _ingest(small)
    trapped = pl.read_parquet(small.root / receipt.trapped_file)
    assert set(trapped["note_id"]) <= set(receipt.source_notes)
    offered = trapped.filter(pl.col("column_name") == "offered")
    assert offered.select("row_number", "raw_value", "mapped_value").rows() == [(2, "Yes", "yes")]
    assert set(trapped["source_version"]) == {"1.1.0"}
