-- statistics.period
-- Grain: one row per reporting period (month, quarter, year to March, rolling 12 months) in which an episode was
-- delivered or could have been: from the month of the first start to that of the last, if the period is over at the
-- newest data cut. Rolling 12 months lie wholly in that span, and one ends with every month.
-- Keys: period_type, period_start.
-- For: every statistic. period_end is the last day. Quarters of the calendar and of the financial year begin on the
-- same days.
with span as (
    select
        date_trunc('month', min(start_day))::date as first_month,
        date_trunc('month', max(start_day))::date as last_month
    from core.missing_episode
    where status = 'missing'
),

data_cut as (
    select date_trunc('month', utc_to_london(max(data_to)))::date as open_month
    from quality.data_cut
),

month_start as (
    select unnest(generate_series(first_month, last_month, interval 1 month))::date as period_start
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
        year_to_march(period_start) as period_start,
        (date_trunc('year', period_start - interval 3 months) + interval 15 months - interval 1 day)::date as period_end
    from month_start
    union
    select
        'rolling_12_months' as period_type,
        (month_start.period_start - interval 11 months)::date as period_start,
        (month_start.period_start + interval 1 month - interval 1 day)::date as period_end
    from month_start
    cross join span
    where month_start.period_start - interval 11 months >= span.first_month
)

select
    period.period_type,
    period.period_start,
    period.period_end
from period
cross join data_cut
where period.period_end < data_cut.open_month
