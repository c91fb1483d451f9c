-- quality.cross_file_verdict
-- Grain: one row per rule that compares deliveries and row it could look at.
-- Keys: rule_id, delivery_id, row_number.
-- For: quality.cross_file_finding and quality.cross_file_outcome. Each rule is one table of its own.
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.ssda903_575
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.ssda903_576
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.ssda903_577
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.ssda903_578
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.ssda903_580
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.ssda903_581
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.missing_episode_two_ages
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.return_interview_child_differs
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.return_interview_held_before_return
union all
select
    rule_id,
    borough,
    delivery_id,
    dataset,
    row_number,
    fails
from quality.return_interview_unknown_episode
