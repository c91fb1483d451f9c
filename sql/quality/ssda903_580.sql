-- quality.ssda903_580
-- Grain: one row per placement row with which care ceased at the age of 18.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. A child cannot be looked after past the eighteenth birthday, so care that ceases at
-- 18 ceases on it. Fails: the child had gone missing before that day and had not come back before it, and the reason is
-- not E8.
select
    'ssda903.580' as rule_id,
    placement.borough,
    placement.delivery_id,
    'placement' as dataset,
    placement.row_number,
    placement.reason_ended <> 'E8' and exists (
        select 1
        from quality.care_missing_row as missing
        where
            missing.borough = placement.borough
            and missing.child_id = placement.child_id
            and missing.start_day < placement.ended_on
            and coalesce(missing.end_day, missing.known_day) >= placement.ended_on
    ) as fails
from staging.placement as placement
where placement.age_at_end = 18 and placement.ended_on is not null and placement.reason_ended <> 'X1'
