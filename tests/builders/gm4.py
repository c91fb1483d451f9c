"""The simulated table "GM4" of the disclosure trials, and smaller tables of the same made-up children.

Counts with every margin, and the sums that link them, as bare arrays: nothing of the pipeline is used here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

AXES = ("borough", "sex", "age", "quarter")

_CHILDREN = 2200
_SHARES = {
    "borough": (7, 4, 30, 8, 8, 12, 8, 7, 5, 11),
    "sex": (54, 46),
    "age": (3, 8, 44, 74, 71),
    "quarter": (26, 24, 25, 25),
}


@dataclass(frozen=True)
class Cube:
    """A table with every margin, flattened.

    Attributes:
        counts: count of each cell.
        rows: sums x cells; each row is a whole less its parts, so `rows @ counts` is zero.
        inner: whether a cell is no margin.
        shape: values of each axis with the total, which comes first.
    """

    counts: NDArray[np.int64]
    rows: sparse.csr_array
    inner: NDArray[np.bool_]
    shape: tuple[int, ...]


def gm4(seed: int = 0, axes: tuple[str, ...] = AXES) -> Cube:
    """Draw a year's children in ten boroughs and count them with every margin.

    Args:
        seed: of the draw.
        axes: which of `AXES` to tabulate by; the same seed gives the same children. All four make 990 cells and 783
            sums, borough x age x quarter 330 cells, borough x sex x age 198, borough x age 66.
    """
    shares = [np.array(_SHARES[axis]) / sum(_SHARES[axis]) for axis in AXES]
    mean = _CHILDREN * np.einsum("i,j,k,l->ijkl", *shares)
    drawn = np.random.default_rng(seed).poisson(mean)
    return with_margins(drawn.sum(axis=tuple(place for place, axis in enumerate(AXES) if axis not in axes)))


def with_margins(inner: NDArray[np.int64]) -> Cube:
    """Add a total, in first place, along every axis of a table.

    Args:
        inner: counts, one axis for each axis of the table.
    """
    table = inner
    for axis in range(inner.ndim):
        table = np.concatenate([table.sum(axis=axis, keepdims=True), table], axis=axis)
    number = np.arange(table.size).reshape(table.shape)
    rows = sparse.vstack([_sums(number, axis) for axis in range(inner.ndim)]).tocsr()
    parts = number[(slice(1, None),) * inner.ndim]
    return Cube(table.ravel(), rows, np.isin(number.ravel(), parts), table.shape)


def _sums(number: NDArray[np.int64], axis: int) -> sparse.coo_array:
    """One row for each line of cells along an axis: its first cell less all others."""
    lines = np.moveaxis(number, axis, -1).reshape(-1, number.shape[axis])
    signs = np.broadcast_to([1] + [-1] * (lines.shape[1] - 1), lines.shape)
    facts = np.broadcast_to(np.arange(len(lines))[:, np.newaxis], lines.shape)
    places = (facts.ravel(), lines.ravel())
    return sparse.coo_array((signs.ravel(), places), shape=(len(lines), number.size))
