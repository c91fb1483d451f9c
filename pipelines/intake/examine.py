"""One file, understood: read, recognised, checked for identifiers, reduced to what is agreed, mapped and parsed.

The same engine serves intake and `mfh check`. It touches no disk. A file that cannot be taken ends in
`RefusedFileError` with one sentence; whether a row can be taken is decided in `judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from pipelines.contracts.agreement import Agreement, load_agreement
from pipelines.contracts.contract import Contract, load_contracts
from pipelines.home import CONTRACTS
from pipelines.intake.corrections import Correction, apply_corrections
from pipelines.intake.identifier_exceptions import IdentifierExceptionError, excepted_on, load_exceptions
from pipelines.intake.identifiers import IdentifierFinding, find_identifiers
from pipelines.intake.layout import Part, Source
from pipelines.intake.mapping import map_part, old_name_sentences, set_aside, trapped_values
from pipelines.intake.read import Table, UnreadableFileError, read_table
from pipelines.intake.sources import UnrecognisedFileError, header_test, recognise
from pipelines.intake.typed import local_clock, month_first_columns, parse
from pipelines.region import Area

_FIRST_ROW = 2


class RefusedFileError(Exception):
    """A file refused whole. `rule_id` says why, `columns` where (identifier findings), the message what to do."""

    def __init__(self, rule_id: str, message: str, columns: Sequence[IdentifierFinding] = ()) -> None:
        """Keep the rule and the columns beside the message."""
        super().__init__(message)
        self.rule_id = rule_id
        self.columns = tuple(columns)


@dataclass(frozen=True)
class PartRows:
    """Parsed rows of one dataset of a file, with `row_number`.

    `part` is the mapping as far as the sharing agreement goes; `trapped` holds raw beside mapped values where the
    mapping needs a note; `corrected` says which cells the borough's corrections concerned.
    """

    contract: Contract
    part: Part
    rows: pl.DataFrame
    trapped: pl.DataFrame
    corrected: pl.DataFrame


@dataclass(frozen=True)
class Examined:
    """A file that was understood; its rows are not judged yet.

    `left_out` are the header cells of columns that are not used or not agreed; their cells are gone from `table`.
    `is_whole` says that `table` holds all there is in the file: nothing stands above the header, on another sheet, in
    a ragged row or in a column that was left out. `set_aside` are the rows that are no episodes by the layout's own
    rule (`row_number`, `column`).
    """

    delivery_id: str
    borough: Area
    received_at: datetime
    source: Source
    table: Table
    duplicates: pl.Series
    set_aside: pl.DataFrame
    left_out: tuple[str, ...]
    is_whole: bool
    notes: tuple[str, ...]
    parts: tuple[PartRows, ...]

    @property
    def main(self) -> PartRows:
        """The dataset whose rows are the rows of the file."""
        return self.parts[0]

    def header_of(self, part: Part, column: str) -> str:
        """Name, in the sender's own header, of the column that fills a canonical one (itself where there is none)."""
        return self.source.header_of(part, column, self.table.header)


def opened(name: str, data: bytes, borough: Area, contracts: Path = CONTRACTS) -> Table:
    """Read a file as a table, its header found by the layouts that the borough may send.

    Raises:
        UnreadableFileError: with one sentence that says what is wrong and what to do.
    """
    return read_table(name, data, header_test(contracts, borough.slug))


def examine(  # noqa: PLR0917 - the facts that identify a delivery, and what it is understood by
    name: str,
    data: bytes,
    borough: Area,
    received_at: datetime,
    delivery_id: str,
    contracts: Path = CONTRACTS,
    corrections: Sequence[Correction] = (),
) -> Examined:
    """Understand one file.

    Args:
        name: file name, for its type.
        data: its bytes.
        borough: who sent it.
        received_at: when it arrived (UTC).
        delivery_id: how findings refer to it.
        contracts: folder of contracts, layouts and rules.
        corrections: the borough's.

    Raises:
        RefusedFileError: unreadable, no known layout, outside the sharing agreement, or direct identifiers in it.
    """
    try:
        table = opened(name, data, borough, contracts)
    except UnreadableFileError as error:
        raise RefusedFileError("file.unreadable", str(error)) from error
    return examine_table(table, borough, received_at, delivery_id, contracts, corrections)


def examine_table(  # noqa: PLR0917 - as above
    table: Table,
    borough: Area,
    received_at: datetime,
    delivery_id: str,
    contracts: Path = CONTRACTS,
    corrections: Sequence[Correction] = (),
) -> Examined:
    """Recognise and understand a table that was read before."""
    try:
        source = recognise(table.header, contracts, borough.slug)
    except UnrecognisedFileError as error:
        raise RefusedFileError("file.unrecognised", str(error)) from error
    return understand(table, source, borough, received_at, delivery_id, contracts, corrections)


