-- statistics.child_period
-- Grain: one row per child, basis, area and period with at least one missing episode.
-- Keys: child_number, frame_number (statistics.frame).
-- For: whatever is summed by child and period. An episode counts in the month, quarter and year it starts in. A child
-- has one value of each breakdown in a period and area: its first known age band and sex there, and looked after if it
-- was at any of those episodes. These are told as bits of statistics.episode: child_bits are those of the child,
-- value_bits all that its incidents have. first_number is the first of these episodes by its number.
-- What comes first is found with the number of the episode before the bit, in one number.
with placed as (
    select
        episode.child_number,
        episode.episode_number,
        episode.value_bits,
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
        child_number,
        frame_number,
        count(*) as incidents,
        count_if((value_bits & 512) > 0)::bigint as looked_after_incidents,
        count_if((value_bits & 32768) > 0)::bigint as second_or_later,
        min(episode_number) as first_number,
        min(case when (value_bits & 16) = 0 then episode_number::bigint * 32 + (value_bits & 31) end) as first_age,
        min(case when (value_bits & 256) = 0 then episode_number::bigint * 512 + (value_bits & 480) end) as first_sex,
        bit_or(value_bits) as value_bits
    from placed
    group by child_number, frame_number
)

select
    child_number,
    frame_number,
    incidents,
    looked_after_incidents,
    second_or_later,
    first_number,
    (
        case when first_age is null then 16 else (first_age & 31) end
        | case when first_sex is null then 256 else (first_sex & 480) end
        | case when (value_bits & 512) > 0 then 512 when (value_bits & 1024) > 0 then 1024 else 2048 end
    )::integer as child_bits,
    value_bits
from summed
