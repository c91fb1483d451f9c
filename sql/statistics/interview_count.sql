-- statistics.interview_count
-- Grain: one row per measure of the interview cascade, basis, area and period that occurs.
-- Keys: measure, basis, area_code, period_type, period_start.
-- For: statistics.count_cell. not_measurable counts the eligible episodes for which the answer cannot be told. Episodes
-- add up over months and are counted by month; children are not: of each its answers in the period are put together,
-- one bit a measure, and counted after.
with by_month as (
    select
        basis,
        area_code,
        month,
        unnest([
            {
                'name': 'rhi_eligible',
                'count': count(*),
                'unclear': 0
            },
            {
                'name': 'rhi_offered',
                'count': count_if(offered = 'yes'),
                'unclear': count_if(offered = 'not_measurable')
            },
            {
                'name': 'rhi_completed',
                'count': count_if(held = 'yes'),
                'unclear': count_if(held = 'not_measurable')
            },
            {
                'name': 'rhi_completed_of_offered',
                'count': count_if(offered = 'yes' and held = 'yes'),
                'unclear': count_if(offered = 'yes' and held = 'not_measurable')
            },
            {
                'name': 'rhi_completed_72h',
                'count': count_if(within_72_hours = 'yes'),
                'unclear': count_if(within_72_hours = 'not_measurable')
            },
            {
                'name': 'rhi_declined',
                'count': count_if(declined),
                'unclear': 0
            },
            {
                'name': 'rhi_overtaken',
                'count': count_if(overtaken = 'yes'),
                'unclear': count_if(overtaken = 'not_measurable')
            },
            {
                'name': 'rhi_eligible_elsewhere',
                'count': count_if(is_elsewhere),
                'unclear': 0
            },
            {
                'name': 'rhi_completed_elsewhere',
                'count': count_if(is_elsewhere and held = 'yes'),
                'unclear': count_if(is_elsewhere and held = 'not_measurable')
            },
            {
                'name': 'rhi_completed_72h_elsewhere',
                'count': count_if(is_elsewhere and within_72_hours = 'yes'),
                'unclear': count_if(is_elsewhere and within_72_hours = 'not_measurable')
            }
        ]) as measure
    from statistics.interview_place
    group by basis, area_code, month
),

counted as (
    select
        by_month.measure.name as measure,
        by_month.basis,
        by_month.area_code,
        period.period_type,
        period.period_start,
        sum(by_month.measure.count)::bigint as count,
        sum(by_month.measure.unclear)::bigint as not_measurable
    from by_month
    inner join statistics.period
        on period.period_type <> 'rolling_12_months' and by_month.month between period.period_start and period.period_end
    group by by_month.measure.name, by_month.basis, by_month.area_code, period.period_type, period.period_start
),

answered as (
    select
        basis,
        area_code,
        child_number,
        month,
        bit_or(
            1
            | case when offered = 'yes' then 2 else 0 end
            | case when held = 'yes' then 4 else 0 end
            | case when offered = 'yes' and held = 'yes' then 8 else 0 end
            | case when within_72_hours = 'yes' then 16 else 0 end
            | case when declined then 32 else 0 end
            | case when overtaken = 'yes' then 64 else 0 end
            | case when is_elsewhere then 128 else 0 end
            | case when is_elsewhere and held = 'yes' then 256 else 0 end
            | case when is_elsewhere and within_72_hours = 'yes' then 512 else 0 end
        ) as answers
    from statistics.interview_place
    group by basis, area_code, child_number, month
),

child as (
    select
        answered.basis,
        answered.area_code,
        answered.child_number,
        period.period_type,
        period.period_start,
        bit_or(answered.answers) as answers
    from answered
    inner join statistics.period
        on period.period_type <> 'rolling_12_months' and answered.month between period.period_start and period.period_end
    group by answered.basis, answered.area_code, answered.child_number, period.period_type, period.period_start
),

behind as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        unnest([
            { 'name': 'rhi_eligible', 'children': count_if((answers & 1) > 0) },
            { 'name': 'rhi_offered', 'children': count_if((answers & 2) > 0) },
            { 'name': 'rhi_completed', 'children': count_if((answers & 4) > 0) },
            { 'name': 'rhi_completed_of_offered', 'children': count_if((answers & 8) > 0) },
            { 'name': 'rhi_completed_72h', 'children': count_if((answers & 16) > 0) },
            { 'name': 'rhi_declined', 'children': count_if((answers & 32) > 0) },
            { 'name': 'rhi_overtaken', 'children': count_if((answers & 64) > 0) },
            { 'name': 'rhi_eligible_elsewhere', 'children': count_if((answers & 128) > 0) },
            { 'name': 'rhi_completed_elsewhere', 'children': count_if((answers & 256) > 0) },
            { 'name': 'rhi_completed_72h_elsewhere', 'children': count_if((answers & 512) > 0) }
        ]) as measure
    from child
    group by basis, area_code, period_type, period_start
)

select
    counted.measure,
    counted.basis,
    counted.area_code,
    counted.period_type,
    counted.period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    counted.count,
    behind.measure.children::bigint as children,
    counted.not_measurable
from counted
inner join behind
    on
        counted.measure = behind.measure.name
        and counted.basis = behind.basis
        and counted.area_code = behind.area_code
        and counted.period_type = behind.period_type
        and counted.period_start = behind.period_start
