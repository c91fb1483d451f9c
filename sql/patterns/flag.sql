-- patterns.flag
-- Grain: one row per repeat-missing flag: a rule, a child and a run of overlapping windows.
-- Keys: flag_id.
-- For: the borough's list and `mfh explain`. raised_at is the start (UTC) of the episode that first completes the
-- pattern; borough is that episode's sender, boroughs every sender of a contributing episode.
with evidence as (
    select
        flag_id,
        list(episode_key order by started_at, episode_key) as episode_keys,
        list_sort(list_distinct(list(borough))) as boroughs,
        count(*) as episodes
    from patterns.flag_episode
    group by flag_id
)

select
    flag_run.flag_id,
    flag_run.rule_id,
    flag_run.rule_version,
    raising.child_id,
    flag_run.child_key,
    raising.borough,
    evidence.boroughs,
    flag_run.raised_at,
    flag_run.last_hit_at,
    evidence.episode_keys,
    evidence.episodes,
    replace(rule.summary, '{episodes}', evidence.episodes::varchar) as summary
from patterns.flag_run
inner join evidence on flag_run.flag_id = evidence.flag_id
inner join patterns.episode as raising on flag_run.raising_episode_key = raising.episode_key
inner join rules.pattern as rule on flag_run.rule_id = rule.rule_id
