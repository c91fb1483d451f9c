"""What the scan compares public files with: published cells, public denominators and what a release says of itself.

Made either from the published tables of a warehouse or, for anyone who has nothing but the folder, from the folder's
own `cells.csv`. No restricted table is read here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipelines.contracts.indicators import load_indicators
from pipelines.disclosure.errors import DisclosureError
from pipelines.disclosure.evidence import CELL_COLUMNS, CELLS
from pipelines.disclosure.policy_file import load_policy, policy_path
from pipelines.disclosure.scan.charted import Charts
from pipelines.disclosure.scan.derive import Cell, Published
from pipelines.disclosure.scan.values import Values, values_of
from pipelines.disclosure.scan.vocabulary import Vocabulary
from pipelines.disclosure.scan.wording import Wording
from pipelines.home import CONTRACTS
from pipelines.region import Region, load_region
from pipelines.uncertainty.rules import load_control_rules, load_funnel_rules
from pipelines.warehouse.connection import connect
from pipelines.warehouse.graph import build_table, tables_needed
from pipelines.warehouse.load import create_delivered_tables, load_reference

_LOCAL = ZoneInfo("Europe/London")
_DATES = re.compile(r"As at (\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d)\. Data to (\d{1,2} [A-Z][a-z]+ \d{4})\.")
_POPULATION = "select area_code, age_band, mid_year, population from reference.population"
# As a note says it where rates rest on two vintages.
_VINTAGES = "select distinct printf('published %s (vintage %s)', published, vintage) from reference.population_vintage"
_LOOKED_AFTER = "select area_code, year_to, in_year from reference.looked_after where in_year is not null"


class ScanInputError(DisclosureError):
    """A folder cannot be compared with its own cells: they are missing or not as they must be."""


@dataclass(frozen=True)
class Allowed:
    """What a public folder may hold.

    Attributes:
        published: cells and public denominators, from which every figure must follow.
        wording: constant texts of pages and contracts.
        region: areas.
        contracts: the folder of contracts.
        releases: ids that a file may name.
        declared: texts that the release says of itself.
        days: days that it says of itself.
        base: the multiple to which counts are rounded.
    """

    published: Published
    wording: Wording
    region: Region
    contracts: Path
    releases: frozenset[str]
    declared: frozenset[str] = frozenset()
    days: frozenset[date] = field(default=frozenset())
    base: int = 5

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What may be named anywhere."""
        return Vocabulary(
            self.published, self.wording, self.region, declared=self.declared | self.releases, own_days=self.days
        )

    @cached_property
    def charts(self) -> Charts:
        """What funnels and control charts add."""
        return Charts(
            self.published, self.region, load_funnel_rules(self.contracts), load_control_rules(self.contracts)
        )

    @cached_property
    def policy(self) -> bytes:
        """The disclosure policy as the contracts hold it."""
        return policy_path(self.contracts).read_bytes()

    @cached_property
    def headlines(self) -> Values:
        """The numbers that may stand outside figures: the region's, of the newest year."""
        starts = [cell_id.split("|")[4] for cell_id in self.published.cells if "|year_to_march|" in cell_id]
        ids = (
            f"{one.indicator_id}.{basis}.{self.region.area.code}.year_to_march.{max(starts)}.total.Total"
            for one in self.published.catalogue.indicators
            for basis in one.bases
            if starts and not one.variant
        )
        return values_of([found for one in ids if (found := self.published.figure(one))], lambda _: None)


