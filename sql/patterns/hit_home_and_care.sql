-- patterns.hit_home_and_care
-- Grain: one row per rule of kind home_and_care, version and missing episode whose start completes the pattern.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. At least one start from home and one from care (patterns.episode says what is which) in
-- (t - window_days, t]. The last of each decides. Certain where the latest instant at which any of the child's episodes
-- so far may have started is still less than the window after the first instant of the earlier of the two.
with seen as (
    select
        child_number,
        episode_number,
        started_at,
        latest_start_so_far,
        max(started_at) filter (where missing_from = 'home') over child_so_far as last_home_at,
        max(started_at) filter (where missing_from = 'care') over child_so_far as last_care_at
    from patterns.episode
    window child_so_far as (partition by child_number order by episode_number)
)

select
    rule.rule_number,
    seen.child_number,
    seen.episode_number,
    seen.started_at as hit_at,
    seen.started_at - to_days(rule.window_days) as window_after,
    seen.latest_start_so_far - least(seen.last_home_at, seen.last_care_at) < to_days(rule.window_days) as is_certain,
    null::varchar as detail
from seen
inner join rules.pattern as rule
    on
        rule.kind = 'home_and_care'
        and seen.started_at - seen.last_home_at < to_days(rule.window_days)
        and seen.started_at - seen.last_care_at < to_days(rule.window_days)
