-- staging.return_interview
-- Grain: one row per return home interview as a source holds it now: the newest version received by the as-at
-- instant and not withdrawn by then.
-- Keys: interview_key; natural key borough, source, interview_id.
-- For: core. Supersession as in staging.missing_episode.
with received as (
    select
        interview.*,
        receipt.received_at,
        receipt.file_name,
        least(london_to_utc(interview.extracted_at), receipt.received_at) as known_at
    from intake.return_interview as interview
    inner join intake.receipt as receipt on interview.delivery_id = receipt.delivery_id
    anti join intake.withdrawal as withdrawal on receipt.delivery_id = withdrawal.delivery_id
),

versioned as (
    select
        *,
        row_number() over (
            partition by borough, source, interview_id
            order by known_at desc, received_at desc, file_name desc, delivery_id desc, row_number asc
        ) as version_rank
    from received
),

standing as (
    select
        versioned.*,
        child.child_key,
        child.child_number
    from versioned
    inner join staging.child as child on versioned.borough = child.borough and versioned.child_id = child.child_id
    where versioned.version_rank = 1
)

select
    row_key(borough, source, interview_id) as interview_key,
    borough,
    source,
    interview_id,
    delivery_id,
    row_number,
    child_id,
    child_key,
    child_number,
    pseudonym_scope,
    episode_ids,
    offered,
    london_to_utc(offered_at) as offered_at,
    case when accepted in ('yes', 'no', 'not_applicable') then accepted else 'unknown' end as accepted,
    declined_reason,
    london_to_utc(held_at) as held_at,
    latest_instant(held_at, held_at_precision) as latest_held_at,
    held_at_precision as held_precision,
    case
        when interviewer in ('independent', 'responsible_authority', 'commissioned', 'placement') then interviewer
        else 'unknown'
    end as interviewer,
    case when child_account_recorded in ('yes', 'no') then child_account_recorded else 'unknown' end
        as child_account_recorded,
    push_factors,
    pull_factors,
    harms_disclosed,
    actions,
    london_to_utc(shared_with_police_at) as shared_with_police_at,
    shared_with_police_at_precision as shared_with_police_precision
from standing
