"""What a layout is: how a header is known, how cells become canonical columns, which spellings it had and has.

The model only. Layouts are read from YAML in `layout_files`, recognised in `sources` and applied in `mapping`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pipelines.intake.typed import DateReading

CANONICAL = "canonical"
# At the end of a column's name: the number that a system appends to it, if any.
NUMBERED = "*"
_NO_LETTERS = re.compile(r"[\W\d_]*")


@dataclass(frozen=True)
class SourceNote:
    """A sentence for readers of figures, and the measures that it concerns (`*`: all of them)."""

    note_id: str
    text: str
    measures: tuple[str, ...]


@dataclass(frozen=True)
class ColumnMap:
    """How one canonical column is filled from the source's cells.

    `sources` are looked at in order, the first filled cell counts. `codes` are looked up in lower case, a blank cell as
    ""; None makes the cell blank. A filled cell that `codes` do not hold becomes `filled`, else stays as it came.
    """

    sources: tuple[str, ...] = ()
    constant: str | None = None
    otherwise: str | None = None
    codes: Mapping[str, str | None] | None = None
    filled: str | None = None
    when: tuple[str, tuple[str, ...]] | None = None
    derived_from: tuple[str, ...] = ()
    prefix: str = ""
    note_id: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every column of the source that this one looks at, the one that fills it first."""
        return (*self.sources, *self.derived_from, *((self.when[0],) if self.when else ()))


@dataclass(frozen=True)
class Pseudonymise:
    """What `mfh pseudonymise` does to a raw extract of this layout."""

    child: str
    scope: str
    numbers_of: str
    birth_columns: tuple[str, ...]
    age_column: str
    age_at: tuple[str, ...]
    age_not_born: str | None = None


@dataclass(frozen=True)
class Part:
    """One dataset that a layout yields; `temporal` names the canonical columns of it that hold dates or times."""

    dataset: str
    columns: Mapping[str, ColumnMap]
    where_any_filled: tuple[str, ...] = ()
    temporal: tuple[str, ...] = ()

    def is_read(self, column: str) -> bool:
        """Whether a canonical column is filled from a cell (and not by a constant, or not at all)."""
        return column in self.columns and bool(self.columns[column].sources)


@dataclass(frozen=True)
class RowFilter:
    """Rows that are episodes: those with one of `accepted` in `column`. The others are set aside under `rule_id`."""

    column: str
    accepted: tuple[str, ...]
    rule_id: str
    severity: str
    message: str


@dataclass(frozen=True)
class Years:
    """Years to March, first and last included; without a last year they go on."""

    first: int
    last: int | None = None

    def __str__(self) -> str:
        """As a mapping version names them."""
        return f"{self.first}-{self.last or ''}"

    @property
    def words(self) -> str:
        """As a sentence names them."""
        if self.last == self.first:
            return f"the year to March {self.first}"
        return f"the years to March {self.first} to {self.last}" if self.last else f"the year to March {self.first} on"

    def overlaps(self, other: Years) -> bool:
        """Whether a year is in both."""
        return all(one.last is None or one.last >= two.first for one, two in ((self, other), (other, self)))


@dataclass(frozen=True)
class OldName:
    """What a column was called in some years."""

    years: Years
    column: str
    was: str


@dataclass(frozen=True)
class OldCodes:
    """Codes that meant something else in some years, by canonical column; laid over the usual ones."""

    years: Years
    codes: Mapping[str, Mapping[str, str | None]]


