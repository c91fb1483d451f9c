-- statistics.publication_cell
-- Grain: one row per measure, basis, area, period, breakdown and value of the publication plan, and per group that its
-- counts give away as a difference (rules.publication); the matrix is complete, zeros included.
-- Keys: cell_id (as in statistics.count_cell).
-- For: disclosure control, which is all that may read it: true counts with what makes them unsafe. A count of children
-- is made of one each. Restricted.
with planned as (
    select
        plan.measure,
        plan.unit,
        plan.family,
        plan.basis,
        plan.is_difference,
        area.area_code,
        period.period_type,
        period.period_start,
        period.period_end,
        plan.breakdown,
        plan.breakdown_value,
        concat_ws(
            '|',
            plan.measure,
            plan.basis,
            area.area_code,
            period.period_type,
            period.period_start,
            plan.breakdown,
            plan.breakdown_value
        ) as cell_id
    from rules.publication as plan
    inner join reference.area as area on plan.area_type = area.area_type
    inner join statistics.period as period on plan.period_type = period.period_type
)

select
    planned.cell_id,
    planned.measure,
    planned.basis,
    planned.area_code,
    planned.period_type,
    planned.period_start,
    planned.period_end,
    planned.breakdown,
    planned.breakdown_value,
    planned.is_difference,
    coalesce(contribution.count, counted.count, 0)::bigint as count,
    coalesce(contribution.children, case when planned.unit = 'child' then counted.count end, 0)::bigint as children,
    coalesce(contribution.largest, case when planned.unit = 'child' then least(counted.count, 1) end, 0)::bigint
        as largest,
    coalesce(
        contribution.second_largest,
        case when planned.unit = 'child' then greatest(0, least(counted.count - 1, 1)) end,
        0
    )::bigint as second_largest,
    coalesce(counted.coverage, coverage.coverage, 'none') as coverage
from planned
left join statistics.contribution as contribution
    on
        planned.measure = contribution.measure
        and planned.basis = contribution.basis
        and planned.area_code = contribution.area_code
        and planned.period_type = contribution.period_type
        and planned.period_start = contribution.period_start
        and planned.breakdown = contribution.breakdown
        and planned.breakdown_value = contribution.breakdown_value
left join statistics.count_cell as counted on planned.cell_id = counted.cell_id
left join statistics.coverage as coverage
    on
        planned.family = coverage.family
        and planned.area_code = coverage.area_code
        and planned.period_type = coverage.period_type
        and planned.period_start = coverage.period_start
