-- statistics.interview_count
-- Grain: one row per measure of the interview cascade, basis, area and period that occurs.
-- Keys: measure, basis, area_code, period_type, period_start.
-- For: statistics.count_cell. not_measurable counts the eligible episodes for which the answer cannot be told. Each
-- child is summed first and counted after, as in statistics.incident_count; a measure is three columns until then.
with child as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        count(*) as eligible,
        bit_xor(episode_digest) as eligible_digest,
        count_if(offered = 'yes') as offered,
        bit_xor(episode_digest) filter (where offered = 'yes') as offered_digest,
        count_if(offered = 'not_measurable') as offered_unclear,
        count_if(held = 'yes') as completed,
        bit_xor(episode_digest) filter (where held = 'yes') as completed_digest,
        count_if(held = 'not_measurable') as completed_unclear,
        count_if(offered = 'yes' and held = 'yes') as completed_of_offered,
        bit_xor(episode_digest) filter (where offered = 'yes' and held = 'yes') as completed_of_offered_digest,
        count_if(offered = 'yes' and held = 'not_measurable') as completed_of_offered_unclear,
        count_if(within_72_hours = 'yes') as completed_72h,
        bit_xor(episode_digest) filter (where within_72_hours = 'yes') as completed_72h_digest,
        count_if(within_72_hours = 'not_measurable') as completed_72h_unclear,
        count_if(declined) as declined,
        bit_xor(episode_digest) filter (where declined) as declined_digest,
        count_if(overtaken = 'yes') as overtaken,
        bit_xor(episode_digest) filter (where overtaken = 'yes') as overtaken_digest,
        count_if(overtaken = 'not_measurable') as overtaken_unclear,
        count_if(is_elsewhere) as eligible_elsewhere,
        bit_xor(episode_digest) filter (where is_elsewhere) as eligible_elsewhere_digest,
        count_if(is_elsewhere and held = 'yes') as completed_elsewhere,
        bit_xor(episode_digest) filter (where is_elsewhere and held = 'yes') as completed_elsewhere_digest,
        count_if(is_elsewhere and held = 'not_measurable') as completed_elsewhere_unclear,
        count_if(is_elsewhere and within_72_hours = 'yes') as completed_72h_elsewhere,
        bit_xor(episode_digest) filter (where is_elsewhere and within_72_hours = 'yes')
            as completed_72h_elsewhere_digest,
        count_if(is_elsewhere and within_72_hours = 'not_measurable') as completed_72h_elsewhere_unclear
    from statistics.interview_period
    group by basis, area_code, period_type, period_start, child_number
),

counted as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        unnest([
            {
                'name': 'rhi_eligible',
                'count': sum(eligible),
                'children': count_if(eligible > 0),
                'digest': bit_xor(eligible_digest),
                'unclear': 0
            },
            {
                'name': 'rhi_offered',
                'count': sum(offered),
                'children': count_if(offered > 0),
                'digest': bit_xor(offered_digest),
                'unclear': sum(offered_unclear)
            },
            {
                'name': 'rhi_completed',
                'count': sum(completed),
                'children': count_if(completed > 0),
                'digest': bit_xor(completed_digest),
                'unclear': sum(completed_unclear)
            },
            {
                'name': 'rhi_completed_of_offered',
                'count': sum(completed_of_offered),
                'children': count_if(completed_of_offered > 0),
                'digest': bit_xor(completed_of_offered_digest),
                'unclear': sum(completed_of_offered_unclear)
            },
            {
                'name': 'rhi_completed_72h',
                'count': sum(completed_72h),
                'children': count_if(completed_72h > 0),
                'digest': bit_xor(completed_72h_digest),
                'unclear': sum(completed_72h_unclear)
            },
            {
                'name': 'rhi_declined',
                'count': sum(declined),
                'children': count_if(declined > 0),
                'digest': bit_xor(declined_digest),
                'unclear': 0
            },
            {
                'name': 'rhi_overtaken',
                'count': sum(overtaken),
                'children': count_if(overtaken > 0),
                'digest': bit_xor(overtaken_digest),
                'unclear': sum(overtaken_unclear)
            },
            {
                'name': 'rhi_eligible_elsewhere',
                'count': sum(eligible_elsewhere),
                'children': count_if(eligible_elsewhere > 0),
                'digest': bit_xor(eligible_elsewhere_digest),
                'unclear': 0
            },
            {
                'name': 'rhi_completed_elsewhere',
                'count': sum(completed_elsewhere),
                'children': count_if(completed_elsewhere > 0),
                'digest': bit_xor(completed_elsewhere_digest),
                'unclear': sum(completed_elsewhere_unclear)
            },
            {
                'name': 'rhi_completed_72h_elsewhere',
                'count': sum(completed_72h_elsewhere),
                'children': count_if(completed_72h_elsewhere > 0),
                'digest': bit_xor(completed_72h_elsewhere_digest),
                'unclear': sum(completed_72h_elsewhere_unclear)
            }
        ]) as measure
    from child
    group by basis, area_code, period_type, period_start
)

select
    measure.name as measure,
    basis,
    area_code,
    period_type,
    period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    measure.count::bigint as count,
    measure.children::bigint as children,
    measure.digest,
    measure.unclear::bigint as not_measurable
from counted
