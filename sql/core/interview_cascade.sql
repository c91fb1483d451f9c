-- core.interview_cascade
-- Grain: one row per missing episode of a child (under 18, or of unknown age) that has ended.
-- Keys: episode_key; episode_rowid, the place of the row in core.missing_episode.
-- For: due, offered, accepted, held, within 72 hours, and overtaken: each yes, no or not_measurable, derived and never
-- declared. A return interview is to follow every missing episode within 72 hours of the return to home or care
-- (statutory guidance 2014; IICSA organised networks G.5). The clock starts at the return, else at the finding.
-- due: the 72 hours are wholly over at the data cut of the borough that sent the episode; not_measurable where only
-- the day is known and they end within it.
-- offered, accepted, held: yes where one interview of the episode says so, no where none may; no interview recorded is
-- a no. Each implies the one before: who was heard had accepted, and who accepted had been offered.
-- overtaken: missing again less than 72 hours after the return (or before the recorded return) and no interview held
-- with the child in between; not_measurable where the record leaves open whether that was so. It tells what happened by
-- now, also where the interview is not due yet.
-- first_held_at, held_precision, hours_from_return, is_before_return and is_after_next are about the first interview
-- held that is not dated before the return, else about the first. One held after the next episode began counts as held,
-- and is marked. hours_from_return is null unless both times are exact.
with returned as (
    select
        episode.rowid as episode_rowid,
        episode.episode_key,
        episode.child_number,
        coalesce(episode.returned_at, episode.ended_at) as returned_at,
        coalesce(episode.latest_returned_at, episode.latest_ended_at) as latest_returned_at,
        coalesce(episode.returned_precision, episode.ended_precision) as returned_precision,
        episode.returned_at is null as return_is_found,
        data_cut.data_to
    from core.missing_episode as episode
    inner join quality.data_cut on episode.borough = data_cut.borough
    where
        episode.status = 'missing'
        and (episode.age_at_start is null or episode.age_at_start < 18)
        and episode.ended_at is not null
),

told as (
    select
        link.episode_rowid,
        interview.interview_key,
        interview.held_at,
        interview.offered = 'yes' or interview.accepted = 'yes' as offered_yes,
        interview.offered = 'unknown' as offered_unclear,
        interview.accepted = 'yes' as accepted_yes,
        interview.accepted = 'not_measurable' as accepted_unclear,
        interview.held = 'yes' as held_yes,
        interview.held = 'not_measurable' as held_unclear,
        link.within_72_hours = 'yes' as within_yes,
        link.within_72_hours = 'not_measurable' as within_unclear,
        interview.is_declined as declined,
        link.is_before_return as any_before_return,
        link.episodes_covered > 1 as is_shared,
        case
            when interview.held = 'yes'
                then {
                    'held_at': interview.held_at,
                    'precision': interview.held_precision,
                    'hours': link.hours_from_return,
                    'is_before_return': link.is_before_return,
                    'is_after_next': link.is_after_next
                }
        end as first_held
    from core.episode_interview as link
    inner join core.return_interview as interview on link.interview_key = interview.interview_key
),

several as (
    select episode_rowid
    from told
    group by episode_rowid
    having count(*) > 1
),

-- Most episodes have one interview; only the others are summed.
interview as (
    select
        told.episode_rowid,
        told.offered_yes,
        told.offered_unclear,
        told.accepted_yes,
        told.accepted_unclear,
        told.held_yes,
        told.held_unclear,
        told.within_yes,
        told.within_unclear,
        told.declined,
        told.any_before_return,
        told.is_shared,
        told.first_held,
        1 as interviews
    from told
    anti join several on told.episode_rowid = several.episode_rowid
    union all
    select
        told.episode_rowid,
        bool_or(told.offered_yes) as offered_yes,
        bool_or(told.offered_unclear) as offered_unclear,
        bool_or(told.accepted_yes) as accepted_yes,
        bool_or(told.accepted_unclear) as accepted_unclear,
        bool_or(told.held_yes) as held_yes,
        bool_or(told.held_unclear) as held_unclear,
        bool_or(told.within_yes) as within_yes,
        bool_or(told.within_unclear) as within_unclear,
        bool_or(told.declined) as declined,
        bool_or(told.any_before_return) as any_before_return,
        bool_or(told.is_shared) as is_shared,
        arg_min(told.first_held, (told.any_before_return, told.held_at, told.interview_key))
        filter (where told.held_yes) as first_held,
        count(*) as interviews
    from told
    inner join several on told.episode_rowid = several.episode_rowid
    group by told.episode_rowid
),

-- Those whose next episode may have begun too soon, and the interviews that may have been held in between.
again as (
    select
        returned.episode_rowid,
        returned.child_number,
        returned.returned_at,
        next_missing.next_started_at,
        next_missing.latest_next_started_at,
        next_missing.latest_next_started_at - returned.returned_at < interval 72 hours as is_certain
    from returned
    inner join core.next_missing on returned.episode_rowid = next_missing.episode_rowid
    where next_missing.next_started_at - returned.latest_returned_at < interval 72 hours
),

overtaking as (
    select
        again.episode_rowid,
        bool_and(again.is_certain) as is_again,
        bool_or(interview.interview_key is not null) as may_be_heard,
        coalesce(bool_or(interview.latest_held_at <= again.next_started_at), false) as is_heard
    from again
    left join core.return_interview as interview
        on
            again.child_number = interview.child_number
            and interview.held = 'yes'
            and interview.latest_held_at >= again.returned_at
            and interview.held_at <= again.latest_next_started_at
    group by again.episode_rowid
)

select
    returned.episode_rowid,
    returned.episode_key,
    returned.child_number,
    returned.returned_at,
    returned.latest_returned_at,
    returned.returned_precision,
    returned.return_is_found,
    utc_to_london(returned.returned_at)::date as return_day,
    case
        when returned.latest_returned_at + interval 72 hours <= returned.data_to then 'yes'
        when returned.returned_at + interval 72 hours > returned.data_to then 'no'
        else 'not_measurable'
    end as due,
    case
        when interview.offered_yes then 'yes'
        when interview.offered_unclear then 'not_measurable'
        else 'no'
    end as offered,
    case
        when interview.accepted_yes then 'yes'
        when interview.accepted_unclear then 'not_measurable'
        else 'no'
    end as accepted,
    case
        when interview.held_yes then 'yes'
        when interview.held_unclear then 'not_measurable'
        else 'no'
    end as held,
    case
        when interview.within_yes then 'yes'
        when interview.within_unclear or interview.held_unclear then 'not_measurable'
        else 'no'
    end as within_72_hours,
    coalesce(interview.declined and not interview.held_yes, false) as declined,
    case
        when overtaking.episode_rowid is null or overtaking.is_heard then 'no'
        when
            overtaking.is_again
            and not overtaking.may_be_heard
            and not coalesce(interview.held_unclear or interview.any_before_return, false)
            then 'yes'
        else 'not_measurable'
    end as overtaken,
    coalesce(interview.interviews, 0) as interviews,
    interview.first_held.held_at as first_held_at,
    interview.first_held.precision as held_precision,
    interview.first_held.hours as hours_from_return,
    coalesce(interview.is_shared, false) as is_shared,
    coalesce(interview.first_held.is_before_return, false) as is_before_return,
    coalesce(interview.first_held.is_after_next, false) as is_after_next
from returned
left join interview on returned.episode_rowid = interview.episode_rowid
left join overtaking on returned.episode_rowid = overtaking.episode_rowid
