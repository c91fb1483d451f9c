-- reference.looked_after
-- Grain: one row per area and year to March for which DfE printed how many children were looked after.
-- Keys: area_code, year_to.
-- For: the denominators of looked-after rates, basis B. in_year counts children looked after at any time in the year,
-- on_31_march those on its last day; null where not printed. Authorities are printed unrounded, larger areas rounded to
-- `rounded_to`. The region is the sum of its boroughs, so a child whom two of them looked after counts twice.
with placed as (
    select
        area_code,
        year_to::date as year_to,
        measure,
        children,
        rounded_to,
        source,
        published,
        licence,
        false as is_sum
    from reference.looked_after_stated
    union all
    select
        area.parent_code as area_code,
        stated.year_to::date as year_to,
        stated.measure,
        stated.children,
        stated.rounded_to,
        stated.source,
        stated.published,
        stated.licence,
        true as is_sum
    from reference.looked_after_stated as stated
    inner join reference.area as area on stated.area_code = area.area_code
    where area.area_type = 'borough'
),

counted as (
    select
        area_code,
        year_to,
        measure,
        is_sum,
        sum(children)::bigint as children,
        count(*) as areas,
        max(rounded_to) as rounded_to,
        min(source) as source,
        max(published) as published,
        min(licence) as licence
    from placed
    group by area_code, year_to, measure, is_sum
),

expected as (
    select count(*) as boroughs
    from reference.area
    where area_type = 'borough'
)

select
    counted.area_code,
    counted.year_to,
    max(counted.children) filter (where counted.measure = 'in the year') as in_year,
    max(counted.children) filter (where counted.measure = 'on 31 March') as on_31_march,
    max(counted.rounded_to) as rounded_to,
    min(counted.source) as source,
    max(counted.published) as published,
    min(counted.licence) as licence
from counted
cross join expected
where not counted.is_sum or counted.areas = expected.boroughs
group by counted.area_code, counted.year_to
