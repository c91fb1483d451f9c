"""The region as configuration: its areas, their codes and their names, read from `data_contracts/reference/`.

No other module may name a borough. Denominators and other figures are loaded by the warehouse, not here.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.home import CONTRACTS


@dataclass(frozen=True)
class Area:
    """A borough or the region: ONS code, folder slug and name."""

    code: str
    slug: str
    name: str


@dataclass(frozen=True)
class Region:
    """The region and its boroughs, in the order of the reference file."""

    area: Area
    boroughs: tuple[Area, ...]

    def borough(self, slug: str) -> Area:
        """Return the borough with this slug.

        Raises:
            KeyError: no borough of the region has it; the message lists those that exist.
        """
        for area in self.boroughs:
            if area.slug == slug:
                return area
        known = ", ".join(self.slugs)
        msg = f"'{slug}' is not a borough of {self.area.name}; choose one of: {known}"
        raise KeyError(msg)

    @property
    def slugs(self) -> tuple[str, ...]:
        """Slugs of the boroughs."""
        return tuple(area.slug for area in self.boroughs)


@cache
def load_region(contracts: Path = CONTRACTS) -> Region:
    """Read the region from `reference/area.csv` (one row an area; exactly one of type `region`)."""
    with (contracts / "reference" / "area.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    areas = {
        kind: [Area(row["area_code"], row["slug"], row["name"]) for row in rows if row["area_type"] == kind]
        for kind in ("region", "borough")
    }
    (region,) = areas["region"]
    return Region(region, tuple(areas["borough"]))
