-- core.episode_interview
-- Grain: one row per pair of episode and interview; an interview may cover several episodes (episodes_covered) and an
-- episode have several.
-- Keys: episode_key, interview_key. episode_rowid is the place of the row in core.missing_episode: joins by it are
-- quick.
-- For: the interview cascade. An identifier is looked up among the sender's own rows of the same child.
-- hours_from_return is elapsed time from the return (else from being found) to the interview, only where both are
-- exact: known to the minute and not in October's repeated hour. Negative where the interview is dated before the
-- return.
-- within_72_hours is yes where every reading of what was recorded says so, no where none does, else not_measurable.
-- Exactly 72 hours is within. An interview dated before the return is not measurable; one dated by its day may be on
-- the day of the return, and counts as after it.
-- is_before_return and is_after_next (the child's next missing episode had begun) hold on every reading.
with named as (
    select
        interview_key,
        borough,
        child_number,
        held_at,
        latest_held_at,
        held_precision,
        trim(unnest(string_split(episode_ids, ';'))) as episode_id
    from core.return_interview
),

-- One interview may name several rows of one episode.
linked as (
    select distinct
        episode_row.episode_key,
        named.interview_key,
        named.child_number,
        named.held_at,
        named.latest_held_at,
        named.held_precision
    from named
    inner join core.episode_row on named.borough = episode_row.borough and named.episode_id = episode_row.episode_id
),

timed as (
    select
        linked.episode_key,
        episode.rowid as episode_rowid,
        linked.interview_key,
        linked.held_at,
        linked.latest_held_at,
        linked.held_precision,
        episode.returned_at is null and episode.ended_at is not null as return_is_found,
        coalesce(episode.returned_at, episode.ended_at) as returned_at,
        coalesce(episode.latest_returned_at, episode.latest_ended_at) as latest_returned_at,
        coalesce(episode.returned_precision, episode.ended_precision) as returned_precision
    from linked
    inner join core.missing_episode as episode
        on linked.episode_key = episode.episode_key and linked.child_number = episode.child_number
),

shared as (
    select
        interview_key,
        count(*) as episodes_covered
    from timed
    group by interview_key
    having count(*) > 1
)

select
    timed.episode_key,
    timed.episode_rowid,
    timed.interview_key,
    coalesce(shared.episodes_covered, 1) as episodes_covered,
    timed.return_is_found,
    case
        when
            timed.held_precision = 'minute'
            and timed.held_at = timed.latest_held_at
            and timed.returned_precision = 'minute'
            and timed.returned_at = timed.latest_returned_at
            then (epoch_us(timed.held_at) - epoch_us(timed.returned_at)) / 3.6e9
    end as hours_from_return,
    case
        when timed.held_at is null then null
        when timed.returned_at is null or timed.latest_held_at < timed.returned_at then 'not_measurable'
        when timed.latest_held_at - timed.returned_at <= interval 72 hours then 'yes'
        when timed.held_at - timed.latest_returned_at > interval 72 hours then 'no'
        else 'not_measurable'
    end as within_72_hours,
    coalesce(timed.latest_held_at < timed.returned_at, false) as is_before_return,
    coalesce(timed.held_at > next_missing.latest_next_started_at, false) as is_after_next
from timed
left join shared on timed.interview_key = shared.interview_key
left join core.next_missing on timed.episode_rowid = next_missing.episode_rowid
