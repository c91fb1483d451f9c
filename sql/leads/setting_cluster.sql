-- leads.setting_cluster
-- Grain: one row per borough, child on its list and cluster of starts at a care setting that the child's current flag
-- is about.
-- Keys: borough, child_key, setting_number.
-- For: who else. setting_id is the identifier that the borough delivered; null where the setting is another borough's.
-- starts and children are those of the whole cluster; threshold is how many starts are a cluster in that borough.
with flagged as (
    select distinct
        flag.borough,
        flag.child_key,
        flag.rule_id,
        flag.rule_version,
        unnest(flag.episode_keys) as episode_key
    from leads.flag as flag
    inner join leads.child as child on flag.borough = child.borough and flag.child_key = child.child_key
    inner join rules.pattern as rule on flag.rule_id = rule.rule_id and flag.rule_version = rule.version
    where flag.is_current and rule.kind = 'setting_cluster'
),

started as (
    select
        flagged.borough,
        flagged.child_key,
        flagged.rule_id,
        flagged.rule_version,
        episode.setting_key,
        max(episode.started_at) as last_started_at
    from flagged
    inner join patterns.episode as episode on flagged.episode_key = episode.episode_key
    where episode.setting_key is not null
    group by flagged.borough, flagged.child_key, flagged.rule_id, flagged.rule_version, episode.setting_key
)

select
    started.borough,
    started.child_key,
    row_number() over (
        partition by started.borough, started.child_key order by cluster.starts desc, cluster.setting_key asc
    ) as setting_number,
    case when cluster.borough = started.borough then split_part(cluster.setting_key, ':', 2) end as setting_id,
    cluster.starts,
    cluster.children,
    cluster.threshold,
    date_trunc('month', utc_to_london(cluster.first_at))::date as first_month,
    date_trunc('month', utc_to_london(cluster.last_at))::date as last_month
from started
inner join patterns.setting_cluster as cluster
    on
        started.rule_id = cluster.rule_id
        and started.rule_version = cluster.rule_version
        and started.setting_key = cluster.setting_key
        and started.last_started_at > cluster.window_after
        and started.last_started_at <= cluster.last_at
