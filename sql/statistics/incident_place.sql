-- statistics.incident_place
-- Grain: one row per resolved missing or away episode of a child and basis, in the borough that it counts for.
-- Keys: episode_rowid, basis.
-- View: written, it would be twice statistics.incident_fact.
-- For: counting incidents by place. Basis A is the area missing from, basis B the responsible authority.
with attributed as (
    select
        *,
        unnest(['A', 'B']) as basis,
        unnest([area_missing_from, responsible_authority]) as attributed_to
    from statistics.incident_fact
)

select
    attributed.episode_rowid,
    attributed.basis,
    area.area_code,
    area.parent_code as region_code,
    attributed.month,
    attributed.status,
    attributed.sex,
    attributed.age_and_sex,
    attributed.value_bits,
    attributed.looked_after,
    attributed.setting_key,
    attributed.is_care_setting,
    attributed.place,
    attributed.placement_distance_miles,
    attributed.is_ended,
    attributed.is_timed,
    attributed.lasted_minutes,
    attributed.is_police,
    attributed.is_matched,
    attributed.has_prevention_interview,
    attributed.is_cse_live,
    attributed.is_cce_live,
    attributed.is_cse_undated,
    attributed.is_cce_undated,
    attributed.ethnicity_unknown,
    attributed.sen_or_disability_unknown,
    attributed.looked_after_unknown,
    attributed.found_unknown,
    attributed.returned_unknown,
    attributed.interview_unknown
from attributed
inner join reference.area as area on attributed.attributed_to = area.area_code and area.area_type = 'borough'
