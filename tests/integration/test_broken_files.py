"""Broken and hostile files in one borough: nothing crashes, nothing is lost, and the other nine still publish."""

from __future__ import annotations

import gzip
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake.receipt import read_receipts
from tests.builders.workbooks import with_parts, with_sheet, workbook_of
from tests.integration.home import MFH, Ran, environment, fill, mfh, outside_stores, rows

HEADER = (
    "episode_id,child_id,pseudonym_scope,status,started_at,age_at_start,looked_after,responsible_authority,"
    "area_missing_from"
)
CHILD = "c" * 64
GOOD_ROW = f"B1,{CHILD},regional,missing,2022-05-01T20:15,14,no,E08000002,E08000002"
BROKEN_BOROUGH = "bury"


def _text(*lines: str) -> bytes:
    return "\n".join(lines).encode()


BROKEN: dict[str, bytes] = {
    "empty.csv": b"",
    "header-only.csv": _text(HEADER),
    "binary.csv": bytes(range(256)) * 8,
    "utf-32.csv": _text(HEADER, GOOD_ROW).decode().encode("utf-32"),
    "zero-bytes.csv": _text(HEADER, GOOD_ROW.replace("B1", "B\x001")),
    "twice.csv": _text(HEADER + ",STATUS", GOOD_ROW + ",missing"),
    "wide.csv": _text(",".join(f"c{i}" for i in range(16_384)), "," * 16_383),
    "long-line.csv": _text(HEADER, GOOD_ROW + "x" * (2 << 20)),
    "unclosed.csv": _text(HEADER, '"' + GOOD_ROW, GOOD_ROW),
    "month-first.csv": _text(HEADER, *(GOOD_ROW.replace("2022-05-01T20:15", f"05/{day}/2022") for day in (13, 14, 15))),
    "bomb.csv.gz": gzip.compress(bytes(300 << 20), compresslevel=1, mtime=0),
    "formulas.xlsx": with_sheet("<row r='1'><c r='A1'><f>HYPERLINK(1)</f><v>1</v></c></row>"),
    "elsewhere.xlsx": with_parts(
        workbook_of([HEADER.split(","), GOOD_ROW.split(",")]), {"xl/externalLinks/externalLink1.xml": "<a/>"}
    ),
    "'; drop table intake.delivery; --.csv": _text("beds", "0"),
    "<img src=x onerror=alert(1)>.csv": _text("beds", "1"),
    "up..\\..\\etc\\passwd.csv": _text("beds", "2"),
    "$(touch here) `id` & %2e%2e.csv": _text("beds", "3"),
    "protected.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096),
    "misnamed.csv": b"PK\x03\x04" + bytes(200),
    "not-excel.xlsx": _text(HEADER, GOOD_ROW),
    "cut-off.csv.gz": gzip.compress(_text(HEADER, *[GOOD_ROW] * 500), mtime=0)[:60],
    "other-table.csv": _text("ward,beds", "a,1"),
    "raw.csv": _text("CHILD,DOB,MISSING,MIS_START,MIS_END", "123456,01/02/2010,M,01/05/2022,02/05/2022"),
    "named.csv": _text(HEADER + ",surname", GOOD_ROW + ",Zyxwvutsrq"),
    "letter.docx": b"PK\x03\x04" + bytes(300),
    "half-parquet.parquet": b"PAR1" + bytes(64),
}
RAGGED = _text(
    HEADER,
    GOOD_ROW,
    GOOD_ROW.replace("B1", "B2") + ",one cell too many",
    "B3,too,short",
    GOOD_ROW.replace("B1", "B4").replace("2022-05-01", "2022-07-09"),
)

LINKS = f"""
links:
  - id: gm-1
    pseudonyms:
      - {{borough: {BROKEN_BOROUGH}, child_id: {CHILD}}}
      - {{borough: wigan, child_id: {"d" * 64}}}
    reason: one child by both services' records
    decided_by: regional analyst
    decided_at: 2000-06-01T09:00:00Z
"""


@dataclass(frozen=True)
class Broken:
    """A home after three runs: one killed, one over sound files, one with broken files beside them.

    Attributes:
        home: the home.
        left_by_the_killed: whether there was a snapshot after the first run.
        sound: the run after it.
        before: figures of the other boroughs then.
        ran: the run over the broken files.
    """

    home: Home
    left_by_the_killed: bool
    sound: Ran
    before: pl.DataFrame
    ran: Ran


def figures_elsewhere(home: Home) -> pl.DataFrame:
    """Every true figure of the other nine boroughs."""
    return rows(
        home,
        """
        select figure_id, numerator, denominator, value, lower_95, upper_95, symbol, not_measurable
        from statistics.indicator inner join reference.area using (area_code)
        where area.area_type = 'borough' and area.slug <> $borough
        order by figure_id
        """,
        borough=BROKEN_BOROUGH,
    )


