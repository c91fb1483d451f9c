-- patterns.flag
-- Grain: one row per repeat-missing flag: a version of a rule, a child and a run of overlapping windows.
-- Keys: flag_id.
-- For: the borough's list and `mfh explain`. raised_at is the start (UTC) of the episode that first completes the
-- pattern (raising_episode_key), and is_certain and detail are what its hit says; borough is that episode's sender,
-- boroughs every sender of a contributing episode. certain_since is the first start at which the pattern is certain;
-- null where it never is. scope is the region, or the borough whose own threshold it is; is_current_rule says whether
-- the version is in force. most_in_one_borough and only_region_sees are as in patterns.flag_view.
with flag as (
    select
        run.raised_at,
        run.last_hit_at,
        run.is_certain,
        run.certain_since,
        run.detail,
        len(run.numbers) as episodes,
        rule.rule_id,
        rule.version as rule_version,
        rule.is_current as is_current_rule,
        rule.scope,
        rule.summary,
        pseudonym.child_key,
        coalesce(flag_view.child_id, pseudonym.child_id) as child_id,
        coalesce(flag_view.borough, pseudonym.borough) as borough,
        coalesce(flag_view.boroughs, [pseudonym.borough]) as boroughs,
        flag_view.most_in_one_borough,
        coalesce(flag_view.only_region_sees, false) as only_region_sees,
        case
            when rule.kind = 'absence' then history.absence_keys[run.raising_number]
            else history.episode_keys[run.raising_number]
        end as raising_episode_key,
        case
            when rule.kind = 'absence' then list_select(history.absence_keys, run.numbers)
            else list_select(history.episode_keys, run.numbers)
        end as episode_keys
    from patterns.flag_run as run
    inner join rules.pattern as rule on run.rule_number = rule.rule_number
    inner join patterns.history as history on run.child_number = history.child_number
    inner join staging.child as pseudonym on history.pseudonym_number = pseudonym.pseudonym_number
    left join patterns.flag_view as flag_view
        on
            run.rule_number = flag_view.rule_number
            and run.child_number = flag_view.child_number
            and run.raising_number = flag_view.raising_number
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
    flag.episodes,
    coalesce(flag.most_in_one_borough, flag.episodes) as most_in_one_borough,
    flag.only_region_sees,
    replace(flag.summary, '{episodes}', flag.episodes::varchar) as summary
from flag
