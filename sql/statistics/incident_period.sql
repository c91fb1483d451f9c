-- statistics.incident_period
-- Grain: one row per measure, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell: incidents of a month and borough, summed over the months of each period and over the
-- boroughs of the region; and what is told of one instant or one kind of period only. Rolling months are not divided.
-- Of the children behind these counts nothing is known here: none of them may be published.
with summed as (
    select
        incident.measure,
        incident.basis,
        incident.area_code,
        period.period_type,
        period.period_start,
        incident.breakdown,
        incident.breakdown_value,
        sum(incident.count) as count,
        sum(incident.not_measurable) as not_measurable
    from statistics.incident_month as incident
    inner join statistics.period as period
        on
            incident.month between period.period_start and period.period_end
            and (incident.breakdown = 'total' or period.period_type <> 'rolling_12_months')
    group by
        incident.measure,
        incident.basis,
        incident.area_code,
        period.period_type,
        period.period_start,
        incident.breakdown,
        incident.breakdown_value
    union all
    select
        incident_open.measure,
        incident_open.basis,
        incident_open.area_code,
        'month' as period_type,
        incident_open.month as period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        incident_open.count,
        incident_open.not_measurable
    from statistics.incident_open
),

placed as (
    select
        summed.*,
        unnest([summed.area_code, area.parent_code]) as placed_in
    from summed
    inner join reference.area as area on summed.area_code = area.area_code
)

select
    measure,
    basis,
    placed_in as area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    sum(count)::bigint as count,
    sum(not_measurable)::bigint as not_measurable
from placed
group by measure, basis, placed_in, period_type, period_start, breakdown, breakdown_value
union all
select
    measure,
    basis,
    area_code,
    'year_to_march' as period_type,
    period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    coalesce(count, 0)::bigint as count,
    not_measurable
from statistics.setting_top_ten
