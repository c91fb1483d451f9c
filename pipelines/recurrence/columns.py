"""What estimates are handed on as: columns of one length, gathered from many groups of children into one table.

Arrays, not frames: there are hundreds of small groups, and making a frame of each would take longer than estimating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Not a number stands for what cannot be told; in the table it is null.
Columns = dict[str, NDArray[Any]]


def gather(
    coordinates: Sequence[tuple[Any, ...]], parts: Sequence[Columns], schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Put the parts one below the other, each after the coordinates of its group.

    Args:
        coordinates: of each part, the values of the first columns of the schema.
        parts: the other columns.
        schema: every column, in order.
    """
    if not parts:
        return pl.DataFrame(schema=schema)
    names = list(schema)[: len(coordinates[0])]
    groups = pl.DataFrame(list(coordinates), schema={name: schema[name] for name in names}, orient="row")
    lengths = [len(next(iter(part.values()))) for part in parts]
    rows = pl.Series(np.repeat(np.arange(len(parts)), lengths))
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole = groups[rows].hstack(pl.DataFrame(values)).select(*schema)
    return whole.with_columns(pl.selectors.float().fill_nan(None)).cast(pl.Schema(schema))
