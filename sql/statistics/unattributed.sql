-- statistics.unattributed
-- Grain: one row per basis, area and period with episodes whose area on that basis is not recorded.
-- Keys: basis, area_code, period_type, period_start.
-- For: the number beside a count of incidents that says what could not be placed. They are shown under the borough
-- that sent them.
with unplaced as (
    select
        episode.episode_key,
        episode.child_key,
        area.area_code,
        area.parent_code,
        utc_to_london(episode.started_at)::date as start_day,
        unnest(
            case when episode.area_missing_from = 'unknown' then ['A'] else [] end
            || case when episode.responsible_authority = 'unknown' then ['B'] else [] end
        ) as basis
    from core.missing_episode as episode
    inner join reference.area as area on episode.borough = area.slug
    where
        episode.status = 'missing'
        and (episode.age_at_start is null or episode.age_at_start < 18)
        and area.area_type = 'borough'
),

placed as (
    select
        basis,
        episode_key,
        child_key,
        start_day,
        unnest([area_code, parent_code]) as area_code
    from unplaced
)

select
    placed.basis,
    placed.area_code,
    period.period_type,
    period.period_start,
    count(*) as incidents,
    count(distinct placed.child_key) as children
from placed
inner join statistics.period
    on placed.start_day between period.period_start and period.period_end
group by placed.basis, placed.area_code, period.period_type, period.period_start
