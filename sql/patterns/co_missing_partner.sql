-- patterns.co_missing_partner
-- Grain: one row per version of a rule of kind co_missing, child, other child and run of overlapping windows in which
-- they were missing together often enough: every row of patterns.co_missing_pair, from either side.
-- Keys: rule_id, rule_version, child_key, partner_key, first_at.
-- For: who else, on a child's page. boroughs are the senders of the child's own paired episodes, partner_boroughs those
-- of the other's: another borough may be told no more of that child than that there is one. starts, partner_starts,
-- and what follows them are the moment at which chance explains least.
with sided as (
    select
        *,
        child_number as own_number,
        partner_number as other_number,
        boroughs as own_boroughs,
        partner_boroughs as other_boroughs,
        strongest.starts as own_starts,
        strongest.partner_starts as other_starts
    from patterns.co_missing_pair
    union all
    select
        *,
        partner_number as own_number,
        child_number as other_number,
        partner_boroughs as own_boroughs,
        boroughs as other_boroughs,
        strongest.partner_starts as own_starts,
        strongest.starts as other_starts
    from patterns.co_missing_pair
)

select
    sided.rule_id,
    sided.rule_version,
    rule.is_current as is_current_rule,
    child.child_key,
    partner.child_key as partner_key,
    sided.own_boroughs as boroughs,
    sided.other_boroughs as partner_boroughs,
    sided.first_at,
    sided.raised_at,
    sided.last_at,
    sided.is_recent,
    sided.pairings,
    sided.same_setting,
    sided.same_area,
    sided.found_together,
    sided.kind,
    sided.is_beyond_chance,
    sided.own_starts as starts,
    sided.other_starts as partner_starts,
    sided.strongest.paired_at as strongest_at,
    sided.strongest.pairings as strongest_pairings,
    sided.strongest.expected,
    sided.strongest.children_there,
    sided.strongest.pairs_by_chance
from sided
inner join rules.pattern as rule on sided.rule_id = rule.rule_id and sided.rule_version = rule.version
inner join patterns.child as child on sided.own_number = child.child_number
inner join patterns.child as partner on sided.other_number = partner.child_number
