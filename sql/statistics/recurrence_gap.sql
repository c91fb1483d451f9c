-- statistics.recurrence_gap
-- Grain: one row per child, basis, area and year to March with a missing episode there.
-- Keys: child_number, basis, area_code, period_start.
-- For: time to the next episode by child (Kaplan-Meier) and, with statistics.recurrence_event, the mean number of
-- further episodes. The child's first missing episode of the year in the area is followed to the child's next missing
-- start at any later date, whichever borough it is missing from (domain.md section 8, indicator 13; Sidebottom et al.
-- 2020). days is elapsed time from the end (found, else returned) of the first episode to that start (is_gone_again),
-- or to the end of observation. Of a time that is not exact (only the day, or October's repeated hour) the earliest
-- instant counts: days is up to a day too long where that is the end, too short where it is the start; is_exact says
-- where it is neither.
-- Observation ends (observed_to; observed_days counts from the first start) at the data cut of the borough that sent
-- the first episode, and before that at the first month, from the episode's own on, of which that borough sent nothing:
-- what was not received is not "did not go missing". It also ends where the record shows the child missing at 18 or
-- over. Starts after it do not count, or a child would repeat more because another borough delivered later. A child who
-- ends observed is never taken for one who will not go missing again.
-- followed_days is the time from that end to the end of observation, whatever happened in between.
-- left_out: the first episode has no end, so nothing can be timed from it: still_missing, or end_not_recorded where the
-- child has started again since. Those children have no days, and are counted beside the rest.
with history as (
    select
        episode.rowid as episode_rowid,
        episode.child_number,
        episode.borough,
        episode.start_day,
        episode.started_at,
        episode.ended_at,
        episode.started_precision = 'minute' and episode.latest_started_at = episode.started_at as is_start_exact,
        episode.ended_precision = 'minute' and episode.latest_ended_at = episode.ended_at as is_end_exact,
        episode.age_at_start,
        episode.looked_after,
        coalesce(episode.age_at_start >= 18, false) as is_adult
    from core.missing_episode as episode
    where episode.status = 'missing'
),

followed as (
    select
        *,
        min(case when is_adult then started_at end) over later as adult_at,
        case when not lead(is_adult) over child_history then lead(started_at) over child_history end as next_started_at,
        lead(is_start_exact) over child_history as is_next_start_exact
    from history
    window
        child_history as (partition by child_number order by started_at),
        later as (
            partition by child_number order by started_at
            rows between 1 following and unbounded following
        )
),

first_episode as (
    select
        frame.basis,
        frame.area_code,
        frame.period_start,
        child.child_number,
        episode.episode_rowid
    from statistics.child_period as child
    inner join statistics.frame as frame on child.frame_number = frame.frame_number
    inner join patterns.episode as episode
        on child.child_number = episode.child_number and child.first_number = episode.episode_number
    where frame.period_type = 'year_to_march'
),

-- Observation from a month on ends where the next month that was not received begins.
observed as (
    select
        borough,
        month,
        london_to_utc(
            min(case when status <> 'received' then month end) over (
                partition by borough order by month
                rows between current row and unbounded following
            )::timestamp
        ) as unseen_from
    from quality.borough_month
),

timed as (
    select
        first_episode.basis,
        first_episode.area_code,
        first_episode.period_start,
        first_episode.child_number,
        followed.looked_after,
        followed.age_at_start,
        followed.started_at,
        followed.ended_at,
        followed.is_end_exact,
        followed.next_started_at,
        followed.is_next_start_exact,
        followed.adult_at,
        -- least() passes over what is not known.
        least(data_cut.data_to, observed.unseen_from, followed.adult_at) as observed_to
    from first_episode
    inner join followed on first_episode.episode_rowid = followed.episode_rowid
    inner join quality.data_cut as data_cut on followed.borough = data_cut.borough
    left join observed
        on
            followed.borough = observed.borough
            and date_trunc('month', followed.start_day)::date = observed.month
)

select
    basis,
    area_code,
    period_start,
    child_number,
    looked_after,
    age_at_start,
    started_at,
    observed_to,
    greatest(epoch_us(observed_to) - epoch_us(started_at), 0) / 8.64e10 as observed_days,
    ended_at is not null and coalesce(next_started_at <= observed_to, false) as is_gone_again,
    case
        when ended_at is not null
            then
                greatest(
                    epoch_us(case when next_started_at <= observed_to then next_started_at else observed_to end)
                    - epoch_us(ended_at),
                    0
                ) / 8.64e10
    end as days,
    (epoch_us(observed_to) - epoch_us(ended_at)) / 8.64e10 as followed_days,
    coalesce(is_end_exact, false) and coalesce(next_started_at > observed_to or is_next_start_exact, true) as is_exact,
    case
        when ended_at is not null then null
        when next_started_at is null and adult_at is null then 'still_missing'
        else 'end_not_recorded'
    end as left_out
from timed
