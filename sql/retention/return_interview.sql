-- retention.return_interview
-- Grain: one row per accepted row of a delivery that may no longer be kept.
-- Keys: delivery_id, row_number.
-- For: leaving it out when deliveries are loaded. The years of the borough's agreement run from the interview, else
-- from its offer; an interview with neither date goes with the last of its episodes.
with named as (
    select
        delivery_id,
        row_number,
        borough,
        trim(unnest(string_split(episode_ids, ';'))) as episode_id
    from arrived_return_interview
    where held_at is null and offered_at is null
),

last_episode as (
    select
        named.delivery_id,
        named.row_number,
        max(coalesce(episode.found_at, episode.returned_at, episode.started_at)) as ended_at
    from named
    inner join arrived_missing_episode as episode
        on named.borough = episode.borough and named.episode_id = episode.episode_id
    group by named.delivery_id, named.row_number
)

select
    arrived.delivery_id,
    arrived.row_number
from arrived_return_interview as arrived
inner join rules.agreement as agreement on arrived.borough = agreement.borough
left join last_episode
    on arrived.delivery_id = last_episode.delivery_id and arrived.row_number = last_episode.row_number
where coalesce(arrived.held_at, arrived.offered_at, last_episode.ended_at) < agreement.keep_from
