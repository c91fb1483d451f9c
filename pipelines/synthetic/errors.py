"""Rows that a rule must refuse, repeated rows and repeated files, planted in finished deliveries.

Belongs here: extra rows that are wrong in one known way. Each is a copy of a good row under another identifier,
so the good row stays and the truth with it. Does not: awkward rows that are right (`records`, `clock`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipelines.synthetic.deliveries import Delivery
from pipelines.synthetic.layouts import CANONICAL_NAMES
from pipelines.synthetic.native import LIQUIDLOGIC_NAMES
from pipelines.synthetic.settings import Settings

Names = dict[str, str]
Row = dict[str, str | None]


@dataclass(frozen=True)
class Planted:
    """A wrong copy: what to change of the good row, by column of the file, and the rule that must refuse it."""

    changes: Row
    rule: str | None


Maker = Callable[[Row, Names, int], list[Planted]]


def plant_errors(rng: np.random.Generator, settings: Settings, files: Sequence[Delivery]) -> list[Delivery]:
    """Plant refused rows, repeated rows and two repeated files.

    Args:
        rng: Source of chance.
        settings: How many of each to plant over the region.
        files: All deliveries, clean.

    Returns:
        The deliveries in the same order, with the planted rows, and the repeated files after them.
    """
    able = [
        number
        for number, file in enumerate(files)
        if file.layout in ("canonical", "liquidlogic")
        and not file.cumulative
        and "correction_file" not in file.cases
        and file.frame.height
    ]
    planned: dict[int, list[tuple[int, str, Planted]]] = {}
    weights = np.array([files[number].frame.height for number in able], dtype=np.float64)
    serial = 0
    for name, make in MAKERS.items():
        for _ in range(int(settings.planted[name])):
            number = able[int(rng.choice(len(able), p=weights / weights.sum()))]
            place = _good_row(rng, files[number])
            serial += 1
            names = LIQUIDLOGIC_NAMES if files[number].layout == "liquidlogic" else CANONICAL_NAMES
            for wrong in make(files[number].frame.row(place, named=True), names, serial):
                planned.setdefault(number, []).append((place, name, wrong))
    changed = [
        file.with_frame(_inserted(file.frame, planned[number])) if number in planned else file
        for number, file in enumerate(files)
    ]
    return changed + _copies(rng, changed)


def _good_row(rng: np.random.Generator, file: Delivery) -> int:
    """A row of the file that is complete and shows no awkward case (any row where there is none)."""
    end = "END_DTTM" if file.layout == "liquidlogic" else "found_at"
    good = file.frame.select((pl.col("_cases") == "") & pl.col(end).is_not_null()).to_series().arg_true()
    pool = good if len(good) else pl.Series(range(file.frame.height))
    return int(pool[int(rng.integers(0, len(pool)))])


def _inserted(frame: pl.DataFrame, planned: Sequence[tuple[int, str, Planted]]) -> pl.DataFrame:
    """The frame with each wrong copy right after the row it was copied from."""
    places = [place for place, _, _ in planned]
    order = pl.Series("_order", [place + 0.5 for place in places])
    copies = frame[places].with_columns(pl.Series("_cases", [name for _, name, _ in planned]))
    copies = copies.with_columns(pl.Series("_rule", [wrong.rule for _, _, wrong in planned], dtype=pl.String), order)
    touched = sorted({column for _, _, wrong in planned for column in wrong.changes})
    columns = [
        pl.Series(
            column,
            [wrong.changes.get(column, old) for (_, _, wrong), old in zip(planned, copies[column], strict=True)],
            dtype=pl.String,
        )
        for column in touched
    ]
    whole = frame.with_columns(pl.int_range(pl.len()).cast(pl.Float64).alias("_order"))
    return pl.concat([whole, copies.with_columns(columns)]).sort("_order", maintain_order=True).drop("_order")


def _copies(rng: np.random.Generator, files: Sequence[Delivery]) -> list[Delivery]:
    """Two deliveries sent again, byte for byte, under another name."""
    able = [file for file in files if file.layout == "canonical" and not file.cumulative and file.frame.height]
    picked = rng.choice(len(able), size=min(2, len(able)), replace=False)
    return [
        replace(
            able[int(place)],
            name=f"copy-of-{able[int(place)].name}",
            copy_of=able[int(place)].name,
            cases=("duplicate_delivery",),
        )
        for place in np.sort(picked)
    ]


def _new_id(row: Row, names: Names, serial: int) -> Row:
    """A fresh identifier in the borough's own form."""
    old = row[names["episode_id"]] or ""
    fresh = str(9_000_000 + serial) if old.isdigit() else f"MFE-9{serial:05d}"
    return {names["episode_id"]: fresh}


def _end_before_start(row: Row, names: Names, serial: int) -> list[Planted]:
    canonical = "found_at" in names
    column = names["found_at"] if canonical else names["returned_at"]
    form = "T00:10" if canonical else " 00:10:00"
    return [
        Planted(
            {**_new_id(row, names, serial), column: f"2019-01-0{1 + serial % 9}{form}"},
            "ssda903.567" if canonical else "ssda903.567.returned",
        )
    ]


def _far_future(row: Row, names: Names, serial: int) -> list[Planted]:
    later = {names[name]: None for name in ("reported_at", "found_at", "returned_at") if name in names}
    form = "T10:00" if "found_at" in names else " 10:00:00"
    return [
        Planted(
            {**_new_id(row, names, serial), **later, names["started_at"]: f"2099-01-1{serial % 10}{form}"},
            "ssda903.570",
        )
    ]


def _eighteen(row: Row, names: Names, serial: int) -> list[Planted]:
    changes = {**_new_id(row, names, serial), names["age_at_start"]: "18"}
    return [Planted(changes, "missing_episode.age_at_start.maximum")]


def _malformed_child(row: Row, names: Names, serial: int) -> list[Planted]:
    child = row[names["child_id"]] or ""
    wrong = f"A{child[1:].upper()}" if serial % 2 else child[:40]
    changes = {**_new_id(row, names, serial), names["child_id"]: wrong}
    return [Planted(changes, "missing_episode.child_id.pattern")]


def _id_twice(row: Row, names: Names, serial: int) -> list[Planted]:
    rule = "missing_episode.episode_id.unique"
    fresh = _new_id(row, names, serial)
    age = int(row[names["age_at_start"]] or 0)
    other_age = str(age - 1 if age else 1)
    return [Planted(fresh, rule), Planted({**fresh, names["age_at_start"]: other_age}, rule)]


def _unreadable(row: Row, names: Names, serial: int) -> list[Planted]:
    name = "started_at" if serial % 2 else "returned_at"
    text = f"31/02/20{21 + serial % 5}" + (" 10:15" if serial % 3 == 0 else "")
    changes = {**_new_id(row, names, serial), names[name]: text}
    return [Planted(changes, f"missing_episode.{name}.type")]


def _repeated(row: Row, names: Names, serial: int) -> list[Planted]:
    del row, names, serial
    return [Planted({}, None)]


MAKERS: dict[str, Maker] = {
    "end_before_start": _end_before_start,
    "start_far_future": _far_future,
    "age_eighteen": _eighteen,
    "child_id_malformed": _malformed_child,
    "episode_id_twice": _id_twice,
    "unreadable_date": _unreadable,
    "duplicate_rows": _repeated,
}
