-- statistics.interview_verdict
-- Grain: one row per returned missing episode of a child that is eligible for a return interview.
-- Keys: episode_key.
-- For: counting the cascade of core.interview_cascade, where each answer is explained. Eligible: the 72 hours after the
-- return (else the finding) are wholly over at the data cut of the borough that sent the episode.
select
    episode_key,
    child_key,
    area_missing_from,
    responsible_authority,
    return_day,
    offered,
    held,
    within_72_hours,
    declined,
    overtaken
from core.interview_cascade
where due = 'yes'
