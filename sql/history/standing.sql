-- history.standing
-- Grain: one row per flag that stands at the as-at instant: a flag of a rule's version in force.
-- Keys: flag_id.
-- For: comparing with the flags that stood at the instant before (sql/filing/). content is a digest of the rows behind
-- the flag, whatever their order; it changes when one of them does. oldest_at and newest_at are the first and the last
-- local time from which the retention of one of those rows runs.
with episode as (
    select
        episode_key,
        bit_xor(content) as content,
        min(kept_until) as oldest_at,
        max(kept_until) as newest_at
    from history.staged_row
    group by episode_key
),

flag_episode as (
    select
        flag_id,
        unnest(episode_keys) as episode_key
    from patterns.flag
    where is_current_rule
),

evidence as (
    select
        flag_episode.flag_id,
        bit_xor(episode.content) as content,
        min(episode.oldest_at) as oldest_at,
        max(episode.newest_at) as newest_at
    from flag_episode
    inner join episode on flag_episode.episode_key = episode.episode_key
    group by flag_episode.flag_id
)

select
    flag.flag_id,
    flag.rule_id,
    flag.rule_version,
    flag.child_key,
    flag.borough,
    flag.raised_at,
    flag.last_hit_at,
    flag.episodes,
    evidence.content,
    evidence.oldest_at,
    evidence.newest_at
from patterns.flag
inner join evidence on flag.flag_id = evidence.flag_id
where flag.is_current_rule
