-- quality.care_span
-- Grain: one row per stay (a run of placement rows with the same carers) and per period of care (a run of rows with no
-- day between them) of a looked-after child.
-- Keys: borough, child_id, span, started_on.
-- For: rules 575, 577, 578, 580 and 581. Runs and ends are those of data_contracts/rules/ssda903.yaml. ended_on is null
-- while the span lasts, and where its end is not known: its last row ends with X1 and the row after it is not there.
-- is_start_known says that care started on its first day (reason S), and is not merely first heard of there.
with ordered as (
    select
        placement_key,
        borough,
        child_id,
        started_on,
        coalesce(ended_on, 'infinity'::date) as ended_on,
        reason_started,
        reason_ended,
        row_number() over sequence as place,
        max(coalesce(ended_on, 'infinity'::date)) over (
            partition by borough, child_id
            order by started_on, coalesce(ended_on, 'infinity'::date), placement_key
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from staging.placement
    window sequence as (
        partition by borough, child_id
        order by started_on, coalesce(ended_on, 'infinity'::date), placement_key
    )
),

marked as (
    select
        *,
        reached_before is null or started_on > reached_before as is_new_period,
        reached_before is null
        or started_on > reached_before
        or coalesce(reason_started not in ('L', 'T', 'U'), true) as is_new_stay
    from ordered
),

numbered as (
    select
        *,
        count_if(is_new_period) over up_to_here as period_number,
        count_if(is_new_stay) over up_to_here as stay_number,
        lead(is_new_stay and not is_new_period) over sequence as carers_change_next
    from marked
    window
        sequence as (partition by borough, child_id order by place),
        up_to_here as (
            partition by borough, child_id
            order by place
            rows between unbounded preceding and current row
        )
),

period as (
    select
        borough,
        child_id,
        'period' as span,
        min(started_on) as started_on,
        case
            when max(ended_on) = 'infinity'::date then null
            when arg_max(coalesce(reason_ended, 'X1'), (ended_on, place)) <> 'X1' then max(ended_on)
        end as ended_on,
        arg_min(coalesce(reason_started, ''), place) = 'S' as is_start_known
    from numbered
    group by borough, child_id, period_number
),

stay as (
    select
        borough,
        child_id,
        'stay' as span,
        min(started_on) as started_on,
        case
            when max(ended_on) = 'infinity'::date then null
            when
                arg_max(coalesce(carers_change_next, false), place)
                or arg_max(coalesce(reason_ended, 'X1'), (ended_on, place)) <> 'X1'
                then max(ended_on)
        end as ended_on,
        arg_min(coalesce(reason_started, ''), place) = 'S' as is_start_known
    from numbered
    group by borough, child_id, stay_number
)

select
    borough,
    child_id,
    span,
    started_on,
    ended_on,
    is_start_known
from period
union all
select
    borough,
    child_id,
    span,
    started_on,
    ended_on,
    is_start_known
from stay
