"""One file, understood: read, recognised, checked for identifiers, mapped and parsed.

The same engine serves intake and `mfh check`. It touches no disk. A file that cannot be taken ends in
`RefusedFileError` with one sentence; whether a row can be taken is decided in `judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.contracts.contract import TEMPORAL, Contract, load_contracts
from pipelines.home import CONTRACTS
from pipelines.intake.identifiers import IdentifierFinding, find_identifiers
from pipelines.intake.read import Table, UnreadableFileError, column_letter, read_table
from pipelines.intake.sources import Part, Source, UnrecognisedFileError, map_part, recognise
from pipelines.intake.typed import DateReading, parse
from pipelines.region import Area


class RefusedFileError(Exception):
    """A file refused whole. `rule_id` says why, `columns` where (identifier findings), the message what to do."""

    def __init__(self, rule_id: str, message: str, columns: Sequence[IdentifierFinding] = ()) -> None:
        """Keep the rule and the columns beside the message."""
        super().__init__(message)
        self.rule_id = rule_id
        self.columns = tuple(columns)


@dataclass(frozen=True)
class PartRows:
    """Parsed rows of one dataset of a file, with `row_number`."""

    contract: Contract
    part: Part
    rows: pl.DataFrame


@dataclass(frozen=True)
class Examined:
    """A file that was understood; its rows are not judged yet."""

    delivery_id: str
    borough: Area
    received_at: datetime
    source: Source
    table: Table
    duplicates: pl.Series
    unknown_columns: tuple[str, ...]
    parts: tuple[PartRows, ...]

    @property
    def main(self) -> PartRows:
        """The dataset whose rows are the rows of the file."""
        return self.parts[0]

    def header_of(self, part: Part, column: str) -> str:
        """Name, in the sender's own header, of the column that fills a canonical one (itself where there is none)."""
        mapped = part.columns.get(column)
        name = mapped.source if mapped else None
        if mapped and not name and mapped.derived_from:
            name = mapped.derived_from[0]
        return next((h for h in self.table.header if name and h.casefold() == name.casefold()), name or column)

    def letter_of(self, header: str) -> str:
        """Spreadsheet letter of a header cell, blank where the file has no such column."""
        return column_letter(self.table.header.index(header)) if header in self.table.header else ""


def examine(  # noqa: PLR0917 - the five facts that identify a delivery
    name: str, data: bytes, borough: Area, received_at: datetime, delivery_id: str, contracts: Path = CONTRACTS
) -> Examined:
    """Understand one file.

    Args:
        name: file name, for its type only.
        data: the bytes.
        borough: the sender.
        received_at: when it arrived (UTC); nothing in it can have started later.
        delivery_id: how findings refer to it.
        contracts: folder of contracts, layouts and rules.

    Raises:
        RefusedFileError: unreadable, no known layout, or direct identifiers in it.
    """
    try:
        table = read_table(name, data)
        source = recognise(table.header, contracts)
    except UnreadableFileError as error:
        raise RefusedFileError("file.unreadable", str(error)) from error
    except UnrecognisedFileError as error:
        raise RefusedFileError("file.unrecognised", str(error)) from error
    return understand(table, source, borough, received_at, delivery_id, contracts)


def understand(  # noqa: PLR0917 - as above
    table: Table, source: Source, borough: Area, received_at: datetime, delivery_id: str, contracts: Path = CONTRACTS
) -> Examined:
    """Refuse identifiers, then map and parse a table whose layout is known."""
    refuse_identifiers(table.frame, source, contracts)
    numbered = table.frame.with_columns(table.row_numbers.alias("row_number"))
    repeated = numbered.select(pl.struct(pl.exclude("row_number")).is_first_distinct().not_()).to_series()
    kept = numbered.filter(~repeated)
    datasets = load_contracts(contracts)
    reading = DateReading(source.date_formats, source.midnight_is_unknown_time)
    parts = tuple(
        PartRows(
            datasets[part.dataset], part, parse(map_part(part, kept, borough.code), datasets[part.dataset], reading)
        )
        for part in source.parts
    )
    return Examined(
        delivery_id=delivery_id,
        borough=borough,
        received_at=received_at,
        source=source,
        table=table,
        duplicates=table.row_numbers.filter(repeated),
        unknown_columns=tuple(h for h in table.header if h.casefold() not in source.known_columns),
        parts=parts,
    )


def refuse_identifiers(cells: pl.DataFrame, source: Source, contracts: Path = CONTRACTS) -> None:
    """Raise `RefusedFileError` where a column holds direct identifiers."""
    datasets = load_contracts(contracts)
    dates = {
        column.source.casefold()
        for part in source.parts
        for name, column in part.columns.items()
        if column.source and name in datasets[part.dataset].of_type(*TEMPORAL)
    }
    child = source.main.columns["child_id"].source or ""
    found = find_identifiers(
        cells,
        child_columns=[h for h in cells.columns if h.casefold() == child.casefold()],
        date_columns=[h for h in cells.columns if h.casefold() in dates],
        contracts=contracts,
    )
    if found:
        remedy = "Run `mfh pseudonymise` and send its output" if source.pseudonymise else "Take the column out"
        reasons = "; ".join(finding.sentence for finding in found)
        msg = f"The file carries direct identifiers and was refused whole; nothing of it was kept. {reasons}. {remedy}."
        raise RefusedFileError(found[0].rule_id, msg, found)
