-- patterns.evidence_setting_cluster
-- Grain: one row per hit of kind setting_cluster and missing episode of the child from that setting in its window.
-- Keys: rule_number, child_number, episode_number, evidence_number.
-- View: patterns.flag_run reads it, once.
-- For: patterns.flag_run. episode_number is the hit's. An episode stands once, with the child's first hit at the
-- setting that has it in its window: the windows of later ones overlap that one's, so it is in the same flag.
with own as (
    select
        rule.rule_number,
        start.child_number,
        start.episode_number,
        start.started_at,
        rule.window_days,
        min(case when start.is_cluster then start.episode_number end) over following as hit_number,
        min(case when start.is_cluster then start.started_at end) over following as hit_at
    from patterns.setting_start as start
    inner join rules.pattern as rule on start.rule_id = rule.rule_id and start.rule_version = rule.version
    window following as (
        partition by rule.rule_number, start.setting_key, start.child_number
        order by start.episode_number
        rows between current row and unbounded following
    )
)

select
    rule_number,
    child_number,
    hit_number as episode_number,
    episode_number as evidence_number
from own
where hit_at - started_at < to_days(window_days)
