-- reference.population_row
-- Grain: one row per vintage, borough, sex (persons, female, male), age and mid-year.
-- Keys: vintage, area_code, sex, age, mid_year.
-- For: choosing one vintage per mid-year. Those stated with the contracts (vintage zero) and those added in the home
-- by the as-at instant. age is a single year ('14', the last one open-ended) or a band ('0-17').
with known as (
    select
        vintage,
        area_code,
        sex,
        age,
        mid_year,
        population,
        estimated = 'yes' as is_estimated,
        source,
        published,
        licence,
        null::timestamp as added_at
    from reference.population_stated
    union all
    select
        vintage,
        area_code,
        sex,
        age,
        mid_year,
        population,
        false as is_estimated,
        source,
        published,
        licence,
        added_at
    from reference.population_added
)

select known.*
from known
inner join reference.area as area on known.area_code = area.area_code
where area.area_type = 'borough'
