-- retention.placement
-- Grain: one row per accepted row of a delivery that may no longer be kept.
-- Keys: delivery_id, row_number.
-- For: leaving it out when deliveries are loaded. The years of the borough's agreement run from the end of the
-- placement; a placement that has not ended is kept.
select
    arrived.delivery_id,
    arrived.row_number
from arrived_placement as arrived
inner join rules.agreement as agreement on arrived.borough = agreement.borough
where arrived.ended_on < agreement.keep_from
