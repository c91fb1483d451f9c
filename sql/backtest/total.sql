-- backtest.total
-- Grain: one row per borough that sent a return, status (M missing, A away, blank neither) and thing counted.
-- Keys: borough, status, total.
-- For: the true counts that DfE's thirteen figures are made of (rules/dfe_publication.yaml); rounding and hiding come
-- after. A borough without incidents has zeros.
with child as (
    select
        borough,
        child,
        status,
        count(*) as incidents,
        bool_or(is_at_year_end) as is_at_year_end
    from backtest.incident
    where standing = 'counted'
    group by borough, child, status
),

by_status as (
    select
        area.slug as borough,
        statuses.status,
        count(child.child) as children,
        count(*) filter (where child.incidents > 1) as children_repeat,
        coalesce(sum(child.incidents), 0)::bigint as incidents,
        count(*) filter (where child.is_at_year_end) as at_year_end
    from backtest.area as area
    cross join (values ('M'), ('A')) as statuses (status)
    left join child on area.slug = child.borough and statuses.status = child.status
    group by area.slug, statuses.status
)

select
    borough,
    status,
    unnest(['children', 'children_repeat', 'incidents', 'at_year_end']) as total,
    unnest([children, children_repeat, incidents, at_year_end]) as number
from by_status
union all
select
    area.slug as borough,
    '' as status,
    'looked_after' as total,
    count(distinct care.child) as number
from backtest.area as area
left join backtest.care as care on area.slug = care.borough
group by area.slug
