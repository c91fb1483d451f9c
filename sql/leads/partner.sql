-- leads.partner
-- Grain: one row per borough, child on its list and other child with whom the child was missing together lately.
-- Keys: borough, child_key, partner_number.
-- For: who else. partner_id is the other child's pseudonym where that child is the borough's own, too; else null and
-- nothing more is told than that there is a child of another borough. partner_number tells such children apart on one
-- child's list and means nothing else. Columns of the pairings as in patterns.co_missing_pair.
with recent as (
    select
        child.borough,
        child.child_key,
        partner.partner_key,
        partner.rule_id,
        partner.pairings,
        partner.kind,
        partner.found_together,
        partner.last_at,
        partner.is_beyond_chance,
        partner.expected,
        partner.children_there
    from leads.child as child
    inner join patterns.co_missing_partner as partner on child.child_key = partner.child_key
    where partner.is_current_rule and partner.is_recent and list_contains(partner.boroughs, child.borough)
),

known as (
    select
        borough,
        child_key,
        min(child_id) as child_id
    from staging.child
    group by borough, child_key
)

select
    recent.borough,
    recent.child_key,
    row_number() over (
        partition by recent.borough, recent.child_key
        order by recent.is_beyond_chance desc, recent.pairings desc, recent.last_at desc, recent.partner_key asc
    ) as partner_number,
    known.child_id as partner_id,
    recent.rule_id,
    recent.pairings,
    recent.kind,
    recent.found_together,
    date_trunc('month', utc_to_london(recent.last_at))::date as last_month,
    recent.is_beyond_chance,
    recent.expected,
    recent.children_there
from recent
left join known on recent.borough = known.borough and recent.partner_key = known.child_key
