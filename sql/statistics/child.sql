-- statistics.child
-- Grain: one row per child with a missing episode.
-- Keys: child_key; child_number.
-- For: counting children by a number instead of a pseudonym, which is what makes counting quick. The number means
-- nothing outside one run; the digest is the child's own.
with child as (
    select distinct child_key
    from core.missing_episode
    where status = 'missing'
)

select
    child_key,
    row_number() over (order by child_key) as child_number,
    md5_number_lower(child_key) as child_digest
from child
