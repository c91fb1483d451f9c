-- patterns.flag_run
-- Grain: one row per rule, version, child and run of overlapping windows.
-- Keys: rule_number, child_number, run_number.
-- For: patterns.flag. A hit is a start that completes a rule's pattern; each kind of rule has its own
-- patterns.hit_<kind>, which says what does, what makes it certain and what detail says. Its window is
-- (window_after, hit_at]. Two hits belong to one run when their windows overlap, or where the rule has run_days, when
-- they are less than that apart. rule_number stands for rule_id and rule_version. is_certain and detail are those of
-- the hit that raises the flag, which is the one of episode raising_number; certain_since is the first hit of the run
-- that is certain, null where none is. numbers are the contributing episodes by their numbers in patterns.episode (for
-- the kind absence: in patterns.absence): those in the windows, or where the rule's evidence is listed, the hits and
-- what patterns.evidence_<kind> lists for them.
with hit as (
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_window
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_exploitation
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_unheard
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_out_of_area
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_home_and_care
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_rapid
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_before_interview
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_after_move
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_escalation
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_long
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_night
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_young
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_late_flag
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_absence
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_co_missing
    union all
    select
        rule_number,
        child_number,
        episode_number,
        hit_at,
        window_after,
        is_certain,
        detail
    from patterns.hit_setting_cluster
),

evidence as (
    select
        rule_number,
        child_number,
        episode_number,
        evidence_number
    from patterns.evidence_absence
    union all
    select
        rule_number,
        child_number,
        episode_number,
        evidence_number
    from patterns.evidence_co_missing
    union all
    select
        rule_number,
        child_number,
        episode_number,
        evidence_number
    from patterns.evidence_setting_cluster
),

joined as (
    select
        hit.rule_number,
        hit.child_number,
        hit.episode_number,
        hit.hit_at,
        hit.window_after,
        hit.is_certain,
        hit.detail,
        case when rule.run_days is null then hit.window_after else hit.hit_at - to_days(rule.run_days) end
            as joins_after
    from hit
    inner join rules.pattern as rule on hit.rule_number = rule.rule_number
),

reached as (
    select
        *,
        max(hit_at) over (
            partition by rule_number, child_number
            order by joins_after, episode_number
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
                order by joins_after, episode_number
                rows between unbounded preceding and current row
            )
        )::integer as run_number
    from reached
),

run as (
    select
        rule_number,
        child_number,
        run_number,
        min(hit_at) as raised_at,
        max(hit_at) as last_hit_at,
        min(window_after) as window_after,
        min(episode_number) as raising_number,
        max(episode_number) as last_number,
        min(case when is_certain then hit_at end) as certain_since,
        arg_min(detail, hit_at) as detail
    from numbered
    group by rule_number, child_number, run_number
),

shown as (
    select
        numbered.rule_number,
        numbered.child_number,
        numbered.run_number,
        numbered.episode_number
    from numbered
    inner join rules.pattern as rule on numbered.rule_number = rule.rule_number
    where rule.evidence = 'listed'
    union all
    select
        numbered.rule_number,
        numbered.child_number,
        numbered.run_number,
        evidence.evidence_number as episode_number
    from evidence
    inner join numbered
        on
            evidence.rule_number = numbered.rule_number
            and evidence.child_number = numbered.child_number
            and evidence.episode_number = numbered.episode_number
),

listed as (
    select
        rule_number,
        child_number,
        run_number,
        list_sort(list(distinct episode_number)) as numbers
    from shown
    group by rule_number, child_number, run_number
)

select
    run.rule_number,
    run.child_number,
    run.run_number,
    run.raised_at,
    run.last_hit_at,
    run.window_after,
    run.raising_number,
    coalesce(run.certain_since = run.raised_at, false) as is_certain,
    run.certain_since,
    run.detail,
    listed.numbers
from run
inner join listed
    on
        run.rule_number = listed.rule_number
        and run.child_number = listed.child_number
        and run.run_number = listed.run_number
union all
select
    run.rule_number,
    run.child_number,
    run.run_number,
    run.raised_at,
    run.last_hit_at,
    run.window_after,
    run.raising_number,
    coalesce(run.certain_since = run.raised_at, false) as is_certain,
    run.certain_since,
    run.detail,
    range(first_episode.episode_number, run.last_number + 1)::integer[] as numbers
from run
inner join rules.pattern as rule on run.rule_number = rule.rule_number
asof inner join patterns.episode as first_episode
    on run.child_number = first_episode.child_number and run.window_after < first_episode.started_at
where rule.evidence <> 'listed'
