-- patterns.flag_run
-- Grain: one row per rule, version, child and run of overlapping windows.
-- Keys: rule_number, child_number, run_number.
-- For: patterns.flag. A hit is a start that completes a rule's pattern; each kind of rule has its own
-- patterns.hit_<kind>, which says what does, what makes it certain and what detail says. Its window is
-- (window_after, hit_at]. Two hits belong to one run when their windows overlap, or where the rule has run_days, when
-- they are less than that apart. rule_number stands for rule_id and rule_version. is_certain and detail are those of
-- the hit that raises the flag, which is the one of episode raising_number; certain_since is the first hit of the run
-- that is certain, null where none is. numbers are the contributing episodes by their numbers in patterns.episode: those
-- in the windows, or the hits alone where the rule's evidence is listed. The kind absence has none here: what it counts
-- is numbered in patterns.absence.
with hit as (
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_window
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_exploitation
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_unheard
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_out_of_area
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_home_and_care
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_rapid
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_before_interview
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_after_move
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_absence
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_escalation
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_long
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_night
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_young
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_late_flag
    union all
    select
        rule_id,
        rule_version,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_co_missing
),

joined as (
    select
        rule.rule_number,
        hit.child_number,
        hit.episode_number,
        hit.hit_at,
        hit.window_after,
        hit.is_certain,
        hit.detail,
        case when rule.run_days is null then hit.window_after else hit.hit_at - to_days(rule.run_days) end
            as joins_after
    from hit
    inner join rules.pattern as rule on hit.rule_id = rule.rule_id and hit.rule_version = rule.version
),

reached as (
    select
        *,
        max(hit_at) over (
            partition by rule_number, child_number
            order by joins_after
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from joined
),

numbered as (
    select
        *,
        (
            count_if(reached_before is null or joins_after >= reached_before) over (
                partition by rule_number, child_number
                order by joins_after
                rows between unbounded preceding and current row
            )
        )::integer as run_number
    from reached
),

run as (
    select
        numbered.rule_number,
        numbered.child_number,
        numbered.run_number,
        min(numbered.hit_at) as raised_at,
        max(numbered.hit_at) as last_hit_at,
        min(numbered.window_after) as window_after,
        min(numbered.episode_number) as raising_number,
        max(numbered.episode_number) as last_number,
        min(case when numbered.is_certain then numbered.hit_at end) as certain_since,
        arg_min(numbered.detail, numbered.hit_at) as detail,
        count(*) as hits,
        list(numbered.episode_number) filter (where rule.evidence = 'listed') as hit_numbers
    from numbered
    inner join rules.pattern as rule on numbered.rule_number = rule.rule_number
    group by numbered.rule_number, numbered.child_number, numbered.run_number
)

select
    run.rule_number,
    run.child_number,
    run.run_number,
    run.raised_at,
    run.last_hit_at,
    run.window_after,
    run.raising_number,
    run.certain_since is not distinct from run.raised_at as is_certain,
    run.certain_since,
    run.detail,
    run.hits,
    case
        when rule.kind = 'absence' then []::integer[]
        when rule.evidence = 'listed' then list_sort(run.hit_numbers)
        else range(first_episode.episode_number, run.last_number + 1)::integer[]
    end as numbers
from run
inner join rules.pattern as rule on run.rule_number = rule.rule_number
asof left join patterns.episode as first_episode
    on run.child_number = first_episode.child_number and run.window_after < first_episode.started_at
