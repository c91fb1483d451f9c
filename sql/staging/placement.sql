-- staging.placement
-- Grain: one row per placement episode of a looked-after child as a source holds it now: the newest version among the
-- deliveries received by the as-at instant and not withdrawn by then.
-- Keys: placement_key; natural key borough, source, placement_id.
-- For: the rules that compare missing periods with care. No figure reads it. Supersession as in
-- staging.missing_episode.
with received as (
    select
        placement.*,
        receipt.received_at,
        receipt.file_name,
        least(london_to_utc(placement.extracted_at), receipt.received_at) as known_at
    from intake.placement as placement
    inner join intake.receipt as receipt on placement.delivery_id = receipt.delivery_id
    anti join intake.withdrawal as withdrawal on receipt.delivery_id = withdrawal.delivery_id
),

versioned as (
    select
        *,
        row_number() over (
            partition by borough, source, placement_id
            order by known_at desc, received_at desc, file_name desc, delivery_id desc, row_number asc
        ) as version_rank
    from received
)

select
    row_key(borough, source, placement_id) as placement_key,
    borough,
    source,
    placement_id,
    delivery_id,
    row_number,
    known_at,
    child_id,
    started_on::date as started_on,
    ended_on::date as ended_on,
    reason_started,
    reason_ended,
    age_at_end,
    source_system
from versioned
where version_rank = 1
