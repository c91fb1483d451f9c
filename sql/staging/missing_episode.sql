-- staging.missing_episode
-- Grain: one row per episode as a source holds it now: the newest version among the deliveries received by the as-at
-- instant and not withdrawn by then.
-- Keys: row_key; natural key borough, source, episode_id.
-- For: core. Clock times become UTC here, and codes the contract does not know become 'unknown'. An end whose first
-- reading would lie before the start is in the second pass of October's repeated hour. start_day and end_day are the
-- local days of start and end, as they were written. first_received_at is the arrival of the first version of the row.
-- Supersession: the row extracted last wins (an extraction counts as no later than its arrival); where that is equal,
-- the delivery received last, then the file name, then the checksum.
with received as (
    select
        episode.*,
        receipt.received_at,
        receipt.file_name,
        case when police.system is not null then 'police' else 'authority' end as recorded_by,
        least(london_to_utc(episode.extracted_at), receipt.received_at) as known_at
    from intake.missing_episode as episode
    inner join intake.receipt as receipt on episode.delivery_id = receipt.delivery_id
    left join rules.police_system as police on lower(episode.source_system) = police.system
    anti join intake.withdrawal as withdrawal on receipt.delivery_id = withdrawal.delivery_id
),

versioned as (
    select
        *,
        row_number() over (
            partition by borough, source, episode_id
            order by known_at desc, received_at desc, file_name desc, delivery_id desc, row_number asc
        ) as version_rank,
        min(received_at) over (partition by borough, source, episode_id) as first_received_at
    from received
),

standing as (
    select
        versioned.*,
        child.child_key,
        child.child_number,
        child.pseudonym_number,
        child.pseudonym_scope as scope_of_child
    from versioned
    inner join staging.child as child on versioned.borough = child.borough and versioned.child_id = child.child_id
    where versioned.version_rank = 1
)

select
    row_key(borough, source, episode_id) as row_key,
    borough,
    source,
    episode_id,
    delivery_id,
    row_number,
    known_at,
    child_id,
    child_key,
    child_number,
    pseudonym_number,
    scope_of_child as pseudonym_scope,
    status,
    first_received_at,
    recorded_by,
    london_to_utc(started_at) as started_at,
    started_at_precision as started_precision,
    latest_instant(started_at, started_at_precision) as latest_started_at,
    started_at::date as start_day,
    london_to_utc(reported_at) as reported_at,
    reported_at_precision as reported_precision,
    london_to_utc_not_before(coalesce(found_at, returned_at), london_to_utc(started_at)) as ended_at,
    coalesce(found_at, returned_at)::date as end_day,
    case when found_at is not null then found_at_precision else returned_at_precision end as ended_precision,
    latest_instant(
        coalesce(found_at, returned_at),
        case when found_at is not null then found_at_precision else returned_at_precision end
    ) as latest_ended_at,
    london_to_utc_not_before(found_at, london_to_utc(started_at)) as found_at,
    london_to_utc_not_before(
        returned_at,
        greatest(london_to_utc(started_at), london_to_utc_not_before(found_at, london_to_utc(started_at)))
    ) as returned_at,
    returned_at_precision as returned_precision,
    latest_instant(returned_at, returned_at_precision) as latest_returned_at,
    age_at_start,
    case when sex in ('female', 'male', 'other') then sex else 'unknown' end as sex,
    case
        when ethnicity in ('white', 'mixed', 'asian', 'black', 'other', 'refused', 'not_obtained') then ethnicity
        else 'unknown'
    end as ethnicity,
    case when sen_or_disability in ('yes', 'no') then sen_or_disability else 'unknown' end as sen_or_disability,
    looked_after,
    responsible_authority,
    area_missing_from,
    coalesce(missing_from_setting, 'unknown') as missing_from_setting,
    setting_id,
    placement_distance_miles,
    coalesce(risk_initial, 'unknown') as risk_initial,
    coalesce(risk_highest, 'unknown') as risk_highest,
    cse_flag_date::date as cse_flag_date,
    cce_flag_date::date as cce_flag_date,
    coalesce(cse_flag, 'unknown') as cse_flag,
    coalesce(cce_flag, 'unknown') as cce_flag,
    prevention_interview_at is not null as has_prevention_interview,
    source_system
from standing
