-- patterns.history
-- Grain: one row per child with an episode that a pattern counts.
-- Keys: child_number.
-- For: patterns.flag picks the evidence of a flag out of episode_keys, the child's missing episodes in order, or out of
-- absence_keys, those of patterns.absence. is_shared says that these were sent by more than one borough, or under more
-- than one pseudonym; where they were not, pseudonym_number (staging.child) holds for all of them.
with counted as (
    select
        child_number,
        episode_number,
        null::integer as absence_number,
        episode_key,
        pseudonym_number,
        boroughs
    from patterns.episode
    union all
    select
        child_number,
        null::integer as episode_number,
        absence_number,
        episode_key,
        pseudonym_number,
        boroughs
    from patterns.absence
)

select
    child_number,
    list(episode_key order by episode_number) filter (where episode_number is not null) as episode_keys,
    list(episode_key order by absence_number) filter (where absence_number is not null) as absence_keys,
    min(pseudonym_number) as pseudonym_number,
    min(pseudonym_number) <> max(pseudonym_number) or max(len(boroughs)) > 1 as is_shared
from counted
group by child_number
