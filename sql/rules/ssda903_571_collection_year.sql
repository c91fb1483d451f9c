-- ssda903.571.collection_year
-- Fails: a row whose end is certainly before the year of the return, or certainly after it.
select
    delivered_row.delivery_id,
    delivered_row.row_number
from delivered_row
inner join annual_return on delivered_row.delivery_id = annual_return.delivery_id
where
    coalesce(delivered_row.found_at_latest, delivered_row.returned_at_latest) < annual_return.year_start
    or coalesce(delivered_row.found_at_earliest, delivered_row.returned_at_earliest) >= annual_return.year_after
