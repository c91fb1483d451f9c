-- patterns.interview_held
-- Grain: one row per return interview that was held.
-- Keys: interview_key.
-- For: patterns that say "no interview held". latest_held_so_far is the latest instant at which this interview or one
-- of the child before it may have been held, so that the last interview known by an instant answers whether any was
-- held since another one.
select
    interview.interview_key,
    child.child_number,
    interview.held_at,
    interview.latest_held_at,
    max(interview.latest_held_at) over (
        partition by child.child_number
        order by interview.held_at
    ) as latest_held_so_far
from core.return_interview as interview
inner join patterns.child as child on interview.child_key = child.child_key
where interview.held = 'yes'
