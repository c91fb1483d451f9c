"""Everything behind one flag, from the tables of a warehouse: why, since when, how sure, what was tried, who else.

Collects; how it is put on paper is the command's business. It holds pseudonyms and times of children, so it is for an
analyst or one borough's lead only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from pipelines.warehouse.connection import query_frame

# What each parameter of a rule means, in the order in which they are told; {} is its value.
PARAMETERS: Mapping[str, str] = {
    "episodes": "at least {} episodes",
    "window_days": "within {} days",
    "window_hours": "within {} hours",
    "gaps": "the last {} gaps each shorter than the one before",
    "times_median": "or longer than {} times the median of the earlier ones",
    "over_hours": "and longer than {} hours",
    "earlier_episodes": "after at least {} earlier episodes",
    "hours": "of {} hours or more",
    "over_days": "of more than {} days",
    "under_age": "under the age of {}",
    "within_hours": "starts within {} hours of each other",
    "found_within_minutes": "or overlapping and ended within {} minutes of each other",
    "pairings": "at least {} times together",
    "most_together": "counting no place and time at which more than {} children started",
    "over_chance": "and at least {} times what chance gives",
    "percentile": "more starts than {} in a hundred settings of the borough",
    "least_starts": "at least {} starts",
    "least_children": "by at least {} children",
    "night_from": "missing from {} o'clock",
    "night_to": "to {} o'clock",
    "moves": "after a placement change of kind {}",
    "run_days": "those less than {} days apart make one flag",
}
_ONE_READING = "The pattern holds on the usual reading of what was recorded, but not on every reading of it."
_CHANCE = "Chance may explain it, or not enough of the times are known to the minute to tell."
_FLAG = """
select
    coalesce(told.flag_id, flag.flag_id) as flag_id,
    coalesce(told.rule_id, flag.rule_id) as rule_id,
    coalesce(told.rule_version, flag.rule_version) as rule_version,
    coalesce(flag.child_key, told.child_key) as child_key,
    coalesce(flag.borough, told.borough) as borough,
    flag.boroughs,
    coalesce(flag.raised_at, told.raised_at) as raised_at,
    coalesce(flag.last_hit_at, told.last_hit_at) as last_hit_at,
    flag.flag_id is not null as is_computed,
    flag.summary, flag.detail, flag.is_certain, flag.certain_since, flag.most_in_one_borough, flag.only_region_sees,
    told.flag_id is not null and told.gone_as_at is null as stands,
    told.first_as_at, told.known_since, told.last_as_at, told.gone_as_at, told.back_as_at, told.arrival,
    told.raised_because, told.raised_words, told.reason, told.gone_words, told.replaced_by, told.replaces
from history.flag as told
full join patterns.flag as flag on told.flag_id = flag.flag_id
where coalesce(told.flag_id, flag.flag_id) = $flag_id
"""
_RULE = "select * from rules.pattern where rule_id = $rule_id and version = $version"
# The evidence as it is now; of a flag that is no longer computed, the episodes that its rows belong to now.
_EVIDENCE = """
create or replace temp table evidence as
with behind as (
    select unnest(arg_max(evidence, sequence)) as row_token
    from history.event
    where flag_id = $flag_id
)

select unnest(episode_keys) as episode_key
from patterns.flag
where flag_id = $flag_id
union
select staged.episode_key
from behind
inner join history.staged_row as staged on behind.row_token = staged.row_token
where $flag_id not in (select flag_id from patterns.flag)
"""
_EPISODES = """
select
    episode.episode_key, episode.borough, episode.status,
    episode.started_at, day_or_minute(episode.started_at, episode.started_precision) as started,
    episode.started_precision, episode.latest_started_at > episode.started_at as start_is_uncertain,
    episode.ended_at, day_or_minute(episode.ended_at, episode.ended_precision) as ended, episode.ended_precision,
    episode.started_at = $raised_at as raises, episode.age_at_start, episode.looked_after,
    episode.area_missing_from, episode.responsible_authority, episode.first_received_at,
    lead.pseudonym_scope,
    asked.due, asked.offered, asked.accepted, asked.held, asked.within_72_hours, asked.overtaken, asked.interviews,
    day_or_minute(asked.first_held_at, asked.held_precision) as first_held, asked.hours_from_return