def allowed_from_warehouse(
    connection: duckdb.DuckDBPyConnection, wording: Wording, contracts: Path = CONTRACTS
) -> Allowed:
    """Take what is published from the published tables of a warehouse, and public denominators from its reference."""
    cells = connection.execute("select cell_id, count, symbol, period_end from published.count_cell").fetchall()
    ((release, base, minimum_base, version, as_at, data_to),) = connection.execute(
        "select release_id, base, minimum_percentage_base, policy_version, as_at, data_to from published.parameter"
    ).fetchall()
    published = _published(
        {cell_id: Cell(count, symbol, end) for cell_id, count, symbol, end in cells},
        connection,
        minimum_base,
        contracts,
    )
    instants = [_local(one) for one in (as_at, data_to) if one]
    return Allowed(
        published,
        wording,
        load_region(contracts),
        contracts,
        releases=frozenset({release}),
        declared=frozenset({_policy_words(version), *_footer(*instants), *_vintages(connection)}),
        days=frozenset(one.date() for one in instants),
        base=base,
    )


def allowed_from_folder(folder: Path, wording: Wording, contracts: Path = CONTRACTS) -> Allowed:
    """Take what is published from a folder's own `cells.csv`: the newest release of it.

    Raises:
        ScanInputError: there is no such file, or it is not as it must be.
    """
    path = folder / CELLS
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8")), restval=""))
        newest = max((int(row["release"]) for row in rows), default=0)
        cells = {
            row["cell_id"]: Cell(
                int(row["count"]) if row["count"] else None, row["symbol"], date.fromisoformat(row["period_end"])
            )
            for row in rows
            if int(row["release"]) == newest and _is_cell_id(row["cell_id"])
        }
    except (OSError, KeyError, ValueError) as error:
        msg = f"{CELLS} of the folder is missing, or lacks the columns {', '.join(CELL_COLUMNS)} in their types."
        raise ScanInputError(msg) from error
    policy = load_policy(policy_path(contracts))
    with _reference(contracts) as connection:
        published = _published(cells, connection, policy.minimum_percentage_base, contracts)
        vintages = _vintages(connection)
    said = {match.groups() for page in sorted(folder.glob("*.html")) for match in _DATES.finditer(_read(page))}
    # Pages that disagree on the instant or the last day of the data declare neither.
    declared = {text for pair in said for text in pair} if len(said) == 1 else set()
    return Allowed(
        published,
        wording,
        load_region(contracts),
        contracts,
        releases=frozenset(row["release_id"] for row in rows if int(row["release"]) == newest),
        declared=frozenset({_policy_words(policy.version), *declared, *vintages}),
        base=policy.base,
    )


def _published(
    cells: Mapping[str, Cell], connection: duckdb.DuckDBPyConnection, minimum_base: int, contracts: Path
) -> Published:
    populations = connection.execute(_POPULATION).fetchall()
    looked_after = connection.execute(_LOOKED_AFTER).fetchall()
    return Published(
        cells,
        load_indicators(contracts),
        {(area, band, year): population for area, band, year, population in populations},
        {(area, year_to): children for area, year_to, children in looked_after},
        minimum_base,
    )


def _vintages(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [text for (text,) in connection.execute(_VINTAGES).fetchall()]


@contextmanager
def _reference(contracts: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that holds the contracts' reference figures and no delivery."""
    with connect(Path(":memory:"), read_only=False) as connection:
        create_delivered_tables(connection, contracts)
        load_reference(connection, contracts)
        for table in tables_needed(("reference.population", "reference.looked_after")):
            build_table(connection, table)
        yield connection


def _policy_words(version: str) -> str:
    return f"disclosure policy {version}"


def _footer(as_at: datetime, data_to: datetime | None = None) -> Iterator[str]:
    yield f"{_words(as_at)}, {as_at:%H:%M}"
    if data_to:
        yield _words(data_to)


def _words(instant: datetime) -> str:
    return f"{instant.day} {instant:%B %Y}"


def _local(instant: datetime) -> datetime:
    return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(_LOCAL)


def _is_cell_id(text: str) -> bool:
    parts = text.split("|")
    if len(parts) != 7:  # noqa: PLR2004 - measure, basis, area, kind of period, first day, breakdown, value
        return False
    try:
        date.fromisoformat(parts[4])
    except ValueError:
        return False
    return True


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")
