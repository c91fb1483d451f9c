-- quality.care_missing_row
-- Grain: one row per staged missing row of a looked-after child of whom the borough has delivered placements.
-- Keys: row_key.
-- For: rules 575, 577, 578, 580 and 581, which compare in days. known_day is the day up to which the row can tell.
select
    episode.row_key,
    episode.borough,
    episode.delivery_id,
    episode.row_number,
    episode.child_id,
    utc_to_london(episode.started_at)::date as start_day,
    utc_to_london(episode.ended_at)::date as end_day,
    utc_to_london(episode.known_at)::date as known_day
from staging.missing_episode as episode
where
    episode.looked_after = 'yes'
    and exists (
        select 1
        from staging.placement as placement
        where placement.borough = episode.borough and placement.child_id = episode.child_id
    )
