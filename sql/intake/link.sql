-- intake.link
-- Grain: one row per link in force at the as-at instant and pseudonym that it names.
-- Keys: link_id, borough, child_id.
-- For: staging.child. A link counts from the instant of its decision until the instant of its end, which no longer
-- counts. intake.link_entry, which is loaded, knows the ended ones too.
select
    link_id,
    borough,
    child_id,
    decided_at,
    reason,
    decided_by
from intake.link_entry
where ended_at is null
