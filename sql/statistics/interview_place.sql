-- statistics.interview_place
-- Grain: one row per eligible episode, basis and area.
-- Keys: episode_rowid (core.missing_episode), basis, area_code.
-- For: counting the interview cascade by the local month of the return. On basis B an episode counts for the authority
-- responsible for the child, so a host borough is never held to an interview that another authority owes.
with attributed as (
    select
        verdict.episode_rowid,
        verdict.child_number,
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
)

select
    attributed.episode_rowid,
    attributed.child_number,
    attributed.basis,
    unnest([area.area_code, area.parent_code]) as area_code,
    date_trunc('month', attributed.return_day)::date as month,
    attributed.offered,
    attributed.held,
    attributed.within_72_hours,
    attributed.declined,
    attributed.overtaken,
    attributed.is_elsewhere
from attributed
inner join reference.area as area on attributed.attributed_to = area.area_code
where area.area_type = 'borough'