def run_and_kill(home: Home) -> None:
    """Start a run and kill it when it has begun to write tables."""
    process = subprocess.Popen(
        [str(MFH), "run"], env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not home.working_database.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """A home whose broken files come after a clean run, which came after a killed one."""
    home, _ = fill(tmp_path_factory.mktemp("broken"), scale=0.05, first=date(2022, 4, 1), last=date(2023, 3, 1))
    run_and_kill(home)
    left = home.current_database.exists()
    sound = mfh(home, "run")
    before = figures_elsewhere(home)
    folder = home.landing / BROKEN_BOROUGH
    for name, data in BROKEN.items():
        (folder / name).write_bytes(data)
    (folder / "ragged.csv").write_bytes(RAGGED)
    (folder / "link.csv").symlink_to(folder / "ragged.csv")
    return Broken(home, left, sound, before, mfh(home, "run"))


def test_a_run_killed_half_way_leaves_no_snapshot_and_the_next_run_completes(broken: Broken) -> None:
    assert not broken.left_by_the_killed
    assert broken.sound.code == 0, broken.sound.err


def test_the_run_says_that_files_were_refused_and_publishes(broken: Broken) -> None:
    home, ran = broken.home, broken.ran
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert ran.out.strip() == str(home.site / "index.html")


def test_each_broken_file_gets_one_sentence_in_feedback_and_status(broken: Broken) -> None:
    home, ran = broken.home, broken.ran
    refused = {
        r["file_name"]: r["reason"]
        for r in rows(home, "select file_name, reason from intake.delivery where status = 'rejected'").to_dicts()
    }
    assert set(refused) == {*BROKEN, "link.csv"}
    status = mfh(home, "status")
    assert status.code == 1
    pages = "".join(path.read_text(encoding="utf-8") for path in home.site.rglob("*.html"))
    assert "<img src=x" not in pages
    feedback = "\n".join(path.read_text() for path in (home.quarantine / BROKEN_BOROUGH).glob("*.csv"))
    for name, reason in refused.items():
        assert reason.endswith("."), name
        assert "\n" not in reason
        assert name in status.out
        assert name in feedback
        assert f"refused: {BROKEN_BOROUGH}/{name}: {reason}" in ran.err


def test_no_word_of_a_refused_file_is_kept(broken: Broken) -> None:
    home, ran = broken.home, broken.ran
    kept = [path for path in home.root.rglob("*") if path.is_file() and home.landing not in path.parents]
    assert not [path for path in kept if b"Zyxwvutsrq" in path.read_bytes()]
    assert "Zyxwvutsrq" not in ran.out + ran.err


def test_attack_23_no_value_of_a_broken_file_is_anywhere_outside_the_stores_of_children(broken: Broken) -> None:
    """Files that cannot be read are where messages are made in haste; each holds a value that stands nowhere else."""
    home, ran = broken.home, broken.ran
    canaries = (CHILD, "Zyxwvutsrq", "2022-05-01T20:15", "05/13/2022", "one cell too many", "01/02/2010")
    for canary in canaries:
        assert any(canary.encode() in data for data in (*BROKEN.values(), RAGGED)), canary
    for name, text in [("console", ran.out + ran.err), *outside_stores(home)]:
        assert not [canary for canary in canaries if canary in text], name


def test_ragged_rows_are_quarantined_and_the_others_kept(broken: Broken) -> None:
    home = broken.home
    delivery = rows(home, "select * from intake.delivery where file_name = 'ragged.csv'").to_dicts()[0]
    assert (delivery["rows_read"], delivery["rows_accepted"], delivery["rows_quarantined"]) == (4, 2, 2)
    listed = rows(
        home,
        "select row_number, rule_id from intake.quarantined_row where delivery_id = $delivery order by row_number",
        delivery=delivery["delivery_id"],
    )
    assert listed.rows() == [(3, "file.ragged_row"), (4, "file.ragged_row")]


def test_the_other_nine_boroughs_figures_are_untouched(broken: Broken) -> None:
    assert broken.before.height > 1000
    assert figures_elsewhere(broken.home).equals(broken.before)


def test_chosen_boroughs_are_taken_in_and_an_earlier_instant_leaves_out_what_came_later(broken: Broken) -> None:
    home = broken.home
    for slug, code in (("wigan", "E08000010"), ("bolton", "E08000001")):
        (home.landing / slug / "late-synthetic.csv").write_bytes(_text(HEADER, GOOD_ROW.replace("E08000002", code)))
    home.links_file.write_text(LINKS)
    ran = mfh(home, "run", "--boroughs", "wigan", "--as-at", "2000-01-01T00:00:00+00:00")
    assert ran.code == 1
    taken_in = {receipt.borough for receipt in read_receipts(home) if receipt.file_name == "late-synthetic.csv"}
    assert taken_in == {"wigan"}
    assert rows(home, "select count(*) from core.missing_episode").item() == 0
    assert rows(home, "select count(*) from intake.link").item() == 0
