-- statistics.child
-- Grain: one row per child with a missing episode.
-- Keys: child_key; child_number.
-- For: counting children by a number instead of a pseudonym, which is what makes counting quick. The number is that of
-- staging.child and means nothing outside one run.
select
    child_number,
    any_value(child_key) as child_key
from core.missing_episode
where status = 'missing'
group by child_number
