-- leads.interview
-- Grain: one row per borough, child on its list and interview held about an episode behind a current flag of the child.
-- Keys: borough, child_key, interview_key.
-- For: what has been tried, and what the child said. Of an interview that another borough sent only the month is here.
-- Verdicts and code lists as in core.interview_voice.
with about as (
    select distinct
        episode.borough,
        episode.child_key,
        link.interview_key
    from leads.child_episode as episode
    inner join core.episode_interview as link on episode.episode_key = link.episode_key
),

told as (
    select
        about.borough as for_borough,
        about.borough = voice.borough as is_own,
        about.child_key,
        voice.interview_key,
        voice.held_at,
        voice.held_precision,
        voice.independent,
        voice.account_recorded,
        voice.something_done,
        voice.push_factors,
        voice.pull_factors,
        voice.harms_disclosed,
        voice.actions
    from about
    inner join core.interview_voice as voice on about.interview_key = voice.interview_key
)

select
    for_borough as borough,
    child_key,
    interview_key,
    is_own,
    date_trunc('month', utc_to_london(held_at))::date as month,
    case when is_own then held_at end as held_at,
    case when is_own then held_precision end as held_precision,
    case when is_own then independent end as independent,
    case when is_own then account_recorded end as account_recorded,
    case when is_own then something_done end as something_done,
    case when is_own then push_factors end as push_factors,
    case when is_own then pull_factors end as pull_factors,
    case when is_own then harms_disclosed end as harms_disclosed,
    case when is_own then actions end as actions
from told
