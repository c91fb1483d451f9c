-- patterns.flag_view
-- Grain: one row per flag of a child whose episodes more than one borough sent, or under more than one pseudonym, and
-- per flag of patterns.flag_listed.
-- Keys: rule_number, child_number, run_number.
-- For: patterns.flag: who sent the episodes behind a flag, and what each of them could see alone. most_in_one_borough
-- is the most contributing episodes that any one borough sent a row of. only_region_sees: the rule needs a number of
-- episodes, and there is no borough of whose own contributing episodes so many start within one window of the rule.
with numbered as (
    select
        run.rule_number,
        run.child_number,
        run.run_number,
        unnest(run.numbers) as episode_number
    from patterns.flag_run as run
    inner join patterns.history as history on run.child_number = history.child_number
    anti join patterns.flag_listed as listed
        on
            run.rule_number = listed.rule_number
            and run.child_number = listed.child_number
            and run.run_number = listed.run_number
    where history.is_shared
),

sent as (
    select
        numbered.rule_number,
        numbered.child_number,
        numbered.run_number,
        episode.started_at,
        unnest(episode.boroughs) as borough
    from numbered
    inner join patterns.episode as episode
        on numbered.child_number = episode.child_number and numbered.episode_number = episode.episode_number
    union all
    select
        rule_number,
        child_number,
        run_number,
        started_at,
        unnest(boroughs) as borough
    from patterns.flag_listed
),

looked_back as (
    select
        sent.rule_number,
        sent.child_number,
        sent.run_number,
        sent.borough,
        sent.started_at - lag(sent.started_at, rule.episodes - 1) over (
            partition by sent.rule_number, sent.child_number, sent.run_number, sent.borough
            order by sent.started_at
        ) as since_first,
        to_days(rule.window_days) as within
    from sent
    inner join rules.pattern as rule on sent.rule_number = rule.rule_number
),

borough_view as (
    select
        rule_number,
        child_number,
        run_number,
        borough,
        count(*) as episodes,
        bool_or(since_first is not null and coalesce(since_first < within, true)) as is_enough
    from looked_back
    group by rule_number, child_number, run_number, borough
),

region_view as (
    select
        rule_number,
        child_number,
        run_number,
        list(borough order by borough) as boroughs,
        max(episodes) as most_in_one_borough,
        not bool_or(is_enough) as no_borough_sees
    from borough_view
    group by rule_number, child_number, run_number
),

-- A condition on one side of an outer join would make it compare every row with every other.
raised as (
    select
        region_view.*,
        case when rule.kind <> 'absence' then run.raising_number end as episode_number,
        case when rule.kind = 'absence' then run.raising_number end as absence_number,
        rule.episodes is not null and region_view.no_borough_sees as only_region_sees
    from region_view
    inner join patterns.flag_run as run
        on
            region_view.rule_number = run.rule_number
            and region_view.child_number = run.child_number
            and region_view.run_number = run.run_number
    inner join rules.pattern as rule on run.rule_number = rule.rule_number
)

select
    raised.rule_number,
    raised.child_number,
    raised.run_number,
    coalesce(episode.child_id, absence.child_id) as child_id,
    coalesce(episode.borough, absence.borough) as borough,
    coalesce(episode.episode_key, absence.episode_key) as raising_episode_key,
    raised.boroughs,
    raised.most_in_one_borough,
    raised.only_region_sees
from raised
left join patterns.episode as episode
    on raised.child_number = episode.child_number and raised.episode_number = episode.episode_number
left join patterns.absence as absence
    on raised.child_number = absence.child_number and raised.absence_number = absence.absence_number
