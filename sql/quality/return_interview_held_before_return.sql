-- quality.return_interview_held_before_return
-- Grain: one row per dated interview that names an episode with an end.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: the interview, as late as its record allows, is
-- before the child returned (else was found) from an episode that it names.
select
    'return_interview.held_before_return' as rule_id,
    borough,
    delivery_id,
    'return_interview' as dataset,
    row_number,
    bool_or(latest_held_at < returned_at) as fails
from quality.named_episode
where latest_held_at is not null and returned_at is not null
group by borough, delivery_id, row_number
