-- statistics.interview_place
-- Grain: one row per eligible episode and basis, in the borough that it counts for.
-- Keys: episode_rowid (core.missing_episode), basis.
-- For: counting the interview cascade by the local month of the return. On basis B an episode counts for the authority
-- responsible for the child, so a host borough is never held to an interview that another authority owes. answers are
-- the bits of statistics.interview_measure: what the episode counts in, and what cannot be told of it. value_bits are
-- the values of its breakdowns (statistics.value).
with answered as (
    select
        episode_rowid,
        child_number,
        date_trunc('month', return_day)::date as month,
        1
        | case offered when 'yes' then 2 when 'not_measurable' then 1024 else 0 end
        | case held when 'yes' then 4 when 'not_measurable' then 2048 else 0 end
        | case
            when offered = 'yes' and held = 'yes' then 8
            when offered = 'yes' and held = 'not_measurable' then 4096
            else 0
        end
        | case within_72_hours when 'yes' then 16 when 'not_measurable' then 8192 else 0 end
        | case when declined then 32 else 0 end
        | case overtaken when 'yes' then 64 when 'not_measurable' then 16384 else 0 end
        | case when is_elsewhere then 128 else 0 end
        | case
            when is_elsewhere and held = 'yes' then 256
            when is_elsewhere and held = 'not_measurable' then 32768
            else 0
        end
        | case
            when is_elsewhere and within_72_hours = 'yes' then 512
            when is_elsewhere and within_72_hours = 'not_measurable' then 65536
            else 0
        end as answers,
        value_bits,
        unnest(['A', 'B']) as basis,
        unnest([area_missing_from, responsible_authority]) as attributed_to
    from statistics.interview_verdict
)

select
    answered.episode_rowid,
    answered.child_number,
    answered.basis,
    area.area_code,
    answered.month,
    answered.answers,
    answered.value_bits
from answered
inner join reference.area as area on answered.attributed_to = area.area_code and area.area_type = 'borough'
