"""What restricted pages may read of figures: true counts of one borough or of the region, not rounded.

Children on a borough's list are read in `leads`, children of the region's page in `region_view`. Public pages have
`published` instead; deliveries are read in `intake`. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from dashboards.comparability import Note
from dashboards.points import Point, Query, has_table, read_notes, read_points
from dashboards.variation import ControlPoint, OverChildren, read_control, read_over_children
from pipelines.region import Area

_NOTES = "quality.note"


@dataclass(frozen=True)
class Answer:
    """What the interviews held in a period say to one question, and how many children they were held with."""

    question: str
    interviews: int
    yes: int
    no: int
    not_measurable: int
    children: int
    unplaced: int


@dataclass(frozen=True)
class Factor:
    """In how many interviews of a period one code of one kind of list was named."""

    kind: str
    code: str
    interviews: int
    children: int


@dataclass(frozen=True)
class Recognition:
    """When one kind of recognition came, for the children first missing in one year."""

    kind: str
    period_start: date
    data_from: date
    children: int
    recognised: int
    cannot_be_told: int
    not_yet: int
    median_episode: float | None
    median_days: float | None
    at_0: int
    at_1: int
    at_2: int
    at_3_to_4: int
    at_5_to_9: int
    at_10_or_more: int


@dataclass(frozen=True)
class Excluded:
    """Eligible returns of a period that count elsewhere on basis B, by who is responsible for the children."""

    responsible: str
    episodes: int
    children: int


class RestrictedReader:
    """Reads the restricted figures of the warehouse for pages marked OFFICIAL-SENSITIVE."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take the warehouse snapshot, read-only."""
        self._connection = connection

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The snapshot, for the other readers of restricted pages."""
        return self._connection

    def points(self, query: Query) -> list[Point]:
        """Read true, unrounded figures."""
        return read_points(self._connection, "statistics.indicator", query)

    def control(self, indicator_id: str, basis: str, area_code: str) -> list[ControlPoint]:
        """Read the control chart of a monthly count, from true counts."""
        return read_control(self._connection, "statistics.control_chart", indicator_id, basis, area_code)

    def over_children(self, area_code: str) -> list[OverChildren]:
        """Read the ratios of episodes of an area's newest year, with limits over children."""
        return read_over_children(self._connection, "statistics.bootstrap_interval", area_code)

    def notes(self) -> list[Note]:
        """List the notes that concern restricted figures, counts included; none in a warehouse from before them."""
        return read_notes(self._connection, _NOTES) if has_table(self._connection, _NOTES) else []

    def notes_for(self, borough: Area) -> list[Note]:
        """List the notes for the page of one borough: its own whole, of the others only what may be published."""
        if not has_table(self._connection, _NOTES):
            return []
        return read_notes(self._connection, _NOTES, f"is_public or area_code = '{borough.code}'")

    def span(self) -> tuple[date, date] | None:
        """First and last day of the periods that are over; None where there are none."""
        rows = self._rows("select min(period_start), max(period_end) from statistics.period having count(*) > 0")
        return (rows[0][0], rows[0][1]) if rows else None

    def data_cut(self, borough: str) -> datetime | None:
        """Up to when the borough's data reach (UTC); None where nothing was ever accepted."""
        rows = self._rows("select data_to from quality.data_cut where borough = $borough", borough=borough)
        return rows[0][0] if rows else None

    def newest_year(self) -> tuple[date, date] | None:
        """First and last day of the newest complete year to March; None where there is none."""
        rows = self._rows(
            "select period_start, period_end from statistics.period where period_type = 'year_to_march' "
            "order by period_start desc limit 1"
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def answers(self, area_code: str, year: date) -> list[Answer]:
        """Read how children were heard in a year, one row a question."""
        return [
            Answer(*row)
            for row in self._rows(
                """
                select question, interviews, yes, no, not_measurable, children, unplaced
                from statistics.voice
                where area_code = $area_code and period_type = 'year_to_march' and period_start = $year
                order by question
                """,
                area_code=area_code,
                year=year,
            )
        ]

    def factors(self, area_code: str, year: date) -> list[Factor]:
        """Read what children said and what was done in a year, most often first."""
        return [
            Factor(*row)
            for row in self._rows(
                """
                select kind, code, interviews, children
                from statistics.voice_factor
                where area_code = $area_code and period_type = 'year_to_march' and period_start = $year
                order by kind, interviews desc, code
                """,
                area_code=area_code,
                year=year,
            )
        ]

    def recognition(self, area_code: str) -> list[Recognition]:
        """Read when children were flagged, heard and met about, by the year of their first missing episode."""
        return [
            Recognition(*row)
            for row in self._rows(
                """
                select
                    kind, period_start, data_from, children, recognised, cannot_be_told, not_yet, median_episode,
                    median_days, at_0, at_1, at_2, at_3_to_4, at_5_to_9, at_10_or_more
                from statistics.early_identification
                where area_code = $area_code
                order by period_start, kind
                """,
                area_code=area_code,
            )
        ]

    def excluded(self, area_code: str, year: date) -> list[Excluded]:
        """Read which returns of a year an area's interview figures on basis B leave out."""
        return [
            Excluded(*row)
            for row in self._rows(
                """
                select responsible, episodes, children
                from statistics.interview_excluded
                where area_code = $area_code and period_type = 'year_to_march' and period_start = $year
                order by responsible
                """,
                area_code=area_code,
                year=year,
            )
        ]

    def _rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, given).fetchall()
