"""What restricted pages may read of intake's books: deliveries, the months they feed, findings, rules and notes.

Files, rows and rules are counted here, and no child is in any of it. Children's records are read in `restricted`;
nothing is drawn here. Tables that an earlier version of the pipeline did not make are read as empty.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from dashboards.comparability import Note
from dashboards.points import has_table

# Per rule, the newest files are listed with the first rows that break it; the feedback files have the rest.
FILES_NAMED = 6
ROWS_NAMED = 12


@dataclass(frozen=True)
class Month:
    """What one borough delivered for one month."""

    borough: str
    month: date
    rows_accepted: int
    status: str
    interviews_received: bool


@dataclass(frozen=True)
class Delivery:
    """One file received, and what became of its rows."""

    delivery_id: str
    borough: str
    file_name: str
    dataset: str | None
    source: str | None
    source_version: str | None
    received_at: datetime
    status: str
    reason: str | None
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    rows_superseded: int
    rows_past_retention: int


@dataclass(frozen=True)
class FedMonth:
    """Rows of one delivery that belong to one month (None: it is not recorded): loaded, and still in use now."""

    delivery_id: str
    dataset: str
    month: date | None
    rows_accepted: int
    rows_live: int


@dataclass(frozen=True)
class RuleTally:
    """How often a rule was broken in one borough."""

    borough: str
    rule_id: str
    severity: str
    rows: int
    files: int


@dataclass(frozen=True)
class FileFinding:
    """Where one file breaks a rule: column and first rows, in the sender's coordinates. Never a cell."""

    rule_id: str
    severity: str
    file_name: str
    received_at: datetime
    column_name: str
    column_letter: str
    rows: int
    first_rows: list[int]


@dataclass(frozen=True)
class RuleOutcome:
    """What became of one rule in a borough's files: in the newest of a dataset, and in how many of all.

    A rule that compares files has one outcome for all of them together, and no number of files.
    """

    dataset: str
    rule_id: str
    newest: str
    newest_rows: int
    reason: str
    passed: int
    failed: int
    not_applicable: int


@dataclass(frozen=True)
class BoroughNote:
    """A comparability note, with the layout and version that read the rows it concerns."""

    note: Note
    borough: str
    source: str
    source_version: str
    rows: int
    first_month: date | None
    last_month: date | None


