-- patterns.flag_episode
-- Grain: one row per flag and contributing episode.
-- Keys: flag_id, episode_key.
-- For: the evidence of a flag, on the page and in `mfh explain`.
select
    flag_run.flag_id,
    episode.episode_key,
    episode.borough,
    episode.started_at,
    episode.ended_at,
    episode.returned_at
from patterns.flag_run
inner join patterns.episode as episode
    on
        flag_run.child_key = episode.child_key
        and episode.started_at > flag_run.window_after
        and episode.started_at <= flag_run.last_hit_at
