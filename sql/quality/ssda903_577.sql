-- quality.ssda903_577
-- Grain: one row per missing row that can be compared with care.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: a row that starts in a period of care which had ended by the day the row was
-- known, and is open or ends after that period (after each, where it can have started in two).
select
    'ssda903.577' as rule_id,
    missing.borough,
    missing.delivery_id,
    'missing_episode' as dataset,
    missing.row_number,
    count(care.started_on) > 0
    and bool_and(
        coalesce(care.ended_on <= missing.known_day and coalesce(missing.end_day > care.ended_on, true), false)
    ) as fails
from quality.care_missing_row as missing
left join quality.care_span as care
    on
        missing.borough = care.borough
        and missing.child_id = care.child_id
        and care.span = 'period'
        and missing.start_day between care.started_on and coalesce(care.ended_on, 'infinity'::date)
group by missing.borough, missing.delivery_id, missing.row_number, missing.end_day
