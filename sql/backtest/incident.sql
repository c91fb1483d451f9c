-- backtest.incident
-- Grain: one row per row of the missing module that breaks no rule.
-- Keys: borough, row_number.
-- For: which incidents DfE counts in the year, and why the others are not counted. standing: counted; outside the year;
-- not looked after then (no placement that counts on any day of the year on which the incident ran). is_at_year_end:
-- the child was looked after and had not returned when the year's last day ended.
with period as (
    select
        missing.borough,
        missing.row_number,
        missing.child,
        upper(missing.missing) as status,
        missing.mis_start as started_on,
        missing.mis_end as ended_on,
        year.first_day,
        year.last_day,
        missing.mis_start <= year.last_day
        and coalesce(missing.mis_end >= year.first_day, true)
        and (year.carried_in_counts or missing.mis_start >= year.first_day) as is_in_year
    from backtest.missing_row as missing
    cross join backtest.year as year
    anti join backtest.finding as finding
        on
            missing.borough = finding.borough
            and finding.module = 'missing'
            and missing.row_number = finding.row_number
),

in_care as (
    select
        period.borough,
        period.row_number,
        bool_or(
            care.is_at_year_end and coalesce(period.ended_on > period.last_day, true)
        ) as is_at_year_end
    from period
    inner join backtest.care as care
        on
            period.borough = care.borough
            and period.child = care.child
            and period.started_on <= care.last_day
            and coalesce(period.ended_on >= care.first_day, true)
    where period.is_in_year
    group by period.borough, period.row_number
)

select
    period.borough,
    period.row_number,
    period.child,
    period.status,
    case
        when not period.is_in_year then 'outside the year'
        when in_care.row_number is null then 'not looked after then'
        else 'counted'
    end as standing,
    coalesce(in_care.is_at_year_end, false) as is_at_year_end
from period
left join in_care on period.borough = in_care.borough and period.row_number = in_care.row_number
