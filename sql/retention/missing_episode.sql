-- retention.missing_episode
-- Grain: one row per accepted row of a delivery that may no longer be kept.
-- Keys: delivery_id, row_number.
-- For: leaving it out when deliveries are loaded. The years of the borough's agreement run from the end of the
-- episode, else from its start.
select
    arrived.delivery_id,
    arrived.row_number
from arrived_missing_episode as arrived
inner join rules.agreement as agreement on arrived.borough = agreement.borough
where coalesce(arrived.found_at, arrived.returned_at, arrived.started_at) < agreement.keep_from
