-- patterns.hit_window
-- Grain: one row per rule of kind window, version and missing episode whose start completes the pattern.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run and statistics.episode read it.
-- For: flags. At least `episodes` starts in (t - window_days, t], where t is the start. Certain where the latest
-- instant at which any of the child's episodes so far may have started is still less than the window after the first
-- instant of the first of them: then so many starts lie within one window however days and repeated hours are read.
-- A borough's own threshold counts the same episodes, and is raised only where the borough sent a row of the episode
-- that completes it and that starts on or after the local day from which the threshold holds.
with own as (
    select
        rule.rule_number,
        episode.child_number,
        episode.episode_number
    from patterns.episode as episode
    inner join rules.pattern as rule on list_contains(episode.boroughs, rule.scope)
    where rule.kind = 'window' and episode.started_at >= london_to_utc(rule.raised_from::timestamp)
)

select
    rule.rule_number,
    look_back.child_number,
    look_back.episode_number,
    look_back.started_at as hit_at,
    look_back.started_at - to_days(rule.window_days) as window_after,
    look_back.latest_start_so_far - look_back.first_started_at < to_days(rule.window_days) as is_certain,
    null::varchar as detail
from patterns.look_back as look_back
inner join rules.pattern as rule on look_back.needed = rule.episodes
where
    rule.kind = 'window'
    and look_back.started_at - look_back.first_started_at < to_days(rule.window_days)
    and (
        rule.scope = 'region'
        or (rule.rule_number, look_back.child_number, look_back.episode_number) in (
            select (own.rule_number, own.child_number, own.episode_number) from own
        )
    )
