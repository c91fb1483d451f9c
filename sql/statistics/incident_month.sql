-- statistics.incident_month
-- Grain: one row per measure of incidents, basis, borough, month of the start, breakdown and value that occurs.
-- Keys: measure, basis, area_code, month, breakdown, breakdown_value.
-- For: statistics.incident_period. Incidents add up over months and boroughs, so each is counted once, here. A measure
-- is one column of `measured`; beside it stands, where it can be unclear, for how many incidents it cannot be told.
with measured as (
    select
        basis,
        area_code,
        month,
        case when grouping(sex) = 0 then 'sex' else 'total' end as breakdown,
        coalesce(sex, 'Total') as breakdown_value,
        count_if(status = 'missing') as missing,
        count_if(status = 'missing' and is_timed) as timed,
        count_if(status = 'missing' and is_ended and not is_timed) as untimed,
        count_if(status = 'missing' and is_timed and lasted_minutes <= 1440) as within_24_hours,
        count_if(status = 'missing' and is_timed and lasted_minutes <= 2880) as within_48_hours,
        count_if(status = 'away') as away,
        count(*) as missing_or_away,
        count_if(status = 'missing' and looked_after = 'yes') as looked_after,
        count_if(status = 'missing' and looked_after_unknown) as looked_after_unclear,
        count_if(
            status = 'missing' and looked_after = 'yes' and place not in ('own authority', 'unknown')
        ) as elsewhere,
        count_if(status = 'missing' and looked_after = 'yes' and place = 'outside the region') as out_of_region,
        count_if(status = 'missing' and looked_after = 'yes' and place = 'unknown') as place_unknown,
        count_if(
            status = 'missing' and looked_after = 'yes' and coalesce(placement_distance_miles > 20, false)
        ) as over_20_miles,
        count_if(status = 'missing' and looked_after = 'yes' and placement_distance_miles is null) as distance_unknown,
        count_if(status = 'missing' and is_police) as police,
        count_if(status = 'missing' and is_police and is_matched) as police_matched,
        count_if(status = 'missing' and is_police and is_ended) as police_ended,
        count_if(status = 'missing' and is_police and is_ended and has_prevention_interview) as prevention,
        count_if(status = 'missing' and is_cse_live) as cse_live,
        count_if(status = 'missing' and is_cse_undated) as cse_undated,
        count_if(status = 'missing' and is_cce_live) as cce_live,
        count_if(status = 'missing' and is_cce_undated) as cce_undated,
        count_if(status = 'missing' and (is_cse_live or is_cce_live)) as exploitation_live,
        count_if(
            status = 'missing' and not (is_cse_live or is_cce_live) and (is_cse_undated or is_cce_undated)
        ) as exploitation_undated
    from statistics.incident_place
    group by basis, area_code, month, grouping sets ((), (sex))
),

told as (
    select
        basis,
        area_code,
        month,
        breakdown,
        breakdown_value,
        unnest([
            { 'name': 'incidents', 'count': missing, 'unclear': 0 },
            { 'name': 'incidents_timed', 'count': timed, 'unclear': untimed },
            { 'name': 'incidents_within_24_hours', 'count': within_24_hours, 'unclear': untimed },
            { 'name': 'incidents_within_48_hours', 'count': within_48_hours, 'unclear': untimed },
            { 'name': 'away_incidents', 'count': away, 'unclear': 0 },
            { 'name': 'missing_or_away_incidents', 'count': missing_or_away, 'unclear': 0 },
            { 'name': 'incidents_looked_after', 'count': looked_after, 'unclear': looked_after_unclear },
            { 'name': 'incidents_looked_after_elsewhere', 'count': elsewhere, 'unclear': place_unknown },
            { 'name': 'incidents_looked_after_out_of_region', 'count': out_of_region, 'unclear': place_unknown },
            { 'name': 'incidents_looked_after_over_20_miles', 'count': over_20_miles, 'unclear': distance_unknown },
            { 'name': 'police_incidents', 'count': police, 'unclear': 0 },
            { 'name': 'police_incidents_matched', 'count': police_matched, 'unclear': 0 },
            { 'name': 'police_incidents_ended', 'count': police_ended, 'unclear': 0 },
            { 'name': 'police_incidents_prevention', 'count': prevention, 'unclear': 0 },
            { 'name': 'incidents_cse_flag_live', 'count': cse_live, 'unclear': cse_undated },
            { 'name': 'incidents_cce_flag_live', 'count': cce_live, 'unclear': cce_undated },
            { 'name': 'incidents_exploitation_flag_live', 'count': exploitation_live, 'unclear': exploitation_undated }
        ]) as measure
    from measured
),

