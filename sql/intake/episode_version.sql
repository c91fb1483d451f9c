-- intake.episode_version
-- Grain: one row per version of an episode: a row of a delivery that was accepted and loaded.
-- Keys: delivery_id, row_number; natural key borough, source, episode_id, delivery_id.
-- For: history. A version counts from its arrival (current_from) until a version that outranks it arrives
-- (current_to, null while it stands); one that was outranked when it arrived never counted (both null). Versions rank
-- as in staging.missing_episode. A withdrawn delivery's versions are shown with withdrawn_at and take no part in this.
with version as (
    select
        episode.borough,
        episode.source,
        episode.episode_id,
        episode.delivery_id,
        episode.row_number,
        receipt.received_at,
        receipt.file_name,
        least(london_to_utc(episode.extracted_at), receipt.received_at) as known_at,
        withdrawal.withdrawn_at
    from intake.missing_episode as episode
    inner join intake.receipt as receipt on episode.delivery_id = receipt.delivery_id
    left join intake.withdrawal as withdrawal on episode.delivery_id = withdrawal.delivery_id
),

ranked as (
    select
        *,
        min(received_at) over (
            partition by borough, source, episode_id, withdrawn_at is null
            order by known_at desc, received_at desc, file_name desc, delivery_id desc, row_number asc
            rows between unbounded preceding and 1 preceding
        ) as outranked_at
    from version
)

select
    borough,
    source,
    episode_id,
    delivery_id,
    row_number,
    known_at,
    received_at,
    case when withdrawn_at is null and (outranked_at is null or outranked_at > received_at) then received_at end
        as current_from,
    case when withdrawn_at is null and outranked_at > received_at then outranked_at end as current_to,
    withdrawn_at
from ranked
