"""Case systems as data: which layout a header is, and how its columns become the canonical ones.

Layouts are read from `data_contracts/sources/`; the canonical layout is the contract itself. Mapping is text to text:
parsing dates and numbers belongs in `typed`, judging values in `judge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.contracts.contract import Contract, load_contracts
from pipelines.home import CONTRACTS

CANONICAL = "canonical"
ISO_FORMATS = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d",
)


class UnrecognisedFileError(Exception):
    """The header is no known layout, or two; the message names the nearest match."""


@dataclass(frozen=True)
class ColumnMap:
    """How one canonical column is filled from the source's cells."""

    source: str | None = None
    constant: str | None = None
    otherwise: str | None = None
    codes: Mapping[str, str] | None = None
    when: tuple[str, tuple[str, ...]] | None = None
    derived_from: tuple[str, ...] = ()
    prefix: str = ""


@dataclass(frozen=True)
class Pseudonymise:
    """What `mfh pseudonymise` does to a raw extract of this layout."""

    child: str
    scope: str
    birth_columns: tuple[str, ...]
    age_column: str
    age_at: str


@dataclass(frozen=True)
class Part:
    """One dataset that a layout yields."""

    dataset: str
    columns: Mapping[str, ColumnMap]
    where_any_filled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A layout: how to recognise it, map it and pseudonymise it."""

    id: str
    title: str
    version: str
    recognised_by: tuple[str, ...]
    main: Part
    also: Part | None = None
    date_formats: tuple[str, ...] = ISO_FORMATS
    midnight_is_unknown_time: bool = False
    not_supplied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pseudonymise: Pseudonymise | None = None
    parts: tuple[Part, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Collect the parts, main first."""
        object.__setattr__(self, "parts", (self.main, *([self.also] if self.also else [])))

    @property
    def known_columns(self) -> frozenset[str]:
        """Case-folded names of every column the layout can carry as a delivery."""
        used = {name for part in self.parts for column in part.columns.values() for name in _inputs(column)}
        return frozenset(name.casefold() for name in used | set(self.recognised_by))


def _inputs(column: ColumnMap) -> set[str]:
    named = {column.source} if column.source else set()
    return named | set(column.derived_from) | ({column.when[0]} if column.when else set())


