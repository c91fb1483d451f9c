-- patterns.evidence_absence
-- Grain: one row per hit of kind absence and away or absent episode in its window.
-- Keys: rule_id, rule_version, episode_key, evidence_key.
-- For: patterns.hit_evidence. episode_key is the episode that completes the pattern.
select
    hit.rule_id,
    hit.rule_version,
    last_one.episode_key,
    absence.episode_key as evidence_key
from patterns.hit_absence as hit
inner join patterns.absence as last_one
    on hit.child_number = last_one.child_number and hit.episode_number = last_one.absence_number
inner join patterns.absence as absence
    on
        hit.child_number = absence.child_number
        and absence.started_at > hit.window_after
        and absence.started_at <= hit.hit_at