@dataclass(frozen=True)
class Source:
    """A layout: how to recognise it, map it and pseudonymise it. `version` is the mapping's, without its years."""

    id: str
    title: str
    version: str
    recognised_by: tuple[str, ...]
    main: Part
    also: Part | None = None
    variant: str = ""
    reading: DateReading = field(default_factory=DateReading)
    midnight_note_id: str | None = None
    rows_kept: RowFilter | None = None
    old_names: tuple[OldName, ...] = ()
    old_codes: tuple[OldCodes, ...] = ()
    their_names: Mapping[str, str] = field(default_factory=dict)
    not_supplied: tuple[str, ...] = ()
    notes: tuple[SourceNote, ...] = ()
    pseudonymise: Pseudonymise | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The datasets of the layout, main first."""
        return (self.main, *((self.also,) if self.also else ()))

    @property
    def name(self) -> str:
        """Id and variant."""
        return f"{self.id}.{self.variant}" if self.variant else self.id

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every column of the source that the layout reads, by its present name."""
        columns = [column for part in self.parts for column in part.columns.values()]
        names = [name for column in columns for name in column.inputs]
        return tuple(dict.fromkeys([*names, *((self.rows_kept.column,) if self.rows_kept else ())]))

    @property
    def known_columns(self) -> frozenset[str]:
        """Case-folded names, in every spelling, of the columns the layout can carry as a delivery."""
        groups = [group for name in self.inputs for group in self._spellings(name)]
        return frozenset(spelling.casefold() for group in groups for spelling in group)

    def reads(self, name: str) -> bool:
        """Whether the layout reads a column of this (present) name."""
        return name.casefold() in {known.casefold() for known in self.inputs}

    def knows(self, cell: str) -> bool:
        """Whether a header cell is a column of the layout."""
        by_name = _by_name((cell,))
        return any(_spelled(spelling, by_name) for spelling in self.known_columns)

    def cells_of(self, name: str, header: Sequence[str]) -> list[str]:
        """Header cells that are one of the layout's columns, in its present, old or local spelling; most often one.

        A borough's own name replaces the system's; several old and numbered ones are read together.
        """
        by_name = _by_name(tuple(header))
        for group in self._spellings(name):
            if found := [cell for spelling in group for cell in _spelled(spelling, by_name)]:
                return list(dict.fromkeys(found))
        return []

    def first_cells(self, names: Iterable[str], header: Sequence[str]) -> list[str]:
        """Header cells of several columns, in order, each once."""
        return list(dict.fromkeys(cell for name in names for cell in self.cells_of(name, header)))

    def lacking(self, header: Sequence[str]) -> list[str]:
        """Columns by which the layout is recognised that a header has not got, as a person would write them."""
        return [name.removesuffix(NUMBERED) for name in self.recognised_by if not self.cells_of(name, header)]

    def header_of(self, part: Part, column: str, header: Sequence[str]) -> str:
        """Name, in the sender's own header, of the cell that fills a canonical column.

        Where the header has none it is the system's own name, and where no cell fills the column its canonical one.
        """
        inputs = part.columns[column].inputs if column in part.columns else ()
        named = [*self.first_cells(inputs, header), *(name.removesuffix(NUMBERED) for name in inputs), column]
        return named[0]

    def date_cells(self, header: Sequence[str]) -> list[str]:
        """Header cells that the layout declares to be dates or times."""
        maps = [part.columns[name] for part in self.parts for name in part.temporal if name in part.columns]
        return self.first_cells([name for column in maps for name in column.sources], header)

    def child_cells(self, header: Sequence[str]) -> list[str]:
        """Header cells that identify the child."""
        return self.first_cells(self.main.columns["child_id"].sources, header)

    def coded_cells(self, header: Sequence[str]) -> dict[str, frozenset[str]]:
        """Header cells whose words the layout has a list for, with those words in lower case."""
        found: dict[str, frozenset[str]] = {}
        for part in self.parts:
            for name, column in part.columns.items():
                words = frozenset(column.codes or {}).union(*(old.codes.get(name, {}) for old in self.old_codes))
                for cell in self.first_cells(column.sources, header) if words else ():
                    found[cell] = found.get(cell, frozenset()) | words
        return found

    def old_names_in(self, header: Sequence[str]) -> list[tuple[OldName, str]]:
        """Old names that a header uses, with the cell that does."""
        by_name = _by_name(tuple(header))
        in_use = [(old, cell) for old in self.old_names for cell in _spelled(old.was, by_name)]
        return [(old, cell) for old, cell in in_use if cell in self.cells_of(old.column, header)]

    def _spellings(self, name: str) -> tuple[tuple[str, ...], ...]:
        theirs = self.their_names.get(name.casefold())
        old = [old.was for old in self.old_names if old.column.casefold() == name.casefold()]
        return (*(((theirs,),) if theirs else ()), (name, *old))


@lru_cache(maxsize=8)
def _by_name(header: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Header cells by name in lower case; made once for the many names that are looked up in one header."""
    found: dict[str, tuple[str, ...]] = {}
    for cell in header:
        found[cell.casefold()] = (*found.get(cell.casefold(), ()), cell)
    return found


def _spelled(spelling: str, by_name: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Header cells with a name, or with a name and a number behind it where the spelling says so."""
    name = spelling.casefold()
    if not name.endswith(NUMBERED):
        return list(by_name.get(name, ()))
    stem = name.removesuffix(NUMBERED)
    numbered = [known for known in by_name if known.startswith(stem) and _NO_LETTERS.fullmatch(known, len(stem))]
    return [cell for known in numbered for cell in by_name[known]]
