-- patterns.evidence_co_missing
-- Grain: one row per hit of kind co_missing and missing episode of the child that is paired with the same other child.
-- Keys: rule_number, child_number, episode_number, evidence_number.
-- View: patterns.flag_run reads it, once.
-- For: patterns.flag_run. episode_number is the hit's. A paired episode stands once for each other child, with the
-- first hit it counts towards: the windows of later hits that it counts towards overlap that hit's, so it is in the
-- same flag, and a child who is paired often does not make a list as long as the square of that.
with completing as (
    select
        rule_id,
        rule_version,
        child_number,
        partner_number,
        episode_number,
        partner_episode_number,
        paired_at
    from patterns.co_missing_pairing
    where is_completing
),

listed as (
    select
        completing.rule_id,
        completing.rule_version,
        completing.child_number,
        completing.partner_number,
        completing.episode_number,
        completing.partner_episode_number,
        pairing.episode_number as evidence_number,
        pairing.partner_episode_number as partner_evidence_number
    from completing
    inner join patterns.co_missing_pairing as pairing
        on
            completing.rule_id = pairing.rule_id
            and completing.rule_version = pairing.rule_version
            and completing.child_number = pairing.child_number
            and completing.partner_number = pairing.partner_number
            and completing.paired_at = pairing.counts_at
),

sided as (
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        evidence_number
    from listed
    union
    select
        rule_id,
        rule_version,
        partner_number as child_number,
        partner_episode_number as episode_number,
        partner_evidence_number as evidence_number
    from listed
)

select
    rule.rule_number,
    sided.child_number,
    sided.episode_number,
    sided.evidence_number
from sided
inner join rules.pattern as rule on sided.rule_id = rule.rule_id and sided.rule_version = rule.version
