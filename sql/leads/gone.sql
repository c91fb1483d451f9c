-- leads.gone
-- Grain: one row per flag that stood at an earlier instant and is no longer shown.
-- Keys: flag_id.
-- For: telling the lead of the borough whose episode raised the flag why it went, and since when. child_id is that
-- borough's pseudonym; null where the records of the child are no longer there.
with named as (
    select
        borough,
        child_id,
        unnest(list_distinct([child_key, own_key])) as child_key
    from staging.child
),

known as (
    select
        borough,
        child_key,
        min(child_id) as child_id
    from named
    group by borough, child_key
)

select
    told.flag_id,
    told.borough,
    told.rule_id,
    told.rule_version,
    known.child_id,
    told.raised_at,
    told.first_as_at,
    told.gone_as_at,
    told.reason,
    told.gone_words,
    told.replaced_by
from history.flag as told
left join known on told.borough = known.borough and told.child_key = known.child_key
where told.gone_as_at is not null
