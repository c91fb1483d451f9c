-- leads.child
-- Grain: one row per borough and child on its list: a child with a current flag of a rule that puts children on it.
-- Keys: borough, child_key.
-- For: the borough lead's list. child_id is the borough's own pseudonym (the smallest where links give it several);
-- pseudonyms counts them. is_matched says whether the region can see the same child in other boroughs.
with listed as (
    select
        borough,
        child_key,
        bool_or(is_new and on_list) as is_new,
        bool_or(only_region_sees) as only_region_sees,
        count_if(on_list)::bigint as flags,
        count_if(on_list and not is_certain)::bigint as unsure_flags,
        max(last_hit_at) as last_hit_at
    from leads.flag
    where is_current
    group by borough, child_key
    having bool_or(on_list)
),

known as (
    select
        borough,
        child_key,
        min(child_id) as child_id,
        count(*) as pseudonyms,
        bool_or(pseudonym_scope = 'regional' or len(link_ids) > 0) as is_matched
    from staging.child
    group by borough, child_key
)

select
    listed.borough,
    listed.child_key,
    known.child_id,
    known.pseudonyms,
    known.is_matched,
    listed.is_new,
    listed.only_region_sees,
    listed.flags,
    listed.unsure_flags,
    listed.last_hit_at
from listed
inner join known on listed.borough = known.borough and listed.child_key = known.child_key
