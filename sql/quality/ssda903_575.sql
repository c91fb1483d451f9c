-- quality.ssda903_575
-- Grain: one row per missing row that can be compared with care.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: a row without an end that starts in a stay, where every stay it can have
-- started in (two on a day of change) had ended by the day the row was known.
select
    'ssda903.575' as rule_id,
    missing.borough,
    missing.delivery_id,
    'missing_episode' as dataset,
    missing.row_number,
    missing.end_day is null
    and count(stay.started_on) > 0
    and bool_and(coalesce(stay.ended_on <= missing.known_day, false)) as fails
from quality.care_missing_row as missing
left join quality.care_span as stay
    on
        missing.borough = stay.borough
        and missing.child_id = stay.child_id
        and stay.span = 'stay'
        and missing.start_day between stay.started_on and coalesce(stay.ended_on, 'infinity'::date)
group by missing.borough, missing.delivery_id, missing.row_number, missing.end_day
