-- patterns.episode
-- Grain: one row per resolved missing episode of a child, in the order the child lived it.
-- Keys: episode_key; child_number, episode_number; episode_rowid, the place of the row in core.missing_episode.
-- For: every pattern that counts missing episodes. Away and absent episodes never count, nor those of an age known to
-- be 18 or more; an unknown age counts. The order is that of the earliest instants that the record allows;
-- latest_start_so_far is the latest instant at which this episode or one before it may have started.
-- missing_from: care where the child is looked after or the setting is a care setting; home where it is home and the
-- child is not known to be looked after, or where nobody recorded it and the child is not looked after; else unknown.
-- A setting `other` says nothing by itself: with the police it is any place. setting_key names a care setting within
-- its sender's own identifiers. Times and attribution as in core.missing_episode, whose order settles equal starts; a
-- return that is not recorded is the end.
with counted as (
    select
        rowid as episode_rowid,
        child_number,
        started_at,
        latest_started_at,
        ended_at,
        coalesce(returned_at, ended_at) as returned_at,
        coalesce(latest_returned_at, latest_ended_at) as latest_returned_at
    from core.missing_episode
    where status = 'missing' and (age_at_start is null or age_at_start < 18)
),

in_order as (
    select
        *,
        (row_number() over child_history)::integer as episode_number,
        max(latest_started_at) over child_history as latest_start_so_far,
        lag(started_at) over child_history as previous_started_at,
        lag(ended_at) over child_history as previous_ended_at,
        lag(returned_at) over child_history as previous_returned_at,
        lag(latest_returned_at) over child_history as previous_latest_returned_at
    from counted
    window child_history as (partition by child_number order by started_at, episode_rowid)
),

described as (
    select
        in_order.*,
        episode.episode_key,
        episode.pseudonym_number,
        episode.borough,
        episode.boroughs,
        episode.started_precision,
        episode.latest_ended_at,
        episode.ended_precision,
        episode.age_at_start,
        episode.looked_after,
        case
            when episode.looked_after = 'yes' or episode.missing_from_setting not in ('home', 'other', 'unknown')
                then 'care'
            when episode.missing_from_setting = 'home' then 'home'
            when episode.missing_from_setting = 'unknown' and episode.looked_after = 'no' then 'home'
            else 'unknown'
        end as missing_from,
        episode.missing_from_setting,
        episode.setting_key,
        episode.area_missing_from,
        episode.responsible_authority,
        episode.cse_flag_date,
        episode.cce_flag_date,
        episode.cse_flag,
        episode.cce_flag
    from core.missing_episode as episode
    inner join in_order on episode.rowid = in_order.episode_rowid
)

select
    episode_rowid,
    episode_key,
    child_number,
    pseudonym_number,
    borough,
    boroughs,
    started_at,
    latest_started_at,
    started_precision,
    ended_at,
    latest_ended_at,
    ended_precision,
    returned_at,
    latest_returned_at,
    episode_number,
    latest_start_so_far,
    previous_started_at,
    previous_ended_at,
    previous_returned_at,
    previous_latest_returned_at,
    age_at_start,
    looked_after,
    missing_from,
    case when missing_from = 'care' and missing_from_setting <> 'home' then setting_key end
        as setting_key,
    area_missing_from,
    responsible_authority,
    cse_flag_date,
    cce_flag_date,
    cse_flag,
    cce_flag
from described
