-- statistics.interview_count
-- Grain: one row per measure of the interview cascade, basis, area and period that occurs.
-- Keys: measure, basis, area_code, period_type, period_start.
-- For: statistics.count_cell. not_measurable counts the eligible episodes for which the answer cannot be told.
with verdict as (
    select
        *,
        unnest([
            {'measure': 'rhi_eligible', 'verdict': 'yes'},
            {'measure': 'rhi_offered', 'verdict': offered},
            {'measure': 'rhi_completed', 'verdict': held},
            {
                'measure': 'rhi_completed_of_offered',
                'verdict': case when offered = 'yes' then held else 'no' end
            },
            {'measure': 'rhi_completed_72h', 'verdict': within_72_hours},
            {'measure': 'rhi_declined', 'verdict': case when declined then 'yes' else 'no' end},
            {'measure': 'rhi_overtaken', 'verdict': case when overtaken then 'yes' else 'no' end}
        ]) as answer
    from statistics.interview_period
)

select
    answer.measure as measure,
    basis,
    area_code,
    period_type,
    period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    count_if(answer.verdict = 'yes') as count,
    count(distinct child_key) filter (where answer.verdict = 'yes') as children,
    bit_xor(md5_number_lower(episode_key)) filter (where answer.verdict = 'yes') as digest,
    count_if(answer.verdict = 'not_measurable') as not_measurable
from verdict
group by answer.measure, basis, area_code, period_type, period_start
