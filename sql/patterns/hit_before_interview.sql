-- patterns.hit_before_interview
-- Grain: one row per rule of kind before_interview, version and missing episode that starts before anybody listened.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. The start is less than `window_hours` after the previous return (else the previous end), and no
-- interview with the child was held from that return to the start, both included. An interview of which only the day
-- is known counts as held where that day allows it, and where nobody can tell whether an interview about the previous
-- episode was held, nothing is raised. Certain where all of it also holds of the latest start and the latest return
-- that the record allows.
with unclear as (
    select
        episode.child_number,
        episode.episode_number + 1 as next_number
    from patterns.episode as episode
    inner join patterns.interview_unclear on episode.episode_key = interview_unclear.episode_key
),

candidate as (
    select
        rule.rule_number,
        episode.child_number,
        episode.episode_number,
        episode.started_at as hit_at,
        episode.latest_started_at as latest_hit_at,
        episode.previous_started_at - interval 1 microsecond as window_after,
        episode.previous_returned_at,
        episode.latest_started_at - episode.previous_returned_at < to_hours(rule.window_hours)
        and episode.started_at >= episode.previous_latest_returned_at as is_certain_time
    from patterns.episode as episode
    inner join rules.pattern as rule
        on
            rule.kind = 'before_interview'
            and episode.started_at - episode.previous_returned_at < to_hours(rule.window_hours)
            and episode.started_at >= episode.previous_returned_at
    anti join unclear
        on episode.child_number = unclear.child_number and episode.episode_number = unclear.next_number
),

unheard as (
    select candidate.*
    from candidate
    asof left join patterns.interview_held as held
        on candidate.child_number = held.child_number and candidate.hit_at >= held.held_at
    where coalesce(held.latest_held_so_far < candidate.previous_returned_at, true)
)

select
    unheard.rule_number,
    unheard.child_number,
    unheard.episode_number,
    unheard.hit_at,
    unheard.window_after,
    unheard.is_certain_time and coalesce(held.latest_held_so_far < unheard.previous_returned_at, true) as is_certain,
    null::varchar as detail
from unheard
asof left join patterns.interview_held as held
    on unheard.child_number = held.child_number and unheard.latest_hit_at >= held.held_at
