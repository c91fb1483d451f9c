-- statistics.episode
-- Grain: one row per resolved missing episode of a child and basis, in the borough that it counts for.
-- Keys: child_number, episode_number, basis; episode_rowid (core.missing_episode), basis.
-- For: incidents and children. Basis A is the area missing from, basis B the responsible authority. Children of 18 or
-- more never count; an unknown age does: patterns.episode, whose numbers put a child's episodes in order. month is that
-- of the local day of the start, by which an episode belongs to a period. In the region every borough's count.
-- value_bits are the values of its breakdowns (statistics.value). mark_bits say what else is counted of it: 1, 2 and 4
-- that it completes 3 episodes in 28 days, 3 in 90 and 10 in 365; 8 that the child was missing in the 365 days before.
with completing as (
    select
        hit.child_number,
        hit.episode_number,
        bit_or(case rule.rule_id when 'R3-28' then 1 when 'R3-90' then 2 else 4 end) as bits
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
        fact.month,
        fact.value_bits,
        coalesce(completing.bits, 0)
        | case when episode.started_at - episode.previous_started_at < interval 365 days then 8 else 0 end
            as mark_bits,
        unnest(['A', 'B']) as basis,
        unnest([episode.area_missing_from, episode.responsible_authority]) as attributed_to
    from patterns.episode as episode
    inner join statistics.incident_fact as fact on episode.episode_rowid = fact.episode_rowid
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
    attributed.value_bits,
    attributed.mark_bits
from attributed
inner join reference.area as area on attributed.attributed_to = area.area_code and area.area_type = 'borough'
