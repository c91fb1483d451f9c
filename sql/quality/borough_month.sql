-- quality.borough_month
-- Grain: one row per borough of the region and month, from the first month with data to the month of the as-at
-- instant.
-- Keys: borough, month.
-- For: the delivery grid and the coverage of every statistic. A month without one accepted row was not received: with
-- the numbers that boroughs have, a whole month without an episode is a delivery that did not come, and must never
-- read as zero.
with month as (
    select unnest(generate_series(
        date_trunc('month', (select utc_to_london(min(started_at)) from staging.missing_episode)),
        date_trunc('month', (select utc_to_london(max(as_at)) from run.parameter)),
        interval 1 month
    ))::date as month
),

started as (
    select
        staged.borough,
        date_trunc('month', staged.start_day)::date as month,
        count(*) as rows_accepted
    from staging.missing_episode as staged
    group by staged.borough, date_trunc('month', staged.start_day)
),

newest as (
    select
        borough,
        arg_max(status, (received_at, delivery_id)) as status
    from intake.receipt
    group by borough
),

quarantined as (
    select
        receipt.borough,
        quarantined_month.month,
        sum(quarantined_month.rows)::bigint as rows_quarantined
    from intake.quarantined_month
    inner join intake.receipt as receipt on quarantined_month.delivery_id = receipt.delivery_id
    group by receipt.borough, quarantined_month.month
),

heard as (
    select
        staged.borough,
        date_trunc('month', utc_to_london(min(staged.started_at)))::date as first_month,
        date_trunc('month', utc_to_london(max(staged.started_at)))::date as last_month
    from core.episode_interview as link
    inner join core.episode_row on link.episode_key = episode_row.episode_key
    inner join staging.missing_episode as staged on episode_row.row_key = staged.row_key
    inner join core.return_interview as interview
        on link.interview_key = interview.interview_key and staged.borough = interview.borough
    group by staged.borough
)

select
    area.slug as borough,
    area.area_code,
    month.month,
    coalesce(started.rows_accepted, 0) as rows_accepted,
    coalesce(quarantined.rows_quarantined, 0) as rows_quarantined,
    case
        when started.rows_accepted > 0 then 'received'
        when quarantined.rows_quarantined > 0 then 'quarantined'
        when london_to_utc(month.month + interval 1 month + to_days(parameter.expected_day)) > parameter.as_at
            then 'not due'
        when newest.status = 'rejected' then 'failed'
        else 'late'
    end as status,
    coalesce(month.month between heard.first_month and heard.last_month, false) as interviews_received
from reference.area as area
cross join month
cross join run.parameter as parameter
left join started on area.slug = started.borough and month.month = started.month
left join quarantined on area.slug = quarantined.borough and month.month = quarantined.month
left join newest on area.slug = newest.borough
left join heard on area.slug = heard.borough
where area.area_type = 'borough'
