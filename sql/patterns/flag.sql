-- patterns.flag
-- Grain: one row per repeat-missing flag: a version of a rule, a child and a run of overlapping windows.
-- Keys: flag_id.
-- For: the borough's list and `mfh explain`. raised_at is the start (UTC) of the episode that first completes the
-- pattern (raising_episode_key), and is_certain and detail are what its hit says; borough is that episode's sender,
-- boroughs every sender of a contributing episode. certain_since is the first start at which the pattern is certain;
-- null where it never is. scope is the region, or the borough whose own threshold it is; is_current_rule says whether
-- the version is in force. most_in_one_borough and only_region_sees are as in patterns.flag_view.
-- A child's flags are put together before the child's lists of episodes are joined to them, so that a list is read once
-- and not copied for each flag.
with seen as (
    select
        run.*,
        flag_view.child_id,
        flag_view.borough,
        flag_view.boroughs,
        flag_view.most_in_one_borough,
        flag_view.only_region_sees
    from patterns.flag_run as run
    left join patterns.flag_view as flag_view
        on
            run.rule_number = flag_view.rule_number
            and run.child_number = flag_view.child_number
            and run.run_number = flag_view.run_number
),

together as (
    select
        child_number,
        list(seen) as runs
    from seen
    group by child_number
),

of_child as (
    select
        pseudonym.child_key,
        pseudonym.child_id,
        pseudonym.borough,
        history.episode_keys,
        history.absence_keys,
        unnest(together.runs) as run
    from together
    inner join patterns.history as history on together.child_number = history.child_number
    inner join staging.child as pseudonym on history.pseudonym_number = pseudonym.pseudonym_number
),

flag as (
    select
        of_child.run.rule_number,
        of_child.run.raised_at,
        of_child.run.last_hit_at,
        of_child.run.is_certain,
        of_child.run.certain_since,
        of_child.run.detail,
        of_child.run.numbers,
        rule.rule_id,
        rule.version as rule_version,
        rule.is_current as is_current_rule,
        rule.scope,
        rule.summary,
        of_child.child_key,
        coalesce(of_child.run.child_id, of_child.child_id) as child_id,
        coalesce(of_child.run.borough, of_child.borough) as borough,
        coalesce(of_child.run.boroughs, [of_child.borough]) as boroughs,
        of_child.run.most_in_one_borough,
        coalesce(of_child.run.only_region_sees, false) as only_region_sees,
        case
            when rule.kind = 'absence' then of_child.absence_keys[of_child.run.raising_number]
            else of_child.episode_keys[of_child.run.raising_number]
        end as raising_episode_key,
        case
            when rule.kind = 'absence' then list_select(of_child.absence_keys, of_child.run.numbers)
            else list_select(of_child.episode_keys, of_child.run.numbers)
        end as episode_keys
    from of_child
    inner join rules.pattern as rule on of_child.run.rule_number = rule.rule_number
)

select
    flag.rule_id || '-'
    || left(md5(concat_ws('|', flag.rule_id, flag.rule_version, flag.child_key, flag.raised_at)), 16) as flag_id,
    flag.rule_id,
    flag.rule_version,
    flag.is_current_rule,
    flag.scope,
    flag.child_id,
    flag.child_key,
    flag.borough,
    flag.boroughs,
    flag.raised_at,
    flag.last_hit_at,
    flag.is_certain,
    flag.certain_since,
    flag.detail,
    flag.raising_episode_key,
    flag.episode_keys,
    len(flag.numbers) as episodes,
    coalesce(flag.most_in_one_borough, len(flag.numbers)) as most_in_one_borough,
    flag.only_region_sees,
    replace(flag.summary, '{episodes}', len(flag.numbers)::varchar) as summary
from flag
