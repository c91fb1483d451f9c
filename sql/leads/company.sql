-- leads.company
-- Grain: one row per borough and child on its list who belongs to a group of children who go missing together.
-- Keys: borough, child_key.
-- For: who else. Of children of other boroughs only their number is told (children less own_children).
with own as (
    select
        group_id,
        unnest(boroughs) as borough,
        child_key
    from patterns.co_missing_group
),

own_count as (
    select
        group_id,
        borough,
        count(*) as own_children
    from own
    group by group_id, borough
)

select
    child.borough,
    child.child_key,
    any_value(member.group_id) as group_id,
    max(member.children) as children,
    max(own_count.own_children) as own_children
from leads.child as child
inner join own on child.borough = own.borough and child.child_key = own.child_key
inner join patterns.co_missing_group as member on own.group_id = member.group_id and own.child_key = member.child_key
inner join own_count on own.group_id = own_count.group_id and own.borough = own_count.borough
group by child.borough, child.child_key
