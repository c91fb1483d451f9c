-- statistics.period
-- Grain: one row per reporting period that is over at the newest data cut: every month, quarter and year to March from
-- the month of the first episode to the month of the last one delivered.
-- Keys: period_type, period_start.
-- For: every statistic. period_end is the last day. Quarters of the calendar and of the financial year begin on the
-- same days.
with span as (
    select
        date_trunc('month', min(utc_to_london(episode.started_at)))::date as first_month,
        least(
            date_trunc('month', utc_to_london(max(data_cut.data_to))),
            date_trunc('month', max(utc_to_london(episode.started_at))) + interval 1 month
        )::date as open_month
    from core.missing_episode as episode
    cross join quality.data_cut
    where episode.status = 'missing'
),

month_start as (
    select
        unnest(generate_series(span.first_month, span.open_month - interval 1 month, interval 1 month))::date
            as period_start
    from span
),

period as (
    select
        'month' as period_type,
        period_start,
        (period_start + interval 1 month - interval 1 day)::date as period_end
    from month_start
    union
    select
        'quarter' as period_type,
        date_trunc('quarter', period_start)::date as period_start,
        (date_trunc('quarter', period_start) + interval 3 months - interval 1 day)::date as period_end
    from month_start
    union
    select
        'year_to_march' as period_type,
        (date_trunc('year', period_start - interval 3 months) + interval 3 months)::date as period_start,
        (date_trunc('year', period_start - interval 3 months) + interval 15 months - interval 1 day)::date as period_end
    from month_start
)

select
    period.period_type,
    period.period_start,
    period.period_end
from period
cross join span
where period.period_end < span.open_month
