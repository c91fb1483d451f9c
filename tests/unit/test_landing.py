"""Reading landing: links, folders, pipes, closed and growing files, and names that play tricks."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.intake import landing
from pipelines.intake.landing import LandedFile, UnreadFile, landed_files, strange_folders
from pipelines.intake.receipt import Receipt, feedback_csv, shown_name
from tests.intake_data import BOROUGH, OTHER_BOROUGH

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "_MOMENT_SECONDS", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "landing" / BOROUGH.slug
    made.mkdir(parents=True)
    return made


def read(folder: Path) -> dict[str, LandedFile | UnreadFile]:
    return {file.name: file for file in landed_files(Home(folder.parents[1]), BOROUGH, NOW)}


def problem_of(folder: Path, name: str) -> str:
    file = read(folder)[name]
    assert isinstance(file, UnreadFile)
    return file.problem


def test_regular_files_are_read_once_per_content(folder: Path) -> None:
    for name in ("b.csv", "a.csv", "~$open.xlsx", ".part"):
        (folder / name).write_bytes(b"same")
    (folder / "c.csv").write_bytes(b"other")
    assert {name: isinstance(file, LandedFile) for name, file in read(folder).items()} == {"a.csv": True, "c.csv": True}


def test_a_link_is_never_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("not for landing")
    (folder / "inside.csv").symlink_to(folder / "real.csv")
    (folder / "out.csv").symlink_to(secret)
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "real.csv").write_text("x")
    found = read(folder)
    assert [name for name, file in found.items() if isinstance(file, LandedFile)] == ["real.csv"]
    assert {file.problem for file in found.values() if isinstance(file, UnreadFile)} == {landing._LINK}


def test_a_name_that_becomes_a_link_after_the_look_is_not_followed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("not for landing")
    (folder / "a.csv").symlink_to(secret)
    monkeypatch.setattr(Path, "is_symlink", lambda _: False)
    file = read(folder)["a.csv"]
    assert isinstance(file, UnreadFile)


def test_a_linked_landing_folder_is_not_read(folder: Path) -> None:
    other = folder.parent / OTHER_BOROUGH.slug
    other.symlink_to(folder)
    (folder / "a.csv").write_text("x")
    (file,) = landed_files(Home(folder.parents[1]), OTHER_BOROUGH, NOW)
    assert isinstance(file, UnreadFile)


def test_a_pipe_and_a_folder_do_not_hold_the_run_up(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    (folder / "folder.csv").mkdir()
    assert problem_of(folder, "pipe.csv") == landing._LINK
    assert problem_of(folder, "folder.csv") == landing._LINK


def test_a_closed_file_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "closed.csv").write_text("x")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    assert problem_of(folder, "closed.csv") == landing._CLOSED


@pytest.mark.parametrize("kind", ["grows", "is rewritten at the same size"])
def test_a_file_that_changes_during_the_look_waits(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = folder / "growing.csv"
    path.write_text("half")

    def meanwhile(_: float) -> None:
        path.write_text("half and more" if kind == "grows" else "full")
        os.utime(path, ns=(1, 1))

    monkeypatch.setattr(landing.time, "sleep", meanwhile)
    assert problem_of(folder, "growing.csv") == landing._GROWING
    monkeypatch.setattr(landing.time, "sleep", lambda _: None)
    assert isinstance(read(folder)["growing.csv"], LandedFile)


@pytest.mark.parametrize(("size", "read_whole"), [(64, True), (65, False)])
def test_a_file_above_the_limit_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, read_whole: bool
) -> None:
    monkeypatch.setattr(landing, "MOST_BYTES", 64)
    (folder / "large.csv").write_bytes(b"x" * size)
    assert isinstance(read(folder)["large.csv"], LandedFile) is read_whole


def test_what_is_put_in_no_boroughs_folder_is_not_overlooked(folder: Path) -> None:
    home = Home(folder.parents[1])
    (home.landing / "lancaster").mkdir()
    (home.landing / "loose.csv").write_text("x")
    (home.landing / ".keep").write_text("")
    assert strange_folders(home, (BOROUGH.slug,)) == ["lancaster", "loose.csv"]
    assert strange_folders(Home(folder / "empty"), ()) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("march 2026.csv", "march 2026.csv"),
        ("a\x1b[31mred\n.csv", "a\ufffd[31mred\ufffd.csv"),
        ("ab\u202ecsv.exe", "ab\ufffdcsv.exe"),
        (os.fsdecode(b"caf\xe9.csv"), "caf\ufffd.csv"),
        ("x" * 150, "x" * 150),
        ("x" * 151, "x" * 150 + "..."),
    ],
)
def test_names_are_shown_without_their_tricks(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@pytest.mark.parametrize("name", ["=cmd()|'a'!b.csv", "+1.csv", "-1.csv", "@sum.csv"])
def test_a_name_cannot_become_a_formula_in_the_feedback(name: str) -> None:
    receipt = Receipt("d", BOROUGH.slug, name, "s", NOW.isoformat(), "rejected", "why")
    first_line = feedback_csv(receipt).splitlines()[0]
    assert first_line.split(",", 1)[1].strip('"').startswith("'")
