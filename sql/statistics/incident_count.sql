-- statistics.incident_count
-- Grain: one row per measure of incidents, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. count is episodes, children the distinct children behind them; digest says which
-- episodes. Each child is summed first and counted after: many times quicker than counting distinct children.
with child_value as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        age_band,
        sex,
        looked_after,
        count(*) as incidents,
        bit_xor(episode_digest) as digest,
        count_if(is_second_or_later) as second_or_later,
        bit_xor(episode_digest) filter (where is_second_or_later) as second_or_later_digest
    from statistics.episode_period
    group by all
),

child_breakdown as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        unnest(['total', 'age_band', 'sex', 'looked_after']) as breakdown,
        unnest(['Total', age_band, sex, looked_after]) as breakdown_value,
        incidents,
        digest
    from child_value
),

child_summed as (
    select
        'incidents' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        child_number,
        sum(incidents) as incidents,
        bit_xor(digest) as digest
    from child_breakdown
    group by all
),

child_total as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        sum(incidents) as incidents,
        bit_xor(digest) as digest,
        sum(second_or_later) as second_or_later,
        bit_xor(second_or_later_digest) as second_or_later_digest
    from child_value
    group by all
),

child_measure as (
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        child_number,
        incidents,
        digest
    from child_summed
    union all
    select
        'incidents_second_or_later' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        child_number,
        second_or_later as incidents,
        second_or_later_digest as digest
    from child_total
    where second_or_later > 0
    union all
    select
        'incidents_of_repeaters' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        child_number,
        incidents,
        digest
    from child_total
    where incidents >= 2
)

select
    measure,
    basis,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    sum(incidents)::bigint as count,
    count(*) as children,
    bit_xor(digest) as digest
from child_measure
group by measure, basis, area_code, period_type, period_start, breakdown, breakdown_value
