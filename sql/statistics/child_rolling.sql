-- statistics.child_rolling
-- Grain: one row per measure of children, basis, area and rolling 12 months.
-- Keys: measure, basis, area_code, period_start.
-- For: statistics.count_cell. A child is in every 12 months that hold one of its episodes. Instead of looking at each
-- 12 months for each child, each of its months says in which it counts that no later one does: those ending from it to
-- before its next month, and no more than 11 months after it. Coming and going then add up over time. A child of two
-- incidents or more counts likewise, with the months of its second-last and last incident up to then; where a month has
-- two, with that month alone.
with started as (
    select
        frame.basis,
        frame.area_code,
        frame.period_start as month,
        case when child.incidents > 1 then frame.period_start else lag(frame.period_start) over child_history end
            as last_but_one,
        lead(frame.period_start) over child_history as next_month
    from statistics.child_period as child
    inner join statistics.frame as frame on child.frame_number = frame.frame_number
    where frame.period_type = 'month'
    window child_history as (partition by frame.place_number, child.child_number order by frame.period_start)
),

counting as (
    select
        'children' as measure,
        basis,
        area_code,
        month as first_end,
        least(coalesce(next_month, month + interval 12 months), month + interval 12 months)::date as gone_by
    from started
    union all
    select
        'children_repeat' as measure,
        basis,
        area_code,
        month as first_end,
        least(
            coalesce(next_month, last_but_one + interval 12 months), last_but_one + interval 12 months
        )::date as gone_by
    from started
    where last_but_one + interval 12 months > month
),

change as (
    select
        measure,
        basis,
        area_code,
        unnest([first_end, gone_by]) as month,
        unnest([1, -1]) as change
    from counting
),

changed as (
    select
        measure,
        basis,
        area_code,
        month,
        sum(change) as change
    from change
    group by measure, basis, area_code, month
),

kind as (
    select distinct
        measure,
        basis,
        area_code
    from changed
),

every_month as (
    select
        kind.measure,
        kind.basis,
        kind.area_code,
        period.period_start as month
    from kind
    cross join statistics.period as period
    where period.period_type = 'month'
),

present as (
    select
        every_month.measure,
        every_month.basis,
        every_month.area_code,
        every_month.month,
        sum(coalesce(changed.change, 0)) over (
            partition by every_month.measure, every_month.basis, every_month.area_code
            order by every_month.month
            rows unbounded preceding
        ) as children
    from every_month
    left join changed
        on
            every_month.measure = changed.measure
            and every_month.basis = changed.basis
            and every_month.area_code = changed.area_code
            and every_month.month = changed.month
)

select
    present.measure,
    present.basis,
    present.area_code,
    period.period_start,
    present.children::bigint as count
from present
inner join statistics.period
    on
        period.period_type = 'rolling_12_months'
        and (present.month + interval 1 month - interval 1 day)::date = period.period_end
where present.children > 0
