-- ssda903.570.collection_year
-- Fails: a row whose start, as early as its record allows, is after the year of the return.
select
    delivered_row.delivery_id,
    delivered_row.row_number
from delivered_row
inner join annual_return on delivered_row.delivery_id = annual_return.delivery_id
where delivered_row.started_at_earliest >= annual_return.year_after
