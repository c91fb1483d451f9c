-- patterns.absence
-- Grain: one row per resolved away or absent episode of a child, in the order the child lived it.
-- Keys: episode_key; child_number, absence_number.
-- For: the pattern of hidden absence, and nothing else: what is recorded as away or absent is never counted with
-- missing episodes. Ages and order as in patterns.episode.
select
    episode.episode_key,
    episode.child_number,
    episode.pseudonym_number,
    episode.boroughs,
    episode.started_at,
    (row_number() over child_history)::integer as absence_number,
    max(episode.latest_started_at) over child_history as latest_start_so_far
from core.missing_episode as episode
where episode.status in ('away', 'absent') and (episode.age_at_start is null or episode.age_at_start < 18)
window child_history as (partition by episode.child_number order by episode.started_at, episode.episode_key)
