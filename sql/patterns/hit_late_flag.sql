-- patterns.hit_late_flag
-- Grain: one row per rule of kind 'late_flag', version and child: the last missing episode before the child's first
-- exploitation flag.
-- Keys: rule_number, child_number, episode_number.
-- View: patterns.flag_run reads it, once.
-- For: flags. RFLAG of domain.md section 9: "exploitation flag first set after >= 5 missing episodes", counting
-- those that started on an earlier local day than the flag. The flag is the earliest that anybody recorded, with any
-- status of episode. A child with flags of which none has a date raises nothing, for it cannot be told; where those of
-- one kind have no date the hit is not certain, because they may have been set before the other kind's.
with child_flag as (
    select
        child_number,
        min(cse_flag_date) as cse_flag_date,
        min(cce_flag_date) as cce_flag_date,
        bool_or(cse_flag) and min(cse_flag_date) is null as is_cse_undated,
        bool_or(cce_flag) and min(cce_flag_date) is null as is_cce_undated,
        least(min(cse_flag_date), min(cce_flag_date)) as flagged_on,
        london_to_utc(least(min(cse_flag_date), min(cce_flag_date))::timestamp) as flagged_at
    from core.missing_episode
    where cse_flag or cce_flag
    group by child_number
),

before_flag as (
    select
        episode.child_number,
        count(*) as episodes,
        min(episode.started_at) as first_started_at,
        max(episode.started_at) as last_started_at,
        max(episode.episode_number) as episode_number,
        not any_value(child_flag.is_cse_undated or child_flag.is_cce_undated) as is_certain,
        case
            when any_value(child_flag.cse_flag_date = child_flag.cce_flag_date) then 'cse and cce'
            when any_value(child_flag.cse_flag_date = child_flag.flagged_on) then 'cse'
            else 'cce'
        end as detail
    from child_flag
    inner join patterns.episode as episode
        on
            child_flag.child_number = episode.child_number
            and episode.started_at < child_flag.flagged_at
    group by episode.child_number
)

select
    rule.rule_number,
    before_flag.child_number,
    before_flag.episode_number,
    before_flag.last_started_at as hit_at,
    before_flag.first_started_at - interval 1 microsecond as window_after,
    before_flag.is_certain,
    before_flag.detail
from before_flag
inner join rules.pattern as rule on before_flag.episodes >= rule.episodes
where rule.kind = 'late_flag'
