-- patterns.flag_listed
-- Grain: one row per flag and contributing episode, for rules of which the evidence is neither what lies in the windows
-- nor the hits alone.
-- Keys: rule_number, child_number, run_number, episode_key.
-- For: patterns.flag_view and patterns.flag.
with listed as (
    select
        run.rule_number,
        run.child_number,
        run.run_number,
        evidence.evidence_key as episode_key
    from patterns.hit_evidence as evidence
    inner join core.missing_episode as completing on evidence.episode_key = completing.episode_key
    inner join patterns.child as child on completing.child_key = child.child_key
    inner join rules.pattern as rule
        on evidence.rule_id = rule.rule_id and evidence.rule_version = rule.version
    inner join patterns.flag_run as run
        on
            rule.rule_number = run.rule_number
            and child.child_number = run.child_number
            and completing.started_at between run.raised_at and run.last_hit_at
),

contributing as (
    select
        rule_number,
        child_number,
        run_number,
        episode_key
    from listed
    union
    select
        run.rule_number,
        run.child_number,
        run.run_number,
        episode.episode_key
    from patterns.flag_run as run
    inner join patterns.episode as episode
        on run.child_number = episode.child_number and list_contains(run.numbers, episode.episode_number)
    where (run.rule_number, run.child_number, run.run_number) in (
        select (listed.rule_number, listed.child_number, listed.run_number) from listed
    )
)

select
    contributing.rule_number,
    contributing.child_number,
    contributing.run_number,
    contributing.episode_key,
    episode.started_at,
    episode.boroughs
from contributing
inner join core.missing_episode as episode on contributing.episode_key = episode.episode_key
