-- statistics.concentration_curve
-- Grain: one row per basis, area, year to March and number of incidents that a child has there.
-- Keys: basis, area_code, period_start, incidents_each.
-- For: how far incidents are concentrated on few children (a Lorenz curve from the top; Babuta and Sidebottom 2020,
-- Galiano Lopez et al. 2021). The children with incidents_each incidents, and the children and incidents of all who
-- have as many or more. Between two rows the curve is a straight line, because the children of a row have equally many.
with tally as (
    select
        frame.basis,
        frame.area_code,
        frame.period_start,
        child.incidents as incidents_each,
        count(*) as children
    from statistics.child_period as child
    inner join statistics.frame as frame on child.frame_number = frame.frame_number
    where frame.period_type = 'year_to_march'
    group by frame.basis, frame.area_code, frame.period_start, child.incidents
),

cumulated as (
    select
        *,
        sum(children) over from_the_top as children_cumulative,
        sum(children * incidents_each) over from_the_top as incidents_cumulative,
        sum(children) over whole as children_total,
        sum(children * incidents_each) over whole as incidents_total
    from tally
    window
        whole as (partition by basis, area_code, period_start),
        from_the_top as (
            partition by basis, area_code, period_start
            order by incidents_each desc
            rows between unbounded preceding and current row
        )
)

select
    basis,
    area_code,
    period_start,
    incidents_each,
    children,
    children_cumulative::bigint as children_cumulative,
    incidents_cumulative::bigint as incidents_cumulative,
    children_total::bigint as children_total,
    incidents_total::bigint as incidents_total,
    children_cumulative / children_total as share_of_children,
    incidents_cumulative / incidents_total as share_of_incidents
from cumulated
