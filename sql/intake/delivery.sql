-- intake.delivery
-- Grain: one row per delivery (a borough and the checksum of a file) received by the as-at instant.
-- Keys: delivery_id.
-- For: the account of every file received. rows_read = rows_accepted + rows_quarantined + rows_duplicate. A delivery
-- some of whose accepted rows have since been replaced by newer versions is superseded_in_part.
with live as (
    select
        delivery_id,
        count(*) as rows_live
    from staging.missing_episode
    group by delivery_id
    union all
    select
        delivery_id,
        count(*) as rows_live
    from staging.return_interview
    where source = 'canonical'
    group by delivery_id
)

select
    receipt.delivery_id,
    receipt.borough,
    receipt.dataset,
    receipt.source,
    receipt.received_at,
    receipt.sha256,
    receipt.rows_read,
    receipt.rows_accepted,
    receipt.rows_quarantined,
    receipt.rows_duplicate,
    case
        when receipt.status = 'rejected' then 'rejected'
        when coalesce(live.rows_live, 0) < receipt.rows_accepted then 'superseded_in_part'
        else 'accepted'
    end as status,
    receipt.reason,
    receipt.file_name,
    receipt.source_version,
    receipt.synthetic,
    receipt.rows_accepted - coalesce(live.rows_live, 0) as rows_superseded
from intake.receipt
cross join run.parameter as parameter
left join live on receipt.delivery_id = live.delivery_id
where receipt.received_at <= parameter.as_at
