-- statistics.child_period
-- Grain: one row per child, basis, area and period with at least one missing episode.
-- Keys: child_number, basis, area_code, period_type, period_start.
-- For: counting children. A child has one value of each breakdown in a period and area: its first known age band and
-- sex there, and looked after if it was at any of those episodes. value_bits says which values its incidents have, one
-- bit for each as in statistics.incident_count: whose they are is counted once here, not for every breakdown.
select
    basis,
    area_code,
    period_type,
    period_start,
    child_number,
    any_value(child_digest) as child_digest,
    count(*) as incidents,
    coalesce(arg_min(age_band, started_at) filter (where age_band <> 'unknown'), 'unknown') as age_band,
    coalesce(arg_min(sex, started_at) filter (where sex <> 'unknown'), 'unknown') as sex,
    case
        when bool_or(looked_after = 'yes') then 'yes'
        when bool_or(looked_after = 'no') then 'no'
        else 'unknown'
    end as looked_after,
    bool_or(completes_3_in_28) as completes_3_in_28,
    bool_or(completes_3_in_90) as completes_3_in_90,
    bool_or(completes_10_in_365) as completes_10_in_365,
    bit_xor(episode_digest) as incidents_digest,
    count_if(is_second_or_later)::bigint as second_or_later,
    bit_xor(episode_digest) filter (where is_second_or_later) as second_or_later_digest,
    bit_or(
        case age_band
            when 'under 10' then 1 when '10 to 11' then 2 when '12 to 14' then 4 when '15 to 17' then 8 else 16
        end
        | case sex when 'female' then 32 when 'male' then 64 when 'other' then 128 else 256 end
        | case looked_after when 'yes' then 512 when 'no' then 1024 else 2048 end
    ) as value_bits
from statistics.episode_period
group by basis, area_code, period_type, period_start, child_number
