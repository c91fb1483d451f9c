-- patterns.hit_escalation
-- Grain: one row per rule of kind 'escalation', version and episode with which a child's episodes come faster and
-- faster (detail 'gaps'), that lasts far longer than the child's earlier ones ('duration'), or both.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. RESC of domain.md section 9: "last 3 gaps strictly falling, or last duration > 2x own median and
-- > 24h". A gap runs from start to start, since ends are often not recorded; the window goes back to the start of the
-- first gap. A fall is certain where it holds on every reading of days and of the repeated hour: with each start as
-- early or as late as its record allows, whichever is the worse for the fall. Only durations that are exact at both
-- ends count, so the other branch is always certain; its window is the episode itself.
with compared as (
    select
        child_number,
        episode_number,
        -- The gap up to a start is shorter than the gap before it where this start and the one before last add up to
        -- less than twice the last.
        coalesce(
            epoch_us(started_at) + lag(epoch_us(started_at), 2) over child_history
            < 2 * lag(epoch_us(started_at)) over child_history,
            false
        ) as is_falling,
        coalesce(
            epoch_us(latest_started_at) + lag(epoch_us(latest_started_at), 2) over child_history
            < 2 * lag(epoch_us(started_at)) over child_history,
            false
        ) as is_surely_falling
    from patterns.episode
    window child_history as (partition by child_number order by episode_number)
),

fall as (
    select
        child_number,
        episode_number,
        episode_number - max(case when not is_falling then episode_number end) over child_history as falls,
        episode_number - max(case when not is_surely_falling then episode_number end) over child_history as sure_falls
    from compared
    window child_history as (partition by child_number order by episode_number)
),

-- Only durations that count: with nulls among them DuckDB's running median takes quadratic time.
exact as (
    select
        child_number,
        episode_number,
        epoch_us(ended_at) - epoch_us(started_at) as duration
    from patterns.episode
    where ended_precision = 'minute' and latest_started_at = started_at and latest_ended_at = ended_at
),

-- After the child's last episode that lasts long enough nothing is asked.
asked as (
    select
        exact.child_number,
        max(exact.episode_number) as last_number
    from exact
    inner join rules.pattern as rule on exact.duration > rule.over_hours * 3600000000
    where rule.kind = 'escalation'
    group by exact.child_number
),

measured as (
    select
        exact.child_number,
        exact.episode_number,
        exact.duration,
        count(*) over earlier as earlier_durations,
        median(exact.duration) over earlier as earlier_median
    from exact
    inner join asked on exact.child_number = asked.child_number and exact.episode_number <= asked.last_number
    window earlier as (
        partition by exact.child_number
        order by exact.episode_number
        rows between unbounded preceding and 1 preceding
    )
),

branch as (
    select
        rule.rule_number,
        fall.child_number,
        fall.episode_number,
        'gaps' as name,
        rule.gaps as episodes_back,
        fall.sure_falls >= rule.gaps - 1 as is_certain
    from fall
    inner join rules.pattern as rule on fall.falls >= rule.gaps - 1
    where rule.kind = 'escalation'
    union all
    select
        rule.rule_number,
        measured.child_number,
        measured.episode_number,
        'duration' as name,
        0 as episodes_back,
        true as is_certain
    from measured
    inner join rules.pattern as rule
        on
            measured.duration > rule.times_median * measured.earlier_median
            and measured.duration > rule.over_hours * 3600000000
            and measured.earlier_durations >= rule.earlier_episodes
    where rule.kind = 'escalation'
),

hit as (
    select
        rule_number,
        child_number,
        episode_number,
        max(episodes_back) as episodes_back,
        bool_or(is_certain) as is_certain,
        case when count(*) = 2 then 'gaps and duration' else min(name) end as detail
    from branch
    group by rule_number, child_number, episode_number
)

select
    hit.rule_number,
    hit.child_number,
    hit.episode_number,
    episode.started_at as hit_at,
    first_episode.started_at - interval 1 microsecond as window_after,
    hit.is_certain,
    hit.detail
from hit
inner join patterns.episode as episode
    on hit.child_number = episode.child_number and hit.episode_number = episode.episode_number
inner join patterns.episode as first_episode
    on
        hit.child_number = first_episode.child_number
        and hit.episode_number - hit.episodes_back = first_episode.episode_number
