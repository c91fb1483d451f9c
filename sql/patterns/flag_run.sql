-- patterns.flag_run
-- Grain: one row per rule, child and run of overlapping windows.
-- Keys: flag_id.
-- For: patterns.flag and patterns.flag_episode. Two hits belong to one run when their windows overlap.
with ordered as (
    select
        *,
        lag(hit_at) over (partition by rule_id, child_key order by hit_at, episode_key) as previous_hit_at
    from patterns.hit
),

numbered as (
    select
        *,
        count_if(previous_hit_at is null or window_after >= previous_hit_at) over (
            partition by rule_id, child_key
            order by hit_at, episode_key
            rows between unbounded preceding and current row
        ) as run_number
    from ordered
),

run as (
    select
        rule_id,
        child_key,
        run_number,
        min(hit_at) as raised_at,
        max(hit_at) as last_hit_at,
        min(window_after) as window_after,
        arg_min(episode_key, (hit_at, episode_key)) as raising_episode_key,
        count(*) as hits
    from numbered
    group by rule_id, child_key, run_number
)

select
    run.rule_id || '-' || left(md5(concat_ws('|', run.rule_id, rule.version, run.child_key, run.raised_at)), 16)
        as flag_id,
    run.rule_id,
    rule.version as rule_version,
    run.child_key,
    run.raised_at,
    run.last_hit_at,
    run.window_after,
    run.raising_episode_key,
    run.hits
from run
inner join rules.pattern as rule on run.rule_id = rule.rule_id
