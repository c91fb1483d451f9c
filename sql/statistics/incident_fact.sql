-- statistics.incident_fact
-- Grain: one row per resolved missing or away episode of a child.
-- Keys: episode_rowid (core.missing_episode).
-- For: statistics.incident_month: what is counted of incidents, said once. Where each counts, statistics.incident_place
-- says. Children of 18 or more never count; an unknown age does. month is that of the local start. Every category has a
-- value: what is not recorded is unknown, and what has not ended 'no end recorded'. duration is in days of the calendar
-- (DfE); lasted_minutes is elapsed, told only where start and end are exact. place compares the area missing from with
-- the responsible authority; for a looked-after child it stands for that of the placement, which is not delivered
-- (domain.md section 8, indicators 17 and 18). An exploitation flag is live where its date is no later than the local
-- day of the start; one without a date cannot be told.
with counted as (
    select
        *,
        rowid as episode_rowid,
        started_at = latest_started_at
        and started_precision = 'minute'
        and ended_at = latest_ended_at
        and ended_precision = 'minute' as is_timed,
        rowid not in (select link.episode_rowid from core.episode_interview as link) as interview_unknown
    from core.missing_episode
    where status in ('missing', 'away') and (age_at_start is null or age_at_start < 18)
)

select
    counted.episode_rowid,
    counted.area_missing_from,
    counted.responsible_authority,
    date_trunc('month', counted.start_day)::date as month,
    counted.status,
    counted.sex,
    case
        when counted.age_at_start is null then 'unknown'
        when counted.age_at_start < 1 then 'under 1'
        when counted.age_at_start < 5 then '1 to 4'
        when counted.age_at_start < 10 then '5 to 9'
        when counted.age_at_start < 16 then '10 to 15'
        else '16 to 17'
    end as age_dfe,
    case
        when counted.age_at_start is null then 'unknown age'
        when counted.age_at_start < 10 then 'under 10'
        when counted.age_at_start < 12 then '10 to 11'
        when counted.age_at_start < 15 then '12 to 14'
        else '15 to 17'
    end || ', ' || case when counted.sex = 'unknown' then 'unknown sex' else counted.sex end as age_and_sex,
    replace(counted.ethnicity, '_', ' ') as ethnicity,
    counted.looked_after,
    case
        when
            counted.missing_from_setting in (
                'home',
                'foster_care',
                'with_parents',
                'adoption',
                'childrens_home',
                'secure_home',
                'supported_accommodation',
                'other'
            )
            then replace(counted.missing_from_setting, '_', ' ')
        else 'unknown'
    end as setting,
    counted.setting_key,
    counted.missing_from_setting not in ('home', 'other', 'unknown') as is_care_setting,
    case
        when 'unknown' in (counted.area_missing_from, counted.responsible_authority) then 'unknown'
        when counted.area_missing_from = counted.responsible_authority then 'own authority'
        when missing_from.area_code is not null and responsible.area_code is not null then 'elsewhere in the region'
        else 'outside the region'
    end as place,
    counted.placement_distance_miles,
    replace(counted.risk_initial, '_', ' ') as risk_initial,
    replace(counted.risk_highest, '_', ' ') as risk_highest,
    case
        when counted.ended_at is null then 'no end recorded'
        when counted.end_day - counted.start_day < 1 then 'under 1 day'
        when counted.end_day - counted.start_day <= 2 then '1 to 2 days'
        when counted.end_day - counted.start_day <= 7 then '3 to 7 days'
        when counted.end_day - counted.start_day <= 10 then '8 to 10 days'
        when counted.end_day - counted.start_day <= 15 then '11 to 15 days'
        when counted.end_day - counted.start_day <= 20 then '16 to 20 days'
        when counted.end_day - counted.start_day <= 30 then '21 to 30 days'
        else 'over 30 days'
    end as duration,
    counted.ended_at is not null as is_ended,
    coalesce(counted.is_timed, false) as is_timed,
    case
        when counted.is_timed then (epoch_us(counted.ended_at) - epoch_us(counted.started_at)) / 6e7
    end as lasted_minutes,
    list_contains(counted.recorded_by, 'police') as is_police,
    len(counted.recorded_by) > 1 as is_matched,
    counted.has_prevention_interview,
    coalesce(counted.cse_flag_date <= counted.start_day, false) as is_cse_live,
    coalesce(counted.cce_flag_date <= counted.start_day, false) as is_cce_live,
    counted.cse_flag and counted.cse_flag_date is null as is_cse_undated,
    counted.cce_flag and counted.cce_flag_date is null as is_cce_undated,
    counted.ethnicity in ('unknown', 'not_obtained') as ethnicity_unknown,
    counted.sen_or_disability = 'unknown' as sen_or_disability_unknown,
    counted.looked_after = 'unknown' as looked_after_unknown,
    counted.found_at is null as found_unknown,
    counted.returned_at is null as returned_unknown,
    counted.interview_unknown
from counted
left join reference.area as missing_from
    on counted.area_missing_from = missing_from.area_code and missing_from.area_type = 'borough'
left join reference.area as responsible
    on counted.responsible_authority = responsible.area_code and responsible.area_type = 'borough'
