-- statistics.episode
-- Grain: one row per resolved missing episode of a child and basis, in the borough that it counts for.
-- Keys: child_number, episode_number, basis; episode_rowid (core.missing_episode), basis.
-- For: incidents and children. Basis A is the area missing from, basis B the responsible authority. Children of 18 or
-- more never count; an unknown age does: patterns.episode, whose numbers put a child's episodes in order. month is that
-- of the local day of the start, by which an episode belongs to a period. In the region every borough's count.
-- value_bits says in numbers what is counted of it, one bit for each: 1, 2, 4, 8 and 16 are the age bands under 10,
-- 10 to 11, 12 to 14, 15 to 17 and unknown; 32, 64, 128 and 256 the sexes female, male, other and unknown; 512, 1024
-- and 2048 looked after yes, no and unknown; 4096, 8192 and 16384 that it completes 3 episodes in 28 days, 3 in 90 and
-- 10 in 365; 32768 that the child was missing in the 365 days before.
with completing as (
    select
        hit.child_number,
        hit.episode_number,
        bit_or(case rule.rule_id when 'R3-28' then 4096 when 'R3-90' then 8192 else 16384 end) as bits
    from patterns.hit_window as hit
    inner join rules.pattern as rule on hit.rule_number = rule.rule_number
    where rule.is_current and rule.rule_id in ('R3-28', 'R3-90', 'R10Y')
    group by hit.child_number, hit.episode_number
),

attributed as (
    select
        episode.episode_rowid,
        episode.child_number,
        episode.episode_number,
        date_trunc('month', resolved.start_day)::date as month,
        case
            when episode.age_at_start is null then 16
            when episode.age_at_start < 10 then 1
            when episode.age_at_start < 12 then 2
            when episode.age_at_start < 15 then 4
            else 8
        end
        | case resolved.sex when 'female' then 32 when 'male' then 64 when 'other' then 128 else 256 end
        | case episode.looked_after when 'yes' then 512 when 'no' then 1024 else 2048 end
        | coalesce(completing.bits, 0)
        | case when episode.started_at - episode.previous_started_at < interval 365 days then 32768 else 0 end
            as value_bits,
        unnest(['A', 'B']) as basis,
        unnest([episode.area_missing_from, episode.responsible_authority]) as attributed_to
    from patterns.episode as episode
    inner join core.missing_episode as resolved on episode.episode_rowid = resolved.rowid
    left join completing
        on episode.child_number = completing.child_number and episode.episode_number = completing.episode_number
)

select
    attributed.episode_rowid,
    attributed.child_number,
    attributed.episode_number,
    attributed.basis,
    area.area_code,
    attributed.month,
    attributed.value_bits
from attributed
inner join reference.area as area on attributed.attributed_to = area.area_code and area.area_type = 'borough'
