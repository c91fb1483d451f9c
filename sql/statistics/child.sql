-- statistics.child
-- Grain: one row per child with a missing episode.
-- Keys: child_key; child_number.
-- For: counting children by a number instead of a pseudonym, which is what makes counting quick. The number means
-- nothing outside one run.
with child as (
    select distinct child_key
    from core.missing_episode
    where status = 'missing'
)

select
    child_key,
    row_number() over (order by child_key) as child_number
from child
