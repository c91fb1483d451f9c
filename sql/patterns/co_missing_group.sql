-- patterns.co_missing_group
-- Grain: one row per rule of kind co_missing (the version in force), group of children and child in it.
-- Keys: rule_id, child_key.
-- For: groups of children who go missing together, on a lead's page. Two children belong to one group who were missing
-- together beyond what chance explains, the last time recently, or whom such pairs connect through others
-- (patterns.co_missing_pair). group_id is made of the members: the same children are the same group. partners is how
-- many others of the group the child was missing with; boroughs are the senders of the child's own paired episodes,
-- group_boroughs those of everybody's.
-- Each child passes on the smallest number it has heard of until nobody hears anything new: as many rounds as the group
-- is wide, each of at most one row per child. Asking who reaches whom would take a row for any two.
with recursive edge as (
    select
        pair.rule_id,
        pair.child_number,
        pair.partner_number,
        pair.boroughs,
        pair.first_at,
        pair.last_at
    from patterns.co_missing_pair as pair
    inner join rules.pattern as rule on pair.rule_id = rule.rule_id and pair.rule_version = rule.version
    where rule.is_current and pair.is_beyond_chance and pair.is_recent
    union all
    select
        pair.rule_id,
        pair.partner_number as child_number,
        pair.child_number as partner_number,
        pair.partner_boroughs as boroughs,
        pair.first_at,
        pair.last_at
    from patterns.co_missing_pair as pair
    inner join rules.pattern as rule on pair.rule_id = rule.rule_id and pair.rule_version = rule.version
    where rule.is_current and pair.is_beyond_chance and pair.is_recent
),

heard as (
    select
        rule_id,
        child_number,
        least(child_number, min(partner_number)) as smallest
    from edge
    group by rule_id, child_number
    union
    select
        edge.rule_id,
        edge.partner_number as child_number,
        min(heard.smallest) as smallest
    from heard
    inner join edge on heard.rule_id = edge.rule_id and heard.child_number = edge.child_number
    group by edge.rule_id, edge.partner_number
),

grouped as (
    select
        rule_id,
        child_number,
        min(smallest) as group_number
    from heard
    group by rule_id, child_number
),

member as (
    select
        edge.rule_id,
        grouped.group_number,
        edge.child_number,
        child.child_key,
        count(distinct edge.partner_number) as partners,
        list_sort(list_distinct(flatten(list(edge.boroughs)))) as boroughs,
        min(edge.first_at) as first_at,
        max(edge.last_at) as last_at
    from edge
    inner join grouped on edge.rule_id = grouped.rule_id and edge.child_number = grouped.child_number
    inner join patterns.child as child on edge.child_number = child.child_number
    group by edge.rule_id, grouped.group_number, edge.child_number, child.child_key
),

whole as (
    select
        rule_id,
        group_number,
        left(md5(string_agg(child_key, '|' order by child_key)), 16) as members,
        count(*) as children,
        (sum(partners) / 2)::bigint as pairs,
        list_sort(list_distinct(flatten(list(boroughs)))) as boroughs,
        min(first_at) as first_at,
        max(last_at) as last_at
    from member
    group by rule_id, group_number
)

select
    member.rule_id,
    member.rule_id || '-group-' || whole.members as group_id,
    member.child_key,
    member.boroughs,
    member.partners,
    member.first_at,
    member.last_at,
    whole.children,
    whole.pairs,
    whole.boroughs as group_boroughs,
    whole.first_at as group_first_at,
    whole.last_at as group_last_at
from member
inner join whole on member.rule_id = whole.rule_id and member.group_number = whole.group_number
