-- reference.population
-- Grain: one row per area (each borough, and the region as their sum), age band and mid-year.
-- Keys: area_code, age_band, mid_year.
-- For: the denominators of rates. Of each mid-year one vintage, so that no rate compares areas across two; what that
-- vintage does not hold is not filled from another. A band is summed from single years of age where the vintage has
-- every one of them. Bands are those that indicators ask for.
with band as (
    select distinct
        denominator_band as age_band,
        split_part(denominator_band, '-', 1)::integer as first_age,
        split_part(denominator_band, '-', 2)::integer as last_age
    from rules.indicator
    where denominator_band <> ''
),

-- Both sexes together, as stated or else as their sum.
counted as (
    select
        held.area_code,
        held.mid_year,
        held.vintage,
        held.age,
        coalesce(
            sum(held.population) filter (where held.sex = 'persons'),
            case when count_if(held.sex <> 'persons') = 2 then sum(held.population) end
        )::bigint as population,
        bool_or(held.is_estimated) as is_estimated,
        min(held.source) as source
    from reference.population_row as held
    inner join reference.population_vintage as vintage
        on held.mid_year = vintage.mid_year and held.vintage = vintage.vintage
    where vintage.is_used
    group by held.area_code, held.mid_year, held.vintage, held.age
),

summed as (
    select
        counted.area_code,
        band.age_band,
        counted.mid_year,
        counted.vintage,
        coalesce(
            case
                when
                    count(counted.population) filter (where try_cast(counted.age as integer) is not null)
                    = band.last_age - band.first_age + 1
                    then sum(counted.population) filter (where try_cast(counted.age as integer) is not null)
            end,
            sum(counted.population) filter (where counted.age = band.age_band)
        )::bigint as population,
        bool_or(counted.is_estimated) as is_estimated,
        min(counted.source) as source
    from counted
    inner join band
        on
            counted.age = band.age_band
            or try_cast(counted.age as integer) between band.first_age and band.last_age
    group by
        counted.area_code, band.age_band, counted.mid_year, counted.vintage, band.first_age, band.last_age
),

placed as (
    select
        summed.* exclude (area_code),
        unnest([area.area_code, area.parent_code]) as area_code,
        unnest([false, true]) as is_region
    from summed
    inner join reference.area as area on summed.area_code = area.area_code
    where summed.population is not null
),

expected as (
    select count(*) as boroughs
    from reference.area
    where area_type = 'borough'
)

select
    placed.area_code,
    placed.age_band,
    placed.mid_year,
    sum(placed.population)::bigint as population,
    placed.vintage,
    bool_or(placed.is_estimated) as is_estimated,
    min(placed.source) as source
from placed
cross join expected
group by
    placed.area_code, placed.age_band, placed.mid_year, placed.vintage, placed.is_region, expected.boroughs
having not placed.is_region or count(*) = expected.boroughs
