-- statistics.incident_count
-- Grain: one row per measure of incidents, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. count is episodes, children the distinct children behind them. Incidents add up over
-- months, so they are counted by month; children do not, and are counted from statistics.child_period, where each has
-- one row for the period.
with child_total as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        unnest([
            {
                'name': 'incidents',
                'count': sum(incidents)::bigint,
                'children': count(*)
            },
            {
                'name': 'incidents_second_or_later',
                'count': sum(second_or_later)::bigint,
                'children': count_if(second_or_later > 0)::bigint
            },
            {
                'name': 'incidents_of_repeaters',
                'count': (sum(incidents) filter (where incidents >= 2))::bigint,
                'children': count_if(incidents >= 2)::bigint
            }
        ]) as measure
    from statistics.child_period
    group by basis, area_code, period_type, period_start
),

value_month as (
    select
        basis,
        area_code,
        date_trunc('month', start_day)::date as month,
        case when grouping(age_band) = 0 then 'age_band' when grouping(sex) = 0 then 'sex' else 'looked_after' end
            as breakdown,
        coalesce(age_band, sex, looked_after) as breakdown_value,
        count(*) as count
    from statistics.episode
    group by basis, area_code, month, grouping sets ((age_band), (sex), (looked_after))
),

value_period as (
    select
        value_month.basis,
        value_month.area_code,
        period.period_type,
        period.period_start,
        value_month.breakdown,
        value_month.breakdown_value,
        sum(value_month.count)::bigint as count
    from value_month
    inner join statistics.period
        on
            period.period_type <> 'rolling_12_months'
            and value_month.month between period.period_start and period.period_end
    group by
        value_month.basis,
        value_month.area_code,
        period.period_type,
        period.period_start,
        value_month.breakdown,
        value_month.breakdown_value
),

value_child as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        unnest([
            { 'breakdown': 'age_band', 'value': 'under 10', 'children': count_if((value_bits & 1) > 0) },
            { 'breakdown': 'age_band', 'value': '10 to 11', 'children': count_if((value_bits & 2) > 0) },
            { 'breakdown': 'age_band', 'value': '12 to 14', 'children': count_if((value_bits & 4) > 0) },
            { 'breakdown': 'age_band', 'value': '15 to 17', 'children': count_if((value_bits & 8) > 0) },
            { 'breakdown': 'age_band', 'value': 'unknown', 'children': count_if((value_bits & 16) > 0) },
            { 'breakdown': 'sex', 'value': 'female', 'children': count_if((value_bits & 32) > 0) },
            { 'breakdown': 'sex', 'value': 'male', 'children': count_if((value_bits & 64) > 0) },
            { 'breakdown': 'sex', 'value': 'other', 'children': count_if((value_bits & 128) > 0) },
            { 'breakdown': 'sex', 'value': 'unknown', 'children': count_if((value_bits & 256) > 0) },
            { 'breakdown': 'looked_after', 'value': 'yes', 'children': count_if((value_bits & 512) > 0) },
            { 'breakdown': 'looked_after', 'value': 'no', 'children': count_if((value_bits & 1024) > 0) },
            { 'breakdown': 'looked_after', 'value': 'unknown', 'children': count_if((value_bits & 2048) > 0) }
        ]) as value
    from statistics.child_period
    group by basis, area_code, period_type, period_start
)

select
    measure.name as measure,
    basis,
    area_code,
    period_type,
    period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    measure.count,
    measure.children
from child_total
where measure.children > 0
union all
select
    'incidents' as measure,
    value_period.basis,
    value_period.area_code,
    value_period.period_type,
    value_period.period_start,
    value_period.breakdown,
    value_period.breakdown_value,
    value_period.count,
    value_child.value.children::bigint as children
from value_period
inner join value_child
    on
        value_period.basis = value_child.basis
        and value_period.area_code = value_child.area_code
        and value_period.period_type = value_child.period_type
        and value_period.period_start = value_child.period_start
        and value_period.breakdown = value_child.value.breakdown
        and value_period.breakdown_value = value_child.value.value
