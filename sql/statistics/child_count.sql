-- statistics.child_count
-- Grain: one row per measure of children, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. Children are distinct within their area and period and are never summed over either.
-- Kinds of child first: a hundred times fewer rows than children. In a breakdown of what is said of incidents (setting,
-- place, risk, duration) a child counts with every value that one of its incidents has. Of the places of bits in
-- statistics.value the first five are the age bands: 31 is all of them, 14 those from 10 to 17.
with needed as (
    select
        measure.period_type,
        bit_or(value.mask) as mask
    from rules.measure as measure
    inner join statistics.value as value on measure.breakdown = value.breakdown
    where measure.measure = 'children'
    group by
        measure.period_type,
        case
            when value.breakdown in ('setting', 'place', 'risk_initial', 'risk_highest', 'duration')
                then value.breakdown
            else 'of the child'
        end
),

kind_of_value as (
    select
        child.frame_number,
        child.child_bits & needed.mask as child_bits,
        count(*) as children
    from statistics.child_period as child
    inner join statistics.frame as frame on child.frame_number = frame.frame_number
    inner join needed on frame.period_type = needed.period_type
    group by child.frame_number, child.child_bits & needed.mask
),

kind as (
    select
        frame_number,
        child_bits & 31 as age_bits,
        mark_bits & 7 as completed_bits,
        case
            when incidents = 1 then '1'
            when incidents < 5 then '2 to 4'
            when incidents < 10 then '5 to 9'
            else '10 or more'
        end as incident_band,
        count(*) as children
    from statistics.child_period
    group by frame_number, age_bits, completed_bits, incident_band
),

marked as (
    select
        'children' as measure,
        kind_of_value.frame_number,
        value.breakdown,
        value.breakdown_value,
        kind_of_value.children
    from kind_of_value
    inner join statistics.value as value on (kind_of_value.child_bits & value.bit) > 0
    union all
    select
        'children' as measure,
        frame_number,
        'incident_band' as breakdown,
        incident_band as breakdown_value,
        children
    from kind
    union all
    select
        unnest(
            ['children']
            || case when incident_band <> '1' then ['children_repeat'] else [] end
            || case when (completed_bits & 1) > 0 then ['children_3_in_28'] else [] end
            || case when (completed_bits & 2) > 0 then ['children_3_in_90'] else [] end
            || case when (completed_bits & 4) > 0 then ['children_10_in_365'] else [] end
            || case when (age_bits & 14) > 0 then ['children_10_17'] else [] end
        ) as measure,
        frame_number,
        'total' as breakdown,
        'Total' as breakdown_value,
        children
    from kind
),

counted as (
    select
        measure,
        frame_number,
        breakdown,
        breakdown_value,
        sum(children)::bigint as children
    from marked
    group by measure, frame_number, breakdown, breakdown_value
)

select
    counted.measure,
    frame.basis,
    frame.area_code,
    frame.period_type,
    frame.period_start,
    counted.breakdown,
    counted.breakdown_value,
    counted.children as count,
    counted.children
from counted
inner join statistics.frame as frame on counted.frame_number = frame.frame_number
