-- patterns.hit_absence
-- Grain: one row per rule of kind absence, version and away or absent episode whose start completes the pattern.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. At least `episodes` away or absent episodes (patterns.absence) start in (t - window_days, t], and
-- no missing episode (patterns.episode) does. Certain where the latest reading of the starts still lies within one
-- window, and no missing episode comes in at any reading.
with candidate as (
    select
        rule.rule_number,
        last_one.child_number,
        last_one.absence_number as episode_number,
        last_one.started_at as hit_at,
        last_one.latest_start_so_far as latest_hit_at,
        last_one.started_at - to_days(rule.window_days) as window_after,
        last_one.latest_start_so_far - first_one.started_at < to_days(rule.window_days) as is_certain_count
    from patterns.absence as last_one
    cross join rules.pattern as rule
    inner join patterns.absence as first_one
        on
            last_one.child_number = first_one.child_number
            and last_one.absence_number - rule.episodes + 1 = first_one.absence_number
    where
        rule.kind = 'absence'
        and last_one.started_at - first_one.started_at < to_days(rule.window_days)
),

hidden as (
    select candidate.*
    from candidate
    asof left join patterns.episode as missing
        on candidate.child_number = missing.child_number and candidate.hit_at >= missing.started_at
    where coalesce(missing.started_at <= candidate.window_after, true)
)

select
    hidden.rule_number,
    hidden.child_number,
    hidden.episode_number,
    hidden.hit_at,
    hidden.window_after,
    hidden.is_certain_count and coalesce(missing.latest_start_so_far <= hidden.window_after, true) as is_certain,
    null::varchar as detail
from hidden
asof left join patterns.episode as missing
    on hidden.child_number = missing.child_number and hidden.latest_hit_at >= missing.started_at
