-- patterns.flag_view
-- Grain: one row per flag of a child whose episodes more than one borough sent, or under more than one pseudonym.
-- Keys: rule_number, child_number, raising_number.
-- For: patterns.flag: who sent the episodes behind a flag, and what each of them could see alone. most_in_one_borough
-- is the most contributing episodes that any one borough sent a row of. only_region_sees: the rule needs a number of
-- episodes, and there is no borough of whose own contributing episodes so many start within one window of the rule.
with counted as (
    select
        child_number,
        episode_number,
        false as is_absence,
        started_at,
        pseudonym_number,
        boroughs
    from patterns.episode
    union all
    select
        child_number,
        absence_number as episode_number,
        true as is_absence,
        started_at,
        pseudonym_number,
        boroughs
    from patterns.absence
),

known as (
    select counted.*
    from counted
    inner join patterns.history as history on counted.child_number = history.child_number
    where history.is_shared
),

shared as (
    select
        run.rule_number,
        run.child_number,
        run.raising_number,
        run.numbers,
        rule.kind = 'absence' as is_absence,
        rule.episodes as needed,
        rule.window_days
    from patterns.flag_run as run
    inner join patterns.history as history on run.child_number = history.child_number
    inner join rules.pattern as rule on run.rule_number = rule.rule_number
    where history.is_shared
),

contributing as (
    select
        * exclude (numbers),
        unnest(numbers) as episode_number
    from shared
),

sent as (
    select
        contributing.*,
        known.started_at,
        unnest(known.boroughs) as borough
    from contributing
    inner join known
        on
            contributing.child_number = known.child_number
            and contributing.episode_number = known.episode_number
            and contributing.is_absence = known.is_absence
),

borough_view as (
    select
        rule_number,
        child_number,
        raising_number,
        borough,
        any_value(needed) as needed,
        count(*) as episodes
    from sent
    group by rule_number, child_number, raising_number, borough
),

region_view as (
    select
        rule_number,
        child_number,
        raising_number,
        list_sort(list(borough)) as boroughs,
        max(episodes) as most_in_one_borough,
        count(*) > 1 and any_value(needed) is not null as may_be_divided
    from borough_view
    group by rule_number, child_number, raising_number
),

looked_back as (
    select
        sent.rule_number,
        sent.child_number,
        sent.raising_number,
        sent.window_days,
        sent.started_at - lag(sent.started_at, sent.needed - 1) over (
            partition by sent.rule_number, sent.child_number, sent.raising_number, sent.borough
            order by sent.started_at
        ) as since_first
    from sent
    inner join region_view
        on
            sent.rule_number = region_view.rule_number
            and sent.child_number = region_view.child_number
            and sent.raising_number = region_view.raising_number
    where region_view.may_be_divided
),

divided as (
    select
        rule_number,
        child_number,
        raising_number
    from looked_back
    group by rule_number, child_number, raising_number
    having not bool_or(since_first is not null and coalesce(since_first < to_days(window_days), true))
)

select
    shared.rule_number,
    shared.child_number,
    shared.raising_number,
    pseudonym.child_id,
    pseudonym.borough,
    region_view.boroughs,
    region_view.most_in_one_borough,
    divided.raising_number is not null as only_region_sees
from shared
inner join region_view
    on
        shared.rule_number = region_view.rule_number
        and shared.child_number = region_view.child_number
        and shared.raising_number = region_view.raising_number
inner join known as raising
    on
        shared.child_number = raising.child_number
        and shared.raising_number = raising.episode_number
        and shared.is_absence = raising.is_absence
inner join staging.child as pseudonym on raising.pseudonym_number = pseudonym.pseudonym_number
left join divided
    on
        shared.rule_number = divided.rule_number
        and shared.child_number = divided.child_number
        and shared.raising_number = divided.raising_number