filled as (
    select
        basis,
        area_code,
        month,
        count(*) as missing,
        count_if(ethnicity_unknown) as ethnicity_unknown,
        count_if(sen_or_disability_unknown) as sen_or_disability_unknown,
        count_if(looked_after_unknown) as looked_after_unknown,
        count_if(found_unknown) as found_unknown,
        count_if(returned_unknown) as returned_unknown,
        count_if(interview_unknown) as interview_unknown
    from statistics.incident_place
    where status = 'missing'
    group by basis, area_code, month
),

field as (
    select
        basis,
        area_code,
        month,
        missing,
        unnest([
            { 'name': 'ethnicity', 'unknown': ethnicity_unknown },
            { 'name': 'special need or disability', 'unknown': sen_or_disability_unknown },
            { 'name': 'looked after', 'unknown': looked_after_unknown },
            { 'name': 'time found', 'unknown': found_unknown },
            { 'name': 'time returned', 'unknown': returned_unknown },
            { 'name': 'return interview', 'unknown': interview_unknown }
        ]) as field
    from filled
),

field_count as (
    select
        basis,
        area_code,
        month,
        case when grouping(field.name) = 0 then 'field' else 'total' end as breakdown,
        coalesce(field.name, 'Total') as breakdown_value,
        unnest(['fields_expected', 'fields_unknown']) as measure,
        unnest([sum(missing), sum(field.unknown)])::bigint as count
    from field
    group by basis, area_code, month, grouping sets ((), (field.name))
),

mask as (
    select distinct mask
    from statistics.value
    where breakdown in ('age_dfe', 'ethnicity', 'setting', 'place', 'risk_initial', 'risk_highest', 'duration')
),

kind as (
    select
        place.basis,
        place.area_code,
        place.month,
        place.value_bits & mask.mask as bit,
        count(*) as count
    from statistics.incident_place as place
    cross join mask
    where place.status = 'missing'
    group by place.basis, place.area_code, place.month, place.value_bits & mask.mask
),

divided as (
    select
        kind.basis,
        kind.area_code,
        kind.month,
        value.breakdown,
        value.breakdown_value,
        kind.count
    from kind
    inner join statistics.value as value on kind.bit = value.bit
    union all
    select
        basis,
        area_code,
        month,
        'age_and_sex' as breakdown,
        age_and_sex as breakdown_value,
        count(*) as count
    from statistics.incident_place
    where status = 'missing'
    group by basis, area_code, month, age_and_sex
)

select
    measure.name as measure,
    basis,
    area_code,
    month,
    breakdown,
    breakdown_value,
    measure.count::bigint as count,
    measure.unclear::bigint as not_measurable
from told
where (measure.count > 0 or measure.unclear > 0) and (measure.name <> 'incidents' or breakdown = 'total')
union all
select
    'incidents' as measure,
    basis,
    area_code,
    month,
    breakdown,
    breakdown_value,
    count,
    0 as not_measurable
from divided
union all
select
    measure,
    basis,
    area_code,
    month,
    breakdown,
    breakdown_value,
    count,
    0 as not_measurable
from field_count
