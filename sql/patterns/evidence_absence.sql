-- patterns.evidence_absence
-- Grain: one row per hit of kind absence and away or absent episode in its window.
-- Keys: rule_number, child_number, episode_number, evidence_number.
-- View: patterns.flag_run reads it, once.
-- For: patterns.flag_run. Numbers are those of patterns.absence; episode_number is the hit's.
select
    hit.rule_number,
    hit.child_number,
    hit.episode_number,
    absence.absence_number as evidence_number
from patterns.hit_absence as hit
inner join patterns.absence as absence
    on
        hit.child_number = absence.child_number
        and absence.started_at > hit.window_after
        and absence.started_at <= hit.hit_at
