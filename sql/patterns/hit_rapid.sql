-- patterns.hit_rapid
-- Grain: one row per rule of kind rapid, version and missing episode that starts soon after the one before.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. The start is at most `window_days` after the previous end. Certain where that holds of the latest
-- start and the earliest end that the record allows.
select
    rule.rule_number,
    episode.child_number,
    episode.episode_number,
    episode.started_at as hit_at,
    episode.previous_started_at - interval 1 microsecond as window_after,
    episode.latest_started_at - episode.previous_ended_at <= to_days(rule.window_days) as is_certain,
    null::varchar as detail
from patterns.episode as episode
inner join rules.pattern as rule
    on
        rule.kind = 'rapid'
        and episode.started_at - episode.previous_ended_at <= to_days(rule.window_days)
