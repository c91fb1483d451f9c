-- patterns.setting_cluster
-- Grain: one row per version of a rule of kind setting_cluster, care setting and run of overlapping windows in which it
-- had as many starts as make a cluster.
-- Keys: rule_id, rule_version, setting_key, first_at.
-- For: the settings a borough may want to visit; restricted, since a setting may have few children. first_at and
-- last_at are the first and the last start at which it was a cluster, window_after the instant after which the first
-- window begins. starts and children are how many started there from then to last_at, most_starts the most in any one
-- window; threshold is that of the borough (patterns.setting_start).
with hit as (
    select
        start.*,
        start.started_at - to_days(rule.window_days) as window_after,
        lag(start.started_at) over (
            partition by start.rule_id, start.rule_version, start.setting_key order by start.started_at
        ) as previous_at
    from patterns.setting_start as start
    inner join rules.pattern as rule on start.rule_id = rule.rule_id and start.rule_version = rule.version
    where start.is_cluster
),

numbered as (
    select
        *,
        count_if(previous_at is null or window_after >= previous_at) over (
            partition by rule_id, rule_version, setting_key order by started_at
        ) as run_number
    from hit
),

run as (
    select
        rule_id,
        rule_version,
        setting_key,
        any_value(borough) as borough,
        min(window_after) as window_after,
        min(started_at) as first_at,
        max(started_at) as last_at,
        max(starts) as most_starts,
        any_value(threshold) as threshold,
        bool_or(is_certain) as is_certain
    from numbered
    group by rule_id, rule_version, setting_key, run_number
)

select
    run.rule_id,
    run.rule_version,
    any_value(rule.is_current) as is_current_rule,
    run.setting_key,
    any_value(run.borough) as borough,
    any_value(run.window_after) as window_after,
    run.first_at,
    any_value(run.last_at) as last_at,
    count(*) as starts,
    count(distinct start.child_number) as children,
    any_value(run.most_starts) as most_starts,
    any_value(run.threshold) as threshold,
    any_value(run.is_certain) as is_certain
from run
inner join rules.pattern as rule on run.rule_id = rule.rule_id and run.rule_version = rule.version
inner join patterns.setting_start as start
    on
        run.rule_id = start.rule_id
        and run.rule_version = start.rule_version
        and run.setting_key = start.setting_key
        and start.started_at > run.window_after
        and start.started_at <= run.last_at
group by run.rule_id, run.rule_version, run.setting_key, run.first_at
