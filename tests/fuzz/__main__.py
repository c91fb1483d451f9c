"""Fuzz for a while: `python -m tests.fuzz [--seconds 60] [--seed N]`, or again one file: `--replay FILE`.

The files are tried in a process of their own, so that one that kills or stops it is known and kept.
"""

import argparse
import hashlib
import multiprocessing
import secrets
import sys
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.judge import Made, damaged_files, outcome
from tests.fuzz.worker import work

_KEPT = Path("data/fuzz")
_SECONDS_BETWEEN_LINES = 5.0


def main() -> int:
    """Return 0 where every file came to a good end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--replay", type=Path, default=None)
    options = parser.parse_args()
    if options.replay:
        name = options.replay.name
        _say(f"{name}: {outcome(Made('a' + name[name.index('.') :], options.replay.read_bytes()))}")
        return 0
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    _say(f"Fuzzing reading and examining for {options.seconds:.0f} seconds, seed {seed}.")
    return _fuzz(seed, time.monotonic() + options.seconds)


def _fuzz(seed: int, deadline: float) -> int:
    ends: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    said = time.monotonic()
    while time.monotonic() < deadline:
        parent, child = multiprocessing.Pipe()
        worker = multiprocessing.get_context("spawn").Process(
            target=work, args=(child, seed, sum(ends.values()), deadline)
        )
        worker.start()
        child.close()
        problem = ""
        try:
            while True:
                end, problem = parent.recv()
                ends[end] += 1
                if problem:
                    failures[_keep(seed, sum(ends.values()) - 1, problem)] += 1
                if time.monotonic() - said > _SECONDS_BETWEEN_LINES:
                    said = time.monotonic()
                    _say(f"  {sum(ends.values()):,} files, {len(failures)} failures")
        except EOFError:
            worker.join()
        if worker.exitcode:
            ends["killed"] += 1
            failures[_keep(seed, sum(ends.values()) - 1, f"it killed the process ({worker.exitcode})")] += 1
    for end, count in ends.most_common():
        _say(f"  {count:8,}  {end}")
    _say(f"{sum(ends.values()):,} files, {len(failures)} failures, seed {seed}.")
    return 1 if failures else 0


def _keep(seed: int, number: int, problem: str) -> str:
    """Write the file down and say how to try it again."""
    made = next(made for at, made in enumerate(damaged_files(seed)) if at == number)
    _KEPT.mkdir(parents=True, exist_ok=True)
    path = _KEPT / f"{hashlib.sha256(made.data).hexdigest()[:16]}{made.name[1:]}"
    path.write_bytes(made.data)
    _say(f"  FAILED: {problem}. Again: .venv/bin/python -m tests.fuzz --replay {path}")
    return str(path)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
