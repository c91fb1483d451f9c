-- quality.ssda903_581
-- Grain: one row per missing row that can be compared with care.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: a row that starts before the first period of care. Only children whose first
-- period says that care started with it can be compared: another is merely the first one delivered.
select
    'ssda903.581' as rule_id,
    missing.borough,
    missing.delivery_id,
    'missing_episode' as dataset,
    missing.row_number,
    missing.start_day < min(care.started_on) as fails
from quality.care_missing_row as missing
inner join quality.care_span as care
    on missing.borough = care.borough and missing.child_id = care.child_id and care.span = 'period'
group by missing.borough, missing.delivery_id, missing.row_number, missing.start_day
having arg_min(care.is_start_known, care.started_on)
