-- core.episode_row
-- Grain: one row per staged row, with the resolved episode it belongs to.
-- Keys: row_key.
-- For: core.missing_episode and for showing which rows were merged.
-- Merge rule (domain.md section 8): same child and status; the next start is not after the previous end, or the
-- previous row has no end and the next start is less than 24 hours after it. Where only a date is known, the latest
-- instant that the record allows stands for its end. A row that knows only dates joins an episode known to the minute
-- that it overlaps (the one that starts on its day, else the earliest) and never joins two such episodes to each
-- other.
with reach as (
    select
        row_key,
        child_key,
        status,
        started_at,
        latest_started_at,
        started_precision,
        coalesce(latest_ended_at, latest_started_at + interval 24 hours - interval 1 microsecond) as reaches_to
    from staging.missing_episode
),

precise_ordered as (
    select
        *,
        max(reaches_to) over (
            partition by child_key, status
            order by started_at, reaches_to, row_key
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from reach
    where started_precision = 'minute'
),

precise_grouped as (
    select
        *,
        count_if(reached_before is null or started_at > reached_before) over (
            partition by child_key, status
            order by started_at, reaches_to, row_key
            rows between unbounded preceding and current row
        ) as episode_number
    from precise_ordered
),

precise_episode as (
    select
        child_key,
        status,
        episode_number,
        min(started_at) as started_at,
        max(reaches_to) as reaches_to
    from precise_grouped
    group by child_key, status, episode_number
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
    from reach as dated
    inner join precise_episode
        on
            dated.child_key = precise_episode.child_key
            and dated.status = precise_episode.status
            and dated.started_at <= precise_episode.reaches_to
            and precise_episode.started_at <= dated.reaches_to
    where dated.started_precision = 'date'
),

dated_ordered as (
    select
        reach.*,
        max(reach.reaches_to) over (
            partition by reach.child_key, reach.status
            order by reach.started_at, reach.reaches_to, reach.row_key
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from reach
    where
        reach.started_precision = 'date'
        and reach.row_key not in (select dated_matched.row_key from dated_matched)
),

dated_grouped as (
    select
        *,
        -count_if(reached_before is null or started_at > reached_before) over (
            partition by child_key, status
            order by started_at, reaches_to, row_key
            rows between unbounded preceding and current row
        ) as episode_number
    from dated_ordered
),

numbered as (
    select
        row_key,
        episode_number
    from precise_grouped
    union all
    select
        row_key,
        episode_number
    from dated_matched
    where match_rank = 1
    union all
    select
        row_key,
        episode_number
    from dated_grouped
),

placed as (
    select
        staged.row_key,
        staged.borough,
        staged.source,
        staged.episode_id,
        staged.child_key,
        staged.status,
        numbered.episode_number,
        first_value(staged.row_key) over (
            partition by staged.child_key, staged.status, numbered.episode_number
            order by staged.started_precision desc, staged.started_at asc, staged.known_at asc, staged.row_key asc
        ) as lead_row_key
    from staging.missing_episode as staged
    inner join numbered on staged.row_key = numbered.row_key
)

select
    row_key,
    lead_row_key as episode_key,
    row_key = lead_row_key as is_lead,
    borough,
    source,
    episode_id
from placed
