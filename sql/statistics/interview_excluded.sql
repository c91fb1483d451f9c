-- statistics.interview_excluded
-- Grain: one row per area missing from (a borough, and the region), period of the return and responsible authority
-- (another_borough, outside_region, not_recorded) that occurs.
-- Keys: area_code, period_type, period_start, responsible.
-- For: saying beside a figure on basis B who is not in it; restricted use only. These episodes are eligible for a
-- return interview and the children went missing from the area, but another authority owes them the interview (the
-- responsible one arranges it wherever the child is placed), or nobody recorded which. An episode of another borough of
-- the region is left out of the borough's figure, not of the region's.
with attributed as (
    select
        verdict.child_number,
        verdict.return_day,
        area.area_code,
        area.parent_code,
        case
            when verdict.responsible_authority = 'unknown' then 'not_recorded'
            when responsible.area_code is not null then 'another_borough'
            else 'outside_region'
        end as responsible
    from statistics.interview_verdict as verdict
    inner join reference.area as area on verdict.area_missing_from = area.area_code and area.area_type = 'borough'
    left join reference.area as responsible
        on verdict.responsible_authority = responsible.area_code and responsible.area_type = 'borough'
    where verdict.responsible_authority <> verdict.area_missing_from
),

placed as (
    select
        child_number,
        return_day,
        responsible,
        unnest(
            case when responsible = 'another_borough' then [area_code] else [area_code, parent_code] end
        ) as area_code
    from attributed
),

returned as (
    select
        *,
        unnest(['month', 'quarter', 'year_to_march']) as period_type,
        unnest([
            date_trunc('month', return_day),
            date_trunc('quarter', return_day),
            year_to_march(return_day)
        ])::date as period_start
    from placed
)

select
    'B' as basis,
    returned.area_code,
    returned.period_type,
    returned.period_start,
    returned.responsible,
    count(*) as episodes,
    count(distinct returned.child_number) as children
from returned
inner join statistics.period
    on returned.period_type = period.period_type and returned.period_start = period.period_start
group by returned.area_code, returned.period_type, returned.period_start, returned.responsible
