-- statistics.voice_interview
-- Grain: one row per return interview held, area (a borough, and the region) and period (quarter, year to March).
-- Keys: interview_key, area_code, period_type.
-- For: counting what children were asked and said; restricted use only. On basis B an interview belongs to the
-- authority responsible for the child: that of the newest missing episode it is about whose authority is recorded. So
-- an interview about several episodes counts once. It belongs to the period in which it was held. is_placed: where no
-- authority is recorded, or no delivered episode is named, it stands under the borough that sent it and is only
-- counted. Interviews with children of authorities outside the region count nowhere, nor do interviews about other
-- than missing episodes of children.
with episode as (
    select
        episode_key,
        started_at,
        responsible_authority,
        status = 'missing' and (age_at_start is null or age_at_start < 18) as is_counted
    from core.missing_episode
),

about as (
    select
        link.interview_key,
        arg_max(episode.responsible_authority, (episode.started_at, episode.episode_key))
        filter (where episode.is_counted and episode.responsible_authority <> 'unknown') as responsible_authority,
        bool_or(episode.is_counted) as is_counted
    from core.episode_interview as link
    inner join episode on link.episode_key = episode.episode_key
    group by link.interview_key
),

attributed as (
    select
        voice.interview_key,
        voice.child_key,
        utc_to_london(voice.held_at)::date as held_day,
        about.responsible_authority is not null as is_placed,
        coalesce(about.responsible_authority, sender.area_code) as area_code
    from core.interview_voice as voice
    inner join reference.area as sender on voice.borough = sender.slug
    left join about on voice.interview_key = about.interview_key
    where coalesce(about.is_counted, true)
),

placed as (
    select
        attributed.interview_key,
        child.child_number,
        attributed.held_day,
        attributed.is_placed,
        unnest([area.area_code, area.parent_code]) as area_code
    from attributed
    inner join reference.area as area on attributed.area_code = area.area_code
    left join statistics.child as child on attributed.child_key = child.child_key
    where area.area_type = 'borough'
),

held as (
    select
        *,
        unnest(['quarter', 'year_to_march']) as period_type,
        unnest([
            date_trunc('quarter', held_day),
            year_to_march(held_day)
        ])::date as period_start
    from placed
)

select
    held.interview_key,
    held.child_number,
    held.area_code,
    held.period_type,
    held.period_start,
    held.is_placed
from held
inner join statistics.period
    on held.period_type = period.period_type and held.period_start = period.period_start
