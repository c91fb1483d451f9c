-- patterns.co_missing_pairing
-- Grain: one row per version of a rule of kind co_missing and two episodes of two children who were missing together,
-- as far as it counts towards the pattern (lies within the window of a pairing that completes it).
-- Keys: rule_id, rule_version, episode_key, partner_episode_key. Of the two, child_number is the smaller number.
-- For: patterns.hit_co_missing, and who else was missing. RCO of domain.md section 9: two children start within
-- `within_hours` of each other from the same setting or, where they are not of one setting, the same area (both starts
-- known to the minute); or their episodes overlap, are missing from the same area and end within
-- `found_within_minutes` of each other (both ends known to the minute). kind is the most specific of 'same setting',
-- 'same area' and 'found together'.
-- A crowd says nothing about any two of those in it: where more than `most_together` starts (or ends) fell into that
-- place and time, up to and including the later one's instant, nobody is paired (patterns.co_missing_queue). So each
-- looks at no more than the `most_together` - 1 before it, however large the home or busy the night.
-- paired_at is the later start. pairings counts those of the two children in the `window_days` up to and including it,
-- an episode that is paired twice running once: the fewer of the one's episodes and the other's. since_at and
-- partner_since_at are the first starts of these episodes of the one and the other, which may lie before that window.
-- exact_pairings are those with both starts known to the minute.
-- What chance would bring: expected is how many pairings, if each child's starts from there fell on any of the days
-- alike and two starts on one day were a pairing (rather too many: six hours are less); pairs_by_chance is how many of
-- all pairs of children there would then be paired at least as often as exact_pairings (Poisson, and a little more).
-- Where the pairings are of several places, each is that of the place where chance does most. is_beyond_chance:
-- exact_pairings are enough, more than `over_chance` times expected, and `over_chance` times pairs_by_chance are less
-- than the one pair there is.
-- counts_at is the first pairing at or after this one that completes the pattern with this one in its window.
with rule as (
    select
        rule_number,
        rule_id,
        version as rule_version,
        pairings as least_pairings,
        over_chance,
        window_days * 86400000000 - 1 as window_us
    from rules.pattern
    where kind = 'co_missing'
),

later as (
    select
        rule_number,
        queue_number,
        queued_us,
        near_us,
        child_number,
        episode_number,
        left_out_number,
        place_in_queue - unnest(range(1, most_together))::integer as earlier_in_queue
    from patterns.co_missing_queue
    where may_be_later
),

near as (
    select
        later.rule_number,
        later.queue_number,
        later.child_number < earlier.child_number as is_own_later,
        case when is_own_later then later.child_number else earlier.child_number end as child_number,
        case when is_own_later then earlier.child_number else later.child_number end as partner_number,
        case when is_own_later then later.episode_number else earlier.episode_number end as episode_number,
        case when is_own_later then earlier.episode_number else later.episode_number end as partner_episode_number
    from later
    inner join patterns.co_missing_queue as earlier
        on later.queue_number = earlier.queue_number and later.earlier_in_queue = earlier.place_in_queue
    where
        later.queued_us - earlier.queued_us <= later.near_us
        and later.child_number <> earlier.child_number
        and coalesce(later.left_out_number <> earlier.left_out_number, true)
),

-- Most children are near each other once and never again.
often as (
    select
        near.rule_number,
        near.child_number,
        near.partner_number
    from near
    inner join rule on near.rule_number = rule.rule_number
    group by near.rule_number, near.child_number, near.partner_number
    having count(*) >= any_value(rule.least_pairings)
),

sided as (
    select
        near.rule_number,
        near.child_number,
        near.partner_number,
        near.episode_number,
        near.partner_episode_number,
        near.queue_number % 2 = 1 as is_end,
        own.place_number,
        own.is_setting,
        own.is_exact and partner.is_exact as is_exact,
        own.started_us,
        partner.started_us as partner_started_us,
        greatest(own.started_us, partner.started_us) as paired_us,
        least(own.ended_us, partner.ended_us) as apart_us,
        own.starts,
        partner.starts as partner_starts,
        own.starts * partner.starts / greatest(own.days, partner.days) as by_chance
    from near
    semi join often
        on
            near.rule_number = often.rule_number
            and near.child_number = often.child_number
            and near.partner_number = often.partner_number
    inner join patterns.start_at_place as own
        on
            near.queue_number // 2 = own.place_number
            and near.child_number = own.child_number
            and near.episode_number = own.episode_number
    inner join patterns.start_at_place as partner
        on
            near.queue_number // 2 = partner.place_number
            and near.partner_number = partner.child_number
            and near.partner_episode_number = partner.episode_number
),

started as (
    select *
    from sided
    where not is_end
),

found as (
    select *
    from sided
    where is_end and paired_us < apart_us
),

