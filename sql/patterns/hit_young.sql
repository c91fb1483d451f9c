-- patterns.hit_young
-- Grain: one row per rule of kind 'young', version and episode of a child known to be under the age.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. RYOUNG of domain.md section 9: "age < 12 at start (any count)".
select
    rule.rule_number,
    episode.child_number,
    episode.episode_number,
    episode.started_at as hit_at,
    episode.started_at - interval 1 microsecond as window_after,
    true as is_certain,
    null::varchar as detail
from patterns.episode as episode
inner join rules.pattern as rule on episode.age_at_start < rule.under_age
where rule.kind = 'young'
