"""What restricted pages may read of children: true counts, flags with their evidence, interviews due.

Where an episode was sent by another borough, its details are removed in the query, so that no page can show them by
mistake. Public pages have `published` instead; deliveries are read in `intake`. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from dashboards.points import Point, Query, read_points

# A flag is current while its last episode lies this close to the borough's data cut.
CURRENT_DAYS = 90
# Returns this recent are still worth an interview; a flag raised this recently is called new.
RECENT_DAYS = 28


@dataclass(frozen=True)
class Flag:
    """One flag of a child.

    `raised_at` is None where another borough's episode raised it; then only the month is known here.
    """

    flag_id: str
    rule_id: str
    rule_version: int
    child_id: str
    child_key: str
    summary: str
    episodes: int
    raised_at: datetime | None
    raised_month: date
    last_month: date
    is_current: bool
    is_new: bool


@dataclass(frozen=True)
class Evidence:
    """One episode behind a child's current flags. Another borough's episode has its month and nothing else."""

    child_key: str
    is_own: bool
    month: date
    started_at: datetime | None
    started_precision: str | None
    hours: float | None
    returned_at: datetime | None
    returned_precision: str | None
    held: str | None
    hours_to_interview: float | None
    rule_ids: list[str]


@dataclass(frozen=True)
class Waiting:
    """One recent return after which no interview is known to have been held."""

    child_id: str
    returned_at: datetime
    returned_precision: str
    return_is_found: bool
    hours_since: float
    offered: str
    held: str
    responsible_name: str
    is_responsible: bool


@dataclass(frozen=True)
class FlagTally:
    """How many current flags a pattern has in one borough."""

    borough: str
    rule_id: str
    count: int


class RestrictedReader:
    """Reads the restricted tables of the warehouse for pages marked OFFICIAL-SENSITIVE."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take the warehouse snapshot, read-only."""
        self._connection = connection

    def points(self, query: Query) -> list[Point]:
        """Read true, unrounded figures."""
        return read_points(self._connection, "statistics.indicator", query)

    def data_cut(self, borough: str) -> datetime | None:
        """Up to when the borough's data reach (UTC); None where nothing was ever accepted."""
        rows = self._connection.execute(
            "select data_to from quality.data_cut where borough = $borough", {"borough": borough}
        ).fetchall()
        return rows[0][0] if rows else None

    def flags(self, borough: str) -> list[Flag]:
        """List the flags with an episode of the borough, the last to be hit first."""
        rows = self._connection.execute(
            """
            select
                flag.flag_id,
                flag.rule_id,
                flag.rule_version,
                flag.child_id,
                flag.child_key,
                flag.summary,
                flag.episodes,
                case when list_contains(raising.boroughs, $borough) then flag.raised_at end,
                date_trunc('month', utc_to_london(flag.raised_at))::date,
                date_trunc('month', utc_to_london(flag.last_hit_at))::date,
                flag.last_hit_at > data_cut.data_to - to_days($current_days),
                flag.raised_at > data_cut.data_to - to_days($recent_days)
            from patterns.flag as flag
            inner join patterns.flag_run as run on flag.flag_id = run.flag_id
            inner join core.missing_episode as raising on run.raising_episode_key = raising.episode_key
            inner join quality.data_cut as data_cut on data_cut.borough = $borough
            where list_contains(flag.boroughs, $borough)
            order by flag.last_hit_at desc, flag.child_key, flag.rule_id, flag.flag_id
            """,
            {"borough": borough, "current_days": CURRENT_DAYS, "recent_days": RECENT_DAYS},
        ).fetchall()
        return [Flag(*row) for row in rows]

    def evidence(self, borough: str) -> list[Evidence]:
        """List the episodes behind the borough's current flags, each child's newest first."""
        rows = self._connection.execute(
            """
            with interview as (
                select
                    link.episode_key,
                    case
                        when bool_or(interview.held = 'yes') then 'yes'
                        when bool_or(interview.held = 'not_measurable') then 'not_measurable'
                        else 'no'
                    end as held,
                    min(link.hours_from_return) filter (where interview.held = 'yes') as hours_to_interview
                from core.episode_interview as link
                inner join core.return_interview as interview on link.interview_key = interview.interview_key
                group by link.episode_key
            ),

            evidence as (
                select
                    flag.child_key,
                    flag_episode.episode_key,
                    list_sort(list_distinct(list(flag.rule_id))) as rule_ids
                from patterns.flag as flag
                inner join patterns.flag_episode as flag_episode on flag.flag_id = flag_episode.flag_id
                inner join quality.data_cut as data_cut on data_cut.borough = $borough
                where
                    list_contains(flag.boroughs, $borough)
                    and flag.last_hit_at > data_cut.data_to - to_days($current_days)
                group by flag.child_key, flag_episode.episode_key
            ),

            resolved as (
                select
                    evidence.*,
                    episode.* exclude (child_key, episode_key),
                    interview.held,
                    interview.hours_to_interview,
                    list_contains(episode.boroughs, $borough) as is_own
                from evidence
                inner join core.missing_episode as episode on evidence.episode_key = episode.episode_key
                left join interview on evidence.episode_key = interview.episode_key
            )

            select
                child_key,
                is_own,
                date_trunc('month', utc_to_london(started_at))::date,
                case when is_own then started_at end,
                case when is_own then started_precision end,
                case
                    when is_own and started_precision = 'minute' and ended_precision = 'minute'
                        then epoch(ended_at - started_at) / 3600
                end,
                case when is_own then coalesce(returned_at, ended_at) end,
                case when is_own then coalesce(returned_precision, ended_precision) end,
                case when is_own then held end,
                case when is_own then hours_to_interview end,
                rule_ids
            from resolved
            order by child_key, started_at desc, episode_key
            """,
            {"borough": borough, "current_days": CURRENT_DAYS},
        ).fetchall()
        return [Evidence(*row) for row in rows]

    def waiting(self, borough: str) -> list[Waiting]:
        """List the returns of the last days before the data cut after which no interview is known to have been held."""
        rows = self._connection.execute(
            """
            with interview as (
                select
                    link.episode_key,
                    bool_or(interview.held = 'yes') as held_yes,
                    bool_or(interview.held = 'not_measurable') as held_unclear,
                    bool_or(interview.offered = 'yes') as offered_yes,
                    bool_or(interview.offered = 'unknown') as offered_unknown
                from core.episode_interview as link
                inner join core.return_interview as interview on link.interview_key = interview.interview_key
                group by link.episode_key
            ),

            back as (
                select
                    episode.*,
                    coalesce(episode.returned_at, episode.ended_at) as back_at,
                    coalesce(episode.returned_precision, episode.ended_precision) as back_precision
                from core.missing_episode as episode
                where
                    list_contains(episode.boroughs, $borough)
                    and episode.status = 'missing'
                    and (episode.age_at_start is null or episode.age_at_start < 18)
            )

            select
                back.child_id,
                back.back_at,
                back.back_precision,
                back.returned_at is null,
                epoch(data_cut.data_to - back.back_at) / 3600,
                case
                    when interview.offered_yes then 'yes'
                    when interview.offered_unknown then 'not recorded'
                    else 'no'
                end,
                case when interview.held_unclear then 'cannot be told' else 'no' end,
                coalesce(
                    responsible.name,
                    case when back.responsible_authority = 'unknown' then 'not recorded' else 'outside the region' end
                ),
                coalesce(responsible.slug = $borough, false)
            from back
            inner join quality.data_cut as data_cut on data_cut.borough = $borough
            left join interview on back.episode_key = interview.episode_key
            left join reference.area as responsible on back.responsible_authority = responsible.area_code
            where
                back.back_at > data_cut.data_to - to_days($recent_days)
                and back.back_at <= data_cut.data_to
                and not coalesce(interview.held_yes, false)
            order by back.back_at, back.episode_key
            """,
            {"borough": borough, "recent_days": RECENT_DAYS},
        ).fetchall()
        return [Waiting(*row) for row in rows]

    def flag_counts(self) -> list[FlagTally]:
        """Count current flags by borough (each borough with an episode in it) and rule."""
        rows = self._connection.execute(
            """
            with listed as (
                select flag.flag_id, flag.rule_id, flag.last_hit_at, unnest(flag.boroughs) as borough
                from patterns.flag as flag
            )

            select listed.borough, listed.rule_id, count(*)
            from listed
            inner join quality.data_cut as data_cut on listed.borough = data_cut.borough
            where listed.last_hit_at > data_cut.data_to - to_days($current_days)
            group by all
            order by listed.rule_id, listed.borough
            """,
            {"current_days": CURRENT_DAYS},
        ).fetchall()
        return [FlagTally(*row) for row in rows]
