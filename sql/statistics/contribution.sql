-- statistics.contribution
-- Grain: one row per measure of episodes in the publication plan, basis, area, period, breakdown and value that occurs.
-- Keys: measure, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: disclosure control. count is episodes; children the distinct children behind them; largest and second_largest
-- the episodes of the two children with most, by which a count that one child dominates is found. Children do not add
-- up over areas or time, so each is put together from its own months. Restricted.
with placed as (
    select
        episode.episode_rowid,
        episode.child_number,
        episode.basis,
        episode.month,
        episode.value_bits,
        episode.mark_bits,
        unnest([borough.area_code, borough.parent_code]) as area_code
    from statistics.episode as episode
    inner join reference.area as borough on episode.area_code = borough.area_code
),

mask as (
    select
        max(mask) filter (where breakdown = 'age_band') as age_band,
        max(mask) filter (where breakdown = 'sex') as sex,
        max(mask) filter (where breakdown = 'looked_after') as looked_after,
        max(mask) filter (where breakdown = 'age_dfe') as age_dfe,
        max(mask) filter (where breakdown = 'place') as place
    from statistics.value
),

started as (
    select
        placed.basis,
        placed.area_code,
        area.area_type,
        placed.child_number,
        placed.month,
        age.breakdown_value as age_band,
        sex.breakdown_value as sex,
        looked_after.breakdown_value as looked_after,
        age_dfe.breakdown_value as age_dfe,
        place.breakdown_value as place,
        count(*) as incidents,
        count_if((placed.mark_bits & 8) > 0) as later
    from placed
    cross join mask
    inner join reference.area as area on placed.area_code = area.area_code
    inner join statistics.value as age on (placed.value_bits & mask.age_band) = age.bit
    inner join statistics.value as sex on (placed.value_bits & mask.sex) = sex.bit
    inner join statistics.value as looked_after on (placed.value_bits & mask.looked_after) = looked_after.bit
    inner join statistics.value as age_dfe on (placed.value_bits & mask.age_dfe) = age_dfe.bit
    inner join statistics.value as place on (placed.value_bits & mask.place) = place.bit
    group by all
),

-- What is published of shorter periods, and of those that overlap, is not divided: a child is summed by month first.
month_of_child as (
    select
        basis,
        area_code,
        area_type,
        child_number,
        month,
        sum(incidents) as incidents,
        sum(later) as later
    from started
    group by basis, area_code, area_type, child_number, month
),

planned_undivided as (
    select distinct
        basis,
        period_type,
        area_type
    from rules.publication
    where family = 'episode' and unit = 'episode' and period_type <> 'year_to_march'
),

undivided as (
    select
        of_month.basis,
        of_month.area_code,
        period.period_type,
        period.period_start,
        of_month.child_number,
        sum(of_month.incidents)::bigint as incidents,
        sum(of_month.later)::bigint as later
    from month_of_child as of_month
    inner join planned_undivided as plan on of_month.basis = plan.basis and of_month.area_type = plan.area_type
    inner join statistics.period as period
        on plan.period_type = period.period_type and of_month.month between period.period_start and period.period_end
    group by of_month.basis, of_month.area_code, period.period_type, period.period_start, of_month.child_number
),

divided as (
    select
        basis,
        area_code,
        year_to_march(month) as year_start,
        child_number,
        case
            when grouping(age_band) = 0 then 'age_band'
            when grouping(sex) = 0 then 'sex'
            when grouping(looked_after) = 0 then 'looked_after'
            when grouping(age_dfe) = 0 then 'age_dfe'
            when grouping(place) = 0 then 'place'
            else 'total'
        end as breakdown,
        coalesce(age_band, sex, looked_after, age_dfe, place, 'Total') as breakdown_value,
        sum(incidents)::bigint as incidents,
        sum(later)::bigint as later,
        coalesce(sum(incidents) filter (where age_band = '15 to 17' and age_dfe = '10 to 15'), 0)::bigint as aged_15
    from started
    group by
        basis,
        area_code,
        year_start,
        child_number,
        grouping sets ((), (age_band), (sex), (looked_after), (age_dfe), (place))
),

of_child as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        incidents,
        later,
        0 as aged_15
    from undivided
    union all
    select
        basis,
        area_code,
        'year_to_march' as period_type,
        year_start as period_start,
        breakdown,
        breakdown_value,
        incidents,
        later,
        aged_15
    from divided
),

placed_return as (
    select
        place.basis,
        place.child_number,
        place.month,
        place.answers,
        unnest([borough.area_code, borough.parent_code]) as area_code
    from statistics.interview_place as place
    inner join reference.area as borough on place.area_code = borough.area_code
),

-- The bits of answers are those of statistics.interview_measure.
returned_in as (
    select
        place.basis,
        place.area_code,
        period.period_type,
        period.period_start,
        place.child_number,
        count(*) as eligible,
        count_if((place.answers & 2) > 0) as offered,
        count_if((place.answers & 4) > 0) as held,
        count_if((place.answers & 16) > 0) as within_72_hours,
        count_if((place.answers & 32) > 0) as declined,
        count_if((place.answers & 128) > 0) as elsewhere,
        count_if((place.answers & 256) > 0) as held_elsewhere
    from placed_return as place
    inner join statistics.period as period on place.month between period.period_start and period.period_end
    where
        (place.basis, period.period_type) in (
            select
                plan.basis,
                plan.period_type
            from rules.publication as plan
            where plan.family = 'interview'
        )
    group by all
),

contributed as (
    select
        basis,
        area_code,
        period_type,
        period_start,
        breakdown,
        breakdown_value,
        unnest([
            { 'measure': 'incidents', 'episodes': incidents },
            { 'measure': 'incidents_second_or_later', 'episodes': later },
            { 'measure': 'incidents_of_repeaters', 'episodes': case when incidents >= 2 then incidents else 0 end },
            { 'measure': 'incidents_first', 'episodes': incidents - later },
            { 'measure': 'incidents_aged_15', 'episodes': aged_15 }
        ]) as part
    from of_child
    union all
    select
        basis,
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'Total' as breakdown_value,
        unnest([
            { 'measure': 'rhi_eligible', 'episodes': eligible },
            { 'measure': 'rhi_offered', 'episodes': offered },
            { 'measure': 'rhi_completed', 'episodes': held },
            { 'measure': 'rhi_completed_72h', 'episodes': within_72_hours },
            { 'measure': 'rhi_declined', 'episodes': declined },
            { 'measure': 'rhi_eligible_elsewhere', 'episodes': elsewhere },
            { 'measure': 'rhi_completed_elsewhere', 'episodes': held_elsewhere },
            { 'measure': 'rhi_not_offered', 'episodes': eligible - offered },
            { 'measure': 'rhi_not_held', 'episodes': eligible - held },
            { 'measure': 'rhi_held_late', 'episodes': held - within_72_hours }
        ]) as part
    from returned_in
)

select
    part.measure,
    basis,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    sum(part.episodes)::bigint as count,
    count(*) as children,
    max(part.episodes) as largest,
    coalesce(max(part.episodes, 2)[2], 0)::bigint as second_largest
from contributed
where
    part.episodes > 0
    and (part.measure, basis, period_type, breakdown) in (
        select
            plan.measure,
            plan.basis,
            plan.period_type,
            plan.breakdown
        from rules.publication as plan
    )
group by part.measure, basis, area_code, period_type, period_start, breakdown, breakdown_value
