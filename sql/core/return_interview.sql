-- core.return_interview
-- Grain: one row per return home interview (due, offered, declined or held), newest version.
-- Keys: interview_key.
-- View: it only renames and judges what staging.return_interview holds.
-- For: links to episodes, the interview cascade and what children said. accepted and held are three-state verdicts,
-- derived and never declared. held: yes (dated), no (not offered, declined, or a reason why none took place) or
-- not_measurable (the source says it was accepted, or does not know, and gives no date). accepted: yes (the source says
-- so, or an interview was held), no (not offered, or declined by the child or a parent), else not_measurable. offered
-- and declined_reason are what the source says. What was said and done in it is in core.interview_voice.
select
    interview_key,
    interview_id,
    borough,
    source,
    child_id,
    child_key,
    child_number,
    episode_ids,
    offered,
    offered_at,
    case
        when held_at is not null then 'yes'
        when offered in ('no', 'not_applicable') or accepted = 'no' then 'no'
        when accepted = 'yes' then 'yes'
        when declined_reason in ('child_declined', 'parent_declined') then 'no'
        else 'not_measurable'
    end as accepted,
    accepted = 'no' or coalesce(declined_reason in ('child_declined', 'parent_declined'), false) as is_declined,
    declined_reason,
    held_at,
    latest_held_at,
    held_precision,
    case
        when held_at is not null then 'yes'
        when offered in ('no', 'not_applicable') or accepted = 'no' then 'no'
        when declined_reason is not null then 'no'
        else 'not_measurable'
    end as held,
    interviewer,
    child_account_recorded
from staging.return_interview
