-- missing_episode.open_long
-- Fails: a row without an end that had certainly started more than 28 days before the file was received.
select
    delivery_id,
    row_number
from delivered_row
where
    coalesce(found_at_earliest, returned_at_earliest) is null
    and started_at_latest < received_at - interval 28 days
