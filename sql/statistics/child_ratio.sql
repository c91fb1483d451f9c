-- statistics.child_ratio
-- Grain: one row per reading of an indicator, basis, area, year to March, and pair of sums that a child can have.
-- Keys: indicator_id, variant, basis, area_code, period_start, numerator_each, denominator_each.
-- For: statistics.bootstrap_interval. Indicators whose numerator is of episodes, which come in runs by child. children
-- is how many have these sums; denominator_each is 0 where the denominator is a population.
-- Kinds of child first: a hundred times fewer rows than children.
with incident_kind as (
    select
        frame.basis,
        frame.area_code,
        frame.period_start,
        child.incidents,
        child.second_or_later,
        child.looked_after_incidents as looked_after,
        count(*) as children
    from statistics.child_period as child
    inner join statistics.frame as frame on child.frame_number = frame.frame_number
    where frame.period_type = 'year_to_march'
    group by
        frame.basis,
        frame.area_code,
        frame.period_start,
        child.incidents,
        child.second_or_later,
        child.looked_after_incidents
),

incident_ratio as (
    select
        indicator.indicator_id,
        indicator.variant,
        kind.basis,
        kind.area_code,
        kind.period_start,
        case
            when indicator.numerator_breakdown = 'looked_after' then kind.looked_after
            when indicator.numerator_measure = 'incidents' then kind.incidents
            when indicator.numerator_measure = 'incidents_second_or_later' then kind.second_or_later
            when kind.incidents >= 2 then kind.incidents
            else 0
        end as numerator_each,
        case
            when indicator.denominator_breakdown = 'looked_after' then least(kind.looked_after, 1)
            when indicator.denominator_measure = 'incidents' then kind.incidents
            when indicator.denominator_measure = 'children' then 1
            else 0
        end as denominator_each,
        kind.children
    from incident_kind as kind
    inner join rules.indicator as indicator
        on
            indicator.numerator_measure in ('incidents', 'incidents_second_or_later', 'incidents_of_repeaters')
            and indicator.method <> 'count'
            and list_contains(indicator.breakdowns, 'total')
            and (
                indicator.numerator_breakdown = ''
                or (indicator.numerator_breakdown = 'looked_after' and indicator.numerator_value = 'yes')
            )
),

interview_placed as (
    select
        place.child_number,
        place.answers,
        unnest(frame_month.frame_numbers) as frame_number
    from statistics.interview_place as place
    inner join statistics.frame_month as frame_month
        on
            place.basis = frame_month.basis
            and place.area_code = frame_month.area_code
            and place.month = frame_month.month
),

-- The bits of answers are those of statistics.interview_measure.
interview_child as (
    select
        frame.basis,
        frame.area_code,
        frame.period_start,
        place.child_number,
        count(*) as eligible,
        count_if((place.answers & 2) > 0)::bigint as offered,
        count_if((place.answers & 4) > 0)::bigint as completed,
        count_if((place.answers & 8) > 0)::bigint as completed_of_offered,
        count_if((place.answers & 16) > 0)::bigint as completed_72h,
        count_if((place.answers & 32) > 0)::bigint as declined,
        count_if((place.answers & 64) > 0)::bigint as overtaken
    from interview_placed as place
    inner join statistics.frame as frame on place.frame_number = frame.frame_number
    where frame.period_type = 'year_to_march'
    group by frame.basis, frame.area_code, frame.period_start, place.child_number
),

interview_kind as (
    select
        * exclude (child_number),
        count(*) as children
    from interview_child
    group by all
),

interview_ratio as (
    select
        indicator.indicator_id,
        indicator.variant,
        kind.basis,
        kind.area_code,
        kind.period_start,
        case indicator.numerator_measure
            when 'rhi_offered' then kind.offered
            when 'rhi_completed' then kind.completed
            when 'rhi_completed_of_offered' then kind.completed_of_offered
            when 'rhi_completed_72h' then kind.completed_72h
            when 'rhi_declined' then kind.declined
            else kind.overtaken
        end as numerator_each,
        case indicator.denominator_measure
            when 'rhi_eligible' then kind.eligible
            when 'rhi_offered' then kind.offered
            else kind.completed
        end as denominator_each,
        kind.children
    from interview_kind as kind
    inner join rules.indicator as indicator
        on
            indicator.numerator_measure in (
                'rhi_offered',
                'rhi_completed',
                'rhi_completed_of_offered',
                'rhi_completed_72h',
                'rhi_declined',
                'rhi_overtaken'
            )
            and indicator.denominator_measure in ('rhi_eligible', 'rhi_offered', 'rhi_completed')
),

ratio as (
    select *
    from incident_ratio
    union all
    -- A child without an interview that was offered says nothing of those that were.
    select *
    from interview_ratio
    where denominator_each > 0
)

select
    indicator_id,
    variant,
    basis,
    area_code,
    period_start,
    numerator_each,
    denominator_each,
    sum(children)::bigint as children
from ratio
group by
    indicator_id,
    variant,
    basis,
    area_code,
    period_start,
    numerator_each,
    denominator_each