from evidence
inner join core.missing_episode as episode on evidence.episode_key = episode.episode_key
inner join staging.missing_episode as lead on episode.episode_key = lead.row_key
left join core.interview_cascade as asked on episode.episode_key = asked.episode_key
order by episode.started_at, episode.episode_key
"""
_ROWS = """
select
    row_.episode_key, row_.borough, row_.source, row_.recorded_by, row_.joined_by, staged.delivery_id,
    staged.row_number,
    day_or_minute(staged.started_at, staged.started_precision) as started,
    day_or_minute(staged.ended_at, staged.ended_precision) as ended,
    staged.first_received_at
from evidence
inner join core.episode_row as row_ on evidence.episode_key = row_.episode_key
inner join staging.missing_episode as staged on row_.row_key = staged.row_key
order by row_.is_lead desc, row_.borough, row_.source, row_.row_key
"""
_HEARD = """
select
    link.episode_key, voice.interview_key, day_or_minute(voice.held_at, voice.held_precision) as held,
    voice.independent, voice.account_recorded, voice.something_done, voice.push_factors, voice.pull_factors,
    voice.harms_disclosed, voice.actions
from evidence
inner join core.episode_interview as link on evidence.episode_key = link.episode_key
inner join core.interview_voice as voice on link.interview_key = voice.interview_key
order by voice.held_at, voice.interview_key
"""
# Of the last year before the flag was last completed: who else is with a child is not asked of one rule only.
_TOGETHER = """
select
    together.partner_key, together.partner_boroughs, together.pairings, together.kind, together.is_beyond_chance,
    day_or_minute(together.first_at, 'minute') as first, day_or_minute(together.last_at, 'minute') as last
from patterns.co_missing_partner as together
where
    together.child_key = $child_key and together.is_current_rule
    and together.first_at <= $last_hit_at and together.last_at >= $raised_at - interval 1 year
order by together.last_at desc, together.partner_key
"""
_SETTINGS = """
select
    cluster.setting_key, cluster.starts, cluster.children,
    day_or_minute(cluster.first_at, 'minute') as first, day_or_minute(cluster.last_at, 'minute') as last,
    count(*) as own_episodes
from evidence
inner join core.missing_episode as episode on evidence.episode_key = episode.episode_key
inner join patterns.setting_cluster as cluster
    on
        episode.setting_key = cluster.setting_key
        and episode.started_at > cluster.window_after
        and episode.started_at <= cluster.last_at
where cluster.is_current_rule
group by all
order by cluster.setting_key, first
"""
_LINKS = """
select distinct
    link.link_id, link.borough, link.child_id, link.decided_at, link.decided_by, link.reason
from staging.child as child
inner join intake.link as link on list_contains(child.link_ids, link.link_id)
where child.child_key = $child_key
order by link.link_id, link.borough, link.child_id
"""
_PSEUDONYMS = """
select borough, child_id, pseudonym_scope
from staging.child
where child_key = $child_key
order by borough, child_id
"""
_OTHER_VERSIONS = """
select flag_id, rule_version, is_current_rule, day_or_minute(raised_at, 'minute') as raised, summary
from patterns.flag
where
    child_key = $child_key and rule_id = $rule_id and rule_version <> $version
    and raised_at <= $last_hit_at and last_hit_at >= $raised_at
order by rule_version, raised_at
"""
_OTHER_FLAGS = """
select told.flag_id, told.rule_id, rule.title, rule.on_list, day_or_minute(told.raised_at, 'minute') as raised
from history.flag as told
inner join rules.pattern as rule on told.rule_id = rule.rule_id and told.rule_version = rule.version
where
    told.child_key = $child_key and told.flag_id <> $flag_id and told.gone_as_at is null
    and told.last_hit_at >= $raised_at - interval 1 year
