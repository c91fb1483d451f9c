-- core.return_interview
-- Grain: one row per return home interview (due, offered, declined or held), newest version.
-- Keys: interview_key.
-- For: links to episodes and the interview cascade. held is a three-state verdict: yes (dated), no (not offered,
-- declined, or not applicable) or not_measurable (the source says it was accepted, or does not know, and gives no
-- date).
-- The child is matched as in the sender's episode rows; where there are none, by the interview's own pseudonym_scope.
with child as (
    select distinct
        borough,
        child_id,
        child_key
    from staging.missing_episode
)

select
    interview.interview_key,
    interview.interview_id,
    interview.borough,
    interview.source,
    interview.child_id,
    case
        when child.child_key is not null then child.child_key
        when interview.pseudonym_scope = 'regional' then interview.child_id
        else interview.borough || ':' || interview.child_id
    end as child_key,
    interview.episode_ids,
    interview.offered,
    interview.offered_at,
    interview.accepted,
    interview.declined_reason,
    interview.held_at,
    interview.latest_held_at,
    interview.held_precision,
    interview.interviewer,
    interview.child_account_recorded,
    case
        when interview.held_at is not null then 'yes'
        when interview.offered in ('no', 'not_applicable') or interview.accepted = 'no' then 'no'
        when interview.declined_reason is not null then 'no'
        else 'not_measurable'
    end as held
from staging.return_interview as interview
left join child on interview.borough = child.borough and interview.child_id = child.child_id
