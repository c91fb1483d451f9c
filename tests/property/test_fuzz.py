"""A little of the fuzzing in every run of the tests; `make fuzz` goes on for longer and from another start."""

from itertools import islice

import pytest

from tests.fuzz import judge
from tests.fuzz.corpus import MARKS, seeds
from tests.fuzz.judge import BadEndError, Made, damaged_files, outcome


def test_damaged_files_come_to_a_good_end() -> None:
    ends = {outcome(made) for made in islice(damaged_files(seed=903), 150)}
    assert {"understood", "file.unreadable", "file.unrecognised"} <= ends


def test_sound_files_are_all_readable() -> None:
    assert "file.unreadable" not in {outcome(Made(f"a{ending}", data)) for ending, data in seeds()}


@pytest.mark.parametrize("leak", [KeyError("word"), SystemExit(3), judge.UnreadableFileError(f"No: {MARKS[0]}.")])
def test_a_bad_end_is_seen(leak: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise leak

    monkeypatch.setattr(judge, "read_table", fail)
    with pytest.raises(BadEndError):
        outcome(Made("a.csv", b"a,b\n1,2\n"))