order by told.raised_at desc, told.rule_id
"""
_STORY = """
select event.as_at, event.change, event.because, event.episodes
from history.event as event
where event.flag_id = $flag_id
order by event.sequence
"""
_MACRO = """
create or replace temp macro day_or_minute(instant, recorded) as (
    case
        when recorded = 'date' then strftime(utc_to_london(instant), '%-d %B %Y')
        else strftime(utc_to_london(instant), '%-d %B %Y %H:%M')
    end
)
"""


def explanation(connection: duckdb.DuckDBPyConnection, flag_id: str) -> dict[str, Any] | None:
    """Collect what is known about a flag, whether it stands or has gone; None where there never was one of this id."""
    found = _rows(connection, _FLAG, flag_id=flag_id)
    if not found:
        return None
    flag = found[0]
    rules = _rows(connection, _RULE, rule_id=flag["rule_id"], version=flag["rule_version"])
    connection.execute(_MACRO)
    connection.execute(_EVIDENCE, {"flag_id": flag_id})
    child = {"child_key": flag["child_key"]}
    run = {"raised_at": flag["raised_at"], "last_hit_at": flag["last_hit_at"]}
    episodes = _rows(connection, _EPISODES, raised_at=flag["raised_at"])
    _hang(episodes, "rows", _rows(connection, _ROWS))
    _hang(episodes, "heard", _rows(connection, _HEARD))
    pseudonyms = _rows(connection, _PSEUDONYMS, **child)
    version = {"rule_id": flag["rule_id"], "version": flag["rule_version"]}
    rule = _rule(rules[0]) if rules else None
    return flag | {
        "rule": rule,
        "doubts": doubts(flag | {"kind": rule["kind"] if rule else ""}, episodes, pseudonyms),
        "episodes": episodes,
        "pseudonyms": pseudonyms,
        "links": _rows(connection, _LINKS, **child),
        "together_with": _rows(connection, _TOGETHER, **child, **run),
        "settings": _rows(connection, _SETTINGS),
        "other_versions": _rows(connection, _OTHER_VERSIONS, **child, **version, **run),
        "other_flags": _rows(connection, _OTHER_FLAGS, flag_id=flag_id, raised_at=flag["raised_at"], **child),
        "story": _rows(connection, _STORY, flag_id=flag_id),
    }


def doubts(
    flag: Mapping[str, Any], episodes: Sequence[Mapping[str, Any]], pseudonyms: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Say what keeps a flag, or its evidence, from being certain; empty where nothing does."""
    told = []
    if flag["is_certain"] is False:
        told.append(_CHANCE if flag["kind"] == "co_missing" else _ONE_READING)
    missing = [e for e in episodes if e["status"] == "missing"]
    counted = {
        "known only by their day": [e for e in episodes if e["started_precision"] == "date"],
        "in the hour that October repeats": [
            e for e in episodes if e["start_is_uncertain"] and e["started_precision"] == "minute"
        ],
        "without a recorded end": [e for e in episodes if e["ended_at"] is None],
        "of which the child's age is not recorded": [e for e in missing if e["age_at_start"] is None],
    }
    told += [f"{len(found)} of {len(episodes)} episodes {what}." for what, found in counted.items() if found]
    if any(p["pseudonym_scope"] == "borough" for p in pseudonyms):
        told.append("A pseudonym holds for one borough only; another borough may know the child under another one.")
    return told


def _rule(row: Mapping[str, Any]) -> dict[str, Any]:
    stated = {name: row[name] for name in PARAMETERS if row[name] is not None}
    named = ("title", "scope", "is_current", "kind", "on_list", "meaning", "lead", "caveat", "source")
    return {name: row[name] for name in named} | {"parameters": stated, "in_words": _in_words(stated)}


def _in_words(stated: Mapping[str, Any]) -> str:
    said = [
        PARAMETERS[name].format(" or ".join(map(str, value)) if isinstance(value, list) else f"{value:g}")
        for name, value in stated.items()
    ]
    return ", ".join(said)


def _hang(episodes: Sequence[dict[str, Any]], name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put rows under the episodes that they name."""
    for episode in episodes:
        own = [row for row in rows if row["episode_key"] == episode["episode_key"]]
        episode[name] = [{key: row[key] for key in row if key != "episode_key"} for row in own]


def _rows(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> list[dict[str, Any]]:
    return query_frame(connection, query, **parameters).to_dicts()
