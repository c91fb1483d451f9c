-- core.next_missing
-- Grain: one row per missing episode that was followed by another missing episode of the same child, at any age.
-- Keys: episode_key; episode_rowid, the place of the row in core.missing_episode, by which joins are quick.
-- For: whether an interview came before the child was missing again. Away and absent episodes never count as that.
-- latest_next_started_at is the latest instant that the record of the next start allows.
with followed as (
    select
        rowid as episode_rowid,
        episode_key,
        lead(started_at) over child_history as next_started_at,
        lead(latest_started_at) over child_history as latest_next_started_at
    from core.missing_episode
    where status = 'missing'
    window child_history as (partition by child_number order by started_at, episode_key)
)

select
    episode_rowid,
    episode_key,
    next_started_at,
    latest_next_started_at
from followed
where next_started_at is not null
