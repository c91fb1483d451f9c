-- patterns.interview_unclear
-- Grain: one row per episode with an interview of which nobody can tell whether it was held.
-- Keys: episode_key.
-- For: patterns that say "no interview held": where it cannot be told, they are not raised.
select distinct episode_interview.episode_key
from core.episode_interview
inner join core.return_interview as interview on episode_interview.interview_key = interview.interview_key
where interview.held = 'not_measurable'
