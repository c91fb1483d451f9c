-- patterns.hit_unheard
-- Grain: one row per rule of kind unheard, version and missing episode whose start completes the pattern.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. As patterns.hit_window, and no interview with the child was held in (t - window_days, t]. An
-- interview of which only the day is known counts as held where that day allows it, and where an episode in the window
-- has an interview of which nobody can tell whether it was held, nothing is raised: what cannot be told raises no flag.
-- Certain where the count is, and neither kind of interview comes in at the latest reading of the starts.
with unclear as (
    select
        episode.child_number,
        episode.started_at,
        max(episode.latest_started_at) over (
            partition by episode.child_number
            order by episode.episode_number
        ) as latest_start_so_far
    from patterns.episode as episode
    inner join patterns.interview_unclear as unclear on episode.episode_key = unclear.episode_key
),

candidate as (
    select
        rule.rule_number,
        look_back.child_number,
        look_back.episode_number,
        look_back.started_at as hit_at,
        look_back.started_at - to_days(rule.window_days) as window_after,
        look_back.latest_start_so_far as latest_hit_at,
        look_back.latest_start_so_far - look_back.first_started_at < to_days(rule.window_days) as is_certain_count
    from patterns.look_back as look_back
    inner join rules.pattern as rule on look_back.needed = rule.episodes
    where
        rule.kind = 'unheard'
        and look_back.started_at - look_back.first_started_at < to_days(rule.window_days)
),

not_heard as (
    select candidate.*
    from candidate
    asof left join patterns.interview_held as held
        on candidate.child_number = held.child_number and candidate.hit_at >= held.held_at
    where coalesce(held.latest_held_so_far <= candidate.window_after, true)
),

unheard as (
    select not_heard.*
    from not_heard
    asof left join unclear
        on not_heard.child_number = unclear.child_number and not_heard.hit_at >= unclear.started_at
    where coalesce(unclear.started_at <= not_heard.window_after, true)
)

select
    unheard.rule_number,
    unheard.child_number,
    unheard.episode_number,
    unheard.hit_at,
    unheard.window_after,
    unheard.is_certain_count
    and coalesce(held.latest_held_so_far <= unheard.window_after, true)
    and coalesce(unclear.latest_start_so_far <= unheard.window_after, true) as is_certain,
    null::varchar as detail
from unheard
asof left join patterns.interview_held as held
    on unheard.child_number = held.child_number and unheard.latest_hit_at >= held.held_at
asof left join unclear
    on unheard.child_number = unclear.child_number and unheard.latest_hit_at >= unclear.started_at
