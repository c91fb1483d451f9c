-- statistics.coverage
-- Grain: one row per area, period and family of measures (episode, interview).
-- Keys: family, area_code, period_type, period_start.
-- For: the symbol of a figure. none: no month of the area was received; partial: some; complete: all.
with borough_month as (
    select
        area_code,
        month,
        unnest(['episode', 'interview']) as family,
        unnest([status = 'received', status = 'received' and interviews_received]) as received
    from quality.borough_month
),

area_month as (
    select
        borough_month.family,
        unnest([area.area_code, area.parent_code]) as area_code,
        borough_month.month,
        borough_month.received
    from borough_month
    inner join reference.area as area on borough_month.area_code = area.area_code
)

select
    area_month.family,
    area_month.area_code,
    period.period_type,
    period.period_start,
    count(*) as months_expected,
    count_if(area_month.received) as months_received,
    case
        when not bool_or(area_month.received) then 'none'
        when count_if(area_month.received) < count(*) * (
            datediff('month', period.period_start, period.period_end) + 1
        ) / count(distinct area_month.month) then 'partial'
        else 'complete'
    end as coverage
from area_month
inner join statistics.period
    on area_month.month between period.period_start and period.period_end
group by area_month.family, area_month.area_code, period.period_type, period.period_start, period.period_end
