-- patterns.hit_co_missing
-- Grain: one row per rule of kind co_missing, version and missing episode of a child in a pairing that completes the
-- pattern; a pairing that does so completes it for both children.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. Enough pairings with the same other child within the window up to the later start of the two
-- (patterns.co_missing_pairing). Certain is what chance does not explain with some child (is_beyond_chance). The window
-- goes back further where one of these pairings has an episode of the child that starts before it. detail is the most
-- specific kind of pairing (of the three words the last in the alphabet).
with completing as (
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        since_at,
        kind,
        is_beyond_chance
    from patterns.co_missing_pairing
    where is_completing
    union all
    select
        rule_id,
        rule_version,
        partner_number as child_number,
        partner_episode_number as episode_number,
        partner_since_at as since_at,
        kind,
        is_beyond_chance
    from patterns.co_missing_pairing
    where is_completing
),

completed as (
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        min(since_at) as since_at,
        bool_or(is_beyond_chance) as is_certain,
        max(kind) as detail
    from completing
    group by rule_id, rule_version, child_number, episode_number
)

select
    rule.rule_number,
    completed.child_number,
    completed.episode_number,
    episode.started_at as hit_at,
    least(episode.started_at - to_days(rule.window_days), completed.since_at - interval 1 microsecond)
        as window_after,
    completed.is_certain,
    completed.detail
from completed
inner join rules.pattern as rule on completed.rule_id = rule.rule_id and completed.rule_version = rule.version
inner join patterns.episode as episode
    on completed.child_number = episode.child_number and completed.episode_number = episode.episode_number
