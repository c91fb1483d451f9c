-- patterns.history
-- Grain: one row per child with a missing episode.
-- Keys: child_number.
-- For: patterns.flag picks the evidence of a flag out of episode_keys, the child's missing episodes in order. is_shared
-- says that they were sent by more than one borough, or under more than one pseudonym; where they were not, child_id
-- and borough hold for all of them.
select
    child_number,
    list(episode_key order by episode_number) as episode_keys,
    min(child_id) as child_id,
    min(borough) as borough,
    min(child_id) <> max(child_id) or min(borough) <> max(borough) or max(len(boroughs)) > 1 as is_shared
from patterns.episode
group by child_number
