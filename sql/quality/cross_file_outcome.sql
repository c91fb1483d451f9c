-- quality.cross_file_outcome
-- Grain: one row per borough of the region and rule that compares deliveries.
-- Keys: borough, rule_id.
-- For: saying of each rule whether it passed, failed, or could not be applied and why. A rule that nothing could be
-- compared by is not applicable, never passed.
with lacking as (
    select
        area.slug as borough,
        need.rule_id,
        arg_min(need.reason, need.place) as reason
    from reference.area as area
    cross join rules.cross_file_need as need
    anti join quality.cross_file_need as met on area.slug = met.borough and need.need_id = met.need_id
    where area.area_type = 'borough'
    group by area.slug, need.rule_id
),

compared as (
    select
        borough,
        rule_id,
        count_if(fails)::bigint as rows_failing
    from quality.cross_file_verdict
    group by borough, rule_id
)

select
    area.slug as borough,
    rule.rule_id,
    rule.dataset,
    rule.severity,
    case
        when lacking.reason is not null or compared.rows_failing is null then 'not_applicable'
        when compared.rows_failing > 0 then 'failed'
        else 'passed'
    end as outcome,
    case when lacking.reason is null then coalesce(compared.rows_failing, 0) else 0 end as rows,
    case
        when lacking.reason is not null then lacking.reason
        when compared.rows_failing is null then 'What was delivered holds no two rows that the rule compares.'
        else ''
    end as reason
from reference.area as area
cross join rules.cross_file_rule as rule
left join lacking on area.slug = lacking.borough and rule.rule_id = lacking.rule_id
left join compared on area.slug = compared.borough and rule.rule_id = compared.rule_id
where area.area_type = 'borough'
