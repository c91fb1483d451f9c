-- quality.ssda903_578
-- Grain: one row per missing row that can be compared with care.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: a row that starts in no period of care, after one of them ended; also between
-- two of them.
select
    'ssda903.578' as rule_id,
    missing.borough,
    missing.delivery_id,
    'missing_episode' as dataset,
    missing.row_number,
    coalesce(bool_or(care.ended_on < missing.start_day), false)
    and not bool_or(missing.start_day between care.started_on and coalesce(care.ended_on, 'infinity'::date)) as fails
from quality.care_missing_row as missing
inner join quality.care_span as care
    on missing.borough = care.borough and missing.child_id = care.child_id and care.span = 'period'
group by missing.borough, missing.delivery_id, missing.row_number
