-- statistics.interview_count
-- Grain: one row per measure of the interview cascade, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: statistics.count_cell. not_measurable counts the eligible episodes for which the answer cannot be told. Episodes
-- add up over months and are counted by month; children are not: of each its answers in the period are put together,
-- one bit a measure, and counted after. Only years are divided; of the children behind a part nothing is known here.
with kind_month as (
    select
        basis,
        area_code,
        month,
        answers,
        count(*) as episodes
    from statistics.interview_place
    group by basis, area_code, month, answers
),

by_month as (
    select
        kind_month.basis,
        kind_month.area_code,
        kind_month.month,
        measure.measure,
        sum(case when (kind_month.answers & measure.bit) > 0 then kind_month.episodes else 0 end)::bigint as count,
        sum(case when (kind_month.answers & measure.unclear_bit) > 0 then kind_month.episodes else 0 end)::bigint
            as not_measurable
    from kind_month
    cross join statistics.interview_measure as measure
    group by kind_month.basis, kind_month.area_code, kind_month.month, measure.measure
),

framed as (
    select
        unnest(frame_month.frame_numbers) as frame_number,
        by_month.measure,
        by_month.count,
        by_month.not_measurable
    from by_month
    inner join statistics.frame_month as frame_month
        on
            by_month.basis = frame_month.basis
            and by_month.area_code = frame_month.area_code
            and by_month.month = frame_month.month
),

counted as (
    select
        frame_number,
        measure,
        sum(count)::bigint as count,
        sum(not_measurable)::bigint as not_measurable
    from framed
    group by frame_number, measure
),

placed as (
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

child as (
    select
        frame_number,
        child_number,
        bit_or(answers) & 1023 as answers
    from placed
    group by frame_number, child_number
),

kind_of_child as (
    select
        frame_number,
        answers,
        count(*) as children
    from child
    group by frame_number, answers
),

behind as (
    select
        kind_of_child.frame_number,
        measure.measure,
        sum(case when (kind_of_child.answers & measure.bit) > 0 then kind_of_child.children else 0 end)::bigint
            as children
    from kind_of_child
    cross join statistics.interview_measure as measure
    group by kind_of_child.frame_number, measure.measure
),

mask as (
    select distinct value.mask
    from rules.measure as measure
    inner join statistics.value as value on measure.breakdown = value.breakdown
    where measure.family = 'interview'
),

of_year as (
    select
        basis,
        area_code,
        year_to_march(month) as year_start,
        answers,
        value_bits
    from statistics.interview_place
),

kind_year as (
    select
        of_year.basis,
        of_year.area_code,
        of_year.year_start,
        of_year.answers,
        of_year.value_bits & mask.mask as bit,
        count(*) as episodes
    from of_year
    cross join mask
    group by of_year.basis, of_year.area_code, of_year.year_start, of_year.answers, of_year.value_bits & mask.mask
),

divided as (
    select
        measure.measure,
        kind_year.basis,
        unnest([borough.area_code, borough.parent_code]) as area_code,
        kind_year.year_start,
        kind_year.bit,
        sum(case when (kind_year.answers & measure.bit) > 0 then kind_year.episodes else 0 end) as count,
        sum(case when (kind_year.answers & measure.unclear_bit) > 0 then kind_year.episodes else 0 end)
            as not_measurable
    from kind_year
    inner join reference.area as borough on kind_year.area_code = borough.area_code
    cross join statistics.interview_measure as measure
    group by
        measure.measure, kind_year.basis, borough.area_code, borough.parent_code, kind_year.year_start, kind_year.bit
)

select
    counted.measure,
    frame.basis,
    frame.area_code,
    frame.period_type,
    frame.period_start,
    'total' as breakdown,
    'Total' as breakdown_value,
    counted.count,
    behind.children,
    counted.not_measurable
from counted
inner join behind on counted.frame_number = behind.frame_number and counted.measure = behind.measure
inner join statistics.frame as frame on counted.frame_number = frame.frame_number
union all
select
    divided.measure,
    divided.basis,
    divided.area_code,
    'year_to_march' as period_type,
    divided.year_start as period_start,
    value.breakdown,
    value.breakdown_value,
    sum(divided.count)::bigint as count,
    null as children,
    sum(divided.not_measurable)::bigint as not_measurable
from divided
inner join statistics.value as value on divided.bit = value.bit
inner join statistics.period as period
    on divided.year_start = period.period_start and period.period_type = 'year_to_march'
group by
    divided.measure,
    divided.basis,
    divided.area_code,
    divided.year_start,
    value.breakdown,
    value.breakdown_value
