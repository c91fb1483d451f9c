-- intake.delivery
-- Grain: one row per delivery (a borough and the checksum of a file) received by the as-at instant.
-- Keys: delivery_id.
-- For: the account of every file received. rows_read = rows_accepted + rows_quarantined + rows_duplicate, and
-- rows_accepted = rows_live + rows_superseded + rows_past_retention unless the delivery was withdrawn. A delivery some
-- of whose rows have since been replaced by newer versions is superseded_in_part.
with live as (
    select
        delivery_id,
        dataset,
        sum(rows_live)::bigint as rows_live
    from intake.delivery_month
    group by delivery_id, dataset
),

judged as (
    select
        delivery_id,
        count_if(outcome = 'failed')::bigint as rules_failed,
        count_if(outcome = 'not_applicable')::bigint as rules_not_applicable
    from intake.rule_outcome
    group by delivery_id
),

counted as (
    select
        receipt.*,
        agreement.reference as agreement,
        coalesce(judged.rules_failed, 0) as rules_failed,
        coalesce(judged.rules_not_applicable, 0) as rules_not_applicable,
        withdrawal.withdrawn_at,
        withdrawal.reason as withdrawal_reason,
        coalesce(live.rows_live, 0) as rows_live,
        coalesce(past.rows, 0) as rows_past_retention
    from intake.receipt as receipt
    left join live on receipt.delivery_id = live.delivery_id and receipt.dataset = live.dataset
    left join intake.past_retention as past
        on receipt.delivery_id = past.delivery_id and receipt.dataset = past.dataset
    left join intake.withdrawal as withdrawal on receipt.delivery_id = withdrawal.delivery_id
    left join rules.agreement as agreement on receipt.borough = agreement.borough
    left join judged on receipt.delivery_id = judged.delivery_id
)

select
    delivery_id,
    borough,
    dataset,
    source,
    received_at,
    sha256,
    rows_read,
    rows_accepted,
    rows_quarantined,
    rows_duplicate,
    case
        when status = 'rejected' then 'rejected'
        when withdrawn_at is not null then 'withdrawn'
        when rows_live + rows_past_retention < rows_accepted then 'superseded_in_part'
        else 'accepted'
    end as status,
    coalesce(withdrawal_reason, reason) as reason,
    file_name,
    source_version,
    synthetic,
    rows_live,
    case when withdrawn_at is null then rows_accepted - rows_live - rows_past_retention else 0 end as rows_superseded,
    rows_past_retention,
    withdrawn_at,
    agreement,
    rules_failed,
    rules_not_applicable
from counted
