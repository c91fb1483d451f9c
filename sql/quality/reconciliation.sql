-- quality.reconciliation
-- Grain: one row per area missing from (each borough, and the region) and period in which an episode started.
-- Keys: area_code, period_type, period_start.
-- For: holding what the police recorded against what the authority did: missing episodes that only one of them
-- recorded, and those that both did. True counts: restricted. Where a borough sends no police records, all are the
-- authority's.
with placed as (
    select
        unnest([area.area_code, area.parent_code]) as area_code,
        episode.recorded_by,
        utc_to_london(episode.started_at)::date as start_day
    from core.missing_episode as episode
    inner join reference.area as area on episode.area_missing_from = area.area_code
    where
        episode.status = 'missing'
        and area.area_type = 'borough'
        and coalesce(episode.age_at_start < 18, true)
)

select
    placed.area_code,
    period.period_type,
    period.period_start,
    period.period_end,
    count(*) as episodes,
    count_if(placed.recorded_by = ['police'])::bigint as police_only,
    count_if(placed.recorded_by = ['authority'])::bigint as authority_only,
    count_if(len(placed.recorded_by) = 2)::bigint as by_both
from placed
inner join statistics.period as period on placed.start_day between period.period_start and period.period_end
group by placed.area_code, period.period_type, period.period_start, period.period_end
