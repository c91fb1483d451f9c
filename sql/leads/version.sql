-- leads.version
-- Grain: one row per version of a rule and borough that it concerns, and per version for the region as a whole.
-- Keys: borough, rule_id, rule_version.
-- For: reading two versions of a rule side by side. borough is null for the region. children and flags are of the whole
-- history; children_now have a flag that is current, as leads.flag has it (for the region: current in any borough).
with place as (
    select slug as borough
    from reference.area
    where area_type = 'borough'
    union all
    select null as borough
),

concerned as (
    select
        flag.flag_id,
        flag.rule_id,
        flag.rule_version,
        flag.scope,
        flag.child_key,
        flag.last_hit_at,
        unnest(flag.boroughs) as borough
    from patterns.flag as flag
),

judged as (
    select
        concerned.*,
        concerned.last_hit_at > data_cut.data_to - to_days(list.current_days) as is_current
    from concerned
    cross join rules.lead_list as list
    inner join quality.data_cut as data_cut on concerned.borough = data_cut.borough
    where concerned.scope in ('region', concerned.borough)
),

counted as (
    select
        borough,
        rule_id,
        rule_version,
        count(distinct flag_id) as flags,
        count(distinct child_key) as children,
        count(distinct child_key) filter (where is_current) as children_now
    from judged
    group by grouping sets ((borough, rule_id, rule_version), (rule_id, rule_version))
)

select
    place.borough,
    rule.rule_id,
    rule.version as rule_version,
    rule.scope,
    rule.is_current as is_current_rule,
    coalesce(counted.flags, 0) as flags,
    coalesce(counted.children, 0) as children,
    coalesce(counted.children_now, 0) as children_now
from rules.pattern as rule
inner join place on rule.scope in ('region', place.borough)
left join counted
    on
        rule.rule_id = counted.rule_id
        and rule.version = counted.rule_version
        and place.borough is not distinct from counted.borough
