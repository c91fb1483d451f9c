"""Which layout a header is: the door to layouts for the rest of intake.

The canonical layout is the contract itself; native ones are YAML files (`layout_files`) in the sender's own wording
(`wording`). Applying a layout to cells belongs in `mapping`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from pipelines.contracts.contract import TEMPORAL, Contract, load_contracts
from pipelines.home import CONTRACTS
from pipelines.intake.layout import CANONICAL, ColumnMap, Part, Source
from pipelines.intake.layout_files import read_layouts
from pipelines.intake.wording import layouts_of


class UnrecognisedFileError(Exception):
    """The header is no known layout, or two; the message names the nearest match."""


def load_sources(contracts: Path = CONTRACTS) -> dict[str, Source]:
    """Return all native layouts as the systems have them, keyed by name (id, or id and variant), in file order."""
    return {source.name: source for source in read_layouts(contracts)}


def canonical_source(contract: Contract) -> Source:
    """Return the canonical layout of a dataset: every column maps to itself."""
    columns = {name: ColumnMap(sources=(name,)) for name in contract.columns}
    part = Part(contract.dataset, columns, temporal=contract.of_type(*TEMPORAL))
    return Source(CANONICAL, contract.title, contract.version, contract.required, part)


def recognise(header: Sequence[str], contracts: Path = CONTRACTS, borough_slug: str | None = None) -> Source:
    """Name the layout of a header, in the wording of the borough that sent it.

    Raises:
        UnrecognisedFileError: it matches none (the nearest is named with what it lacks) or more than one.
        ContractError: a layout or the borough's wording cannot be used.
    """
    known = _known(contracts, borough_slug)
    matches = [source for source in known if not source.lacking(header)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        msg = f"The header fits more than one layout: {_titles(matches)}. Send one dataset a file."
        raise UnrecognisedFileError(msg)
    nearest = min(known, key=lambda source: len(source.lacking(header)) / len(source.recognised_by))
    msg = (
        f"The header is not a layout we know. Nearest is {_titles([nearest])}, which also needs the columns: "
        f"{', '.join(nearest.lacking(header))}."
    )
    raise UnrecognisedFileError(msg)


def layout_named(
    source_id: str, header: Sequence[str], contracts: Path = CONTRACTS, borough_slug: str | None = None
) -> Source:
    """Return the native layout of an id; where it has variants, the one that a header fits best.

    Raises:
        UnrecognisedFileError: there is no such layout.
    """
    layouts = layouts_of(borough_slug, contracts)
    variants = [source for source in layouts if source_id in {source.id, source.name}]
    if not variants:
        known = ", ".join(dict.fromkeys(source.id for source in layouts))
        msg = f"'{source_id}' is not a layout we know; choose one of: {known}."
        raise UnrecognisedFileError(msg)
    return min(variants, key=lambda source: len(source.lacking(header)) / len(source.recognised_by))


def header_test(contracts: Path = CONTRACTS, borough_slug: str | None = None) -> Callable[[Sequence[str]], bool]:
    """Return the test whether a row of cells is the header of a known layout, for the reader."""
    known = _known(contracts, borough_slug)
    return lambda cells: any(not source.lacking(cells) for source in known)


@cache
def _known(contracts: Path, borough_slug: str | None) -> tuple[Source, ...]:
    canonical = [canonical_source(contract) for contract in load_contracts(contracts).values()]
    return (*canonical, *layouts_of(borough_slug, contracts))


def _titles(sources: Iterable[Source]) -> str:
    return " and ".join(f"{source.name} ({source.title})" for source in sources)
