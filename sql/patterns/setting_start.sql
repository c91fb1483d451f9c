-- patterns.setting_start
-- Grain: one row per version of a rule of kind setting_cluster and missing episode from a care setting.
-- Keys: rule_id, rule_version, episode_key.
-- For: patterns.hit_setting_cluster and patterns.setting_cluster. starts and children are how many started from the
-- setting in the `window_days` up to and including this start (days by their first instant). threshold is how many
-- starts are a cluster in the borough: the `percentile` of starts over all starts from its care settings, in all the
-- data, and at least `least_starts`. is_cluster: as many as that, by at least `least_children` children. is_certain:
-- also with those left out that may lie a whole window before the latest instant at which any start so far may have
-- been, so however days and repeated hours are read. The borough is the one whose identifier the setting has.
with start as (
    select
        rule.rule_id,
        rule.version as rule_version,
        rule.percentile,
        rule.least_starts,
        rule.least_children,
        rule.window_days * 86400000000 - 1 as window_us,
        episode.setting_key,
        split_part(episode.setting_key, ':', 1) as borough,
        episode.child_number,
        episode.episode_number,
        episode.episode_key,
        episode.started_at,
        epoch_us(episode.started_at) as started_us,
        max(epoch_us(episode.latest_started_at)) over (
            partition by rule.rule_number, episode.setting_key order by episode.started_at
        ) - epoch_us(episode.started_at) as unsure_us
    from patterns.episode as episode
    cross join rules.pattern as rule
    where rule.kind = 'setting_cluster' and episode.setting_key is not null
),

framed as (
    select
        *,
        greatest(window_us - unsure_us, 0) as sure_us
    from start
),

counted as (
    select
        *,
        count(*) over usual as starts,
        count(distinct child_number) over usual as children,
        count(*) over sure as sure_starts,
        count(distinct child_number) over sure as sure_children
    from framed
    window
        usual as (
            partition by rule_id, rule_version, setting_key
            order by started_us
            range between window_us preceding and current row
        ),
        sure as (
            partition by rule_id, rule_version, setting_key
            order by started_us
            range between sure_us preceding and current row
        )
),

ranked as (
    select
        rule_id,
        rule_version,
        borough,
        starts,
        sum(count(*)) over (partition by rule_id, rule_version, borough order by starts) as at_most,
        sum(count(*)) over (partition by rule_id, rule_version, borough) as everywhere,
        any_value(percentile) as percentile,
        any_value(least_starts) as least_starts
    from counted
    group by rule_id, rule_version, borough, starts
),

threshold as (
    select
        rule_id,
        rule_version,
        borough,
        greatest(
            min(case when 100 * at_most >= percentile * everywhere then starts end), any_value(least_starts)
        ) as threshold
    from ranked
    group by rule_id, rule_version, borough
)

select
    counted.rule_id,
    counted.rule_version,
    counted.setting_key,
    counted.borough,
    counted.child_number,
    counted.episode_number,
    counted.episode_key,
    counted.started_at,
    counted.starts,
    counted.children,
    threshold.threshold,
    counted.starts >= threshold.threshold and counted.children >= counted.least_children as is_cluster,
    counted.sure_starts >= threshold.threshold
    and counted.sure_children >= counted.least_children
    and counted.unsure_us <= counted.window_us as is_certain
from counted
inner join threshold
    on
        counted.rule_id = threshold.rule_id
        and counted.rule_version = threshold.rule_version
        and counted.borough = threshold.borough
