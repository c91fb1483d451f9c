-- core.episode_interview
-- Grain: one row per pair of episode and interview; an interview may cover several episodes and an episode have
-- several.
-- Keys: episode_key, interview_key.
-- For: the interview cascade. An identifier is looked up among the sender's own rows of the same child.
-- hours_from_return is elapsed time from the return (else from being found) to the interview, only where both are
-- known to the minute; negative when the interview is dated before the return. within_72_hours is yes, no or
-- not_measurable; an interview before the return is not measurable.
with named as (
    select
        interview_key,
        borough,
        child_id,
        trim(unnest(string_split(episode_ids, ';'))) as episode_id
    from core.return_interview
),

linked as (
    select distinct
        episode_row.episode_key,
        named.interview_key
    from named
    inner join core.episode_row
        on named.borough = episode_row.borough and named.episode_id = episode_row.episode_id
    inner join staging.missing_episode as staged
        on episode_row.row_key = staged.row_key and named.child_id = staged.child_id
),

timed as (
    select
        linked.episode_key,
        linked.interview_key,
        interview.held_at,
        interview.latest_held_at,
        interview.held_precision,
        coalesce(episode.returned_at, episode.ended_at) as returned_at,
        coalesce(episode.returned_precision, episode.ended_precision) as returned_precision,
        episode.returned_at is null as return_is_found,
        case
            when coalesce(episode.returned_precision, episode.ended_precision) = 'date'
                then latest_instant(
                    date_trunc('day', utc_to_london(coalesce(episode.returned_at, episode.ended_at))), 'date'
                )
            else coalesce(episode.returned_at, episode.ended_at)
        end as latest_returned_at
    from linked
    inner join core.missing_episode as episode on linked.episode_key = episode.episode_key
    inner join core.return_interview as interview on linked.interview_key = interview.interview_key
)

select
    episode_key,
    interview_key,
    return_is_found,
    case
        when held_precision = 'minute' and returned_precision = 'minute'
            then (epoch_us(held_at) - epoch_us(returned_at)) / 3.6e9
    end as hours_from_return,
    case
        when held_at is null then null
        when returned_at is null or latest_held_at < returned_at then 'not_measurable'
        when held_precision = 'minute' and returned_precision = 'minute' and held_at < returned_at then 'not_measurable'
        when latest_held_at - returned_at <= interval 72 hours then 'yes'
        when held_at - latest_returned_at > interval 72 hours then 'no'
        else 'not_measurable'
    end as within_72_hours
from timed
