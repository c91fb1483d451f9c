-- statistics.episode
-- Grain: one row per resolved missing episode of a child, basis and area (its borough, and the region).
-- Keys: episode_key, basis, area_code.
-- For: incidents and children. Basis A is the area missing from, basis B the responsible authority. Children of 18 or
-- more never count; an unknown age does. start_day is the local date of the start, by which an episode belongs to a
-- period.
with ordered as (
    select
        *,
        lag(started_at) over (partition by child_key order by started_at, episode_key) as previous_started_at
    from core.missing_episode
    where status = 'missing' and (age_at_start is null or age_at_start < 18)
),

hit as (
    select
        episode.episode_key,
        bool_or(rule.rule_id = 'R3-28') as completes_3_in_28,
        bool_or(rule.rule_id = 'R3-90') as completes_3_in_90,
        bool_or(rule.rule_id = 'R10Y') as completes_10_in_365
    from patterns.hit_window as hit
    inner join rules.pattern as rule on hit.rule_number = rule.rule_number
    inner join patterns.episode as episode
        on hit.child_number = episode.child_number and hit.episode_number = episode.episode_number
    where rule.is_current and rule.rule_id in ('R3-28', 'R3-90', 'R10Y')
    group by episode.episode_key
),

attributed as (
    select
        episode_key,
        'A' as basis,
        area_missing_from as area_code
    from ordered
    union all
    select
        episode_key,
        'B' as basis,
        responsible_authority as area_code
    from ordered
),

placed as (
    select
        attributed.episode_key,
        attributed.basis,
        unnest([area.area_code, area.parent_code]) as area_code
    from attributed
    inner join reference.area as area on attributed.area_code = area.area_code
    where area.area_type = 'borough'
)

select
    placed.basis,
    placed.area_code,
    ordered.episode_key,
    md5_number_lower(ordered.episode_key) as episode_digest,
    ordered.child_key,
    child.child_number,
    ordered.borough,
    ordered.started_at,
    utc_to_london(ordered.started_at)::date as start_day,
    case
        when ordered.age_at_start is null then 'unknown'
        when ordered.age_at_start < 10 then 'under 10'
        when ordered.age_at_start < 12 then '10 to 11'
        when ordered.age_at_start < 15 then '12 to 14'
        else '15 to 17'
    end as age_band,
    ordered.sex,
    ordered.looked_after,
    coalesce(ordered.started_at - ordered.previous_started_at < interval 365 days, false) as is_second_or_later,
    coalesce(hit.completes_3_in_28, false) as completes_3_in_28,
    coalesce(hit.completes_3_in_90, false) as completes_3_in_90,
    coalesce(hit.completes_10_in_365, false) as completes_10_in_365
from placed
inner join ordered on placed.episode_key = ordered.episode_key
inner join statistics.child as child on ordered.child_key = child.child_key
left join hit on placed.episode_key = hit.episode_key
