-- quality.missing_episode_two_ages
-- Grain: one row per staged row with an age, of a child in more than one delivery.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: start and age bound the day of birth such that a row of the same child in
-- another delivery leaves no day that fits both; within one delivery, sql/rules/missing_episode_age_inconsistent.sql
-- says so already.
with bounded as (
    select
        row_key,
        borough,
        delivery_id,
        row_number,
        child_key,
        utc_to_london(started_at)::date - to_years(age_at_start::int + 1) as born_after,
        utc_to_london(started_at)::date - to_years(age_at_start::int) as born_by
    from staging.missing_episode
    where age_at_start is not null
    qualify min(delivery_id) over (partition by child_key) <> max(delivery_id) over (partition by child_key)
),

conflicting as (
    select distinct one.row_key
    from bounded as one
    inner join bounded as other on one.child_key = other.child_key and one.delivery_id <> other.delivery_id
    where one.born_after >= other.born_by or other.born_after >= one.born_by
)

select
    'missing_episode.two_ages' as rule_id,
    bounded.borough,
    bounded.delivery_id,
    'missing_episode' as dataset,
    bounded.row_number,
    conflicting.row_key is not null as fails
from bounded
left join conflicting on bounded.row_key = conflicting.row_key