class IntakeReader:
    """Reads the account of every file received."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take the warehouse snapshot, read-only."""
        self._connection = connection

    def expected_day(self) -> int:
        """By which day of the next month a month's records are expected."""
        ((day,),) = self._connection.execute("select max(expected_day) from run.parameter").fetchall()
        return int(day)

    def months(self) -> list[Month]:
        """List what every borough delivered for every month, in order of boroughs and months."""
        rows = self._connection.execute(
            "select borough, month, rows_accepted, status, interviews_received from quality.borough_month "
            "order by area_code, month"
        ).fetchall()
        return [Month(*row) for row in rows]

    def deliveries(self) -> list[Delivery]:
        """List every file received, newest first."""
        rows = self._connection.execute(
            "select delivery_id, borough, file_name, dataset, source, source_version, received_at, status, reason, "
            "rows_read, rows_accepted, rows_quarantined, rows_duplicate, rows_superseded, rows_past_retention "
            "from intake.delivery order by received_at desc, borough, file_name, delivery_id"
        ).fetchall()
        return [Delivery(*row) for row in rows]

    def fed_months(self) -> dict[str, list[FedMonth]]:
        """List the months that each delivery's rows belong to, oldest first, by delivery."""
        found: dict[str, list[FedMonth]] = defaultdict(list)
        if has_table(self._connection, "intake.delivery_month"):
            rows = self._connection.execute(
                "select delivery_id, dataset, month, rows_accepted, rows_live from intake.delivery_month "
                "order by delivery_id, dataset, month"
            ).fetchall()
            for row in rows:
                found[row[0]].append(FedMonth(*row))
        return dict(found)

    def tallies(self) -> list[RuleTally]:
        """Count the rows and files that break each rule, by borough; within one file and across files."""
        rows = self._connection.execute(
            f"""
            with {self._found()}

            select borough, rule_id, severity, count(distinct (delivery_id, row_number)), count(distinct delivery_id)
            from found
            group by all
            order by rule_id, severity, borough
            """  # noqa: S608 - text of this module
        ).fetchall()
        return [RuleTally(*row) for row in rows]

    def file_findings(self, borough: str) -> list[FileFinding]:
        """List, for each rule, the newest files of a borough that break it, with the first rows of each."""
        rows = self._connection.execute(
            f"""
            with {self._found()},

            by_file as (
                select
                    rule_id,
                    severity,
                    delivery_id,
                    file_name,
                    received_at,
                    column_name,
                    column_letter,
                    count(distinct row_number) as rows,
                    list_sort(list_distinct(list(row_number)))[:$rows_named] as first_rows
                from found
                where borough = $borough
                group by all
            )

            select rule_id, severity, file_name, received_at, column_name, column_letter, rows, first_rows
            from by_file
            qualify
                dense_rank() over (
                    partition by rule_id, severity order by received_at desc, file_name, delivery_id
                ) <= $files_named
            order by rule_id, severity, received_at desc, file_name, delivery_id, column_name
            """,  # noqa: S608 - text of this module
            {"borough": borough, "files_named": FILES_NAMED, "rows_named": ROWS_NAMED},
        ).fetchall()
        return [FileFinding(*row) for row in rows]

    def outcomes(self, borough: str) -> list[RuleOutcome]:
        """List what became of every rule that was run, or could not be, on a borough's files."""
        within = """
            select
                outcome.dataset,
                outcome.rule_id,
                arg_max(outcome.outcome, (delivery.received_at, delivery.delivery_id)) as newest,
                arg_max(outcome.rows, (delivery.received_at, delivery.delivery_id)) as newest_rows,
                coalesce(arg_max(outcome.reason, (delivery.received_at, delivery.delivery_id)), '') as reason,
                count(*) filter (where outcome.outcome = 'passed') as passed,
                count(*) filter (where outcome.outcome = 'failed') as failed,
                count(*) filter (where outcome.outcome = 'not_applicable') as not_applicable
            from intake.rule_outcome as outcome
            inner join intake.delivery as delivery on outcome.delivery_id = delivery.delivery_id
            where delivery.borough = $borough and delivery.status <> 'withdrawn'
            group by outcome.dataset, outcome.rule_id
        """
        across = """
            select dataset, rule_id, outcome as newest, rows as newest_rows, reason, 0, 0, 0
            from quality.cross_file_outcome
            where borough = $borough
        """
        parts = {"intake.rule_outcome": within, "quality.cross_file_outcome": across}
        known = [query for table, query in parts.items() if has_table(self._connection, table)]
        if not known:
            return []
        rows = self._connection.execute(f"{' union all '.join(known)} order by all", {"borough": borough}).fetchall()
        return [RuleOutcome(*row) for row in rows]

    def notes(self) -> list[BoroughNote]:
        """List the comparability notes by borough, layout and version of the layout."""
        if not has_table(self._connection, "quality.comparability_note"):
            return []
        rows = self._connection.execute(
            """
            select
                area_code, note_id, text, measures, borough, source, source_version, rows_concerned,
                first_month, last_month
            from quality.comparability_note
            order by area_code, note_id, source, source_version, text
            """
        ).fetchall()
        return [
            BoroughNote(Note(area_code, note_id, text, tuple(measures or ()), *rest[-2:]), *rest)
            for area_code, note_id, text, measures, *rest in rows
        ]

    def _found(self) -> str:
        """The common tables of every finding that still stands: within a file, and across files where that is run."""
        across = """
            union all by name
            select
                found.delivery_id, found.row_number, found.rule_id, found.severity, found.column_name,
                '' as column_letter
            from quality.cross_file_finding as found
        """
        known = has_table(self._connection, "quality.cross_file_finding")
        return f"""
            listed as (
                select
                    found.delivery_id, found.row_number, found.rule_id, found.severity, found.column_name,
                    found.column_letter
                from intake.finding as found
                {across if known else ""}
            ),

            found as (
                select
                    delivery.borough,
                    delivery.delivery_id,
                    delivery.file_name,
                    delivery.received_at,
                    listed.row_number,
                    listed.rule_id,
                    listed.severity,
                    coalesce(listed.column_name, '') as column_name,
                    coalesce(listed.column_letter, '') as column_letter
                from listed
                inner join intake.delivery as delivery on listed.delivery_id = delivery.delivery_id
                where delivery.status <> 'withdrawn'
            )
        """  # noqa: S608 - text of this module
