-- patterns.hit_evidence
-- Grain: one row per hit and listed episode, for kinds of which the evidence is neither the window nor the hits alone.
-- Keys: rule_id, rule_version, episode_key, evidence_key.
-- For: patterns.flag_evidence. Each of these kinds has its own patterns.evidence_<kind>. Evidence may be an episode of
-- any status.
select
    rule_id,
    rule_version,
    episode_key,
    evidence_key
from patterns.evidence_absence
union all
select
    rule_id,
    rule_version,
    episode_key,
    evidence_key
from patterns.evidence_co_missing
