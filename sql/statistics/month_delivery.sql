-- statistics.month_delivery
-- Grain: one row per basis, area, month, family of measures (episode, interview) and delivery that feeds it.
-- Keys: family, basis, area_code, month, delivery_id.
-- For: the delivery log: which file version fed which figure. A figure of a period is fed by the deliveries of its
-- months, and of the months before that its indicator looks back on.
with episode_part as (
    select
        'episode' as family,
        episode.basis,
        unnest([area.area_code, area.parent_code]) as area_code,
        episode.month,
        staged.delivery_id,
        staged.row_key
    from statistics.episode as episode
    inner join reference.area as area on episode.area_code = area.area_code
    inner join core.missing_episode as resolved on episode.episode_rowid = resolved.rowid
    inner join core.episode_row on resolved.episode_key = episode_row.episode_key
    inner join staging.missing_episode as staged on episode_row.row_key = staged.row_key
),

eligible as (
    select
        verdict.episode_key,
        date_trunc('month', verdict.return_day)::date as month,
        unnest(['A', 'B']) as basis,
        unnest([verdict.area_missing_from, verdict.responsible_authority]) as attributed_to
    from statistics.interview_verdict as verdict
),

eligible_area as (
    select
        eligible.episode_key,
        eligible.month,
        eligible.basis,
        unnest([area.area_code, area.parent_code]) as area_code
    from eligible
    inner join reference.area as area on eligible.attributed_to = area.area_code
    where area.area_type = 'borough'
),

interview_part as (
    select
        'interview' as family,
        eligible_area.basis,
        eligible_area.area_code,
        eligible_area.month,
        staged.delivery_id,
        staged.row_key
    from eligible_area
    inner join core.episode_row on eligible_area.episode_key = episode_row.episode_key
    inner join staging.missing_episode as staged on episode_row.row_key = staged.row_key
    union all
    select
        'interview' as family,
        eligible_area.basis,
        eligible_area.area_code,
        eligible_area.month,
        interview.delivery_id,
        interview.interview_key as row_key
    from eligible_area
    inner join core.episode_interview as link on eligible_area.episode_key = link.episode_key
    inner join staging.return_interview as interview on link.interview_key = interview.interview_key
),

part as (
    select
        family,
        basis,
        area_code,
        month,
        delivery_id,
        row_key
    from episode_part
    union all
    select
        family,
        basis,
        area_code,
        month,
        delivery_id,
        row_key
    from interview_part
)

select
    family,
    basis,
    area_code,
    month,
    delivery_id,
    count(distinct row_key) as rows_used
from part
group by family, basis, area_code, month, delivery_id
