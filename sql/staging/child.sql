-- staging.child
-- Grain: one row per pseudonym that a borough uses, in any row received by the as-at instant and not withdrawn by then.
-- Keys: borough, child_id. child_key is the child: rows that bear one child_key are about one child.
-- For: every table that counts or follows children. A pseudonym is regional if any of the sender's episode rows says
-- so; without episode rows its interviews say, and without those its placements. A regional pseudonym means one child
-- in every borough (own_key is the pseudonym), another one only in the sender's (own_key has the borough before it).
-- Pseudonyms that a link in force says are one child, directly or through others, share one child_key: the smallest
-- own_key among those delivered. So a link that names a pseudonym which nobody sends changes no key. link_ids are all
-- links that made the child one. child_number stands for child_key where children are joined and counted, which it
-- makes quick, and pseudonym_number for borough and child_id; they mean nothing outside one run.
with recursive said as (
    select
        episode.borough,
        episode.child_id,
        episode.pseudonym_scope = 'regional' as says_regional,
        1 as place
    from intake.missing_episode as episode
    anti join intake.withdrawal as withdrawal on episode.delivery_id = withdrawal.delivery_id
    union all
    select
        interview.borough,
        interview.child_id,
        interview.pseudonym_scope = 'regional' as says_regional,
        2 as place
    from intake.return_interview as interview
    anti join intake.withdrawal as withdrawal on interview.delivery_id = withdrawal.delivery_id
    union all
    select
        placement.borough,
        placement.child_id,
        placement.pseudonym_scope = 'regional' as says_regional,
        3 as place
    from intake.placement as placement
    anti join intake.withdrawal as withdrawal on placement.delivery_id = withdrawal.delivery_id
),

summed as (
    select
        borough,
        child_id,
        coalesce(
            bool_or(says_regional) filter (where place = 1),
            bool_or(says_regional) filter (where place = 2),
            bool_or(says_regional) filter (where place = 3),
            false
        ) as is_regional
    from said
    group by borough, child_id
),

pseudonym as materialized (
    select
        borough,
        child_id,
        case when is_regional then 'regional' else 'borough' end as pseudonym_scope,
        case when is_regional then child_id else borough || ':' || child_id end as own_key
    from summed
),

named as materialized (
    select distinct
        link.link_id,
        coalesce(pseudonym.own_key, link.borough || ':' || link.child_id) as own_key,
        pseudonym.own_key is not null as is_delivered
    from intake.link as link
    left join pseudonym on link.borough = pseudonym.borough and link.child_id = pseudonym.child_id
),

-- A link joins each of its pseudonyms to one of them, not to each other: of 200 that is 200 edges, not 40,000.
spoke as (
    select
        own_key,
        min(own_key) over (partition by link_id) as hub_key
    from named
),

edge as materialized (
    select
        own_key as from_key,
        hub_key as to_key
    from spoke
    union
    select
        hub_key as from_key,
        own_key as to_key
    from spoke
),

reached as (
    select distinct
        own_key,
        own_key as other_key
    from named
    union
    select
        reached.own_key,
        edge.to_key as other_key
    from reached
    inner join edge on reached.other_key = edge.from_key
),

linked as (
    select
        reached.own_key,
        min(named.own_key) filter (where named.is_delivered) as child_key,
        list_sort(list_distinct(list(named.link_id))) as link_ids
    from reached
    inner join named on reached.other_key = named.own_key
    group by reached.own_key
)

select
    pseudonym.borough,
    pseudonym.child_id,
    pseudonym.pseudonym_scope,
    pseudonym.own_key,
    coalesce(linked.child_key, pseudonym.own_key) as child_key,
    (row_number() over (order by pseudonym.child_id, pseudonym.borough))::integer as pseudonym_number,
    (dense_rank() over (order by coalesce(linked.child_key, pseudonym.own_key)))::integer as child_number,
    coalesce(linked.link_ids, []::varchar[]) as link_ids
from pseudonym
left join linked on pseudonym.own_key = linked.own_key
