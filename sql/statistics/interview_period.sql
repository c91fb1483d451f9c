-- statistics.interview_period
-- Grain: one row per eligible episode, basis, area and period of its return.
-- Keys: episode_key, basis, area_code, period_type.
-- For: counting the interview cascade. On basis B an episode counts for the authority responsible for the child, so a
-- host borough is never held to an interview that another authority owes.
with attributed as (
    select
        episode_key,
        child_key,
        return_day,
        offered,
        held,
        within_72_hours,
        declined,
        overtaken,
        unnest(['A', 'B']) as basis,
        unnest([area_missing_from, responsible_authority]) as attributed_to
    from statistics.interview_verdict
),

placed as (
    select
        attributed.episode_key,
        attributed.child_key,
        attributed.basis,
        attributed.return_day,
        attributed.offered,
        attributed.held,
        attributed.within_72_hours,
        attributed.declined,
        attributed.overtaken,
        unnest([area.area_code, area.parent_code]) as area_code
    from attributed
    inner join reference.area as area on attributed.attributed_to = area.area_code
    where area.area_type = 'borough'
),

returned as (
    select
        *,
        unnest(['month', 'quarter', 'year_to_march']) as period_type,
        unnest([
            date_trunc('month', return_day),
            date_trunc('quarter', return_day),
            date_trunc('year', return_day - interval 3 months) + interval 3 months
        ])::date as period_start
    from placed
)

select
    returned.episode_key,
    returned.child_key,
    returned.basis,
    returned.area_code,
    returned.period_type,
    returned.period_start,
    returned.offered,
    returned.held,
    returned.within_72_hours,
    returned.declined,
    returned.overtaken
from returned
inner join statistics.period
    on returned.period_type = period.period_type and returned.period_start = period.period_start
