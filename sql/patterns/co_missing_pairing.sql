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
-- place and time, up to and including the later one's instant, nobody is paired. So each start needs to look at no
-- more than the `most_together` - 1 before it, however large the home or busy the night.
-- paired_at is the later start. pairings counts those of the two children in the `window_days` up to and including it,
-- an episode once: the fewer of the one's episodes and the other's. since_at and partner_since_at are the first starts
-- of these episodes of the one and the other, which may lie before that window. exact_pairings are those with both
-- starts known to the minute.
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
        most_together,
        over_chance,
        window_days * 86400000000 - 1 as window_us,
        within_hours * 3600000000 as within_us,
        found_within_minutes::bigint * 60000000 as found_within_us
    from rules.pattern
    where kind = 'co_missing'
),

moment as (
    select
        start_at_place.*,
        false as is_end,
        start_at_place.started_us as moment_us,
        rule.within_us as reach_us,
        rule.most_together
    from patterns.start_at_place as start_at_place
    inner join rule on start_at_place.rule_number = rule.rule_number
    where start_at_place.is_exact
    union all
    select
        start_at_place.*,
        true as is_end,
        start_at_place.ended_us as moment_us,
        rule.found_within_us as reach_us,
        rule.most_together
    from patterns.start_at_place as start_at_place
    inner join rule on start_at_place.rule_number = rule.rule_number
    where start_at_place.ended_us is not null and not start_at_place.is_setting
),

in_order as (
    select
        *,
        (row_number() over in_time)::integer as place_order,
        moment_us - lag(moment_us) over in_time <= reach_us as has_company,
        moment_us - lag(moment_us, most_together) over in_time <= reach_us as is_crowded
    from moment
    window in_time as (partition by place_number, is_end order by moment_us)
),

-- A crowd at an instant is one for everybody at that instant, in whatever order they come.
crowd as (
    select distinct
        place_number,
        is_end,
        moment_us
    from in_order
    where is_crowded
),

later as (
    select
        in_order.*,
        unnest(range(1, in_order.most_together)) as back
    from in_order
    anti join crowd
        on
            in_order.place_number = crowd.place_number
            and in_order.is_end = crowd.is_end
            and in_order.moment_us = crowd.moment_us
    where in_order.has_company
),

together as (
    select
        later.rule_number,
        later.is_setting,
        later.is_end,
        later.is_exact and earlier.is_exact as is_exact,
        case when later.started_us < earlier.started_us then earlier.children else later.children end as children,
        least(later.child_number, earlier.child_number) as child_number,
        greatest(later.child_number, earlier.child_number) as partner_number,
        later.child_number < earlier.child_number as is_partner_earlier,
        case when is_partner_earlier then later.episode_number else earlier.episode_number end as episode_number,
        case when is_partner_earlier then earlier.episode_number else later.episode_number end
            as partner_episode_number,
        case when is_partner_earlier then later.started_us else earlier.started_us end as started_us,
        case when is_partner_earlier then earlier.started_us else later.started_us end as partner_started_us,
        case when is_partner_earlier then later.starts else earlier.starts end as starts,
        case when is_partner_earlier then earlier.starts else later.starts end as partner_starts,
        later.starts * earlier.starts / greatest(later.days, earlier.days) as by_chance
    from later
    inner join in_order as earlier
        on
            later.place_number = earlier.place_number
            and later.is_end = earlier.is_end
            and later.place_order - later.back = earlier.place_order
    where
        later.moment_us - earlier.moment_us <= later.reach_us
        and later.child_number <> earlier.child_number
        and case
            when later.is_end then greatest(later.started_us, earlier.started_us) < earlier.moment_us
            else later.is_setting or coalesce(later.setting_number <> earlier.setting_number, true)
        end
),

often as (
    select
        together.rule_number,
        together.child_number,
        together.partner_number
    from together
    inner join rule on together.rule_number = rule.rule_number
    group by all
    having count(*) >= any_value(rule.least_pairings)
),

pairing as (
    select
        together.rule_number,
        together.child_number,
        together.partner_number,
        together.episode_number,
        together.partner_episode_number,
        any_value(together.started_us) as started_us,
        any_value(together.partner_started_us) as partner_started_us,
        greatest(any_value(together.started_us), any_value(together.partner_started_us)) as paired_us,
        any_value(together.is_exact) as is_exact,
        bool_or(together.is_setting) as is_same_setting,
        bool_and(together.is_end) as is_only_found_together,
        bool_or(together.is_end) as is_found_together,
        arg_max(together.starts, together.is_setting) as starts,
        arg_max(together.partner_starts, together.is_setting) as partner_starts,
        arg_max(together.by_chance, together.is_setting) as by_chance,
        arg_max(together.children, together.is_setting) as children
    from together
    semi join often
        on
            together.rule_number = often.rule_number
            and together.child_number = often.child_number
            and together.partner_number = often.partner_number
    group by all
),

counted as (
    select
        pairing.*,
        rule.least_pairings,
        rule.over_chance,
        rule.window_us,
        least(
            count(distinct pairing.episode_number) over so_far,
            count(distinct pairing.partner_episode_number) over so_far
        ) as pairings,
        least(
            count(distinct case when pairing.is_exact then pairing.episode_number end) over so_far,
            count(distinct case when pairing.is_exact then pairing.partner_episode_number end) over so_far
        ) as exact_pairings,
        min(pairing.started_us) over so_far as since_us,
        min(pairing.partner_started_us) over so_far as partner_since_us,
        max(pairing.by_chance) over so_far as expected,
        max(pairing.children) over so_far as children_there
    from pairing
    inner join rule on pairing.rule_number = rule.rule_number
    window so_far as (
        partition by pairing.rule_number, pairing.child_number, pairing.partner_number
        order by pairing.paired_us
        range between rule.window_us preceding and current row
    )
),

judged as (
    select
        *,
        pairings >= least_pairings as is_completing,
        children_there * (children_there - 1) / 2 * case
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
    judged.partner_number,
    judged.partner_episode_number,
    partner.episode_key as partner_episode_key,
    make_timestamp(judged.paired_us) as paired_at,
    make_timestamp(judged.counts_us) as counts_at,
    make_timestamp(judged.since_us) as since_at,
    make_timestamp(judged.partner_since_us) as partner_since_at,
    case
        when judged.is_same_setting then 'same setting'
        when judged.is_only_found_together then 'found together'
        else 'same area'
    end as kind,
    judged.is_found_together,
    judged.is_exact,
    case when judged.is_same_setting then own.setting_key else own.area_missing_from end as place,
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
