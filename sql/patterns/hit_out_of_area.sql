-- patterns.hit_out_of_area
-- Grain: one row per rule of kind out_of_area, version and missing episode whose start completes the pattern.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. The child is looked after, goes missing outside the area of the responsible authority (both are
-- recorded), and it is at least the `episodes`-th start in (t - window_days, t]; those before may be from anywhere.
-- Certain as in patterns.hit_window.
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
inner join patterns.episode as episode
    on look_back.child_number = episode.child_number and look_back.episode_number = episode.episode_number
where
    rule.kind = 'out_of_area'
    and look_back.started_at - look_back.first_started_at < to_days(rule.window_days)
    and episode.looked_after = 'yes'
    and episode.area_missing_from <> 'unknown'
    and episode.responsible_authority <> 'unknown'
    and episode.area_missing_from <> episode.responsible_authority
