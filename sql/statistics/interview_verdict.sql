-- statistics.interview_verdict
-- Grain: one row per returned missing episode of a child that is eligible for a return interview.
-- Keys: episode_key; episode_rowid (core.missing_episode).
-- View: it says of a row of core.interview_cascade one thing more.
-- For: counting the cascade of core.interview_cascade, where each answer is explained. Eligible: the 72 hours after the
-- return (else the finding) are wholly over at the data cut of the borough that sent the episode. is_elsewhere: the
-- child was looked after and missing from outside the responsible authority's area (indicator 31). value_bits as in
-- statistics.incident_fact.
select
    cascade.episode_rowid,
    cascade.episode_key,
    cascade.child_number,
    fact.area_missing_from,
    fact.responsible_authority,
    cascade.return_day,
    cascade.offered,
    cascade.held,
    cascade.within_72_hours,
    cascade.declined,
    cascade.overtaken,
    fact.looked_after = 'yes' and fact.place not in ('own authority', 'unknown') as is_elsewhere,
    fact.value_bits
from core.interview_cascade as cascade
inner join statistics.incident_fact as fact on cascade.episode_rowid = fact.episode_rowid
where cascade.due = 'yes'
