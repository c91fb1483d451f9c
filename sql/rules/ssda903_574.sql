-- ssda903.574
-- Fails: a row such that some row of the same child and file which sorts before it (by start, end with open last, row
-- number) is open, or ends later than this row can have started. Across statuses, and however far apart the two rows
-- stand: the running maximum sees an open or long row behind any number of short ones. Where only days are known, an
-- end on the day of the next start is no overlap.
with period as (
    select
        delivery_id,
        row_number,
        child_id,
        started_at_earliest,
        started_at_latest,
        coalesce(found_at_earliest, returned_at_earliest, 'infinity'::timestamp) as ended_at
    from delivered_row
),

reached as (
    select
        *,
        max(ended_at) over (
            partition by delivery_id, child_id
            order by started_at_earliest, ended_at, row_number
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from period
)

select
    delivery_id,
    row_number
from reached
where reached_before > started_at_latest
