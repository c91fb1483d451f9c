-- quality.data_cut
-- Grain: one row per borough that has delivered.
-- Keys: borough.
-- For: what had time to happen. data_to is the newest extraction (else arrival) among the borough's rows, never after
-- the as-at.
with known as (
    select
        borough,
        known_at
    from staging.missing_episode
    union all
    select
        interview.borough,
        receipt.received_at as known_at
    from staging.return_interview as interview
    inner join intake.receipt on interview.delivery_id = receipt.delivery_id
    anti join staging.missing_episode as episode on interview.borough = episode.borough
)

select
    known.borough,
    least(max(known.known_at), max(parameter.as_at)) as data_to
from known
cross join run.parameter as parameter
group by known.borough
