"""What the region's restricted page may read: what only a regional view can see, and the estimates of recurrence.

Children are on it by their codes, for the regional analyst; a borough's page has `leads`. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb


@dataclass(frozen=True)
class FlagTally:
    """How many current flags a pattern has in one borough."""

    borough: str
    rule_id: str
    count: int


@dataclass(frozen=True)
class Across:
    """One child with a current flag that no borough alone would raise; `sent` is episodes by borough."""

    child_key: str
    rule_ids: list[str]
    episodes: int
    last_month: date
    sent: dict[str, int]


@dataclass(frozen=True)
class Group:
    """One group of children who go missing together."""

    group_id: str
    children: int
    pairs: int
    boroughs: list[str]
    members: list[str]
    pairings: int
    expected: float
    first_month: date
    last_month: date


@dataclass(frozen=True)
class SettingCluster:
    """One recent cluster of starts at a care setting, by the code that the borough uses for it."""

    borough: str
    setting_id: str
    first_month: date
    last_month: date
    starts: int
    children: int
    threshold: int
    is_certain: bool


@dataclass(frozen=True)
class RuleSummary:
    """What one version of a rule found lately: children by their first flag of it."""

    rule_id: str
    rule_version: int
    is_current_rule: bool
    children: int
    median_episodes_before: float | None
    looked_after: int
    looked_after_unknown: int
    heard: int
    heard_unclear: int


@dataclass(frozen=True)
class Estimate:
    """One value of a curve with its 95% limits, for all children or those of one group."""

    group: str
    days: int
    at_risk: int
    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Slice:
    """Children with as many incidents or more, and the share that these are of all children and incidents."""

    incidents_each: int
    children: int
    share_of_children: float
    share_of_incidents: float


@dataclass(frozen=True)
class Half:
    """The smallest number of children who have half of the incidents; the share with its 95% limits."""

    children: int
    share_of_children: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Repeat:
    """The published meanings of "repeat" in one year, in counts; None where earlier data are needed."""

    period_start: date
    incidents: int
    children: int
    second_or_later_in_year: int
    second_or_later_365_days: int | None
    incidents_of_repeat_children_in_year: int
    incidents_of_repeat_children_365_days: int | None
    children_repeat_in_year: int
    children_repeat_365_days: int | None


class RegionReader:
    """Reads what the region's restricted page shows, for one area."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, area_code: str) -> None:
        """Take the warehouse snapshot, read-only, and the region's code."""
        self._connection = connection
        self._area_code = area_code

    def flag_counts(self) -> list[FlagTally]:
        """Count current flags by borough (each borough with an episode in it) and rule."""
        return [
            FlagTally(*row)
            for row in self._rows(
                "select borough, rule_id, count(*) from leads.flag where is_current group by all order by all"
            )
        ]

    def across(self) -> list[Across]:
        """List the children who repeat across boroughs, none of which sees it alone; most episodes first."""
        rows = self._rows(
            """
            select child_key, rule_ids, episodes, last_month, sent
            from leads.across_boroughs
            order by episodes desc, last_month desc, child_key
            """
        )
        return [
            Across(child_key, rule_ids, episodes, last_month, {one["borough"]: one["episodes"] for one in sent})
            for child_key, rule_ids, episodes, last_month, sent in rows
        ]

    def groups(self) -> list[Group]:
        """List the groups of children who go missing together, the largest first."""
        return [
            Group(*row)
            for row in self._rows(
                """
                with evidence as (
                    select
                        member.group_id,
                        sum(partner.pairings)::bigint // 2 as pairings,
                        sum(partner.expected) / 2 as expected
                    from patterns.co_missing_group as member
                    inner join patterns.co_missing_group as other on member.group_id = other.group_id
                    inner join patterns.co_missing_partner as partner
                        on member.child_key = partner.child_key and other.child_key = partner.partner_key
                    where partner.is_current_rule and partner.is_recent and partner.is_beyond_chance
                    group by member.group_id
                )

                select
                    member.group_id,
                    any_value(member.children),
                    any_value(member.pairs),
                    any_value(member.group_boroughs),
                    list(member.child_key order by member.child_key),
                    any_value(evidence.pairings),
                    any_value(evidence.expected),
                    any_value(date_trunc('month', utc_to_london(member.group_first_at))::date),
                    any_value(date_trunc('month', utc_to_london(member.group_last_at))::date)
                from patterns.co_missing_group as member
                inner join evidence on member.group_id = evidence.group_id
                group by member.group_id
                order by any_value(member.children) desc, any_value(member.group_last_at) desc, member.group_id
                """
            )
        ]

    def clusters(self) -> list[SettingCluster]:
        """List the clusters at care settings that are current, those with most starts first."""
        return [
            SettingCluster(*row)
            for row in self._rows(
                """
                select
                    cluster.borough,
                    split_part(cluster.setting_key, ':', 2),
                    date_trunc('month', utc_to_london(cluster.first_at))::date,
                    date_trunc('month', utc_to_london(cluster.last_at))::date,
                    cluster.starts,
                    cluster.children,
                    cluster.threshold,
                    cluster.is_certain
                from patterns.setting_cluster as cluster
                cross join rules.lead_list as list
                inner join quality.data_cut as data_cut on cluster.borough = data_cut.borough
                where cluster.is_current_rule and cluster.last_at > data_cut.data_to - to_days(list.current_days)
                order by cluster.starts desc, cluster.setting_key
                """
            )
        ]

    def summaries(self) -> list[RuleSummary]:
        """List what each version of each rule found lately."""
        return [
            RuleSummary(*row)
            for row in self._rows(
                """
                select
                    rule_id, rule_version, is_current_rule, children, median_episodes_before, looked_after,
                    looked_after_unknown, heard, heard_unclear
                from leads.rule_summary
                order by rule_id, rule_version
                """
            )
        ]

    def followed_year(self) -> date | None:
        """Say which year the curves are about: the newest whose children were followed for a year."""
        year: date | None
        ((year,),) = self._rows(
            """
            select coalesce(max(period_start) filter (where share is not null), max(period_start))
            from recurrence.gone_again
            where area_code = $area_code and basis = 'A' and breakdown = 'total' and days = 365
            """,
            area_code=self._area_code,
        )
        return year

    def gone_again(self, year: date) -> list[Estimate]:
        """Read the share of children gone missing again, by week since their first return of the year."""
        return self._curve("survival", "1 - survival", "1 - upper_95", "1 - lower_95", year)

    def further_episodes(self, year: date) -> list[Estimate]:
        """Read the mean number of further episodes, by days since the first start of the year."""
        return self._curve("mean_cumulative", "further_episodes", "lower_95", "upper_95", year)

    def concentration(self, year: date) -> list[Slice]:
        """Read how incidents are spread over children, from those with most."""
        return [
            Slice(*row)
            for row in self._rows(
                """
                select incidents_each, children_cumulative, share_of_children, share_of_incidents
                from statistics.concentration_curve
                where basis = 'A' and area_code = $area_code and period_start = $year
                order by incidents_each desc
                """,
                area_code=self._area_code,
                year=year,
            )
        ]

    def half(self, year: date) -> Half | None:
        """Read how few children have half of the incidents."""
        rows = self._rows(
            """
            select share.children, share.share_of_children, limits.lower_95, limits.upper_95
            from statistics.concentration as share
            left join recurrence.concentration_interval as limits
                on
                    share.basis = limits.basis
                    and share.area_code = limits.area_code
                    and share.period_start = limits.period_start
                    and share.slice = limits.slice
            where
                share.basis = 'A' and share.area_code = $area_code and share.period_start = $year
                and share.slice = 'half_of_incidents'
            """,
            area_code=self._area_code,
            year=year,
        )
        return Half(*rows[0]) if rows else None

    def repeats(self) -> list[Repeat]:
        """Read the two meanings of "repeat", by year."""
        return [
            Repeat(*row)
            for row in self._rows(
                """
                select
                    period_start, incidents, children, second_or_later_in_year, second_or_later_365_days,
                    incidents_of_repeat_children_in_year, incidents_of_repeat_children_365_days,
                    children_repeat_in_year, children_repeat_365_days
                from statistics.repeat_meaning
                where basis = 'A' and area_code = $area_code
                order by period_start
                """,
                area_code=self._area_code,
            )
        ]

    def _curve(self, table: str, value: str, lower: str, upper: str, year: date) -> list[Estimate]:
        return [
            Estimate(*row)
            for row in self._rows(
                f"""
                select breakdown_value, days, at_risk, {value}, {lower}, {upper}
                from recurrence.{table}
                where
                    basis = 'A' and area_code = $area_code and period_start = $year and days % 7 = 0
                    and breakdown_value in ('Total', 'yes', 'no')
                order by breakdown_value, days
                """,  # noqa: S608 - names of our own columns and tables
                area_code=self._area_code,
                year=year,
            )
        ]

    def _rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, given).fetchall()
