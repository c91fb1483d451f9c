-- patterns.co_missing_queue
-- Grain: one row per queue and missing episode in it that has another one near. The starts from a place stand in one
-- queue in the order of time, the ends of the episodes from an area in another; only instants known to the minute.
-- Keys: queue_number, place_in_queue.
-- For: patterns.co_missing_pairing. queue_number is twice the place_number, and one more where it is of ends. Near is
-- what lies within the rule's hours (starts) or minutes (ends). may_be_later: there is one near before it, and up to
-- its instant no more than `most_together` are near, itself included; a crowd at an instant is one for everybody at
-- that instant, in whatever order they stand. An area's queue does not pair two of one setting (left_out_number), whose
-- place is the setting.
with rule as (
    select
        rule_number,
        most_together,
        within_hours * 3600000000 as within_us,
        found_within_minutes * 60000000 as found_within_us
    from rules.pattern
    where kind = 'co_missing'
),

queued as (
    select
        start_at_place.rule_number,
        start_at_place.place_number * 2 as queue_number,
        start_at_place.started_us as queued_us,
        rule.within_us as near_us,
        rule.most_together,
        start_at_place.child_number,
        start_at_place.episode_number,
        case when not start_at_place.is_setting then start_at_place.setting_number end as left_out_number
    from patterns.start_at_place as start_at_place
    inner join rule on start_at_place.rule_number = rule.rule_number
    where start_at_place.is_exact
    union all
    select
        start_at_place.rule_number,
        start_at_place.place_number * 2 + 1 as queue_number,
        start_at_place.ended_us as queued_us,
        rule.found_within_us as near_us,
        rule.most_together,
        start_at_place.child_number,
        start_at_place.episode_number,
        null as left_out_number
    from patterns.start_at_place as start_at_place
    inner join rule on start_at_place.rule_number = rule.rule_number
    where start_at_place.ended_us is not null and not start_at_place.is_setting
),

in_order as (
    select
        *,
        (row_number() over in_time)::integer as place_in_queue,
        coalesce(queued_us - lag(queued_us) over in_time <= near_us, false) as has_one_before,
        coalesce(lead(queued_us) over in_time - queued_us <= near_us, false) as has_one_after,
        coalesce(queued_us - lag(queued_us, most_together) over in_time <= near_us, false) as is_crowded
    from queued
    window in_time as (partition by queue_number order by queued_us)
),

crowd as (
    select distinct
        queue_number,
        queued_us
    from in_order
    where is_crowded
)

select
    in_order.rule_number,
    in_order.queue_number,
    in_order.place_in_queue,
    in_order.queued_us,
    in_order.near_us,
    in_order.most_together,
    in_order.child_number,
    in_order.episode_number,
    in_order.left_out_number,
    in_order.has_one_before and crowd.queue_number is null as may_be_later
from in_order
left join crowd on in_order.queue_number = crowd.queue_number and in_order.queued_us = crowd.queued_us
where in_order.has_one_before or in_order.has_one_after
