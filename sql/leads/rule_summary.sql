-- leads.rule_summary
-- Grain: one row per version of a rule.
-- Keys: rule_id, rule_version.
-- For: what each rule finds (domain.md section 9, last paragraph); restricted. Of the flags raised in the last
-- `summary_days` before the newest data, each child's first of that rule and version: children, the median number of
-- missing episodes that the child had begun before the one that raised it, how many children were looked after then
-- (unknown apart), and after how many an interview was held with the child about an episode behind the flag (heard;
-- heard_unclear where it cannot be told).
with newest as (
    select max(data_to) as data_to
    from quality.data_cut
),

first_flag as (
    select
        flag.rule_id,
        flag.rule_version,
        flag.child_key,
        arg_min(
            {
                'flag_id': flag.flag_id,
                'raised_at': flag.raised_at,
                'raising_episode_key': flag.raising_episode_key,
                'episode_keys': flag.episode_keys
            },
            (flag.raised_at, flag.flag_id)
        ) as flag
    from patterns.flag as flag
    cross join newest
    cross join rules.lead_list as list
    where flag.raised_at > newest.data_to - to_days(list.summary_days)
    group by flag.rule_id, flag.rule_version, flag.child_key
),

evidence as (
    select
        flag.flag_id,
        unnest(flag.episode_keys) as episode_key
    from first_flag
),

heard as (
    select
        evidence.flag_id,
        bool_or(cascade.held = 'yes') as is_heard,
        bool_or(cascade.held = 'not_measurable') as is_unclear
    from evidence
    inner join core.interview_cascade as cascade on evidence.episode_key = cascade.episode_key
    group by evidence.flag_id
),

child as (
    select
        first_flag.rule_id,
        first_flag.rule_version,
        first_flag.child_key,
        first_flag.flag.flag_id,
        any_value(raising.looked_after) as looked_after,
        count(episode.episode_key) as episodes_before
    from first_flag
    inner join core.missing_episode as raising on first_flag.flag.raising_episode_key = raising.episode_key
    inner join patterns.child as counted on first_flag.child_key = counted.child_key
    left join patterns.episode as episode
        on counted.child_number = episode.child_number and first_flag.flag.raised_at > episode.started_at
    group by first_flag.rule_id, first_flag.rule_version, first_flag.child_key, first_flag.flag.flag_id
),

summed as (
    select
        child.rule_id,
        child.rule_version,
        count(*) as children,
        median(child.episodes_before) as median_episodes_before,
        count_if(child.looked_after = 'yes')::bigint as looked_after,
        count_if(child.looked_after not in ('yes', 'no'))::bigint as looked_after_unknown,
        count_if(heard.is_heard)::bigint as heard,
        count_if(heard.is_unclear and not heard.is_heard)::bigint as heard_unclear
    from child
    left join heard on child.flag_id = heard.flag_id
    group by child.rule_id, child.rule_version
)

select
    rule.rule_id,
    rule.version as rule_version,
    rule.is_current as is_current_rule,
    rule.scope,
    coalesce(summed.children, 0) as children,
    summed.median_episodes_before,
    coalesce(summed.looked_after, 0) as looked_after,
    coalesce(summed.looked_after_unknown, 0) as looked_after_unknown,
    coalesce(summed.heard, 0) as heard,
    coalesce(summed.heard_unclear, 0) as heard_unclear
from rules.pattern as rule
left join summed on rule.rule_id = summed.rule_id and rule.version = summed.rule_version
