-- quality.return_interview_child_differs
-- Grain: one row per live interview that names a delivered episode.
-- Keys: delivery_id, row_number.
-- For: quality.cross_file_verdict. Fails: an episode that it names is delivered, but
-- about another child only.
select
    'return_interview.child_differs' as rule_id,
    borough,
    delivery_id,
    'return_interview' as dataset,
    row_number,
    not bool_and(is_childs_own) as fails
from quality.named_episode
where is_delivered
group by borough, delivery_id, row_number
