-- patterns.start_at_place
-- Grain: one row per version of a rule of kind co_missing, place and missing episode that started there; a place is a
-- care setting or an area, and an episode with both has two rows.
-- Keys: place_number, child_number, episode_number.
-- For: patterns.co_missing_pairing, which pairs these starts and weighs the pairs against chance. starts is how many
-- starts from there the child had in the `window_days` up to and including this one; days is how much of that time lies
-- after the first start known from there. comes says that the child had no other start from there in the `window_days`
-- before this one, goes that there is none in those after it: who has come and not gone is among the children of the
-- place. Days are counted by their first instant. Joined by numbers for speed: rule_number stands for id and version,
-- place_number for a place of one of these, and means nothing outside one run.
with rule as (
    select
        rule_number,
        window_days,
        window_days * 86400000000 - 1 as window_us
    from rules.pattern
    where kind = 'co_missing'
),

start as (
    select
        child_number,
        episode_number,
        epoch_us(started_at) as started_us,
        started_precision = 'minute' and latest_started_at = started_at as is_exact,
        case when ended_precision = 'minute' and latest_ended_at = ended_at then epoch_us(ended_at) end as ended_us,
        setting_key,
        area_missing_from
    from patterns.episode
),

named_place as (
    select
        setting_key as name,
        true as is_setting,
        min(started_us) as first_us
    from start
    where setting_key is not null
    group by setting_key
    union all
    select
        area_missing_from as name,
        false as is_setting,
        min(started_us) as first_us
    from start
    where area_missing_from <> 'unknown'
    group by area_missing_from
),

place as (
    select
        rule.rule_number,
        rule.window_days,
        rule.window_us,
        named_place.name,
        named_place.is_setting,
        named_place.first_us,
        (row_number() over (order by rule.rule_number, named_place.is_setting, named_place.name))::integer
            as place_number
    from named_place
    cross join rule
),

by_place as (
    select
        place.rule_number,
        place.window_days,
        place.window_us,
        place.place_number,
        place.is_setting,
        place.first_us,
        place.place_number as setting_number,
        start.child_number,
        start.episode_number,
        start.started_us,
        start.is_exact,
        start.ended_us
    from start
    inner join place on start.setting_key = place.name and place.is_setting
    union all
    select
        place.rule_number,
        place.window_days,
        place.window_us,
        place.place_number,
        place.is_setting,
        place.first_us,
        setting.place_number as setting_number,
        start.child_number,
        start.episode_number,
        start.started_us,
        start.is_exact,
        start.ended_us
    from start
    inner join place on start.area_missing_from = place.name and not place.is_setting
    left join place as setting
        on start.setting_key = setting.name and setting.is_setting and place.rule_number = setting.rule_number
)

select
    rule_number,
    place_number,
    is_setting,
    setting_number,
    child_number,
    episode_number,
    started_us,
    is_exact,
    ended_us,
    (
        count(*) over (
            partition by place_number, child_number
            order by started_us
            range between window_us preceding and current row
        )
    )::integer as starts,
    coalesce(started_us - lag(started_us) over in_time > window_us, true) as comes,
    coalesce(lead(started_us) over in_time - started_us > window_us, true) as goes,
    greatest(least((started_us - first_us) / 86400000000, window_days), 1) as days
from by_place
window in_time as (partition by place_number, child_number order by started_us)
