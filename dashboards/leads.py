"""What the page of one borough may read of children: `leads.*`, which hold no more than that borough's lead may see.

What another borough sent is hidden in `sql/leads/`, so that no page can show it by mistake. Figures are read in
`restricted`; how a child's entry is worded is in `pages/child_list`. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb


@dataclass(frozen=True)
class Numbers:
    """What counts as current, new and recent, in days (rules/lead_list.yaml)."""

    current_days: int
    recent_days: int
    summary_days: int


@dataclass(frozen=True)
class Child:
    """One child with a current flag of a rule that puts children on the list."""

    child_key: str
    child_id: str
    is_matched: bool
    is_new: bool
    last_month: date


@dataclass(frozen=True)
class Flag:
    """One flag of a child. `raised_at` is None where another borough's episode raised it; the month is known."""

    flag_id: str
    rule_id: str
    rule_version: int
    on_list: bool
    child_key: str
    child_id: str
    summary: str
    episodes: int
    raised_at: datetime | None
    raised_month: date
    last_month: date
    is_current: bool
    is_new: bool
    is_certain: bool
    certain_month: date | None
    detail: str | None
    only_region_sees: bool
    most_in_one_borough: int
    arrival: str | None
    raised_words: str | None


@dataclass(frozen=True)
class Episode:
    """One episode behind a child's current flags. Another borough's has its month; everything else is None."""

    child_key: str
    rule_ids: list[str]
    status: str
    is_own: bool
    month: date
    started_at: datetime | None
    started_precision: str | None
    hours: float | None
    returned_at: datetime | None
    returned_precision: str | None
    source_rows: int | None
    recorded_by: list[str] | None
    due: str | None
    offered: str | None
    accepted: str | None
    held: str | None
    within_72_hours: str | None
    overtaken: str | None
    hours_from_return: float | None
    is_before_return: bool | None
    is_after_next: bool | None
    is_shared: bool | None


@dataclass(frozen=True)
class Interview:
    """One interview held about these episodes. Of another borough's nothing is told but that there is one."""

    child_key: str
    is_own: bool
    independent: str | None
    account_recorded: str | None
    something_done: str | None
    push_factors: list[str] | None
    pull_factors: list[str] | None
    harms_disclosed: list[str] | None
    actions: list[str] | None


@dataclass(frozen=True)
class Partner:
    """Another child with whom the child was missing lately. `partner_id` is None for a child of another borough."""

    child_key: str
    partner_id: str | None
    pairings: int
    kind: str
    found_together: int
    last_month: date
    is_beyond_chance: bool
    expected: float | None
    children_there: int | None


@dataclass(frozen=True)
class Company:
    """The group of children who go missing together that a child belongs to."""

    child_key: str
    children: int
    own_children: int


@dataclass(frozen=True)
class Cluster:
    """A cluster of starts at a care setting. `setting_id` is None where the setting is another borough's."""

    child_key: str
    setting_id: str | None
    starts: int
    children: int
    threshold: int
    first_month: date
    last_month: date


@dataclass(frozen=True)
class Doubt:
    """One reason why the list may be wrong about a child, and how many flags, episodes or months it concerns."""

    child_key: str
    reason: str
    extent: int


@dataclass(frozen=True)
class Gone:
    """One flag that is no longer shown. `child_id` is None where the child's records are gone."""

    flag_id: str
    rule_id: str
    rule_version: int
    child_id: str | None
    raised_at: datetime
    gone_as_at: datetime
    gone_words: str | None


@dataclass(frozen=True)
class Version:
    """How many children one version of a rule finds, in the whole history and now."""

    rule_id: str
    rule_version: int
    is_current_rule: bool
    flags: int
    children: int
    children_now: int


@dataclass(frozen=True)
class Waiting:
    """One recent return after which no interview is known to have been held."""

    child_id: str
    returned_at: datetime
    returned_precision: str
    return_is_found: bool
    hours_since: float
    due: str
    offered: str
    accepted: str
    held: str
    overtaken: str
    responsible_authority: str
    responsible_name: str | None
    is_responsible: bool


_FLAGS = """
with known as (
    select child_key, min(child_id) as child_id
    from staging.child
    where borough = $borough
    group by child_key
)

select
    flag.flag_id, flag.rule_id, flag.rule_version, flag.on_list, flag.child_key, known.child_id, flag.summary,
    flag.episodes, flag.raised_at, flag.raised_month, flag.last_month, flag.is_current, flag.is_new, flag.is_certain,
    flag.certain_month, flag.detail, flag.only_region_sees, flag.most_in_one_borough, flag.arrival, flag.raised_words
from leads.flag as flag
inner join known on flag.child_key = known.child_key
where flag.borough = $borough
"""


