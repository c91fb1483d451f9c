-- patterns.across_boroughs
-- Grain: one row per flag of a regional counting rule in force (three episodes or more) with episodes that two or more
-- boroughs sent.
-- Keys: flag_id.
-- For: children who repeat across boroughs. sent says how many of the contributing episodes each borough sent a row of,
-- the most first; an episode that two boroughs sent counts with both. is_seen_alone: there is a borough whose own
-- episodes are enough for the rule. Where there is none, only the region sees that the child repeats.
with contributing as (
    select
        flag.flag_id,
        unnest(flag.episode_keys) as episode_key
    from patterns.flag as flag
    inner join rules.pattern as rule on flag.rule_id = rule.rule_id and flag.rule_version = rule.version
    where
        rule.kind = 'window'
        and rule.is_current
        and rule.scope = 'region'
        and rule.episodes >= 3
        and len(flag.boroughs) > 1
),

sent as (
    select
        contributing.flag_id,
        unnest(episode.boroughs) as borough
    from contributing
    inner join core.missing_episode as episode on contributing.episode_key = episode.episode_key
),

counted as (
    select
        flag_id,
        borough,
        count(*) as episodes
    from sent
    group by flag_id, borough
),

listed as (
    select
        flag_id,
        count(*) as boroughs,
        list({ 'borough': borough, 'episodes': episodes } order by episodes desc, borough asc) as sent
    from counted
    group by flag_id
)

select
    flag.flag_id,
    flag.rule_id,
    flag.rule_version,
    flag.child_key,
    flag.raised_at,
    flag.last_hit_at,
    flag.is_certain,
    flag.episodes,
    listed.boroughs,
    listed.sent,
    flag.most_in_one_borough,
    not flag.only_region_sees as is_seen_alone
from listed
inner join patterns.flag as flag on listed.flag_id = flag.flag_id
