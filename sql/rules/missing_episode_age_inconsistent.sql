-- missing_episode.age_inconsistent
-- Fails: a row whose start and age bound the day of birth such that some other row of the same child and file leaves no
-- day that fits both. A child of age a on day d was born after d less a + 1 years, and on or before d less a years.
with bounded as (
    select
        delivery_id,
        row_number,
        child_id,
        started_at_earliest::date - to_years(age_at_start::int + 1) as born_after,
        started_at_earliest::date - to_years(age_at_start::int) as born_by
    from delivered_row
    where age_at_start is not null
),

torn as (
    select
        delivery_id,
        child_id,
        max(born_after) as latest_born_after,
        min(born_by) as earliest_born_by
    from bounded
    group by delivery_id, child_id
    having max(born_after) >= min(born_by)
)

select
    bounded.delivery_id,
    bounded.row_number
from bounded
inner join torn on bounded.delivery_id = torn.delivery_id and bounded.child_id = torn.child_id
where bounded.born_after >= torn.earliest_born_by or bounded.born_by <= torn.latest_born_after
