-- core.missing_episode
-- Grain: one row per resolved episode of one status (missing, away or absent).
-- Keys: episode_key (the key of its lead row: the earliest row known to the minute, else the earliest).
-- For: everything about episodes. Times are UTC. A time with precision 'date' is the earliest instant that the
-- recorded day allows. borough is the sender of the lead row; boroughs lists every sender. ended_at is found, else
-- returned: the latest among the rows that know the start best. It is null while the episode is open, and so is
-- returned_at, which is also null where the only return lies before the end: the 72 hours must not start too early.
-- source_rows is how many rows were merged into it.
with member as (
    select
        episode_row.episode_key,
        episode_row.is_lead,
        staged.*,
        max(staged.started_precision) over (partition by episode_row.episode_key) as best_started_precision
    from core.episode_row
    inner join staging.missing_episode as staged on episode_row.row_key = staged.row_key
),

summed as (
    select
        episode_key,
        max(started_at) filter (where is_lead) as started_at,
        max(started_precision) filter (where is_lead) as started_precision,
        max(borough) filter (where is_lead) as borough,
        max(child_id) filter (where is_lead) as child_id,
        max(child_key) filter (where is_lead) as child_key,
        max(pseudonym_scope) filter (where is_lead) as pseudonym_scope,
        max(status) filter (where is_lead) as status,
        list_sort(list_distinct(list(borough))) as boroughs,
        list_sort(list_distinct(list(source))) as sources,
        count(*) as source_rows,
        arg_max(
            { 'at': ended_at, 'precision': ended_precision },
            (started_precision = best_started_precision, ended_at, ended_precision = 'minute')
        ) filter (where ended_at is not null) as recorded_end,
        max(started_at) filter (where ended_at is null and started_precision = best_started_precision) as open_since,
        arg_max(
            { 'at': returned_at, 'precision': returned_precision },
            (started_precision = best_started_precision, returned_at, returned_precision = 'minute')
        ) filter (where returned_at is not null) as recorded_return,
        max(found_at) as found_at,
        arg_min(age_at_start, (started_at, row_key)) filter (where age_at_start is not null) as age_at_start,
        arg_min(sex, (started_at, row_key)) filter (where sex <> 'unknown') as sex,
        arg_min(ethnicity, (started_at, row_key)) filter (where ethnicity <> 'unknown') as ethnicity,
        arg_min(sen_or_disability, (started_at, row_key)) filter (where sen_or_disability <> 'unknown')
            as sen_or_disability,
        bool_or(looked_after = 'yes') as any_looked_after,
        bool_or(looked_after = 'no') as any_not_looked_after,
        arg_min(responsible_authority, (not is_lead, row_key)) filter (where responsible_authority <> 'unknown')
            as responsible_authority,
        arg_min(area_missing_from, (not is_lead, row_key)) filter (where area_missing_from <> 'unknown')
            as area_missing_from,
        arg_min(missing_from_setting, (not is_lead, row_key)) filter (where missing_from_setting <> 'unknown')
            as missing_from_setting,
        arg_min(setting_id, (not is_lead, row_key)) filter (where setting_id is not null) as setting_id,
        arg_min(risk_highest, (not is_lead, row_key)) filter (where risk_highest <> 'unknown') as risk_highest,
        bool_or(cse_flag = 'yes' or cse_flag_date is not null) as cse_flag,
        bool_or(cce_flag = 'yes' or cce_flag_date is not null) as cce_flag,
        min(cse_flag_date) as cse_flag_date,
        min(cce_flag_date) as cce_flag_date
    from member
    group by episode_key
),

-- greatest() passes over nulls, so a time that is not recorded must not reach it.
ended as (
    select
        *,
        case when recorded_end is not null then greatest(recorded_end.at, started_at) end as last_end,
        case when recorded_return is not null then greatest(recorded_return.at, started_at) end as last_return
    from summed
),

closed as (
    select
        *,
        last_end is not null and (open_since is null or open_since < last_end) as is_closed,
        case
            when recorded_return.precision = 'date'
                then latest_instant(date_trunc('day', utc_to_london(recorded_return.at)), 'date') >= last_end
            else last_return >= last_end
        end as is_return_after_end
    from ended
)

select
    episode_key,
    borough,
    boroughs,
    child_id,
    child_key,
    pseudonym_scope,
    status,
    started_at,
    started_precision,
    case when is_closed then last_end end as ended_at,
    case when is_closed then recorded_end.precision end as ended_precision,
    case when is_closed and is_return_after_end then last_return end as returned_at,
    case when is_closed and is_return_after_end then recorded_return.precision end as returned_precision,
    found_at,
    age_at_start,
    coalesce(sex, 'unknown') as sex,
    coalesce(ethnicity, 'unknown') as ethnicity,
    coalesce(sen_or_disability, 'unknown') as sen_or_disability,
    case when any_looked_after then 'yes' when any_not_looked_after then 'no' else 'unknown' end as looked_after,
    coalesce(responsible_authority, 'unknown') as responsible_authority,
    coalesce(area_missing_from, 'unknown') as area_missing_from,
    coalesce(missing_from_setting, 'unknown') as missing_from_setting,
    setting_id,
    coalesce(risk_highest, 'unknown') as risk_highest,
    cse_flag,
    cce_flag,
    cse_flag_date,
    cce_flag_date,
    sources,
    source_rows
from closed