@cache
def load_sources(contracts: Path = CONTRACTS) -> dict[str, Source]:
    """Read all native layouts, keyed by source id, in file order."""
    files = sorted((contracts / "sources").glob("*.yaml"))
    sources = [_source(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files]
    return {source.id: source for source in sources}


def canonical_source(contract: Contract) -> Source:
    """Return the canonical layout of a dataset: every column maps to itself."""
    columns = {name: ColumnMap(source=name) for name in contract.columns}
    return Source(CANONICAL, contract.title, contract.version, contract.required, Part(contract.dataset, columns))


def _source(raw: dict[str, Any]) -> Source:
    also = raw.get("also")
    dates = raw.get("dates", {})
    return Source(
        id=raw["id"],
        title=raw["title"],
        version=str(raw["version"]),
        recognised_by=tuple(raw["recognised_by"]),
        main=Part(raw["dataset"], _columns(raw["columns"])),
        also=also and Part(also["dataset"], _columns(also["columns"]), tuple(also["where_any_filled"])),
        date_formats=tuple(dates.get("formats", ISO_FORMATS)),
        midnight_is_unknown_time=bool(dates.get("midnight_is_unknown_time", False)),
        not_supplied=tuple(raw.get("not_supplied", ())),
        notes=tuple(raw.get("notes", ())),
        pseudonymise=_pseudonymise(raw["pseudonymise"]) if "pseudonymise" in raw else None,
    )


def _columns(raw: dict[str, dict[str, Any]]) -> dict[str, ColumnMap]:
    return {name: _column(spec) for name, spec in raw.items()}


def _column(spec: dict[str, Any]) -> ColumnMap:
    when = spec.get("when")
    codes = spec.get("codes")
    return ColumnMap(
        source=spec.get("from"),
        constant=spec.get("constant"),
        otherwise=spec.get("otherwise"),
        codes={str(k).casefold(): str(v) for k, v in codes.items()} if codes else None,
        when=(when["column"], tuple(str(v).casefold() for v in when["is"])) if when else None,
        derived_from=tuple(spec.get("derived_from", ())),
        prefix=spec.get("prefix", ""),
    )


def _pseudonymise(raw: dict[str, Any]) -> Pseudonymise:
    birth = raw["date_of_birth"]
    return Pseudonymise(
        child=raw["child"]["column"],
        scope=raw["child"]["scope"],
        birth_columns=tuple(birth["columns"]),
        age_column=birth["becomes"],
        age_at=birth["at"],
    )


def recognise(header: Sequence[str], contracts: Path = CONTRACTS) -> Source:
    """Name the layout of a header.

    Raises:
        UnrecognisedFileError: it matches none (the nearest is named with what it lacks) or more than one.
    """
    present = {name.casefold() for name in header}
    known = [canonical_source(contract) for contract in load_contracts(contracts).values()]
    known += load_sources(contracts).values()
    matches = [source for source in known if all(name.casefold() in present for name in source.recognised_by)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        msg = f"The header fits more than one layout: {_titles(matches)}. Send one dataset a file."
        raise UnrecognisedFileError(msg)
    nearest = max(known, key=lambda s: _share_present(s, present))
    missing = [name for name in nearest.recognised_by if name.casefold() not in present]
    msg = (
        f"The header is not a layout we know. Nearest is {_titles([nearest])}, which also needs the columns: "
        f"{', '.join(missing)}."
    )
    raise UnrecognisedFileError(msg)


def _share_present(source: Source, present: set[str]) -> float:
    return sum(name.casefold() in present for name in source.recognised_by) / len(source.recognised_by)


def _titles(sources: Iterable[Source]) -> str:
    return " and ".join(f"{s.id} ({s.title})" for s in sources)


def map_part(part: Part, cells: pl.DataFrame, borough_code: str) -> pl.DataFrame:
    """Map cells to the canonical text columns of one dataset.

    Args:
        part: the dataset and how its columns are filled.
        cells: source cells as text, one column a header cell, plus `row_number`.
        borough_code: ONS code of the sender, for the mapping's `@borough`.

    Returns:
        `row_number` and one text column per mapped canonical column. A code that the mapping does not know is kept as
        it came, so that the contract's rule on codes reports it.
    """
    by_name = {name.casefold(): name for name in cells.columns}
    if part.where_any_filled:
        asked = [by_name[n.casefold()] for n in part.where_any_filled if n.casefold() in by_name]
        filled = pl.any_horizontal(pl.col(asked).is_not_null()) if asked else pl.lit(value=False)
        cells = cells.filter(filled)
    mapped = [_expression(column, by_name, borough_code).alias(name) for name, column in part.columns.items()]
    return cells.select("row_number", *mapped)


def _expression(column: ColumnMap, by_name: Mapping[str, str], borough_code: str) -> pl.Expr:
    def cell(name: str) -> pl.Expr:
        found = by_name.get(name.casefold())
        return pl.col(found) if found else pl.lit(None, dtype=pl.String)

    def constant(text: str) -> pl.Expr:
        return pl.lit(borough_code if text == "@borough" else text)

    if column.constant is not None:
        return constant(column.constant)
    if column.derived_from:
        return _derived_identifier([cell(name) for name in column.derived_from], column.prefix)
    value = cell(column.source or "")
    if column.codes is not None:
        key = value.fill_null("").str.to_lowercase()
        value = key.replace_strict(column.codes, default=value, return_dtype=pl.String)
    if column.when is not None:
        name, accepted = column.when
        value = pl.when(cell(name).str.to_lowercase().is_in(list(accepted))).then(value)
    if column.prefix:
        value = pl.lit(column.prefix + "-") + value
    return value.fill_null(constant(column.otherwise)) if column.otherwise is not None else value


def _derived_identifier(cells: list[pl.Expr], prefix: str) -> pl.Expr:
    """Identify a row by a digest of its own cells, with a running number where several rows share them."""
    joined = pl.concat_str([cell.fill_null("").str.to_uppercase() for cell in cells], separator="|")
    digest = joined.map_batches(_digest, return_dtype=pl.String)
    occurrence = pl.int_range(pl.len()).over(joined)
    suffix = pl.when(occurrence > 0).then(pl.lit("-") + (occurrence + 1).cast(pl.String)).otherwise(pl.lit(""))
    return pl.lit(prefix + "-") + digest + suffix


def _digest(texts: pl.Series) -> pl.Series:
    unique = texts.unique()
    digests = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in unique]
    return texts.replace_strict(unique, digests, return_dtype=pl.String)
