-- statistics.episode_period
-- Grain: one row per episode, basis, area and period it starts in.
-- Keys: episode_key, basis, area_code, period_type.
-- For: counting incidents and children.
with started as (
    select
        *,
        unnest(['month', 'quarter', 'year_to_march']) as period_type,
        unnest([
            date_trunc('month', start_day),
            date_trunc('quarter', start_day),
            date_trunc('year', start_day - interval 3 months) + interval 3 months
        ])::date as period_start
    from statistics.episode
)

select started.*
from started
inner join statistics.period
    on started.period_type = period.period_type and started.period_start = period.period_start
