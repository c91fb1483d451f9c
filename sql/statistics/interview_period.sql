-- statistics.interview_period
-- Grain: one row per eligible episode, basis, area and period of its return.
-- Keys: episode_digest, basis, area_code, period_type.
-- For: counting the interview cascade. On basis B an episode counts for the authority responsible for the child, so a
-- host borough is never held to an interview that another authority owes.
with attributed as (
    select
        md5_number_lower(verdict.episode_key) as episode_digest,
        child.child_number,
        verdict.return_day,
        verdict.offered,
        verdict.held,
        verdict.within_72_hours,
        verdict.declined,
        verdict.overtaken,
        verdict.is_elsewhere,
        unnest(['A', 'B']) as basis,
        unnest([verdict.area_missing_from, verdict.responsible_authority]) as attributed_to
    from statistics.interview_verdict as verdict
    inner join statistics.child as child on verdict.child_key = child.child_key
),

placed as (
    select
        attributed.episode_digest,
        attributed.child_number,
        attributed.basis,
        attributed.return_day,
        attributed.offered,
        attributed.held,
        attributed.within_72_hours,
        attributed.declined,
        attributed.overtaken,
        attributed.is_elsewhere,
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
    returned.episode_digest,
    returned.child_number,
    returned.basis,
    returned.area_code,
    returned.period_type,
    returned.period_start,
    returned.offered,
    returned.held,
    returned.within_72_hours,
    returned.declined,
    returned.overtaken,
    returned.is_elsewhere
from returned
inner join statistics.period
    on returned.period_type = period.period_type and returned.period_start = period.period_start
