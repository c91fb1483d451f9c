-- patterns.hit_setting_cluster
-- Grain: one row per rule of kind setting_cluster, version and missing episode at whose start its care setting has as
-- many starts as make a cluster.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. The hit is of the child whose start it is; patterns.setting_start says what a cluster is and
-- when it is certain.
select
    rule.rule_number,
    start.child_number,
    start.episode_number,
    start.started_at as hit_at,
    start.started_at - to_days(rule.window_days) as window_after,
    start.is_certain,
    null::varchar as detail
from patterns.setting_start as start
inner join rules.pattern as rule on start.rule_id = rule.rule_id and start.rule_version = rule.version
where start.is_cluster