pairing as (
    select
        started.*,
        case when started.is_setting then 'same setting' else 'same area' end as kind,
        found.rule_number is not null as is_found_together
    from started
    left join found
        on
            started.rule_number = found.rule_number
            and started.child_number = found.child_number
            and started.partner_number = found.partner_number
            and started.episode_number = found.episode_number
            and started.partner_episode_number = found.partner_episode_number
    union all
    select
        found.*,
        'found together' as kind,
        true as is_found_together
    from found
    anti join started
        on
            found.rule_number = started.rule_number
            and found.child_number = started.child_number
            and found.partner_number = started.partner_number
            and found.episode_number = started.episode_number
            and found.partner_episode_number = started.partner_episode_number
),

-- Who has come to a place and not gone (patterns.start_at_place), at every instant at which that changes.
change as (
    select
        place_number,
        started_us as change_us,
        1 as change
    from patterns.start_at_place
    where comes
    union all
    select
        start_at_place.place_number,
        start_at_place.started_us + rule.window_us + 1 as change_us,
        -1 as change
    from patterns.start_at_place as start_at_place
    inner join rule on start_at_place.rule_number = rule.rule_number
    where start_at_place.goes
),

changed as (
    select
        place_number,
        change_us,
        sum(change)::integer as change
    from change
    group by place_number, change_us
),

among as (
    select
        place_number,
        change_us,
        (sum(change) over (partition by place_number order by change_us rows unbounded preceding))::integer as children
    from changed
),

placed as (
    select
        pairing.*,
        among.children,
        coalesce(pairing.episode_number <> lag(pairing.episode_number) over in_time, true) as is_another,
        coalesce(pairing.partner_episode_number <> lag(pairing.partner_episode_number) over in_time, true)
            as is_another_of_partner
    from pairing
    asof inner join among
        on pairing.place_number = among.place_number and pairing.paired_us >= among.change_us
    window in_time as (
        partition by pairing.rule_number, pairing.child_number, pairing.partner_number
        order by pairing.paired_us, pairing.episode_number, pairing.partner_episode_number
    )
),

counted as (
    select
        placed.*,
        rule.least_pairings,
        rule.over_chance,
        rule.window_us,
        least(
            count_if(placed.is_another) over so_far, count_if(placed.is_another_of_partner) over so_far
        )::integer as pairings,
        least(
            count_if(placed.is_another and placed.is_exact) over so_far,
            count_if(placed.is_another_of_partner and placed.is_exact) over so_far
        )::integer as exact_pairings,
        min(placed.started_us) over so_far as since_us,
        min(placed.partner_started_us) over so_far as partner_since_us,
        max(placed.by_chance) over so_far as expected,
        max(placed.children) over so_far as children_there
    from placed
    inner join rule on placed.rule_number = rule.rule_number
    window so_far as (
        partition by placed.rule_number, placed.child_number, placed.partner_number
        order by placed.paired_us
        range between rule.window_us preceding and current row
    )
),

judged as (
    select
        *,
        pairings >= least_pairings as is_completing,
        children_there::bigint * (children_there - 1) / 2 * case
            when expected < exact_pairings
                then
                    exp(exact_pairings * ln(expected) - expected - lgamma(exact_pairings + 1))
                    / (1 - expected / (exact_pairings + 1))
            else 1
        end as pairs_by_chance,
        min(case when pairings >= least_pairings then paired_us end) over (
            partition by rule_number, child_number, partner_number
            order by paired_us
            range between current row and window_us following
        ) as counts_us
    from counted
)

select
    rule.rule_id,
    rule.rule_version,
    judged.child_number,
    judged.episode_number,
    own.episode_key,
    own.boroughs,
    judged.partner_number,
    judged.partner_episode_number,
    partner.episode_key as partner_episode_key,
    partner.boroughs as partner_boroughs,
    make_timestamp(judged.paired_us) as paired_at,
    make_timestamp(judged.counts_us) as counts_at,
    make_timestamp(judged.since_us) as since_at,
    make_timestamp(judged.partner_since_us) as partner_since_at,
    judged.kind,
    judged.is_found_together,
    judged.is_exact,
    case when judged.kind = 'same setting' then own.setting_key else own.area_missing_from end as place,
    judged.starts,
    judged.partner_starts,
    judged.pairings,
    judged.exact_pairings,
    judged.expected,
    judged.children_there,
    judged.pairs_by_chance,
    judged.is_completing,
    judged.exact_pairings >= judged.least_pairings
    and judged.exact_pairings > judged.over_chance * judged.expected
    and judged.over_chance * judged.pairs_by_chance < 1 as is_beyond_chance
from judged
inner join rule on judged.rule_number = rule.rule_number
inner join patterns.episode as own
    on judged.child_number = own.child_number and judged.episode_number = own.episode_number
inner join patterns.episode as partner
    on judged.partner_number = partner.child_number and judged.partner_episode_number = partner.episode_number
where judged.counts_us is not null
