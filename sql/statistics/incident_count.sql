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

field_child as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        any_value(child_digest) as child_digest,
        count(*) as incidents,
        unnest([
            { 'name': 'ethnicity', 'unfilled': count_if(ethnicity_unknown) },
            { 'name': 'special need or disability', 'unfilled': count_if(sen_or_disability_unknown) },
            { 'name': 'looked after', 'unfilled': count_if(looked_after_unknown) },
            { 'name': 'time found', 'unfilled': count_if(found_unknown) },
            { 'name': 'time returned', 'unfilled': count_if(returned_unknown) },
            { 'name': 'return interview', 'unfilled': count_if(interview_unknown) }
        ]) as field
    from statistics.episode_period
    group by basis, area_code, period_type, period_start, child_number
),

field_breakdown as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        child_digest,
        'field' as breakdown,
        field.name as breakdown_value,
        incidents as expected,
        field.unfilled
    from field_child
    union all
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        child_digest,
        'total' as breakdown,
        'Total' as breakdown_value,
        sum(incidents) as expected,
        sum(field.unfilled) as unfilled
    from field_child
    group by basis, area_code, period_type, period_start, child_number, child_digest
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
    union all
    select
        'fields_expected' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        child_number,
        expected as incidents,
        md5_number_lower(concat_ws('|', child_digest, expected)) as digest
    from field_breakdown
    union all
    select
        'fields_unknown' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        child_number,
        unfilled as incidents,
        md5_number_lower(concat_ws('|', child_digest, unfilled)) as digest
    from field_breakdown
    where unfilled > 0
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
