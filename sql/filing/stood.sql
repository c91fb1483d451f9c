-- filing.stood
-- Grain: one row per flag that stood at the newest instant in history.event, as it was last filed.
-- Keys: flag_id.
-- For: comparing it with the flags that stand now.
with newest_first as (
    select
        *,
        row_number() over (partition by flag_id order by sequence desc) as place
    from history.event
)

select
    flag_id,
    rule_id,
    rule_version,
    child_key,
    borough,
    raised_at,
    last_hit_at,
    episodes,
    content,
    oldest_at,
    newest_at,
    evidence,
    known_since
from newest_first
where place = 1 and change <> 'gone'
