-- statistics.incident_open
-- Grain: one row per measure, basis, borough and month at whose end (midnight, local) a child was missing.
-- Keys: measure, basis, area_code, month.
-- For: children still missing when a month ended, and those missing for more than 7 and 28 days by then (indicator 23).
-- An episode without a recorded end counts up to the data end of its sender. Where the child went missing again by the
-- end of the month, it had ended at a time that nobody recorded, and it cannot be told when.
with month_end as (
    select
        period_start as month,
        london_to_utc((period_end + 1)::timestamp) as ends_at
    from statistics.period
    where period_type = 'month'
),

-- Few are missing over the end of the month in which they start.
stretch as (
    select
        episode.area_missing_from,
        episode.responsible_authority,
        episode.started_at,
        episode.ended_at is null as is_open,
        next_missing.next_started_at,
        coalesce(episode.ended_at, data_cut.data_to) as until_at
    from core.missing_episode as episode
    inner join quality.data_cut on episode.borough = data_cut.borough
    inner join month_end
        on
            date_trunc('month', episode.start_day) = month_end.month
            and coalesce(episode.ended_at, data_cut.data_to) >= month_end.ends_at
    left join core.next_missing on episode.rowid = next_missing.episode_rowid
    where episode.status = 'missing' and (episode.age_at_start is null or episode.age_at_start < 18)
),

attributed as (
    select
        *,
        unnest(['A', 'B']) as basis,
        unnest([area_missing_from, responsible_authority]) as attributed_to
    from stretch
),

standing as (
    select
        attributed.basis,
        area.area_code,
        month_end.month,
        month_end.ends_at - attributed.started_at as missing_for,
        coalesce(attributed.is_open and attributed.next_started_at < month_end.ends_at, false) as is_unclear
    from attributed
    inner join reference.area as area on attributed.attributed_to = area.area_code and area.area_type = 'borough'
    inner join month_end on attributed.started_at < month_end.ends_at and attributed.until_at >= month_end.ends_at
),

told as (
    select
        basis,
        area_code,
        month,
        unnest([
            {
                'name': 'open_at_month_end',
                'count': count_if(not is_unclear),
                'unclear': count_if(is_unclear)
            },
            {
                'name': 'open_over_7_days',
                'count': count_if(not is_unclear and missing_for > interval 7 days),
                'unclear': count_if(is_unclear and missing_for > interval 7 days)
            },
            {
                'name': 'open_over_28_days',
                'count': count_if(not is_unclear and missing_for > interval 28 days),
                'unclear': count_if(is_unclear and missing_for > interval 28 days)
            }
        ]) as measure
    from standing
    group by basis, area_code, month
)

select
    measure.name as measure,
    basis,
    area_code,
    month,
    measure.count::bigint as count,
    measure.unclear::bigint as not_measurable
from told
where measure.count > 0 or measure.unclear > 0
