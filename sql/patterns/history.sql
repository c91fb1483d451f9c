-- patterns.history
-- Grain: one row per child with an episode that a pattern counts.
-- Keys: child_number.
-- For: patterns.flag picks the evidence of a flag out of episode_keys, the child's missing episodes in order, or out of
-- absence_keys, those of patterns.absence. is_shared says that these were sent by more than one borough, or under more
-- than one pseudonym; where they were not, pseudonym_number (staging.child) holds for all of them.
-- Sorting a list costs a quarter of making a list in order.
with counted as (
    select
        child_number,
        false as is_absence,
        episode_number as number,
        episode_key,
        pseudonym_number,
        boroughs
    from patterns.episode
    union all
    select
        child_number,
        true as is_absence,
        absence_number as number,
        episode_key,
        pseudonym_number,
        boroughs
    from patterns.absence
),

listed as (
    select
        child_number,
        is_absence,
        list_transform(
            list_sort(list({ 'number': number, 'key': episode_key })), lambda episode: episode.key
        ) as keys,
        min(pseudonym_number) as first_pseudonym,
        max(pseudonym_number) as last_pseudonym,
        max(len(boroughs)) as most_boroughs
    from counted
    group by child_number, is_absence
)

select
    child_number,
    any_value(keys) filter (where not is_absence) as episode_keys,
    any_value(keys) filter (where is_absence) as absence_keys,
    min(first_pseudonym) as pseudonym_number,
    min(first_pseudonym) <> max(last_pseudonym) or max(most_boroughs) > 1 as is_shared
from listed
group by child_number
