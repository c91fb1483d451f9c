"""The process in which files are tried, so that one that kills it is known."""

import resource
import signal
import time
from itertools import islice
from multiprocessing.connection import Connection

from tests.fuzz.judge import BadEndError, damaged_files, outcome

_MOST_ADDRESS_SPACE = 8 << 30
_SECONDS_A_FILE = 30


def work(parent: Connection, seed: int, done: int, deadline: float) -> None:
    """Try file after file from the `done`-th on and tell how each ended and what was wrong with that.

    The alarm ends the process where a library never returns.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESS_SPACE, _MOST_ADDRESS_SPACE))
    for made in islice(damaged_files(seed), done, None):
        if time.monotonic() > deadline:
            return
        signal.alarm(_SECONDS_A_FILE)
        try:
            parent.send((outcome(made), ""))
        except BadEndError as error:
            parent.send(("bad end", str(error)))
