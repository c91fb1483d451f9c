-- statistics.child_count
-- Grain: one row per measure of children, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. Children are distinct within their area and period and are never summed over either.
with banded as (
    select
        *,
        case
            when incidents = 1 then '1'
            when incidents < 5 then '2 to 4'
            when incidents < 10 then '5 to 9'
            else '10 or more'
        end as incident_band
    from statistics.child_period
),

child as (
    select
        'children' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        case
            when grouping(age_band) = 0 then 'age_band'
            when grouping(sex) = 0 then 'sex'
            when grouping(looked_after) = 0 then 'looked_after'
            when grouping(incident_band) = 0 then 'incident_band'
            else 'total'
        end as breakdown,
        coalesce(age_band, sex, looked_after, incident_band, 'Total') as breakdown_value,
        count(*) as count
    from banded
    group by
        basis,
        area_code,
        period_type,
        period_start,
        grouping sets ((), (age_band), (sex), (looked_after), (incident_band))
),

marked as (
    select
        *,
        unnest(
            case when incidents >= 2 then ['children_repeat'] else [] end
            || case when completes_3_in_28 then ['children_3_in_28'] else [] end
            || case when completes_3_in_90 then ['children_3_in_90'] else [] end
            || case when completes_10_in_365 then ['children_10_in_365'] else [] end
            || case when age_band in ('10 to 11', '12 to 14', '15 to 17') then ['children_10_17'] else [] end
        ) as measure
    from statistics.child_period
),

marked_child as (
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        count(*) as count
    from marked
    group by all
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
        count
    from child
    union all
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        count
    from marked_child
)

select
    measure,
    basis,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    count,
    count as children
from counted
