-- statistics.incident_count
-- Grain: one row per measure of incidents, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. count is episodes, children the distinct children behind them; digest says which episodes.
with incident as (
    select
        'incidents' as measure,
        basis,
        area_code,
        period_type,
        period_start,
        case
            when grouping(age_band) = 0 then 'age_band'
            when grouping(sex) = 0 then 'sex'
            when grouping(looked_after) = 0 then 'looked_after'
            else 'total'
        end as breakdown,
        coalesce(age_band, sex, looked_after, 'Total') as breakdown_value,
        count(*) as count,
        count(distinct child_key) as children,
        bit_xor(md5_number_lower(episode_key)) as digest
    from statistics.episode_period
    group by
        basis,
        area_code,
        period_type,
        period_start,
        grouping sets ((), (age_band), (sex), (looked_after))
),

repeat_episode as (
    select
        episode.*,
        unnest(
            case when episode.is_second_or_later then ['incidents_second_or_later'] else [] end
            || case when child.incidents >= 2 then ['incidents_of_repeaters'] else [] end
        ) as measure
    from statistics.episode_period as episode
    inner join statistics.child_period as child
        on
            episode.child_key = child.child_key
            and episode.basis = child.basis
            and episode.area_code = child.area_code
            and episode.period_type = child.period_type
            and episode.period_start = child.period_start
),

repeat_incident as (
    select
        measure,
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        count(*) as count,
        count(distinct child_key) as children,
        bit_xor(md5_number_lower(episode_key)) as digest
    from repeat_episode
    group by all
),

field as (
    select
        *,
        unnest([
            {'name': 'ethnicity', 'is_unknown': ethnicity_unknown},
            {'name': 'special need or disability', 'is_unknown': sen_or_disability_unknown},
            {'name': 'looked after', 'is_unknown': looked_after_unknown},
            {'name': 'time found', 'is_unknown': found_unknown},
            {'name': 'time returned', 'is_unknown': returned_unknown},
            {'name': 'return interview', 'is_unknown': interview_unknown}
        ]) as field
    from statistics.episode_period
),

field_count as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        case when grouping(field.name) = 0 then 'field' else 'total' end as breakdown,
        coalesce(field.name, 'Total') as breakdown_value,
        count(*) as expected,
        count(distinct child_key) as expected_children,
        bit_xor(md5_number_lower(episode_key || '|' || field.name)) as expected_digest,
        count_if(field.is_unknown) as unfilled,
        count(distinct child_key) filter (where field.is_unknown) as unfilled_children,
        bit_xor(md5_number_lower(episode_key || '|' || field.name)) filter (where field.is_unknown) as unfilled_digest
    from field
    group by
        basis,
        area_code,
        period_type,
        period_start,
        grouping sets ((), (field.name))
)

select *
from incident
union all
select *
from repeat_incident
union all
select
    'fields_expected' as measure,
    basis,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    expected as count,
    expected_children as children,
    expected_digest as digest
from field_count
union all
select
    'fields_unknown' as measure,
    basis,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    unfilled as count,
    unfilled_children as children,
    unfilled_digest as digest
from field_count
where unfilled > 0
