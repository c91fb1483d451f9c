-- quality.cross_file_finding
-- Grain: one row per row that fails a rule which compares deliveries.
-- Keys: rule_id, delivery_id, row_number.
-- For: what to put right at the source. The rows count all the same: each is possible by itself.
select
    verdict.borough,
    verdict.delivery_id,
    verdict.dataset,
    verdict.row_number,
    verdict.rule_id,
    rule.severity,
    rule.column_name
from quality.cross_file_verdict as verdict
inner join rules.cross_file_rule as rule on verdict.rule_id = rule.rule_id
where verdict.fails
