-- patterns.hit_after_move
-- Grain: one row per rule of kind after_move, version and missing episode whose start completes the pattern.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. A change of placement (reason_started is one of `moves`) and at least `episodes` starts in
-- [change, change + window_days), of which this is the last; the last change that allows it decides. A change is known
-- by its day, and read as its first instant in local time: window_after is just before it. Certain where a change can
-- be found that comes before the first of the starts even at the end of its day, and from whose first instant the
-- window holds the starts however they are read. Where a borough delivers no placements, nothing is raised.
with change as (
    select distinct
        rule.rule_number,
        pseudonym.child_number,
        london_to_utc(placement.started_on::timestamp) as changed_at,
        london_to_utc(placement.started_on::timestamp + interval 1 day) as changed_before
    from staging.placement as placement
    inner join rules.pattern as rule on list_contains(rule.moves, placement.reason_started)
    inner join staging.child as pseudonym
        on placement.borough = pseudonym.borough and placement.child_id = pseudonym.child_id
    where rule.kind = 'after_move'
),

candidate as (
    select
        rule.rule_number,
        rule.window_days,
        look_back.child_number,
        look_back.episode_number,
        look_back.started_at as hit_at,
        look_back.latest_start_so_far,
        look_back.first_started_at
    from patterns.look_back as look_back
    inner join rules.pattern as rule on look_back.needed = rule.episodes
    where
        rule.kind = 'after_move'
        and look_back.started_at - look_back.first_started_at < to_days(rule.window_days)
),

hit as (
    select
        candidate.*,
        change.changed_at
    from candidate
    asof inner join change
        on
            candidate.rule_number = change.rule_number
            and candidate.child_number = change.child_number
            and candidate.first_started_at >= change.changed_at
    where candidate.hit_at - change.changed_at < to_days(candidate.window_days)
)

select
    hit.rule_number,
    hit.child_number,
    hit.episode_number,
    hit.hit_at,
    hit.changed_at - interval 1 microsecond as window_after,
    coalesce(hit.latest_start_so_far - sure.changed_at < to_days(hit.window_days), false) as is_certain,
    null::varchar as detail
from hit
asof left join change as sure
    on
        hit.rule_number = sure.rule_number
        and hit.child_number = sure.child_number
        and hit.first_started_at >= sure.changed_before
