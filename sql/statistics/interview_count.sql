-- statistics.interview_count
-- Grain: one row per measure of the interview cascade, basis, area and period that occurs.
-- Keys: measure, basis, area_code, period_type, period_start.
-- For: statistics.count_cell. not_measurable counts the eligible episodes for which the answer cannot be told. Each
-- child is summed first and counted after, as in statistics.incident_count.
with child_verdict as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        offered,
        held,
        within_72_hours,
        declined,
        overtaken,
        count(*) as episodes,
        bit_xor(episode_digest) as digest
    from statistics.interview_period
    group by all
),

answered as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        episodes,
        digest,
        unnest([
            { 'measure': 'rhi_eligible', 'verdict': 'yes' },
            { 'measure': 'rhi_offered', 'verdict': offered },
            { 'measure': 'rhi_completed', 'verdict': held },
            { 'measure': 'rhi_completed_of_offered', 'verdict': case when offered = 'yes' then held else 'no' end },
            { 'measure': 'rhi_completed_72h', 'verdict': within_72_hours },
            { 'measure': 'rhi_declined', 'verdict': case when declined then 'yes' else 'no' end },
            { 'measure': 'rhi_overtaken', 'verdict': overtaken }
        ]) as answer
    from child_verdict
),

child_summed as (
    select
        answer.measure,
        basis,
        area_code,
        period_type,
        period_start,
        child_number,
        coalesce(sum(episodes) filter (where answer.verdict = 'yes'), 0) as yes,
        bit_xor(digest) filter (where answer.verdict = 'yes') as digest,
        coalesce(sum(episodes) filter (where answer.verdict = 'not_measurable'), 0) as not_measurable
    from answered
    group by answer.measure, basis, area_code, period_type, period_start, child_number
)

select
    measure,
    basis,
    area_code,
    period_type,
    period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    sum(yes)::bigint as count,
    count_if(yes > 0) as children,
    bit_xor(digest) as digest,
    sum(not_measurable)::bigint as not_measurable
from child_summed
group by measure, basis, area_code, period_type, period_start
