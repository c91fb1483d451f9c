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
        child_key,
        age_band,
        sex,
        looked_after,
        count(*) as incidents,
        bit_xor(md5_number_lower(episode_key)) as digest,
        count_if(is_second_or_later) as second_or_later,
        bit_xor(md5_number_lower(episode_key)) filter (where is_second_or_later) as second_or_later_digest
    from statistics.episode_period
    group by all
),

child_breakdown as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_key,
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
        child_key,
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
        child_key,
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
        child_key,
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
    group by basis, area_code, period_type, period_start, child_key
),

field_breakdown as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_key,
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
        child_key,
        'total' as breakdown,
        'Total' as breakdown_value,
        sum(incidents) as expected,
        sum(field.unfilled) as unfilled
    from field_child
    group by basis, area_code, period_type, period_start, child_key
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
        child_key,
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
        child_key,
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
        child_key,
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
        child_key,
        expected as incidents,
        md5_number_lower(child_key || '|' || expected) as digest
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
        child_key,
        unfilled as incidents,
        md5_number_lower(child_key || '|' || unfilled) as digest
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
