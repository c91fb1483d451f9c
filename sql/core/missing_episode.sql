-- core.missing_episode
-- Grain: one row per resolved episode of one status (missing, away or absent).
-- Keys: episode_key (the key of its lead row: the earliest row known to the minute, else the earliest).
-- For: everything about episodes. Times are UTC. A time with precision 'date' is the earliest instant that the
-- recorded day allows. borough is the sender of the lead row; boroughs lists every sender. ended_at is found, else
-- returned: the latest among the rows that know the start best. It is null while the episode is open, and so is
-- returned_at, which is also null where the only return lies before the end: the 72 hours must not start too early.
-- source_rows is how many rows were merged into it. latest_* is the latest instant that the record allows (the end of a
-- day, the second pass of October's repeated hour): a time is exact where it equals the other and its precision is
-- 'minute'. reported_at is the first report, first_received_at the arrival of the first version of any of its rows.
-- start_day and end_day are the local days of start and end. setting_key is the setting's number with the borough that
-- gave it: numbers are the senders' own.
-- Most episodes have one row; only the others (core.joined_row) are summed. Rows stand in a fixed order, since their
-- place is their number for one run (patterns.episode).
with member as not materialized (
    select
        staged.*,
        staged.borough || ':' || staged.setting_id as setting_key,
        staged.cse_flag = 'yes' or staged.cse_flag_date is not null as is_cse_flagged,
        staged.cce_flag = 'yes' or staged.cce_flag_date is not null as is_cce_flagged,
        case
            when staged.ended_at is not null
                then {
                    'at': staged.ended_at,
                    'day': staged.end_day,
                    'precision': staged.ended_precision,
                    'latest': staged.latest_ended_at
                }
        end as recorded_end,
        case
            when staged.returned_at is not null
                then {
                    'at': staged.returned_at,
                    'precision': staged.returned_precision,
                    'latest': staged.latest_returned_at
                }
        end as recorded_return
    from staging.missing_episode as staged
),

single as (
    select
        row_key as episode_key,
        started_at,
        latest_started_at,
        start_day,
        started_precision,
        borough,
        child_id,
        child_key,
        child_number,
        pseudonym_number,
        status,
        [borough] as boroughs,
        [recorded_by] as recorded_by,
        1 as source_rows,
        first_received_at,
        reported_at,
        reported_precision,
        recorded_end,
        case when recorded_end is null then started_at end as open_since,
        recorded_return,
        found_at,
        age_at_start,
        nullif(sex, 'unknown') as sex,
        nullif(ethnicity, 'unknown') as ethnicity,
        nullif(sen_or_disability, 'unknown') as sen_or_disability,
        looked_after = 'yes' as any_looked_after,
        looked_after = 'no' as any_not_looked_after,
        nullif(responsible_authority, 'unknown') as responsible_authority,
        nullif(area_missing_from, 'unknown') as area_missing_from,
        nullif(missing_from_setting, 'unknown') as missing_from_setting,
        setting_key,
        placement_distance_miles,
        nullif(risk_initial, 'unknown') as risk_initial,
        nullif(risk_highest, 'unknown') as risk_highest,
        is_cse_flagged as cse_flag,
        is_cce_flagged as cce_flag,
        cse_flag_date,
        cce_flag_date,
        has_prevention_interview
    from member
    where row_key not in (select joined_row.row_key from core.joined_row)
),

several as (
    select
        member.*,
        joined_row.episode_key,
        joined_row.is_lead,
        max(member.started_precision) over (partition by joined_row.episode_key) as best_started_precision
    from core.joined_row
    inner join member on joined_row.row_key = member.row_key
),

merged as (
    select
        episode_key,
        max(started_at) filter (where is_lead) as started_at,
        max(latest_started_at) filter (where is_lead) as latest_started_at,
        max(start_day) filter (where is_lead) as start_day,
        max(started_precision) filter (where is_lead) as started_precision,
        max(borough) filter (where is_lead) as borough,
        max(child_id) filter (where is_lead) as child_id,
        max(child_key) filter (where is_lead) as child_key,
        max(child_number) filter (where is_lead) as child_number,
        max(pseudonym_number) filter (where is_lead) as pseudonym_number,
        max(status) filter (where is_lead) as status,
        list_sort(list_distinct(list(borough))) as boroughs,
        list_sort(list_distinct(list(recorded_by))) as recorded_by,
        count(*) as source_rows,
        min(first_received_at) as first_received_at,
        min(reported_at) as reported_at,
        arg_min(reported_precision, (reported_at, reported_precision = 'date')) filter (where reported_at is not null)
            as reported_precision,
        arg_max(recorded_end, (started_precision = best_started_precision, ended_at, ended_precision = 'minute'))
        filter (where ended_at is not null) as recorded_end,
        max(started_at) filter (where ended_at is null and started_precision = best_started_precision) as open_since,
        arg_max(
            recorded_return, (started_precision = best_started_precision, returned_at, returned_precision = 'minute')
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
        arg_min(setting_key, (not is_lead, row_key)) filter (where setting_key is not null) as setting_key,
        arg_min(placement_distance_miles, (not is_lead, row_key)) filter (where placement_distance_miles is not null)
            as placement_distance_miles,
        arg_min(risk_initial, (not is_lead, row_key)) filter (where risk_initial <> 'unknown') as risk_initial,
        arg_min(risk_highest, (not is_lead, row_key)) filter (where risk_highest <> 'unknown') as risk_highest,
        bool_or(is_cse_flagged) as cse_flag,
        bool_or(is_cce_flagged) as cce_flag,
        min(cse_flag_date) as cse_flag_date,
        min(cce_flag_date) as cce_flag_date,
        bool_or(has_prevention_interview) as has_prevention_interview
    from several
    group by episode_key
),

summed as (
    select * from single
    union all by name
    select * from merged
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
            when recorded_return.precision = 'date' then recorded_return.latest >= last_end
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
    child_number,
    pseudonym_number,
    status,
    reported_at,
    reported_precision,
    started_at,
    latest_started_at,
    start_day,
    started_precision,
    case when is_closed then last_end end as ended_at,
    case when is_closed then greatest(recorded_end.day, start_day) end as end_day,
    case when is_closed then greatest(recorded_end.latest, last_end) end as latest_ended_at,
    case when is_closed then recorded_end.precision end as ended_precision,
    case when is_closed and is_return_after_end then last_return end as returned_at,
    case when is_closed and is_return_after_end then greatest(recorded_return.latest, last_return) end
        as latest_returned_at,
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
    setting_key,
    placement_distance_miles,
    coalesce(risk_initial, 'unknown') as risk_initial,
    coalesce(risk_highest, 'unknown') as risk_highest,
    cse_flag,
    cce_flag,
    cse_flag_date,
    cce_flag_date,
    has_prevention_interview,
    recorded_by,
    source_rows,
    first_received_at
from closed
order by child_number, started_at, episode_key
