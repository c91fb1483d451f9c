-- patterns.hit_long
-- Grain: one row per rule of kind 'long', version and episode that reaches a band; detail is its highest band.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. RLONG of domain.md section 9: "duration >= 24h / >= 48h / > 7 days / > 28 days", in elapsed time.
-- The shortest time that the record allows must reach the band. Certain where the end is recorded.
with band as (
    select
        rule_number,
        unnest(hours) * 3600000000 as least_microseconds,
        unnest(hours) || ' hours or more' as detail
    from rules.pattern
    where kind = 'long'
    union all
    select
        rule_number,
        unnest(over_days) * 86400000000 + 1 as least_microseconds,
        'more than ' || unnest(over_days) || ' days' as detail
    from rules.pattern
    where kind = 'long'
),

lowest_band as (
    select
        rule_number,
        min(least_microseconds) as least_microseconds
    from band
    group by rule_number
),

lasted as (
    select
        lowest_band.rule_number,
        episode.child_number,
        episode.episode_number,
        episode.started_at,
        episode.ended_at is not null as is_ended,
        epoch_us(coalesce(episode.ended_at, open_until.until_at)) - epoch_us(episode.latest_started_at) as microseconds
    from patterns.episode as episode
    left join patterns.open_until as open_until
        on episode.child_number = open_until.child_number and episode.episode_number = open_until.episode_number
    inner join lowest_band
        on
            epoch_us(coalesce(episode.ended_at, open_until.until_at)) - epoch_us(episode.latest_started_at)
            >= lowest_band.least_microseconds
)

-- Of the bands that the time reaches, the asof join takes the highest.
select
    lasted.rule_number,
    lasted.child_number,
    lasted.episode_number,
    lasted.started_at as hit_at,
    lasted.started_at - interval 1 microsecond as window_after,
    lasted.is_ended as is_certain,
    case when lasted.is_ended then band.detail else band.detail || ', end not recorded' end as detail
from lasted
asof inner join band
    on
        lasted.rule_number = band.rule_number
        and lasted.microseconds >= band.least_microseconds