class LeadReader:
    """Reads what one borough's lead may see of children."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, borough: str) -> None:
        """Take the warehouse snapshot, read-only, and the slug of the borough."""
        self._connection = connection
        self._borough = borough

    def numbers(self) -> Numbers:
        """Say what counts as current, new and recent."""
        return read_numbers(self._connection)

    def children(self) -> list[Child]:
        """List the children on the list: those with a new flag first, then by number of flags, then by last episode."""
        return [
            Child(*row)
            for row in self._rows(
                """
                select child_key, child_id, is_matched, is_new, date_trunc('month', utc_to_london(last_hit_at))::date
                from leads.child
                where borough = $borough
                order by is_new desc, flags desc, last_hit_at desc, child_key
                """
            )
        ]

    def flags(self) -> list[Flag]:
        """List the current flags of children on the list, new ones first, then the last to be hit."""
        order = (
            "and flag.is_current and flag.child_key in (select child_key from leads.child where borough = $borough) "
            "order by flag.is_new desc, flag.last_hit_at desc, flag.rule_id, flag.flag_id"
        )
        return [Flag(*row) for row in self._rows(f"{_FLAGS} {order}")]

    def older_flags(self, most: int) -> list[Flag]:
        """List the newest flags that are no longer current."""
        order = "and not flag.is_current order by flag.last_hit_at desc, flag.child_key, flag.rule_id, flag.flag_id"
        return [Flag(*row) for row in self._rows(f"{_FLAGS} {order} limit $most", most=most)]

    def older_count(self) -> int:
        """Count the flags that are no longer current."""
        ((count,),) = self._rows("select count(*) from leads.flag where borough = $borough and not is_current")
        return int(count)

    def episodes(self) -> list[Episode]:
        """List the episodes behind current flags, each child's newest first."""
        return [
            Episode(*row)
            for row in self._rows(
                """
                select
                    child_key, rule_ids, status, is_own, month, started_at, started_precision, hours, returned_at,
                    returned_precision, source_rows, recorded_by, due, offered, accepted, held, within_72_hours,
                    overtaken, hours_from_return, is_before_return, is_after_next, is_shared
                from leads.child_episode
                where borough = $borough
                order by child_key, coalesce(started_at, month::timestamp) desc, episode_key
                """
            )
        ]

    def interviews(self) -> list[Interview]:
        """List the interviews held about these episodes."""
        return [
            Interview(*row)
            for row in self._rows(
                """
                select
                    child_key, is_own, independent, account_recorded, something_done, push_factors, pull_factors,
                    harms_disclosed, actions
                from leads.interview
                where borough = $borough
                order by child_key, coalesce(held_at, month::timestamp), interview_key
                """
            )
        ]

    def partners(self) -> list[Partner]:
        """List the children who were missing with a child on the list."""
        return [
            Partner(*row)
            for row in self._rows(
                """
                select
                    child_key, partner_id, pairings, kind, found_together, last_month, is_beyond_chance, expected,
                    children_there
                from leads.partner
                where borough = $borough
                order by child_key, partner_number
                """
            )
        ]

    def company(self) -> list[Company]:
        """List the groups that children on the list belong to."""
        query = (
            "select child_key, children, own_children from leads.company where borough = $borough order by child_key"
        )
        return [Company(*row) for row in self._rows(query)]

    def clusters(self) -> list[Cluster]:
        """List the clusters at care settings that current flags are about."""
        return [
            Cluster(*row)
            for row in self._rows(
                """
                select child_key, setting_id, starts, children, threshold, first_month, last_month
                from leads.setting_cluster
                where borough = $borough
                order by child_key, setting_number
                """
            )
        ]

    def doubts(self) -> list[Doubt]:
        """List the reasons why the list may be wrong about a child."""
        return [
            Doubt(*row)
            for row in self._rows(
                "select child_key, reason, extent from leads.doubt where borough = $borough order by child_key, reason"
            )
        ]

    def gone(self, most: int) -> list[Gone]:
        """List the flags that went last."""
        return [
            Gone(*row)
            for row in self._rows(
                """
                select flag_id, rule_id, rule_version, child_id, raised_at, gone_as_at, gone_words
                from leads.gone
                where borough = $borough
                order by gone_as_at desc, raised_at desc, flag_id
                limit $most
                """,
                most=most,
            )
        ]

    def versions(self) -> list[Version]:
        """List what each version of each rule finds here."""
        return read_versions(self._connection, self._borough)

    def waiting(self) -> list[Waiting]:
        """List the recent returns after which no interview is known to have been held, longest ago first."""
        return [
            Waiting(*row)
            for row in self._rows(
                """
                select
                    child_id, returned_at, returned_precision, return_is_found, hours_since, due, offered, accepted,
                    held, overtaken, responsible_authority, responsible_name, is_responsible
                from leads.waiting
                where borough = $borough
                order by returned_at, episode_key
                """
            )
        ]

    def _rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, {"borough": self._borough, **given}).fetchall()


def read_numbers(connection: duckdb.DuckDBPyConnection) -> Numbers:
    """Read what counts as current, new and recent."""
    ((current, recent, summary),) = connection.execute(
        "select current_days, recent_days, summary_days from rules.lead_list"
    ).fetchall()
    return Numbers(current, recent, summary)


def read_versions(connection: duckdb.DuckDBPyConnection, borough: str | None) -> list[Version]:
    """Read what each version of each rule finds in one borough, or in the region where none is given."""
    rows = connection.execute(
        """
        select rule_id, rule_version, is_current_rule, flags, children, children_now
        from leads.version
        where borough is not distinct from $borough
        order by rule_id, rule_version
        """,
        {"borough": borough},
    ).fetchall()
    return [Version(*row) for row in rows]
