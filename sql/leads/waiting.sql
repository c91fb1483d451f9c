-- leads.waiting
-- Grain: one row per borough and missing episode that it sent a row of, whose return is recent and after which no
-- interview is known to have been held.
-- Keys: borough, episode_key.
-- For: the borough lead's list of returns without an interview. Verdicts as in core.interview_cascade; recent is
-- measured from the end of the borough's own data. responsible_authority is whoever owes the interview.
with sent as (
    select
        unnest(episode.boroughs) as borough,
        episode.episode_key,
        episode.child_key,
        episode.responsible_authority
    from core.missing_episode as episode
    where episode.status = 'missing'
),

known as (
    select
        borough,
        child_key,
        min(child_id) as child_id
    from staging.child
    group by borough, child_key
)

select
    sent.borough,
    sent.episode_key,
    known.child_id,
    cascade.returned_at,
    cascade.returned_precision,
    cascade.return_is_found,
    epoch(data_cut.data_to - cascade.returned_at) / 3600 as hours_since,
    cascade.due,
    cascade.offered,
    cascade.accepted,
    cascade.held,
    cascade.overtaken,
    sent.responsible_authority,
    responsible.name as responsible_name,
    coalesce(responsible.slug = sent.borough, false) as is_responsible
from sent
cross join rules.lead_list as list
inner join core.interview_cascade as cascade on sent.episode_key = cascade.episode_key
inner join quality.data_cut as data_cut on sent.borough = data_cut.borough
inner join known on sent.borough = known.borough and sent.child_key = known.child_key
left join reference.area as responsible on sent.responsible_authority = responsible.area_code
where
    cascade.held <> 'yes'
    and cascade.returned_at <= data_cut.data_to
    and cascade.returned_at > data_cut.data_to - to_days(list.recent_days)
