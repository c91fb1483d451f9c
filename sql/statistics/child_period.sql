-- statistics.child_period
-- Grain: one row per child, basis, area and period with at least one missing episode.
-- Keys: child_number, frame_number (statistics.frame).
-- For: whatever is summed by child and period. An episode counts in the month, quarter and year it starts in.
-- value_bits and mark_bits are those of all its incidents there together (statistics.episode). child_bits are the
-- child's own: of age and sex and ethnicity the first that is known there; looked after if it was at any of those
-- incidents; of whatever is said of an incident (setting, place, risk, duration) every value that one of them has.
-- first_number is the first of these episodes by its number. What comes first is found with the number of the episode
-- before the bits, in one number.
with own as (
    select
        bit_or(bit) filter (where breakdown in ('age_band', 'age_dfe')) as age,
        bit_or(bit) filter (where breakdown in ('age_band', 'age_dfe') and breakdown_value = 'unknown') as no_age,
        bit_or(bit) filter (where breakdown = 'sex') as sex,
        bit_or(bit) filter (where breakdown = 'sex' and breakdown_value = 'unknown') as no_sex,
        bit_or(bit) filter (where breakdown = 'ethnicity') as ethnicity,
        bit_or(bit) filter (where breakdown = 'ethnicity' and breakdown_value = 'unknown') as no_ethnicity,
        bit_or(bit) filter (where breakdown = 'looked_after' and breakdown_value = 'yes') as looked_after,
        bit_or(bit) filter (where breakdown = 'looked_after' and breakdown_value = 'no') as not_looked_after,
        bit_or(bit) filter (where breakdown = 'looked_after' and breakdown_value = 'unknown') as maybe_looked_after,
        bit_or(bit) filter (where breakdown in ('setting', 'place', 'risk_initial', 'risk_highest', 'duration'))
            as of_incident,
        1::bigint << 26 as above_own
    from statistics.value
),

placed as (
    select
        episode.child_number,
        episode.episode_number,
        episode.value_bits,
        episode.mark_bits,
        unnest(frame_month.frame_numbers) as frame_number
    from statistics.episode as episode
    inner join statistics.frame_month as frame_month
        on
            episode.basis = frame_month.basis
            and episode.area_code = frame_month.area_code
            and episode.month = frame_month.month
),

summed as (
    select
        placed.child_number,
        placed.frame_number,
        count(*) as incidents,
        count_if((placed.value_bits & own.looked_after) > 0)::bigint as looked_after_incidents,
        count_if((placed.mark_bits & 8) > 0)::bigint as second_or_later,
        min(placed.episode_number) as first_number,
        min(
            case
                when (placed.value_bits & own.no_age) = 0
                    then placed.episode_number * own.above_own + (placed.value_bits & own.age)
            end
        ) as first_age,
        min(
            case
                when (placed.value_bits & own.no_sex) = 0
                    then placed.episode_number * own.above_own + (placed.value_bits & own.sex)
            end
        ) as first_sex,
        min(
            case
                when (placed.value_bits & own.no_ethnicity) = 0
                    then placed.episode_number * own.above_own + (placed.value_bits & own.ethnicity)
            end
        ) as first_ethnicity,
        bit_or(placed.value_bits) as value_bits,
        bit_or(placed.mark_bits) as mark_bits
    from placed
    cross join own
    group by placed.child_number, placed.frame_number
)

select
    summed.child_number,
    summed.frame_number,
    summed.incidents,
    summed.looked_after_incidents,
    summed.second_or_later,
    summed.first_number,
    coalesce(summed.first_age & own.age, own.no_age)
    | coalesce(summed.first_sex & own.sex, own.no_sex)
    | coalesce(summed.first_ethnicity & own.ethnicity, own.no_ethnicity)
    | case
        when (summed.value_bits & own.looked_after) > 0 then own.looked_after
        when (summed.value_bits & own.not_looked_after) > 0 then own.not_looked_after
        else own.maybe_looked_after
    end
    | (summed.value_bits & own.of_incident) as child_bits,
    summed.value_bits,
    summed.mark_bits
from summed
cross join own
