-- patterns.history
-- Grain: one row per child with an episode that a pattern counts.
-- Keys: child_number.
-- For: patterns.flag picks the evidence of a flag out of episode_keys, the child's missing episodes in order, or out of
-- absence_keys, those of patterns.absence. is_shared says that these were sent by more than one borough, or under more
-- than one pseudonym; where they were not, pseudonym_number (staging.child) holds for all of them.
-- Sorting a list costs a quarter of making a list in order.
with missing as (
    select
        child_number,
        list_transform(
            list_sort(list({ 'number': episode_number, 'key': episode_key })), lambda episode: episode.key
        ) as episode_keys,
        min(pseudonym_number) as first_pseudonym,
        max(pseudonym_number) as last_pseudonym,
        max(len(boroughs)) as most_boroughs
    from patterns.episode
    group by child_number
),

absent as (
    select
        child_number,
        list_transform(
            list_sort(list({ 'number': absence_number, 'key': episode_key })), lambda episode: episode.key
        ) as absence_keys,
        min(pseudonym_number) as first_pseudonym,
        max(pseudonym_number) as last_pseudonym,
        max(len(boroughs)) as most_boroughs
    from patterns.absence
    group by child_number
)

select
    coalesce(missing.child_number, absent.child_number) as child_number,
    missing.episode_keys,
    absent.absence_keys,
    least(missing.first_pseudonym, absent.first_pseudonym) as pseudonym_number,
    least(missing.first_pseudonym, absent.first_pseudonym) <> greatest(missing.last_pseudonym, absent.last_pseudonym)
    or greatest(missing.most_boroughs, absent.most_boroughs) > 1 as is_shared
from missing
full outer join absent on missing.child_number = absent.child_number
