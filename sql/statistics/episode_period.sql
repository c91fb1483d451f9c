-- statistics.episode_period
-- Grain: one row per episode, basis, area and period it starts in.
-- Keys: episode_digest, basis, area_code, period_type.
-- For: counting incidents and children.
with started as (
    select
        * exclude (episode_key, child_key, borough),
        unnest(['month', 'quarter', 'year_to_march']) as period_type,
        unnest([
            date_trunc('month', start_day),
            date_trunc('quarter', start_day),
            date_trunc('year', start_day - interval 3 months) + interval 3 months
        ])::date as period_start
    from statistics.episode
)

select
    started.basis,
    started.area_code,
    started.period_type,
    started.period_start,
    started.episode_digest,
    started.child_number,
    started.child_digest,
    started.started_at,
    started.age_band,
    started.sex,
    started.looked_after,
    started.is_second_or_later,
    started.completes_3_in_28,
    started.completes_3_in_90,
    started.completes_10_in_365
from started
inner join statistics.period
    on started.period_type = period.period_type and started.period_start = period.period_start
