-- patterns.flag_run
-- Grain: one row per rule, version, child and run of overlapping windows.
-- Keys: rule_number, child_number, raising_number.
-- For: patterns.flag. A hit is a start that completes a rule's pattern; each kind of rule has its own
-- patterns.hit_<kind>, which says what does, what makes it certain and what detail says. Its window is
-- (window_after, hit_at]. Two hits belong to one run when their windows overlap, or where the rule has run_days, when
-- they are less than that apart. rule_number stands for rule_id and rule_version. is_certain and detail are those of
-- the hit that raises the flag, which is the one of episode raising_number; certain_since is the first hit of the run
-- that is certain, null where none is. numbers are the contributing episodes by their numbers in patterns.episode (for
-- the kind absence: in patterns.absence): those in the windows, or where the rule's evidence is listed, the hits and
-- what patterns.evidence_<kind> lists for them.
-- Of the hits of a rule and child neither hit_at nor window_after goes back from one episode to the next, so a run is a
-- row of hits each of whose windows begins before the hit before it. Where a window may go back (escalation,
-- co_missing), those of earlier hits are taken to begin no later: that changes no run, for windows that then begin
-- earlier overlapped already.
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
        min(window_after) over (
            partition by rule_number, child_number
            order by episode_number
            rows between current row and unbounded following
        ) as window_after,
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
        min(window_after) over (
            partition by rule_number, child_number
            order by episode_number
            rows between current row and unbounded following
        ) as window_after,
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

in_order as (
    select
        *,
        coalesce(joins_after >= lag(hit_at) over child_history, true) as is_first,
        coalesce(lead(joins_after) over child_history >= hit_at, true) as is_last
    from joined
    window child_history as (partition by rule_number, child_number order by episode_number)
),

-- Of each run the first hit and the last, which may be one.
bounded as (
    select
        *,
        case when is_last then hit_at else lead(hit_at) over child_history end as last_hit_at,
        case when is_last then episode_number else lead(episode_number) over child_history end as last_number
    from in_order
    where is_first or is_last
    window child_history as (partition by rule_number, child_number order by episode_number)
),

raised as (
    select
        rule_number,
        child_number,
        episode_number as raising_number,
        last_number,
        hit_at as raised_at,
        last_hit_at,
        window_after,
        is_certain,
        detail
    from bounded
    where is_first
),

becoming_certain as (
    select
        raised.rule_number,
        raised.child_number,
        raised.raising_number,
        min(joined.hit_at) as certain_since
    from raised
    inner join joined
        on
            raised.rule_number = joined.rule_number
            and raised.child_number = joined.child_number
            and joined.episode_number between raised.raising_number and raised.last_number
    where not raised.is_certain and joined.is_certain
    group by raised.rule_number, raised.child_number, raised.raising_number
),

run as (
    select
        raised.*,
        case when raised.is_certain then raised.raised_at else becoming_certain.certain_since end as certain_since
    from raised
    left join becoming_certain
        on
            raised.rule_number = becoming_certain.rule_number
            and raised.child_number = becoming_certain.child_number
            and raised.raising_number = becoming_certain.raising_number
),

shown as (
    select
        joined.rule_number,
        joined.child_number,
        joined.episode_number,
        joined.episode_number as evidence_number
    from joined
    inner join rules.pattern as rule on joined.rule_number = rule.rule_number
    where rule.evidence = 'listed'
    union all
    select
        rule_number,
        child_number,
        episode_number,
        evidence_number
    from evidence
),

listed as (
    select
        raised.rule_number,
        raised.child_number,
        raised.raising_number,
        list_sort(list(distinct shown.evidence_number)) as numbers
    from shown
    asof inner join raised
        on
            shown.rule_number = raised.rule_number
            and shown.child_number = raised.child_number
            and shown.episode_number >= raised.raising_number
    group by raised.rule_number, raised.child_number, raised.raising_number
)

select
    run.rule_number,
    run.child_number,
    run.raising_number,
    run.raised_at,
    run.last_hit_at,
    run.window_after,
    run.is_certain,
    run.certain_since,
    run.detail,
    listed.numbers
from run
inner join listed
    on
        run.rule_number = listed.rule_number
        and run.child_number = listed.child_number
        and run.raising_number = listed.raising_number
union all
select
    run.rule_number,
    run.child_number,
    run.raising_number,
    run.raised_at,
    run.last_hit_at,
    run.window_after,
    run.is_certain,
    run.certain_since,
    run.detail,
    range(first_episode.episode_number, run.last_number + 1)::integer[] as numbers
from run
inner join rules.pattern as rule on run.rule_number = rule.rule_number
asof inner join patterns.episode as first_episode
    on run.child_number = first_episode.child_number and run.window_after < first_episode.started_at
where rule.evidence <> 'listed'
