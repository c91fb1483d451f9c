-- statistics.interview_verdict
-- Grain: one row per returned missing episode of a child that is eligible for a return interview.
-- Keys: episode_key.
-- For: the cascade offered, held, within 72 hours, each yes, no or not_measurable. Eligible: ended with a return (else
-- found), child under 18, and 72 hours fully over at the data cut of the borough that sent it. overtaken: missing
-- again within 72 hours of the return before any interview.
with eligible as (
    select
        episode.episode_key,
        episode.child_key,
        episode.started_at,
        episode.area_missing_from,
        episode.responsible_authority,
        coalesce(episode.returned_at, episode.ended_at) as returned_at,
        episode.returned_at is null as return_is_found
    from core.missing_episode as episode
    inner join quality.data_cut on episode.borough = data_cut.borough
    where
        episode.status = 'missing'
        and (episode.age_at_start is null or episode.age_at_start < 18)
        and coalesce(episode.returned_at, episode.ended_at) + interval 72 hours <= data_cut.data_to
),

interview as (
    select
        link.episode_key,
        bool_or(interview.offered = 'yes' or interview.held = 'yes') as offered_yes,
        bool_or(interview.offered = 'unknown') as offered_unknown,
        bool_or(interview.held = 'yes') as held_yes,
        bool_or(interview.held = 'not_measurable') as held_unclear,
        bool_or(link.within_72_hours = 'yes') as within_yes,
        bool_or(link.within_72_hours = 'not_measurable') as within_unclear,
        bool_or(interview.accepted = 'no' or interview.declined_reason in ('child_declined', 'parent_declined'))
            as declined
    from core.episode_interview as link
    inner join core.return_interview as interview on link.interview_key = interview.interview_key
    group by link.episode_key
),

held as (
    select
        child_key,
        held_at,
        latest_held_at
    from core.return_interview
    where held = 'yes'
),

followed as (
    select
        episode_key,
        lead(started_at) over (partition by child_key order by started_at, episode_key) as next_started_at
    from core.missing_episode
    where status = 'missing'
)

select
    eligible.episode_key,
    eligible.child_key,
    eligible.started_at,
    eligible.area_missing_from,
    eligible.responsible_authority,
    eligible.returned_at,
    eligible.return_is_found,
    utc_to_london(eligible.returned_at)::date as return_day,
    case
        when interview.offered_yes then 'yes'
        when interview.offered_unknown then 'not_measurable'
        else 'no'
    end as offered,
    case
        when interview.held_yes then 'yes'
        when interview.held_unclear then 'not_measurable'
        else 'no'
    end as held,
    case
        when interview.within_yes then 'yes'
        when interview.held_yes and interview.within_unclear then 'not_measurable'
        when not coalesce(interview.held_yes, false) and interview.held_unclear then 'not_measurable'
        else 'no'
    end as within_72_hours,
    coalesce(interview.declined and not interview.held_yes, false) as declined,
    coalesce(followed.next_started_at - eligible.returned_at < interval 72 hours, false)
    and not exists (
        select 1
        from held
        where
            held.child_key = eligible.child_key
            and held.latest_held_at >= eligible.returned_at
            and held.held_at <= followed.next_started_at
    ) as overtaken
from eligible
left join interview on eligible.episode_key = interview.episode_key
left join followed on eligible.episode_key = followed.episode_key
