-- statistics.count_cell
-- Grain: one row per measure, basis, area, period, breakdown and value that an indicator needs (rules.measure); the
-- matrix is complete, zeros included.
-- Keys: cell_id (measure|basis|area_code|period_type|period_start|breakdown|breakdown_value).
-- For: statistics.indicator and disclosure control. True counts: never leaves the restricted side. children is the
-- distinct children behind the count, not known of what is counted in statistics.incident_period. coverage says how
-- much of the period was received and can be told.
with cell as (
    select
        measure.measure,
        measure.family,
        measure.partial_above,
        measure.none_above,
        measure.basis,
        area.area_code,
        period.period_type,
        period.period_start,
        period.period_end,
        measure.breakdown,
        measure.breakdown_value
    from rules.measure as measure
    inner join reference.area as area on measure.area_type = area.area_type
    inner join statistics.period as period on measure.period_type = period.period_type
),

received as (
    select
        coverage.area_code,
        coverage.period_type,
        coverage.period_start,
        basis.basis,
        unnest(['months_received', 'months_expected']) as measure,
        unnest([coverage.months_received::bigint, coverage.months_expected]) as count
    from statistics.coverage
    cross join (values ('A'), ('B')) as basis (basis)
    where coverage.family = 'episode'
),

eligible as (
    select
        'interview' as family,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count
    from statistics.interview_count
    where measure = 'rhi_eligible'
),

counted as (
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count,
        children
    from statistics.incident_count
    union all by name
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count,
        children
    from statistics.child_count
    union all by name
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count,
        children,
        not_measurable
    from statistics.interview_count
    union all by name
    select
        measure,
        basis,
        area_code,
        'rolling_12_months' as period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        count
    from statistics.child_rolling
    union all by name
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count,
        not_measurable
    from statistics.incident_period
    where measure <> 'incidents' or breakdown <> 'total' or period_type = 'rolling_12_months'
    union all by name
    select
        measure,
        basis,
        area_code,
        'year_to_march' as period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        count,
        not_measurable
    from statistics.child_again
    union all by name
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        count
    from received
)

select
    concat_ws(
        '|',
        cell.measure,
        cell.basis,
        cell.area_code,
        cell.period_type,
        cell.period_start,
        cell.breakdown,
        cell.breakdown_value
    ) as cell_id,
    cell.measure,
    cell.family,
    cell.basis,
    cell.area_code,
    cell.period_type,
    cell.period_start,
    cell.period_end,
    cell.breakdown,
    cell.breakdown_value,
    coalesce(counted.count, 0)::bigint as count,
    case when counted.measure is null then 0 else counted.children end as children,
    case
        when cell.family = 'delivery' then 'complete'
        when coverage.coverage is null then 'none'
        when counted.not_measurable > cell.none_above * eligible.count then 'none'
        when coverage.coverage = 'complete' and counted.not_measurable > cell.partial_above * eligible.count
            then 'partial'
        else coverage.coverage
    end as coverage,
    coalesce(
        counted.not_measurable,
        case
            when cell.breakdown = 'total' and cell.measure = 'incidents' then unattributed.incidents
            when cell.breakdown = 'total' and cell.measure = 'children' then unattributed.children
        end,
        0
    )::bigint as not_measurable
from cell
left join counted
    on
        cell.measure = counted.measure
        and cell.basis = counted.basis
        and cell.area_code = counted.area_code
        and cell.period_type = counted.period_type
        and cell.period_start = counted.period_start
        and cell.breakdown = counted.breakdown
        and cell.breakdown_value = counted.breakdown_value
left join eligible
    on
        cell.family = eligible.family
        and cell.basis = eligible.basis
        and cell.area_code = eligible.area_code
        and cell.period_type = eligible.period_type
        and cell.period_start = eligible.period_start
        and cell.breakdown = eligible.breakdown
        and cell.breakdown_value = eligible.breakdown_value
left join statistics.coverage as coverage
    on
        case when cell.family = 'verdict' then 'episode' else cell.family end = coverage.family
        and cell.area_code = coverage.area_code
        and cell.period_type = coverage.period_type
        and cell.period_start = coverage.period_start
left join statistics.unattributed as unattributed
    on
        cell.basis = unattributed.basis
        and cell.area_code = unattributed.area_code
        and cell.period_type = unattributed.period_type
        and cell.period_start = unattributed.period_start
