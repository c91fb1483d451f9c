-- retention.flag_event
-- Grain: one row per flag of which nothing may be kept any longer.
-- Keys: flag_id.
-- For: leaving it out when the flag history is loaded. A flag may be kept as long as any of the rows behind it may.
select arrived.flag_id
from arrived_flag_event as arrived
inner join rules.agreement as agreement on arrived.borough = agreement.borough
group by arrived.flag_id, agreement.keep_from
having max(arrived.newest_at) < agreement.keep_from