def understand(  # noqa: PLR0917 - as above
    table: Table,
    source: Source,
    borough: Area,
    received_at: datetime,
    delivery_id: str,
    contracts: Path = CONTRACTS,
    corrections: Sequence[Correction] = (),
) -> Examined:
    """Refuse what may not come in, then map and parse a table whose layout is known."""
    arrived = local_clock(received_at).date()
    refuse_identifiers(table, source, borough, arrived, contracts)
    _refuse_month_first(table, source)
    parts = _agreed_parts(source, _agreement_of(borough, arrived, contracts))
    left_out = _left_out(source, parts, table.header)
    reduced = _without(table, left_out)
    numbered = reduced.frame.with_columns(reduced.row_numbers.alias("row_number"))
    repeated = numbered.select(pl.struct(pl.exclude("row_number")).is_first_distinct().not_()).to_series()
    cells = numbered.filter(~repeated)
    notes = [*table.notes, *_left_out_notes(source, table, left_out), *old_name_sentences(source, cells, table.letter)]
    return Examined(
        delivery_id=delivery_id,
        borough=borough,
        received_at=received_at,
        source=source,
        table=reduced,
        duplicates=table.row_numbers.filter(repeated),
        set_aside=set_aside(source, cells),
        left_out=left_out,
        is_whole=not (left_out or table.others or table.ragged or _stands_above(table)),
        notes=tuple(notes),
        parts=tuple(_part_rows(source, part, cells, borough, arrived, contracts, corrections) for part in parts),
    )


def refuse_identifiers(table: Table, source: Source, borough: Area, arrived: date, contracts: Path = CONTRACTS) -> None:
    """Raise `RefusedFileError` where a column, or another sheet of the workbook, holds direct identifiers."""
    try:
        exceptions = excepted_on(load_exceptions(borough.slug, contracts), arrived)
    except IdentifierExceptionError as error:
        raise RefusedFileError("file.configuration", str(error)) from error
    found = find_identifiers(
        table.frame,
        child_columns=source.child_cells(table.header),
        date_columns=source.date_cells(table.header),
        contracts=contracts,
        coded_columns=source.coded_cells(table.header),
        exceptions=exceptions,
        others=table.others,
        first_column=table.first_column,
        row_numbers=table.row_numbers,
    )
    if found:
        reasons = " ".join(finding.message for finding in found)
        msg = f"The file carries direct identifiers and was refused whole; nothing of it was kept. {reasons}"
        raise RefusedFileError(found[0].rule_id, msg, found)


def _refuse_month_first(table: Table, source: Source) -> None:
    columns = month_first_columns(table.frame, source.date_cells(table.header))
    if columns:
        letters = ", ".join(table.letter(name) for name in columns)
        msg = (
            f"Column {letters} writes the month before the day, so the dates that could be read either way would be "
            "wrong; export dates as day/month/year or as 2026-03-31."
        )
        raise RefusedFileError("file.month_first_dates", msg)


def _agreement_of(borough: Area, arrived: date, contracts: Path) -> Agreement:
    agreement = load_agreement(borough.slug, contracts)
    if agreement is None or not agreement.in_force(arrived):
        state = "no sharing agreement" if agreement is None else "no sharing agreement in force"
        msg = f"There is {state} with {borough.name}, so nothing of the file was taken in; tell the regional analyst."
        raise RefusedFileError("file.no_agreement", msg)
    return agreement


def _agreed_parts(source: Source, agreement: Agreement) -> list[Part]:
    """The datasets of the layout, as far as they and their columns are agreed."""
    if not agreement.agreed(source.main.dataset):
        msg = (
            f"The sharing agreement does not cover this dataset ({source.main.dataset}), so nothing of the file was "
            "taken in; tell the regional analyst."
        )
        raise RefusedFileError("file.not_agreed", msg)
    agreed = [(part, agreement.agreed(part.dataset)) for part in source.parts]
    return [
        replace(part, columns={name: column for name, column in part.columns.items() if name in names})
        for part, names in agreed
        if names
    ]


def _left_out(source: Source, parts: Sequence[Part], header: Sequence[str]) -> tuple[str, ...]:
    """Header cells that fill no agreed column and do not decide which rows are episodes."""
    inputs = [name for part in parts for column in part.columns.values() for name in column.inputs]
    deciding = [source.rows_kept.column] if source.rows_kept else []
    used = source.first_cells([*inputs, *deciding], header)
    return tuple(name for name in header if name not in used)


def _left_out_notes(source: Source, table: Table, left_out: Sequence[str]) -> list[str]:
    unknown = [table.letter(name) for name in left_out if not source.knows(name)]
    not_agreed = [table.letter(name) for name in left_out if source.knows(name)]
    notes = [f"Columns we do not use were left out: {', '.join(unknown)}."] if unknown else []
    agreed = f"Columns outside the sharing agreement were dropped: {', '.join(not_agreed)}."
    return [*notes, *([agreed] if not_agreed else [])]


def _stands_above(table: Table) -> bool:
    """Whether the first row of the table is not the second of the file, so that something may stand above."""
    return bool(table.row_numbers.len() and table.row_numbers[0] > _FIRST_ROW)


def _without(table: Table, left_out: Sequence[str]) -> Table:
    """The table without the cells of columns that may not be kept, and without other sheets."""
    frame = table.frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in left_out)
    return replace(table, frame=frame, others=())


def _part_rows(  # noqa: PLR0917 - as above
    source: Source,
    part: Part,
    cells: pl.DataFrame,
    borough: Area,
    arrived: date,
    contracts: Path,
    corrections: Sequence[Correction],
) -> PartRows:
    contract = load_contracts(contracts)[part.dataset]
    mapped = map_part(source, part, cells, borough.code)
    trapped = trapped_values(source, part, cells, mapped)
    versions = mapped.select("row_number", "source_version")
    mapped, corrected = apply_corrections(mapped, contract, corrections, arrived)
    rows = parse(mapped, contract, source.reading)
    return PartRows(contract, part, rows, trapped.join(versions, on="row_number"), corrected)
