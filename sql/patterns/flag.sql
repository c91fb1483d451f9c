-- patterns.flag
-- Grain: one row per repeat-missing flag: a version of a rule, a child and a run of overlapping windows.
-- Keys: flag_id.
-- For: the borough's list and `mfh explain`. raised_at is the start (UTC) of the episode that first completes the
-- pattern (raising_episode_key), and is_certain and detail are what its hit says; borough is that episode's sender,
-- boroughs every sender of a contributing episode. certain_since is the first start at which the pattern is certain;
-- null where it never is. scope is the region, or the borough whose own threshold it is; is_current_rule says whether
-- the version is in force. most_in_one_borough and only_region_sees are as in patterns.flag_view.
-- A child's flags are put together before the child's list of episodes is joined to them, so that the list is read once
-- and not copied for each flag.
with together as (
    select
        child_number,
        list(run) as runs
    from patterns.flag_run as run
    group by child_number
),

of_child as (
    select
        child.child_key,
        history.child_id,
        history.borough,
        history.episode_keys,
        unnest(together.runs) as run
    from together
    inner join patterns.child as child on together.child_number = child.child_number
    left join patterns.history as history on together.child_number = history.child_number
),

flag as (
    select
        run.*,
        child_key,
        child_id,
        borough,
        episode_keys[run.raising_number] as raising_episode_key,
        list_select(episode_keys, run.numbers) as episode_keys
    from of_child
),

listed as (
    select
        rule_number,
        child_number,
        run_number,
        list(episode_key order by started_at, episode_key) as episode_keys
    from patterns.flag_listed
    group by rule_number, child_number, run_number
),

told as (
    select
        flag.* exclude (child_id, borough, raising_episode_key, episode_keys),
        coalesce(flag_view.child_id, flag.child_id) as child_id,
        coalesce(flag_view.borough, flag.borough) as borough,
        coalesce(flag_view.boroughs, [flag.borough]) as boroughs,
        coalesce(flag_view.raising_episode_key, flag.raising_episode_key) as raising_episode_key,
        coalesce(listed.episode_keys, flag.episode_keys) as episode_keys,
        len(coalesce(listed.episode_keys, flag.episode_keys)) as episodes,
        flag_view.most_in_one_borough,
        coalesce(flag_view.only_region_sees, false) as only_region_sees
    from flag
    left join patterns.flag_view as flag_view
        on
            flag.rule_number = flag_view.rule_number
            and flag.child_number = flag_view.child_number
            and flag.run_number = flag_view.run_number
    left join listed
        on
            flag.rule_number = listed.rule_number
            and flag.child_number = listed.child_number
            and flag.run_number = listed.run_number
)

select
    rule.rule_id || '-' || left(md5(concat_ws('|', rule.rule_id, rule.version, told.child_key, told.raised_at)), 16)
        as flag_id,
    rule.rule_id,
    rule.version as rule_version,
    rule.is_current as is_current_rule,
    rule.scope,
    told.child_id,
    told.child_key,
    told.borough,
    told.boroughs,
    told.raised_at,
    told.last_hit_at,
    told.is_certain,
    told.certain_since,
    told.detail,
    told.raising_episode_key,
    told.episode_keys,
    told.episodes,
    coalesce(told.most_in_one_borough, told.episodes) as most_in_one_borough,
    told.only_region_sees,
    replace(rule.summary, '{episodes}', told.episodes::varchar) as summary
from told
inner join rules.pattern as rule on told.rule_number = rule.rule_number
