-- patterns.episode
-- Grain: one row per resolved missing episode, in the order the child lived it.
-- Keys: episode_key.
-- For: every pattern. Away and absent episodes never count.
select
    episode_key,
    child_key,
    child_id,
    borough,
    started_at,
    ended_at,
    coalesce(returned_at, ended_at) as returned_at,
    row_number() over child_history as episode_number,
    lag(started_at) over child_history as previous_started_at,
    lag(ended_at) over child_history as previous_ended_at,
    lag(coalesce(returned_at, ended_at)) over child_history as previous_returned_at,
    lag(episode_key) over child_history as previous_episode_key
from core.missing_episode
where status = 'missing'
window child_history as (partition by child_key order by started_at, episode_key)
