-- statistics.child_rolling
-- Grain: one row per measure of children, basis, area and rolling 12 months.
-- Keys: measure, basis, area_code, period_start.
-- For: statistics.count_cell. A child is in every 12 months that hold one of its episodes. Instead of looking at each
-- 12 months for each child, each of its months says in which it counts that no later one does: those ending from it to
-- before its next month, and no more than 11 months after it. Coming and going then add up over time. A child of two
-- incidents or more counts likewise, with the months of its second-last and last incident up to then.
with placed as (
    select
        episode.basis,
        episode.child_number,
        episode.month,
        unnest([area.area_code, area.parent_code]) as area_code
    from statistics.episode as episode
    inner join reference.area as area on episode.area_code = area.area_code
),

started as (
    select
        basis,
        area_code,
        month,
        lag(month) over child_history as previous_month,
        lead(month) over child_history as next_month
    from placed
    window child_history as (partition by basis, area_code, child_number order by month)
),

counting as (
    select
        'children' as measure,
        basis,
        area_code,
        month as first_end,
        least(coalesce(next_month, month + interval 12 months), month + interval 12 months)::date as gone_by
    from started
    where next_month is null or next_month > month
    union all
    select
        'children_repeat' as measure,
        basis,
        area_code,
        month as first_end,
        least(
            coalesce(next_month, previous_month + interval 12 months), previous_month + interval 12 months
        )::date as gone_by
    from started
    where previous_month + interval 12 months > month and (next_month is null or next_month > month)
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
