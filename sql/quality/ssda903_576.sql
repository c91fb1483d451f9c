-- quality.ssda903_576
-- Grain: one row per row of a return whose next year's return has been delivered too.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: the row has no end, and the next return has no row of the child with its
-- start.
select
    'ssda903.576' as rule_id,
    earlier.borough,
    earlier.delivery_id,
    'missing_episode' as dataset,
    episode.row_number,
    coalesce(episode.found_at, episode.returned_at) is null and not exists (
        select 1
        from intake.missing_episode as carried
        where
            carried.delivery_id = later.delivery_id
            and carried.child_id = episode.child_id
            and carried.started_at::date = episode.started_at::date
    ) as fails
from quality.annual_return as earlier
inner join quality.annual_return as later
    on earlier.borough = later.borough and earlier.year_to_march + 1 = later.year_to_march
inner join intake.missing_episode as episode on earlier.delivery_id = episode.delivery_id
