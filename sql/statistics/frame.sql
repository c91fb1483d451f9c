-- statistics.frame
-- Grain: one row per basis, area (the boroughs and the region) and period: month, quarter or year to March.
-- Keys: frame_number; basis, area_code, period_type, period_start.
-- For: statistics.child_period, which names these by one number; place_number stands for basis and area. The numbers
-- mean nothing outside one run.
select
    (row_number() over (order by basis.basis, area.area_code, period.period_start, period.period_type))::integer
        as frame_number,
    (dense_rank() over (order by basis.basis, area.area_code))::integer as place_number,
    basis.basis,
    area.area_code,
    period.period_type,
    period.period_start,
    period.period_end
from (values ('A'), ('B')) as basis (basis)
cross join reference.area as area
cross join statistics.period as period
where
    period.period_type in ('month', 'quarter', 'year_to_march')
    and (
        area.area_type = 'borough'
        or area.area_code in (
            select borough.parent_code
            from reference.area as borough
            where borough.area_type = 'borough'
        )
    )
