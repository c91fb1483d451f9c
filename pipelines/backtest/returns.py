"""The modules of an SSDA903 return as a borough sends them to DfE: which file is which, and what its cells say.

Only the columns that the back-test needs leave this module, so that a raw return's names and numbers go no further. No
row is judged here: that is SQL's (`sql/backtest/finding.sql`). A file that cannot be read is one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import CommandError
from pipelines.intake.read import SUFFIXES, NoRowsError, Table, UnreadableFileError, read_table
from pipelines.intake.receipt import shown_name
from pipelines.intake.typed import DateReading, month_first_columns, read_times
from pipelines.region import Area

# In a folder of returns: says that nobody in it exists.
SYNTHETIC_MARK = "SYNTHETIC.txt"
_READING = DateReading(midnight_is_unknown_time=True)


@dataclass(frozen=True)
class Module:
    """One file of the return: the columns by which it is known, and the text and dates that are used of it."""

    name: str
    known_by: tuple[str, ...]
    texts: tuple[str, ...]
    dates: tuple[str, ...]
    required: bool = True

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """Columns of the table that a module becomes; for each date also whether anything stands in its cell."""
        return {
            "borough": pl.String(),
            "row_number": pl.Int64(),
            "is_ragged": pl.Boolean(),
            **{name.lower(): pl.String() for name in self.texts},
            **{name.lower(): pl.Date() for name in self.dates},
            **{f"{name.lower()}_given": pl.Boolean() for name in self.dates},
        }


# A pseudonymised extract has no DOB; then nobody is known to be 18.
MODULES = (
    Module(
        "missing", ("CHILD", "MISSING", "MIS_START", "MIS_END"), ("CHILD", "MISSING"), ("DOB", "MIS_START", "MIS_END")
    ),
    Module("episodes", ("CHILD", "DECOM", "LS", "DEC"), ("CHILD", "LS"), ("DECOM", "DEC")),
    Module("header", ("CHILD", "SEX", "DOB", "ETHNIC"), ("CHILD",), ("DOB",), required=False),
)


@dataclass(frozen=True)
class AnnualReturns:
    """What was read: a frame for each module, and the boroughs that have a folder."""

    modules: Mapping[str, pl.DataFrame]
    boroughs: tuple[Area, ...]
    synthetic: bool

    def rows_read(self, borough: str, module: str) -> int:
        """Rows of one module of one borough."""
        return self.modules[module].filter(pl.col("borough") == borough).height


def read_returns(folder: Path, boroughs: Sequence[Area]) -> AnnualReturns:
    """Read `<folder>/<borough slug>/*` for every borough that has a folder.

    Returns:
        The modules with the columns of `Module.columns`, and `row_number` as a spreadsheet shows it.

    Raises:
        CommandError: there is nothing to read, a module lacks or stands twice, or a file cannot be read.
    """
    there = tuple(area for area in boroughs if (folder / area.slug).is_dir())
    if not there:
        msg = f"{folder} has no folder named after a borough ({', '.join(area.slug for area in boroughs[:3])}, ...)."
        raise CommandError(msg)
    read = [(area, _read_borough(folder / area.slug, area)) for area in there]
    modules = {
        module.name: pl.concat(
            [pl.DataFrame(schema=module.columns), *(found[module.name] for _, found in read if module.name in found)]
        )
        for module in MODULES
    }
    return AnnualReturns(modules, there, (folder / SYNTHETIC_MARK).is_file())


def _read_borough(folder: Path, area: Area) -> dict[str, pl.DataFrame]:
    files: dict[str, str] = {}
    frames: dict[str, pl.DataFrame] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or not path.name.lower().endswith(SUFFIXES):
            continue
        table = _table(path, area)
        for module in [module for module in MODULES if _is(module, table.header)]:
            if module.name in files:
                msg = (
                    f"{area.name} has the module {module.name} twice ({files[module.name]}, {shown_name(path.name)}); "
                    "leave the one that was sent to DfE."
                )
                raise CommandError(msg)
            files[module.name] = shown_name(path.name)
            frames[module.name] = _rows(module, table, area, path)
    for module in MODULES:
        if module.required and module.name not in files:
            msg = (
                f"{area.name} has no file of the module {module.name}, which is known by the columns "
                f"{', '.join(module.known_by)}; put it into the folder {area.slug}."
            )
            raise CommandError(msg)
    return frames


def _is(module: Module, header: Sequence[str]) -> bool:
    return set(module.known_by) <= {cell.upper() for cell in header}


def _table(path: Path, area: Area) -> Table:
    try:
        return read_table(path.name, path.read_bytes(), lambda cells: any(_is(module, cells) for module in MODULES))
    except NoRowsError as nothing:
        # A module without rows is a return of nothing: a true zero.
        return Table(pl.DataFrame(schema=dict.fromkeys(nothing.header, pl.String())), pl.Series(dtype=pl.Int64()))
    except UnreadableFileError as error:
        msg = f"{area.name}, {shown_name(path.name)}: {error}"
        raise CommandError(msg) from error
    except OSError as error:
        msg = f"{area.name}, {shown_name(path.name)} cannot be read; check its permissions."
        raise CommandError(msg) from error


def _rows(module: Module, table: Table, area: Area, path: Path) -> pl.DataFrame:
    cells = {cell.upper(): cell for cell in table.header}
    months_first = month_first_columns(table.frame, [cells[name] for name in module.dates if name in cells])
    if months_first:
        letters = ", ".join(table.letter(name) for name in months_first)
        msg = (
            f"{area.name}, {shown_name(path.name)}: column {letters} writes the month before the day; "
            "export dates as day/month/year."
        )
        raise CommandError(msg)
    blank = pl.lit(None, pl.String)
    texts = {name: table.frame[cells[name]] if name in cells else blank for name in (*module.texts, *module.dates)}
    frame = table.frame.select(table.row_numbers.cast(pl.Int64).alias("row_number")).with_columns(
        pl.lit(area.slug).alias("borough"),
        pl.lit(value=False).alias("is_ragged"),
        *(texts[name].alias(name.lower()) for name in module.texts),
        *(texts[name].alias(f"{name}.text") for name in module.dates),
    )
    frame = frame.with_columns(
        *(_read_dates(frame[f"{name}.text"]).alias(name.lower()) for name in module.dates),
        *(pl.col(f"{name}.text").is_not_null().alias(f"{name.lower()}_given") for name in module.dates),
    )
    ragged = pl.DataFrame(
        {"borough": [area.slug] * len(table.ragged), "row_number": table.ragged, "is_ragged": True},
        schema={name: module.columns[name] for name in ("borough", "row_number", "is_ragged")},
    )
    return pl.concat([frame.select(list(module.columns)), ragged], how="diagonal").select(
        pl.col(name).cast(kind) for name, kind in module.columns.items()
    )


def _read_dates(texts: pl.Series) -> pl.Series:
    return read_times(texts, _READING)["value"].cast(pl.Date)
