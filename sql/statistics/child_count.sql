-- statistics.child_count
-- Grain: one row per measure of children, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. Children are distinct within their area and period and are never summed over either.
-- Kinds of child first: a hundred times fewer rows than children.
with kind as (
    select
        frame_number,
        child_bits,
        value_bits & 28672 as completed_bits,
        case
            when incidents = 1 then '1'
            when incidents < 5 then '2 to 4'
            when incidents < 10 then '5 to 9'
            else '10 or more'
        end as incident_band,
        count(*) as children
    from statistics.child_period
    group by frame_number, child_bits, completed_bits, incident_band
),

marked as (
    select
        'children' as measure,
        kind.frame_number,
        value.breakdown,
        value.breakdown_value,
        kind.children
    from kind
    inner join statistics.value on (kind.child_bits & value.bit) > 0
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
            || case when (completed_bits & 4096) > 0 then ['children_3_in_28'] else [] end
            || case when (completed_bits & 8192) > 0 then ['children_3_in_90'] else [] end
            || case when (completed_bits & 16384) > 0 then ['children_10_in_365'] else [] end
            || case when (child_bits & 14) > 0 then ['children_10_17'] else [] end
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
