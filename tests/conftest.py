"""What holds for every process of the tests. Read before polars and NumPy are imported, which look only then."""

from __future__ import annotations

import os

# Two workers share the cores. Frames and matrices here are small, and threads that wait for each other took a fifth of
# the time. Whole runs, in `integration`, have the threads that they have at a person's machine.
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
os.environ.update({name: os.environ.get(name, threads) for name, threads in ONE_THREAD.items()})
