-- statistics.concentration
-- Grain: one row per basis, area, year to March and slice of the children, most incidents first.
-- Keys: basis, area_code, period_start, slice.
-- For: the concentration of incidents (indicator 12). Slices: half_of_incidents, the smallest number of children who
-- have half of the incidents or more between them; top_5_percent and top_15_percent of the children (Sidebottom et al.
-- 2020: 4% have 28%; Galiano Lopez et al. 2021: 6% have 33%; Babuta and Sidebottom 2020: 15% have over half), at least
-- one child. Children cannot be told apart where they have equally many, so a top slice has all who tie with its last
-- and share_of_children says how large it really is. incidents_each is the fewest that a child in the slice has.
with top as (
    select
        unnest([5, 15]) as percent,
        unnest(['top_5_percent', 'top_15_percent']) as slice
),

top_slice as (
    select
        curve.basis,
        curve.area_code,
        curve.period_start,
        top.slice,
        max(curve.incidents_each) as incidents_each,
        min(curve.children_cumulative) as children,
        min(curve.incidents_cumulative) as incidents,
        any_value(curve.children_total) as children_total,
        any_value(curve.incidents_total) as incidents_total
    from statistics.concentration_curve as curve
    inner join top on curve.children_cumulative * 100 >= curve.children_total * top.percent
    group by curve.basis, curve.area_code, curve.period_start, top.slice
),

-- The children with fewer incidents each than those of half_class are not needed, those with more are all in the half.
half_class as (
    select
        basis,
        area_code,
        period_start,
        max(incidents_each) as incidents_each,
        arg_max(children_cumulative - children, incidents_each) as children_above,
        arg_max(incidents_cumulative - children * incidents_each, incidents_each) as incidents_above,
        any_value(children_total) as children_total,
        any_value(incidents_total) as incidents_total
    from statistics.concentration_curve
    where incidents_cumulative * 2 >= incidents_total
    group by basis, area_code, period_start
),

half_needed as (
    select
        *,
        (incidents_total - 2 * incidents_above + 2 * incidents_each - 1) // (2 * incidents_each) as children_needed
    from half_class
),

slice as (
    select
        basis,
        area_code,
        period_start,
        slice,
        incidents_each,
        children,
        incidents,
        children_total,
        incidents_total
    from top_slice
    union all
    select
        basis,
        area_code,
        period_start,
        'half_of_incidents' as slice,
        incidents_each,
        children_above + children_needed as children,
        incidents_above + children_needed * incidents_each as incidents,
        children_total,
        incidents_total
    from half_needed
)

select
    basis,
    area_code,
    period_start,
    slice,
    incidents_each,
    children::bigint as children,
    incidents::bigint as incidents,
    children_total,
    incidents_total,
    children / children_total as share_of_children,
    incidents / incidents_total as share_of_incidents
from slice
