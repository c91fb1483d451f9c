"""Whether what came of a file is one of the two good ends, in time, in memory, and without a word of its cells."""

import re
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from pipelines.intake.examine import RefusedFileError, examine
from pipelines.intake.read import Table, UnreadableFileError, read_table
from tests.fuzz.corpus import MARKS, seeds
from tests.fuzz.mutate import mutated
from tests.intake_data import BOROUGH, NOW

MOST_SECONDS = 10.0
MOST_MEGABYTES = 1_500
_MARK = re.compile("|".join(mark[at : at + 6] for mark in MARKS for at in range(3)))


class BadEndError(AssertionError):
    """What a file led to that it must not; says what, never the file's contents."""


@dataclass(frozen=True)
class Made:
    """A damaged file: the name it is given and its bytes."""

    name: str
    data: bytes


def damaged_files(seed: int) -> Iterator[Made]:
    """Yield damaged files without end, the same ones for a seed."""
    random = Random(seed)  # noqa: S311 - nothing is kept secret with it
    files = seeds()
    while True:
        ending, data = random.choice(files)
        _, other = random.choice(files)
        if random.random() < 0.02:
            ending = random.choice(files)[0]
        yield Made(f"a{ending}", mutated(random, ending, data, other))


def outcome(made: Made) -> str:
    """Read and examine a file and return how it ended.

    Raises:
        BadEndError: neither understood nor refused in a sentence, or not within bounds.
    """
    started = time.monotonic()
    read = _end(lambda: read_table(made.name, made.data), UnreadableFileError)
    if isinstance(read, Table):
        _require(read.frame.height == len(read.row_numbers), "rows and row numbers differ")
        _require(read.row_numbers.is_sorted() and read.row_numbers.is_unique().all(), "row numbers are out of order")
        _require(not set(read.row_numbers) & set(read.ragged), "a ragged row is among the others")
        _require(bool(read.header) and all(read.header), "a column has no name")
    else:
        _require(not _MARK.search(str(read)), "a refusal quotes a cell")
    examined = _end(lambda: examine(made.name, made.data, BOROUGH, NOW, "made"), RefusedFileError)
    if isinstance(examined, RefusedFileError):
        header = " ".join(read.header) if isinstance(read, Table) else ""
        # Names of columns may be told; damage can make one of a cell.
        _require(not _MARK.search(str(examined)) or bool(_MARK.search(header)), "a refusal quotes a cell")
    seconds = time.monotonic() - started
    _require(seconds <= MOST_SECONDS, f"it took {seconds:.0f} seconds")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    _require(megabytes <= MOST_MEGABYTES, f"it took {megabytes} MB")
    if isinstance(examined, RefusedFileError):
        return examined.rule_id
    return "understood"


def _end(step: Callable[[], object], refusal: type[Exception]) -> object:
    """Return what a step returned, or its refusal."""
    try:
        return step()
    except refusal as error:
        _require(bool(re.fullmatch(r"[^\n]+\.", str(error))), "a refusal is not a sentence")
        return error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        # The words of the error may quote the file.
        msg = f"it ended in {type(error).__name__}"
        raise BadEndError(msg) from error


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BadEndError(otherwise)
