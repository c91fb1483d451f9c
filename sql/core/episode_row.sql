-- core.episode_row
-- Grain: one row per staged row, with the resolved episode it belongs to.
-- Keys: row_key.
-- View: most rows are alone, and what is known of the others is in core.joined_row.
-- For: to show which rows were merged and why (joined_by: lead, overlap, day, police_match). source_rows is how many
-- rows the episode has.
select
    staged.row_key,
    coalesce(joined_row.episode_key, staged.row_key) as episode_key,
    coalesce(joined_row.is_lead, true) as is_lead,
    staged.borough,
    staged.source,
    staged.episode_id,
    staged.recorded_by,
    coalesce(joined_row.joined_by, 'lead') as joined_by,
    coalesce(joined_row.source_rows, 1) as source_rows
from staging.missing_episode as staged
left join core.joined_row on staged.row_key = joined_row.row_key
