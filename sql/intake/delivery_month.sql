-- intake.delivery_month
-- Grain: one row per delivery, dataset and month that its rows belong to.
-- Keys: delivery_id, dataset, month.
-- For: the delivery log: which file feeds which month, and with how many rows now. The month is that of the start of
-- an episode, of an interview (else its offer), of the start of a placement, by the local clock; null where none is
-- recorded.
with loaded as (
    select
        delivery_id,
        'missing_episode' as dataset,
        date_trunc('month', started_at)::date as month,
        row_number
    from intake.missing_episode
    union all
    select
        delivery_id,
        'return_interview' as dataset,
        date_trunc('month', coalesce(held_at, offered_at))::date as month,
        row_number
    from intake.return_interview
    union all
    select
        delivery_id,
        'placement' as dataset,
        date_trunc('month', started_on)::date as month,
        row_number
    from intake.placement
),

live as (
    select
        delivery_id,
        'missing_episode' as dataset,
        row_number
    from staging.missing_episode
    union all
    select
        delivery_id,
        'return_interview' as dataset,
        row_number
    from staging.return_interview
    union all
    select
        delivery_id,
        'placement' as dataset,
        row_number
    from staging.placement
)

select
    loaded.delivery_id,
    loaded.dataset,
    loaded.month,
    count(*) as rows_accepted,
    count(live.row_number) as rows_live
from loaded
left join live
    on
        loaded.delivery_id = live.delivery_id
        and loaded.dataset = live.dataset
        and loaded.row_number = live.row_number
group by loaded.delivery_id, loaded.dataset, loaded.month
