-- intake.quarantined_row
-- Grain: one row per quarantined row of a delivery and critical rule it failed.
-- Keys: delivery_id, row_number, rule_id, column_name.
-- For: the account of every row received. row_number is what a spreadsheet shows; column_name is the sender's own
-- header.
select distinct
    finding.delivery_id,
    finding.row_number,
    finding.rule_id,
    finding.severity,
    finding.column_name,
    finding.column_letter
from intake.finding
inner join intake.receipt on finding.delivery_id = receipt.delivery_id and finding.dataset = receipt.dataset
where finding.severity = 'critical'
