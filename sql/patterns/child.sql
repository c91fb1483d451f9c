-- patterns.child
-- Grain: one row per child with an episode of any status.
-- Keys: child_key; child_number.
-- For: every pattern counts and joins children by a number, which is what makes it quick. The number means nothing
-- outside one run. episodes is how many episodes of the child the patterns count (patterns.episode).
select
    child_number,
    any_value(child_key) as child_key,
    count(*) filter (where status = 'missing' and (age_at_start is null or age_at_start < 18)) as episodes
from core.missing_episode
group by child_number
