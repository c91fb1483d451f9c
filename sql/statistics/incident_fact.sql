-- statistics.incident_fact
-- Grain: one row per resolved missing or away episode of a child and basis, in the borough that it counts for.
-- Keys: episode_key, basis.
-- For: statistics.incident_month: what is counted of incidents, said once. Children of 18 or more never count; an
-- unknown age does. month is that of the local start. Every category has a value: what is not recorded is unknown, and
-- what has not ended 'no end recorded'. duration is in days of the calendar (DfE); lasted_minutes is elapsed, told only
-- where start and end are exact. place compares the area missing from with the responsible authority; for a
-- looked-after child it stands for that of the placement, which is not delivered (domain.md section 8, indicators 17
-- and 18). An exploitation flag is live where its date is no later than the local day of the start; one without a date
-- cannot be told.
with counted as (
    select
        *,
        utc_to_london(started_at)::date as start_day,
        utc_to_london(ended_at)::date as end_day,
        started_at = latest_started_at
        and started_precision = 'minute'
        and ended_at = latest_ended_at
        and ended_precision = 'minute' as is_timed
    from core.missing_episode
    where status in ('missing', 'away') and (age_at_start is null or age_at_start < 18)
),

interviewed as (
    select distinct episode_key
    from core.episode_interview
),

attributed as (
    select
        *,
        unnest(['A', 'B']) as basis,
        unnest([area_missing_from, responsible_authority]) as attributed_to
    from counted
)

select
    attributed.episode_key,
    attributed.basis,
    area.area_code,
    area.parent_code as region_code,
    date_trunc('month', attributed.start_day)::date as month,
    attributed.status,
    attributed.sex,
    case
        when attributed.age_at_start is null then 'unknown'
        when attributed.age_at_start < 1 then 'under 1'
        when attributed.age_at_start < 5 then '1 to 4'
        when attributed.age_at_start < 10 then '5 to 9'
        when attributed.age_at_start < 16 then '10 to 15'
        else '16 to 17'
    end as age_dfe,
    case
        when attributed.age_at_start is null then 'unknown age'
        when attributed.age_at_start < 10 then 'under 10'
        when attributed.age_at_start < 12 then '10 to 11'
        when attributed.age_at_start < 15 then '12 to 14'
        else '15 to 17'
    end || ', ' || case when attributed.sex = 'unknown' then 'unknown sex' else attributed.sex end as age_and_sex,
    replace(attributed.ethnicity, '_', ' ') as ethnicity,
    attributed.looked_after,
    case
        when
            attributed.missing_from_setting in (
                'home',
                'foster_care',
                'with_parents',
                'adoption',
                'childrens_home',
                'secure_home',
                'supported_accommodation',
                'other'
            )
            then replace(attributed.missing_from_setting, '_', ' ')
        else 'unknown'
    end as setting,
    attributed.setting_key,
    attributed.missing_from_setting not in ('home', 'other', 'unknown') as is_care_setting,
    case
        when 'unknown' in (attributed.area_missing_from, attributed.responsible_authority) then 'unknown'
        when attributed.area_missing_from = attributed.responsible_authority then 'own authority'
        when missing_from.area_code is not null and responsible.area_code is not null then 'elsewhere in the region'
        else 'outside the region'
    end as place,
    attributed.placement_distance_miles,
    replace(attributed.risk_initial, '_', ' ') as risk_initial,
    replace(attributed.risk_highest, '_', ' ') as risk_highest,
    case
        when attributed.ended_at is null then 'no end recorded'
        when attributed.end_day - attributed.start_day < 1 then 'under 1 day'
        when attributed.end_day - attributed.start_day <= 2 then '1 to 2 days'
        when attributed.end_day - attributed.start_day <= 7 then '3 to 7 days'
        when attributed.end_day - attributed.start_day <= 10 then '8 to 10 days'
        when attributed.end_day - attributed.start_day <= 15 then '11 to 15 days'
        when attributed.end_day - attributed.start_day <= 20 then '16 to 20 days'
        when attributed.end_day - attributed.start_day <= 30 then '21 to 30 days'
        else 'over 30 days'
    end as duration,
    attributed.ended_at is not null as is_ended,
    coalesce(attributed.is_timed, false) as is_timed,
    case
        when attributed.is_timed then (epoch_us(attributed.ended_at) - epoch_us(attributed.started_at)) / 6e7
    end as lasted_minutes,
    list_contains(attributed.recorded_by, 'police') as is_police,
    len(attributed.recorded_by) > 1 as is_matched,
    attributed.has_prevention_interview,
    coalesce(attributed.cse_flag_date <= attributed.start_day, false) as is_cse_live,
    coalesce(attributed.cce_flag_date <= attributed.start_day, false) as is_cce_live,
    attributed.cse_flag and attributed.cse_flag_date is null as is_cse_undated,
    attributed.cce_flag and attributed.cce_flag_date is null as is_cce_undated,
    attributed.ethnicity in ('unknown', 'not_obtained') as ethnicity_unknown,
    attributed.sen_or_disability = 'unknown' as sen_or_disability_unknown,
    attributed.looked_after = 'unknown' as looked_after_unknown,
    attributed.found_at is null as found_unknown,
    attributed.returned_at is null as returned_unknown,
    interviewed.episode_key is null as interview_unknown
from attributed
inner join reference.area as area on attributed.attributed_to = area.area_code and area.area_type = 'borough'
left join reference.area as missing_from
    on attributed.area_missing_from = missing_from.area_code and missing_from.area_type = 'borough'
left join reference.area as responsible
    on attributed.responsible_authority = responsible.area_code and responsible.area_type = 'borough'
left join interviewed on attributed.episode_key = interviewed.episode_key
