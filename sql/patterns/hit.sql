-- patterns.hit
-- Grain: one row per rule and episode whose start completes the rule's pattern.
-- Keys: rule_id, episode_key.
-- For: patterns.flag. The window is (window_after, hit_at]; every rule's evidence lies in it. An interview of
-- which only the day is known counts as held where that day allows it: what cannot be told raises no flag.
with window_candidate as (
    select
        rule.rule_id,
        rule.kind,
        episode.child_key,
        episode.episode_key,
        episode.started_at as hit_at,
        episode.started_at - to_days(rule.window_days) as window_after,
        lag(episode.started_at, rule.episodes - 1) over (
            partition by rule.rule_id, episode.child_key order by episode.started_at, episode.episode_key
        ) as first_of_enough
    from patterns.episode as episode
    cross join rules.pattern as rule
    where rule.kind in ('window', 'unheard')
),

window_hit as (
    select
        rule_id,
        kind,
        child_key,
        episode_key,
        hit_at,
        window_after
    from window_candidate
    where first_of_enough > window_after
),

held as (
    select distinct
        child_key,
        held_at,
        latest_held_at
    from core.return_interview
    where held = 'yes'
),

unclear as (
    select
        episode.child_key,
        episode.started_at
    from patterns.episode as episode
    inner join patterns.interview_unclear on episode.episode_key = interview_unclear.episode_key
),

heard_or_unclear as (
    select distinct
        window_hit.rule_id,
        window_hit.episode_key
    from window_hit
    inner join held
        on
            window_hit.child_key = held.child_key
            and held.latest_held_at > window_hit.window_after
            and held.held_at <= window_hit.hit_at
    where window_hit.kind = 'unheard'
    union
    select distinct
        window_hit.rule_id,
        window_hit.episode_key
    from window_hit
    inner join unclear
        on
            window_hit.child_key = unclear.child_key
            and unclear.started_at > window_hit.window_after
            and unclear.started_at <= window_hit.hit_at
    where window_hit.kind = 'unheard'
),

rapid_hit as (
    select
        rule.rule_id,
        episode.child_key,
        episode.episode_key,
        episode.started_at as hit_at,
        episode.previous_started_at - interval 1 microsecond as window_after
    from patterns.episode as episode
    cross join rules.pattern as rule
    where
        rule.kind = 'rapid'
        and episode.started_at - episode.previous_ended_at <= to_days(rule.window_days)
),

interview_candidate as (
    select
        rule.rule_id,
        episode.child_key,
        episode.episode_key,
        episode.started_at as hit_at,
        episode.previous_started_at - interval 1 microsecond as window_after,
        episode.previous_returned_at,
        episode.previous_episode_key
    from patterns.episode as episode
    cross join rules.pattern as rule
    where
        rule.kind = 'before_interview'
        and episode.started_at - episode.previous_returned_at < to_hours(rule.window_hours)
        and episode.started_at >= episode.previous_returned_at
)

select
    rule_id,
    child_key,
    episode_key,
    hit_at,
    window_after
from window_hit
where
    kind = 'window'
    or (rule_id, episode_key) not in (
        select (heard_or_unclear.rule_id, heard_or_unclear.episode_key) from heard_or_unclear
    )
union all
select
    rule_id,
    child_key,
    episode_key,
    hit_at,
    window_after
from rapid_hit
union all
select
    candidate.rule_id,
    candidate.child_key,
    candidate.episode_key,
    candidate.hit_at,
    candidate.window_after
from interview_candidate as candidate
where
    candidate.previous_episode_key not in (select interview_unclear.episode_key from patterns.interview_unclear)
    and not exists (
        select 1
        from held
        where
            held.child_key = candidate.child_key
            and held.latest_held_at >= candidate.previous_returned_at
            and held.held_at <= candidate.hit_at
    )
