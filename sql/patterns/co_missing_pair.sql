-- patterns.co_missing_pair
-- Grain: one row per version of a rule of kind co_missing, two children and run of overlapping windows in which they
-- were missing together often enough.
-- Keys: rule_id, rule_version, child_number, partner_number, first_at. Of the two, child_number is the smaller number.
-- For: patterns.co_missing_partner and patterns.co_missing_group. first_at and last_at are the first and the last
-- pairing of the run, raised_at the first that completes the pattern. pairings counts an episode once: the fewer of the
-- one's episodes and the other's. same_setting, same_area and found_together count pairings of each kind and those that
-- were found together, of whatever kind. strongest is the moment at which chance explains least, in the words of
-- patterns.co_missing_pairing; is_beyond_chance is the verdict on it. is_recent: the last pairing lies within the last
-- `window_days` before the newest data. boroughs and partner_boroughs are the senders of the paired episodes of either
-- child.
with completing as (
    select distinct
        rule_id,
        rule_version,
        child_number,
        partner_number,
        paired_at
    from patterns.co_missing_pairing
    where is_completing
),

in_order as (
    select
        *,
        lag(paired_at) over (
            partition by rule_id, rule_version, child_number, partner_number order by paired_at
        ) as previous_at
    from completing
),

numbered as (
    select
        in_order.*,
        rule.window_days,
        count_if(
            in_order.previous_at is null or in_order.paired_at - to_days(rule.window_days) >= in_order.previous_at
        ) over (
            partition by in_order.rule_id, in_order.rule_version, in_order.child_number, in_order.partner_number
            order by in_order.paired_at
            rows between unbounded preceding and current row
        ) as run_number
    from in_order
    inner join rules.pattern as rule
        on in_order.rule_id = rule.rule_id and in_order.rule_version = rule.version
),

newest as (
    select max(data_to) as data_to
    from quality.data_cut
)

select
    pairing.rule_id,
    pairing.rule_version,
    pairing.child_number,
    pairing.partner_number,
    min(pairing.paired_at) as first_at,
    min(pairing.counts_at) as raised_at,
    max(pairing.paired_at) as last_at,
    least(count(distinct pairing.episode_number), count(distinct pairing.partner_episode_number)) as pairings,
    (count_if(pairing.kind = 'same setting'))::bigint as same_setting,
    (count_if(pairing.kind = 'same area'))::bigint as same_area,
    (count_if(pairing.is_found_together))::bigint as found_together,
    max(pairing.kind) as kind,
    arg_min(
        {
            'paired_at': pairing.paired_at,
            'pairings': pairing.exact_pairings,
            'starts': pairing.starts,
            'partner_starts': pairing.partner_starts,
            'expected': pairing.expected,
            'children_there': pairing.children_there,
            'pairs_by_chance': pairing.pairs_by_chance
        },
        (
            not pairing.is_beyond_chance,
            pairing.pairs_by_chance,
            pairing.paired_at,
            pairing.episode_number,
            pairing.partner_episode_number
        )
    ) filter (where pairing.is_completing) as strongest,
    bool_or(pairing.is_beyond_chance) as is_beyond_chance,
    max(pairing.paired_at) > any_value(newest.data_to) - to_days(any_value(numbered.window_days)) as is_recent,
    list_sort(list_distinct(flatten(list(pairing.boroughs)))) as boroughs,
    list_sort(list_distinct(flatten(list(pairing.partner_boroughs)))) as partner_boroughs
from patterns.co_missing_pairing as pairing
inner join numbered
    on
        pairing.rule_id = numbered.rule_id
        and pairing.rule_version = numbered.rule_version
        and pairing.child_number = numbered.child_number
        and pairing.partner_number = numbered.partner_number
        and pairing.counts_at = numbered.paired_at
cross join newest
group by
    pairing.rule_id,
    pairing.rule_version,
    pairing.child_number,
    pairing.partner_number,
    numbered.run_number
