-- core.joined_row
-- Grain: one row per staged row of a resolved episode that has several.
-- Keys: row_key.
-- For: core.episode_row, which knows the rows that are alone too. joined_by says why the row belongs to the episode
-- (lead, overlap, day, police_match), source_rows how many rows it has.
-- Merge rule (domain.md section 8; numbers in data_contracts/rules/episodes.yaml): same child and status; the next
-- start is not after the previous end, or the previous row has no end and the next start is less than 24 hours after
-- it. Where only a date is known, the latest instant that the record allows stands for its end. A row that knows only
-- dates joins an episode known to the minute that it overlaps (the one that starts on its day, else the earliest) and
-- never joins two such episodes to each other.
-- Police match: an absence that only the police recorded and one that only an authority did, known to the minute and
-- ended, are one where the second starts at most 2 hours after the end of the first and each is the other's nearest
-- such neighbour (on a tie the earlier), so that no police record joins two absences which the authority kept apart.
-- Most rows are alone: no other row of the child and status lies less than those 2 hours from them. The others only are
-- compared.
with reach as (
    select
        staged.row_key,
        staged.recorded_by,
        staged.known_at,
        staged.child_number,
        staged.status,
        staged.started_at,
        staged.latest_started_at,
        staged.started_precision,
        staged.latest_ended_at is not null as is_ended,
        coalesce(
            staged.latest_ended_at, staged.latest_started_at + to_hours(rule.open_for_hours) - interval 1 microsecond
        ) as reaches_to,
        rule.police_match_hours
    from staging.missing_episode as staged
    cross join rules.episode as rule
),

among_others as (
    select
        *,
        max(reaches_to) over (in_time rows between unbounded preceding and 1 preceding) as others_reach_to,
        lead(started_at) over in_time as others_start_from
    from reach
    window in_time as (partition by child_number, status order by started_at)
),

compared as (
    select *
    from among_others
    where
        started_at <= others_reach_to + to_hours(police_match_hours)
        or others_start_from <= reaches_to + to_hours(police_match_hours)
),

-- Rows known to the minute and rows known to the day are each put in order; a row begins a group where no row of its
-- kind before it reaches it.
ordered as (
    select
        *,
        max(reaches_to) over (
            partition by child_number, status, started_precision
            order by started_at, reaches_to, row_key
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from compared
),

grouped as (
    select
        *,
        count_if(reached_before is null or started_at > reached_before) over (
            partition by child_number, status, started_precision
            order by started_at, reaches_to, row_key
            rows between unbounded preceding and current row
        ) as group_number
    from ordered
),

absence as (
    select
        grouped.child_number,
        grouped.status,
        grouped.group_number,
        min(grouped.started_at) as started_at,
        max(grouped.reaches_to) as reaches_to,
        arg_max(grouped.is_ended, (grouped.reaches_to, grouped.is_ended)) as is_ended,
        case when min(grouped.recorded_by) = max(grouped.recorded_by) then min(grouped.recorded_by) end
            as only_recorded_by
    from grouped
    where grouped.started_precision = 'minute'
    group by grouped.child_number, grouped.status, grouped.group_number
),

neighbour as (
    select
        absence.*,
        case
            when
                absence.is_ended
                and absence.only_recorded_by <> lead(absence.only_recorded_by) over child_history
                and lead(absence.started_at) over child_history
                <= absence.reaches_to + to_hours(rule.police_match_hours)
                then lead(absence.started_at) over child_history - absence.reaches_to
        end as gap_after
    from absence
    cross join rules.episode as rule
    window child_history as (partition by absence.child_number, absence.status order by absence.started_at)
),

nearest as (
    select
        child_number,
        status,
        group_number,
        started_at,
        reaches_to,
        lag(gap_after) over child_history is not null
        and lag(gap_after) over child_history <= coalesce(gap_after, interval 1 day)
        and lag(gap_after) over child_history
        < coalesce(lag(gap_after, 2) over child_history, interval 1 day) as is_matched
    from neighbour
    window child_history as (partition by child_number, status order by started_at)
),

matched as (
    select
        child_number,
        status,
        'minute' as started_precision,
        group_number
    from nearest
    where is_matched
),

precise_episode as (
    select
        child_number,
        status,
        group_number - is_matched::bigint as episode_number,
        min(started_at) as started_at,
        max(reaches_to) as reaches_to
    from nearest
    group by child_number, status, episode_number
),

dated_matched as (
    select
        dated.row_key,
        precise_episode.episode_number,
        row_number() over (
            partition by dated.row_key
            order by
                (precise_episode.started_at between dated.started_at and dated.latest_started_at) desc,
                precise_episode.started_at asc
        ) as match_rank
    from compared as dated
    inner join precise_episode
        on
            dated.child_number = precise_episode.child_number
            and dated.status = precise_episode.status
            and dated.started_at <= precise_episode.reaches_to
            and precise_episode.started_at <= dated.reaches_to
    where dated.started_precision = 'date'
),

dated_ordered as (
    select
        compared.*,
        max(compared.reaches_to) over (
            partition by compared.child_number, compared.status
            order by compared.started_at, compared.reaches_to, compared.row_key
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from compared
    where
        compared.started_precision = 'date'
        and compared.row_key not in (select dated_matched.row_key from dated_matched)
),

dated_grouped as (
    select
        row_key,
        -count_if(reached_before is null or started_at > reached_before) over (
            partition by child_number, status
            order by started_at, reaches_to, row_key
            rows between unbounded preceding and current row
        ) as episode_number
    from dated_ordered
),

numbered as (
    select
        grouped.row_key,
        grouped.known_at,
        grouped.child_number,
        grouped.status,
        grouped.started_at,
        grouped.started_precision,
        case
            when grouped.started_precision = 'minute'
                then grouped.group_number - (matched.group_number is not null)::bigint
            else coalesce(dated_matched.episode_number, dated_grouped.episode_number)
        end as episode_number,
        case
            when matched.group_number is not null then 'police_match'
            when dated_matched.row_key is not null then 'day'
            else 'overlap'
        end as joined_by
    from grouped
    left join matched
        on
            grouped.child_number = matched.child_number
            and grouped.status = matched.status
            and grouped.started_precision = matched.started_precision
            and grouped.group_number = matched.group_number
    left join dated_matched on grouped.row_key = dated_matched.row_key and dated_matched.match_rank = 1
    left join dated_grouped on grouped.row_key = dated_grouped.row_key
),

-- The row that knows the start best leads: to the minute, then earliest, then known first.
led as (
    select
        child_number,
        status,
        episode_number,
        arg_min(row_key, (started_precision = 'date', started_at, known_at, row_key)) as lead_row_key,
        count(*) as source_rows
    from numbered
    group by child_number, status, episode_number
    having count(*) > 1
)

select
    numbered.row_key,
    led.lead_row_key as episode_key,
    numbered.row_key = led.lead_row_key as is_lead,
    case when numbered.row_key = led.lead_row_key then 'lead' else numbered.joined_by end as joined_by,
    led.source_rows
from numbered
inner join led
    on
        numbered.child_number = led.child_number
        and numbered.status = led.status
        and numbered.episode_number = led.episode_number
