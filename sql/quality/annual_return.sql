-- quality.annual_return
-- Grain: one row per borough and year to March: the SSDA903 return of that year, received last.
-- Keys: borough, year_to_march.
-- For: rule 576. A delivery is one year's return where at least nine in ten of its accepted rows start or end within
-- one year to 31 March, as in sql/rules/needs/annual_return.sql.
with dated as (
    select
        episode.borough,
        episode.delivery_id,
        receipt.received_at,
        year(episode.started_at) + (month(episode.started_at) >= 4)::int as start_year,
        year(coalesce(episode.found_at, episode.returned_at))
        + (month(coalesce(episode.found_at, episode.returned_at)) >= 4)::int as end_year
    from intake.missing_episode as episode
    inner join intake.receipt as receipt on episode.delivery_id = receipt.delivery_id
    anti join intake.withdrawal as withdrawal on receipt.delivery_id = withdrawal.delivery_id
    where episode.source = 'ssda903_missing'
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

delivered as (
    select
        delivery_id,
        any_value(borough) as borough,
        any_value(received_at) as received_at,
        count(*) as all_rows
    from dated
    group by delivery_id
),

one_year as (
    select
        delivered.borough,
        delivered.delivery_id,
        delivered.received_at,
        counted.year_to_march
    from delivered
    inner join counted on delivered.delivery_id = counted.delivery_id
    where counted.rows_within * 10 >= delivered.all_rows * 9
    qualify
        row_number() over (
            partition by delivered.delivery_id
            order by counted.rows_within desc, counted.year_to_march desc
        ) = 1
)

select
    borough,
    year_to_march,
    arg_max(delivery_id, (received_at, delivery_id)) as delivery_id
from one_year
group by borough, year_to_march
