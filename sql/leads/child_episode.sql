-- leads.child_episode
-- Grain: one row per borough, child on its list and episode behind a current flag of the child.
-- Keys: borough, child_key, episode_key.
-- For: the evidence on a lead's list. Of an episode that the borough sent no row of only the month is here: everything
-- else is null, so that no page can show it by mistake. Interview columns are those of core.interview_cascade.
with evidence as (
    select
        child.borough,
        child.child_key,
        unnest(flag.episode_keys) as episode_key,
        flag.rule_id
    from leads.child as child
    inner join leads.flag as flag on child.borough = flag.borough and child.child_key = flag.child_key
    where flag.is_current
),

summed as (
    select
        borough,
        child_key,
        episode_key,
        list_sort(list_distinct(list(rule_id))) as rule_ids
    from evidence
    group by borough, child_key, episode_key
),

resolved as (
    select
        summed.borough as for_borough,
        summed.rule_ids,
        list_contains(episode.boroughs, summed.borough) as is_own,
        episode.*
    from summed
    inner join core.missing_episode as episode on summed.episode_key = episode.episode_key
)

select
    resolved.for_borough as borough,
    resolved.child_key,
    resolved.episode_key,
    resolved.rule_ids,
    resolved.status,
    resolved.is_own,
    date_trunc('month', utc_to_london(resolved.started_at))::date as month,
    case when resolved.is_own then resolved.started_at end as started_at,
    case when resolved.is_own then resolved.started_precision end as started_precision,
    case
        when
            resolved.is_own
            and resolved.started_precision = 'minute'
            and resolved.ended_precision = 'minute'
            and resolved.latest_started_at = resolved.started_at
            and resolved.latest_ended_at = resolved.ended_at
            then epoch(resolved.ended_at - resolved.started_at) / 3600
    end as hours,
    case when resolved.is_own then coalesce(resolved.returned_at, resolved.ended_at) end as returned_at,
    case when resolved.is_own then coalesce(resolved.returned_precision, resolved.ended_precision) end
        as returned_precision,
    case when resolved.is_own then resolved.source_rows end as source_rows,
    case when resolved.is_own then resolved.recorded_by end as recorded_by,
    case when resolved.is_own then resolved.age_at_start is null end as is_age_unknown,
    case when resolved.is_own then cascade.due end as due,
    case when resolved.is_own then cascade.offered end as offered,
    case when resolved.is_own then cascade.accepted end as accepted,
    case when resolved.is_own then cascade.held end as held,
    case when resolved.is_own then cascade.within_72_hours end as within_72_hours,
    case when resolved.is_own then cascade.overtaken end as overtaken,
    case when resolved.is_own then cascade.hours_from_return end as hours_from_return,
    case when resolved.is_own then cascade.is_before_return end as is_before_return,
    case when resolved.is_own then cascade.is_after_next end as is_after_next,
    case when resolved.is_own then cascade.is_shared end as is_shared
from resolved
left join core.interview_cascade as cascade on resolved.episode_key = cascade.episode_key
