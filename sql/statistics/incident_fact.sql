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
),

described as (
    select
        counted.*,
        case
            when counted.age_at_start is null then 'unknown'
            when counted.age_at_start < 10 then 'under 10'
            when counted.age_at_start < 12 then '10 to 11'
            when counted.age_at_start < 15 then '12 to 14'
            else '15 to 17'
        end as age_band,
        case
            when counted.age_at_start is null then 'unknown'
            when counted.age_at_start < 1 then 'under 1'
            when counted.age_at_start < 5 then '1 to 4'
            when counted.age_at_start < 10 then '5 to 9'
            when counted.age_at_start < 16 then '10 to 15'
            else '16 to 17'
        end as age_dfe,
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
        case
            when 'unknown' in (counted.area_missing_from, counted.responsible_authority) then 'unknown'
            when counted.area_missing_from = counted.responsible_authority then 'own authority'
            when missing_from.area_code is not null and responsible.area_code is not null
                then 'elsewhere in the region'
            else 'outside the region'
        end as place,
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
        end as duration
    from counted
    left join reference.area as missing_from
        on counted.area_missing_from = missing_from.area_code and missing_from.area_type = 'borough'
    left join reference.area as responsible
        on counted.responsible_authority = responsible.area_code and responsible.area_type = 'borough'
)

select
    described.episode_rowid,
    described.area_missing_from,
    described.responsible_authority,
    date_trunc('month', described.start_day)::date as month,
    described.status,
    described.sex,
    described.looked_after,
    described.place,
    case when described.age_band = 'unknown' then 'unknown age' else described.age_band end
    || ', ' || case when described.sex = 'unknown' then 'unknown sex' else described.sex end as age_and_sex,
    age_band.bit
    | sex.bit
    | looked_after.bit
    | age_dfe.bit
    | ethnicity.bit
    | setting.bit
    | place.bit
    | risk_initial.bit
    | risk_highest.bit
    | duration.bit as value_bits,
    described.setting_key,
    described.missing_from_setting not in ('home', 'other', 'unknown') as is_care_setting,
    described.placement_distance_miles,
    described.ended_at is not null as is_ended,
    coalesce(described.is_timed, false) as is_timed,
    case
        when described.is_timed then (epoch_us(described.ended_at) - epoch_us(described.started_at)) / 6e7
    end as lasted_minutes,
    list_contains(described.recorded_by, 'police') as is_police,
    len(described.recorded_by) > 1 as is_matched,
    described.has_prevention_interview,
    coalesce(described.cse_flag_date <= described.start_day, false) as is_cse_live,
    coalesce(described.cce_flag_date <= described.start_day, false) as is_cce_live,
    described.cse_flag and described.cse_flag_date is null as is_cse_undated,
    described.cce_flag and described.cce_flag_date is null as is_cce_undated,
    described.ethnicity in ('unknown', 'not_obtained') as ethnicity_unknown,
    described.sen_or_disability = 'unknown' as sen_or_disability_unknown,
    described.looked_after = 'unknown' as looked_after_unknown,
    described.found_at is null as found_unknown,
    described.returned_at is null as returned_unknown,
    described.interview_unknown
from described
left join statistics.value as age_band
    on age_band.breakdown = 'age_band' and described.age_band = age_band.breakdown_value
left join statistics.value as sex
    on sex.breakdown = 'sex' and described.sex = sex.breakdown_value
left join statistics.value as looked_after
    on looked_after.breakdown = 'looked_after' and described.looked_after = looked_after.breakdown_value
left join statistics.value as age_dfe
    on age_dfe.breakdown = 'age_dfe' and described.age_dfe = age_dfe.breakdown_value
left join statistics.value as ethnicity
    on
        ethnicity.breakdown = 'ethnicity'
        and replace(described.ethnicity, '_', ' ') = ethnicity.breakdown_value
left join statistics.value as setting
    on setting.breakdown = 'setting' and described.setting = setting.breakdown_value
left join statistics.value as place
    on place.breakdown = 'place' and described.place = place.breakdown_value
left join statistics.value as risk_initial
    on
        risk_initial.breakdown = 'risk_initial'
        and replace(described.risk_initial, '_', ' ') = risk_initial.breakdown_value
left join statistics.value as risk_highest
    on
        risk_highest.breakdown = 'risk_highest'
        and replace(described.risk_highest, '_', ' ') = risk_highest.breakdown_value
left join statistics.value as duration
    on duration.breakdown = 'duration' and described.duration = duration.breakdown_value
