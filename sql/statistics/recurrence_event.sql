-- statistics.recurrence_event
-- Grain: one row per missing episode that a child of statistics.recurrence_gap has within 365 days of its first one.
-- Keys: child_number, basis, area_code, period_start, started_at.
-- For: the mean number of further episodes per child by days since the first episode of the year (mean cumulative
-- function). days is elapsed time from start to start, at most 365; the first episode itself is not among the rows.
-- As in statistics.recurrence_gap, whichever borough the child is missing from, and only what starts by observed_to.
with episode as (
    select
        child_number,
        started_at
    from core.missing_episode
    where status = 'missing' and (age_at_start is null or age_at_start < 18)
)

select
    gap.basis,
    gap.area_code,
    gap.period_start,
    gap.child_number,
    episode.started_at,
    (epoch_us(episode.started_at) - epoch_us(gap.started_at)) / 8.64e10 as days
from statistics.recurrence_gap as gap
inner join episode
    on
        gap.child_number = episode.child_number
        and gap.started_at < episode.started_at
        and gap.observed_to >= episode.started_at
        and gap.started_at + interval 365 days >= episode.started_at
