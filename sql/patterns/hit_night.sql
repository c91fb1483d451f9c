-- patterns.hit_night
-- Grain: one row per rule of kind 'night', version and episode that takes in a whole night by the clock.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. RNIGHT of domain.md section 9: "episode includes 00:00-06:00 local", on the shortest reading of
-- the record. The clock decides: the night in which it changes has an hour more or less. Only the first night that
-- begins at or after the start can matter, for who is back before that one ends is back before all later ones end.
-- Certain where the end is recorded.
with local_day as (
    select
        unnest(
            generate_series(
                date_trunc('day', min(latest_started_at)) - interval 1 day,
                date_trunc('day', max(latest_started_at)) + interval 2 days,
                interval 1 day
            )
        ) as midnight
    from patterns.episode
),

night as (
    select
        rule.rule_number,
        london_to_utc(local_day.midnight + to_hours(rule.night_from)) as begins_at,
        london_to_utc(local_day.midnight + to_hours(rule.night_to)) as ends_at
    from local_day
    cross join rules.pattern as rule
    where rule.kind = 'night'
),

away as (
    select
        rule.rule_number,
        episode.child_number,
        episode.episode_number,
        episode.started_at,
        episode.latest_started_at,
        episode.ended_at is not null as is_ended,
        coalesce(episode.ended_at, open_until.until_at) as away_until
    from patterns.episode as episode
    left join patterns.open_until as open_until
        on episode.child_number = open_until.child_number and episode.episode_number = open_until.episode_number
    cross join rules.pattern as rule
    where rule.kind = 'night'
)

select
    away.rule_number,
    away.child_number,
    away.episode_number,
    away.started_at as hit_at,
    away.started_at - interval 1 microsecond as window_after,
    away.is_ended as is_certain,
    case when not away.is_ended then 'end not recorded' end as detail
from away
asof inner join night
    on
        away.rule_number = night.rule_number
        and away.latest_started_at <= night.begins_at
where away.away_until >= night.ends_at
