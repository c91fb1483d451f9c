-- core.interview_voice
-- Grain: one row per return interview held (it has a date: core.return_interview).
-- Keys: interview_key.
-- For: whether the child was heard by someone independent, whether its own account was written down, and whether
-- anything was done (the questions of Real Voices); each yes, no or not_measurable.
-- independent: the interviewer is not involved in caring for the child (statutory guidance 2014; IICSA organised
-- networks G.5) and usually independent of the placement and of the responsible authority (tri.x). So yes for
-- 'independent', and for 'commissioned': a provider outside the authority whose task is the interview, such as an
-- advocacy charity (domain.md 1.3). No for the responsible authority and the placement.
-- something_done: yes where the actions hold anything but no_further_action, no where they hold that alone; where they
-- are blank nobody can tell. The code lists are sorted, without doubles, and empty where nothing was recorded.
with listed as (
    select
        * exclude (push_factors, pull_factors, harms_disclosed, actions),
        code_list(push_factors) as push_factors,
        code_list(pull_factors) as pull_factors,
        code_list(harms_disclosed) as harms_disclosed,
        code_list(actions) as actions
    from staging.return_interview
    where held_at is not null
)

select
    interview_key,
    borough,
    child_key,
    held_at,
    latest_held_at,
    held_precision,
    interviewer,
    case
        when interviewer in ('independent', 'commissioned') then 'yes'
        when interviewer in ('responsible_authority', 'placement') then 'no'
        else 'not_measurable'
    end as independent,
    case when child_account_recorded in ('yes', 'no') then child_account_recorded else 'not_measurable' end
        as account_recorded,
    case
        when len(actions) = 0 then 'not_measurable'
        when actions = ['no_further_action'] then 'no'
        else 'yes'
    end as something_done,
    push_factors,
    pull_factors,
    harms_disclosed,
    actions,
    shared_with_police_at,
    shared_with_police_precision
from listed
