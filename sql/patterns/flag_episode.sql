-- patterns.flag_episode
-- Grain: one row per flag and contributing episode.
-- Keys: flag_id, episode_key.
-- For: the evidence of a flag, to be joined with core.missing_episode. patterns.flag_run says what contributes.
select
    flag_id,
    unnest(episode_keys) as episode_key
from patterns.flag
