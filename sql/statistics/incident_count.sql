-- statistics.incident_count
-- Grain: one row per measure of incidents, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. count is episodes, children the distinct children behind them. Incidents add up over
-- months, so they are counted by month; children do not, and are counted from statistics.child_period, where each has
-- one row for the period. 4095 is all bits of age band, sex and looked after (statistics.value).
with child_total as (
    select
        frame_number,
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
    group by frame_number
),

kind_month as (
    select
        basis,
        area_code,
        month,
        value_bits & 4095 as value_bits,
        count(*) as count
    from statistics.episode
    group by basis, area_code, month, value_bits & 4095
),

value_month as (
    select
        kind_month.basis,
        kind_month.area_code,
        kind_month.month,
        value.bit,
        sum(kind_month.count)::bigint as count
    from kind_month
    inner join statistics.value on (kind_month.value_bits & value.bit) > 0
    group by kind_month.basis, kind_month.area_code, kind_month.month, value.bit
),

value_placed as (
    select
        unnest(frame_month.frame_numbers) as frame_number,
        value_month.bit,
        value_month.count
    from value_month
    inner join statistics.frame_month as frame_month
        on
            value_month.basis = frame_month.basis
            and value_month.area_code = frame_month.area_code
            and value_month.month = frame_month.month
),

value_frame as (
    select
        frame_number,
        bit,
        sum(count)::bigint as count
    from value_placed
    group by frame_number, bit
),

kind_of_child as (
    select
        frame_number,
        value_bits & 4095 as value_bits,
        count(*) as children
    from statistics.child_period
    group by frame_number, value_bits & 4095
),

value_child as (
    select
        kind_of_child.frame_number,
        value.bit,
        sum(kind_of_child.children)::bigint as children
    from kind_of_child
    inner join statistics.value on (kind_of_child.value_bits & value.bit) > 0
    group by kind_of_child.frame_number, value.bit
)

select
    child_total.measure.name as measure,
    frame.basis,
    frame.area_code,
    frame.period_type,
    frame.period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    child_total.measure.count,
    child_total.measure.children
from child_total
inner join statistics.frame as frame on child_total.frame_number = frame.frame_number
where child_total.measure.children > 0
union all
select
    'incidents' as measure,
    frame.basis,
    frame.area_code,
    frame.period_type,
    frame.period_start,
    value.breakdown,
    value.breakdown_value,
    value_frame.count,
    value_child.children
from value_frame
inner join value_child on value_frame.frame_number = value_child.frame_number and value_frame.bit = value_child.bit
inner join statistics.value on value_frame.bit = value.bit
inner join statistics.frame as frame on value_frame.frame_number = frame.frame_number
