-- quality.return_interview_unknown_episode
-- Grain: one row per live interview.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: it names an episode of which no row was delivered and
-- accepted.
select
    'return_interview.unknown_episode' as rule_id,
    borough,
    delivery_id,
    'return_interview' as dataset,
    row_number,
    not bool_and(is_delivered) as fails
from quality.named_episode
group by borough, delivery_id, row_number
