-- reference.population_vintage
-- Grain: one row per mid-year and vintage that holds it.
-- Keys: mid_year, vintage.
-- For: saying which population a rate rests on. is_used marks the one vintage of a mid-year: the newest published (of
-- those the newest added) that holds every borough, so that no rate compares boroughs across vintages.
with held as (
    select
        mid_year,
        vintage,
        min(published) as published,
        min(added_at) as added_at,
        min(source) filter (where not is_estimated) as source,
        min(licence) as licence,
        count(distinct area_code) as boroughs
    from reference.population_row
    group by mid_year, vintage
),

expected as (
    select count(*) as boroughs
    from reference.area
    where area_type = 'borough'
)

select
    held.mid_year,
    held.vintage,
    held.published,
    held.added_at,
    held.source,
    held.licence,
    held.boroughs,
    held.boroughs = expected.boroughs
    and row_number() over (
        partition by held.mid_year
        order by
            held.boroughs = expected.boroughs desc,
            held.published desc,
            held.added_at desc nulls last,
            held.vintage desc
    ) = 1 as is_used
from held
cross join expected
