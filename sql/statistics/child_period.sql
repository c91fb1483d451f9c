-- statistics.child_period
-- Grain: one row per child, basis, area and period with at least one missing episode.
-- Keys: child_number, basis, area_code, period_type, period_start.
-- For: counting children. A child has one value of each breakdown in a period and area: its first known age band and
-- sex there, and looked after if it was at any of those episodes.
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
    bool_or(completes_10_in_365) as completes_10_in_365
from statistics.episode_period
group by basis, area_code, period_type, period_start, child_number
