-- statistics.child_period
-- Grain: one row per child, basis, area and period with at least one missing episode.
-- Keys: child_number, basis, area_code, period_type, period_start.
-- For: whatever is summed by child and period. An episode counts in the month, quarter and year it starts in. A child
-- has one value of each breakdown in a period and area: its first known age band and sex there, and looked after if it
-- was at any of those episodes. value_bits says which values its incidents have, one bit for each as in
-- statistics.incident_count.
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

select
    started.basis,
    started.area_code,
    started.period_type,
    started.period_start,
    started.child_number,
    count(*) as incidents,
    coalesce(arg_min(started.age_band, started.started_at) filter (where started.age_band <> 'unknown'), 'unknown')
        as age_band,
    coalesce(arg_min(started.sex, started.started_at) filter (where started.sex <> 'unknown'), 'unknown') as sex,
    case
        when bool_or(started.looked_after = 'yes') then 'yes'
        when bool_or(started.looked_after = 'no') then 'no'
        else 'unknown'
    end as looked_after,
    bool_or(started.completes_3_in_28) as completes_3_in_28,
    bool_or(started.completes_3_in_90) as completes_3_in_90,
    bool_or(started.completes_10_in_365) as completes_10_in_365,
    arg_min(started.episode_digest, started.started_at) as first_episode_digest,
    count_if(started.looked_after = 'yes')::bigint as looked_after_incidents,
    count_if(started.is_second_or_later)::bigint as second_or_later,
    bit_or(
        case started.age_band
            when 'under 10' then 1 when '10 to 11' then 2 when '12 to 14' then 4 when '15 to 17' then 8 else 16
        end
        | case started.sex when 'female' then 32 when 'male' then 64 when 'other' then 128 else 256 end
        | case started.looked_after when 'yes' then 512 when 'no' then 1024 else 2048 end
    ) as value_bits
from started
inner join statistics.period
    on started.period_type = period.period_type and started.period_start = period.period_start
group by started.basis, started.area_code, started.period_type, started.period_start, started.child_number
