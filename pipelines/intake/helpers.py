"""Helper columns: what expectations look at beside text, by name.

`<column>.<helper>` is made only where a rule names it. Parsing is done (`typed`); judging comes after (`judge`).

    given, readable       1.0 or 0.0; readable is null where the cell is blank
    known                 1.0 where the cell is filled and not "unknown"
    is.<code>             1.0 where the cell holds the code
    length, number, year  numbers
    earliest, latest      the first and the last moment that a recorded time allows
    days_after.<other>    least possible number of days from another time to this one
    key                   the same number on rows of one file that share the cell

`cell.<column>.given` and `.readable` speak of the source's own cell, before a mapping made something else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from pipelines.contracts.rules import CELL, DAYS_AFTER, ENDED, ENDS

_MICROSECONDS_A_DAY = 86_400_000_000


def with_helpers(rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Add the named helper columns that the rows do not have yet.

    Args:
        rows: what `typed.parse` made of one file, with `index` (a number of the row) and any `cell.<column>` and
            `cell.<column>.readable`.
        names: helper columns; names of columns without a helper are passed over.
    """
    wanted = [name for name in dict.fromkeys(names) if name not in rows.columns]
    return rows.with_columns(_helper(name).alias(name) for name in wanted)


def base_columns(name: str) -> tuple[str, ...]:
    """Columns of the parsed rows that a helper column is made of."""
    if name.startswith(CELL):
        return ()
    base, _, helper = name.partition(".")
    if helper.startswith(DAYS_AFTER):
        return (*base_columns(f"{base}.earliest"), *base_columns(f"{helper.partition('.')[2]}.latest"))
    if base == ENDED:
        return tuple(f"{end}.{helper}" for end in ENDS)
    if helper == "year":
        return (f"{base}.earliest",)
    return (name,) if helper in {"earliest", "latest", "number", "readable"} else (base,)


def _helper(name: str) -> pl.Expr:
    base, _, helper = name.removeprefix(CELL).partition(".")
    base = CELL + base if name.startswith(CELL) else base
    kind, _, argument = helper.partition(".")
    return _HELPERS[kind](base, argument)


def _one_or_none(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False).cast(pl.Float64)


def _moment(base: str, bound: str) -> pl.Expr:
    return pl.coalesce(f"{end}.{bound}" for end in ENDS) if base == ENDED else pl.col(f"{base}.{bound}")


def _days_after(base: str, other: str) -> pl.Expr:
    elapsed = _moment(base, "earliest") - _moment(other, "latest")
    return elapsed.dt.total_microseconds().cast(pl.Float64) / _MICROSECONDS_A_DAY


_HELPERS: dict[str, Callable[[str, str], pl.Expr]] = {
    "given": lambda base, _: pl.col(base).is_not_null().cast(pl.Float64),
    "known": lambda base, _: _one_or_none(pl.col(base) != "unknown"),
    "is": lambda base, code: _one_or_none(pl.col(base) == code),
    "length": lambda base, _: pl.col(base).str.len_chars().cast(pl.Float64),
    "year": lambda base, _: _moment(base, "earliest").dt.year().cast(pl.Float64),
    "earliest": lambda base, _: _moment(base, "earliest"),
    "latest": lambda base, _: _moment(base, "latest"),
    "days_after": _days_after,
    # Exact, and a number: that of the first row which has the cell.
    "key": lambda base, _: pl.when(pl.col(base).is_not_null()).then(
        pl.col("index").first().over(base).cast(pl.Float64)
    ),
}
