-- annual_return
-- Grain: one row per delivery that is one year's return: at least nine in ten of its rows start or end within one year
-- to 31 March. year_start is the first moment of that year, year_after the first moment after it.
-- For: the rules about the collection year. A monthly file or one of several years has no such year.
with dated as (
    select
        delivery_id,
        year(started_at_earliest) + (month(started_at_earliest) >= 4)::int as start_year,
        year(coalesce(found_at_earliest, returned_at_earliest))
        + (month(coalesce(found_at_earliest, returned_at_earliest)) >= 4)::int as end_year
    from delivered_row
),

-- A row counts once in a year that it starts and ends in.
touched as (
    select
        delivery_id,
        start_year as year_to_march
    from dated
    union all
    select
        delivery_id,
        end_year as year_to_march
    from dated
    where end_year <> start_year
),

counted as (
    select
        delivery_id,
        year_to_march,
        count(*) as rows_within
    from touched
    group by delivery_id, year_to_march
),

total as (
    select
        delivery_id,
        count(*) as all_rows
    from delivered_row
    group by delivery_id
)

select
    counted.delivery_id,
    make_timestamp(counted.year_to_march - 1, 4, 1, 0, 0, 0) as year_start,
    make_timestamp(counted.year_to_march, 4, 1, 0, 0, 0) as year_after
from counted
inner join total on counted.delivery_id = total.delivery_id
where counted.rows_within * 10 >= total.all_rows * 9
qualify
    row_number() over (
        partition by counted.delivery_id
        order by counted.rows_within desc, counted.year_to_march desc
    ) = 1
