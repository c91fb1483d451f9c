-- statistics.recognition
-- Grain: one row per child with a missing episode (under 18, or of unknown age) and kind (exploitation_flag,
-- return_interview, strategy_meeting).
-- Keys: child_key, kind.
-- For: early identification, the inquiry's own question; restricted use only. When did each kind first appear?
-- exploitation_flag: the date of a CSE or CCE flag, with any status of episode. return_interview: one that was held.
-- strategy_meeting: an action of an interview held, dated by it; a meeting that followed no interview is not delivered.
-- at_episode: the missing episodes begun by then (for a day, by its end), 0 before the first. days_after_first: local
-- days since the first start, negative before it.
-- verdict: recognised, not_yet, or cannot_be_told where something without a date may have come first: a flag without
-- one (a date of CSE says nothing of CCE); an interview that may have been held, of an episode that began no later; for
-- a meeting also an earlier interview whose actions are blank.
-- The first episode in the data need not be the child's first ever: statistics.early_identification says from when on.
with flagged as (
    select
        child_key,
        latest_instant(least(min(cse_flag_date), min(cce_flag_date))::timestamp, 'date') as first_at,
        case
            when
                (bool_or(cse_flag) and min(cse_flag_date) is null)
                or (bool_or(cce_flag) and min(cce_flag_date) is null)
                then '-infinity'::timestamp
        end as unclear_from
    from core.missing_episode
    where cse_flag or cce_flag
    group by child_key
),

begun as (
    select
        interview.interview_key,
        min(episode.started_at) as began_at
    from core.return_interview as interview
    inner join core.episode_interview as link on interview.interview_key = link.interview_key
    inner join core.missing_episode as episode on link.episode_key = episode.episode_key
    where interview.held = 'not_measurable'
    group by interview.interview_key
),

unclear as (
    select
        interview.child_key,
        min(coalesce(begun.began_at, '-infinity'::timestamp)) as unclear_from
    from core.return_interview as interview
    left join begun on interview.interview_key = begun.interview_key
    where interview.held = 'not_measurable'
    group by interview.child_key
),

held as (
    select
        child_key,
        min(latest_held_at) as first_held_at,
        min(latest_held_at) filter (where list_contains(actions, 'strategy_meeting')) as first_met_at,
        min(held_at) filter (where len(actions) = 0) as first_blank_at
    from core.interview_voice
    group by child_key
),

heard as (
    select
        coalesce(held.child_key, unclear.child_key) as child_key,
        unnest([
            {
                'kind': 'return_interview',
                'first_at': held.first_held_at,
                'unclear_from': unclear.unclear_from
            },
            {
                'kind': 'strategy_meeting',
                'first_at': held.first_met_at,
                'unclear_from': least(unclear.unclear_from, held.first_blank_at)
            }
        ]) as answer
    from held
    full join unclear on held.child_key = unclear.child_key
),

appeared as (
    select
        child_key,
        'exploitation_flag' as kind,
        first_at,
        unclear_from
    from flagged
    union all
    select
        child_key,
        answer.kind,
        answer.first_at,
        answer.unclear_from
    from heard
),

kind as (
    select unnest(['exploitation_flag', 'return_interview', 'strategy_meeting']) as kind
),

weighed as (
    select
        child.child_number,
        child.child_key,
        kind.kind,
        appeared.first_at,
        coalesce(appeared.unclear_from <= coalesce(appeared.first_at, 'infinity'::timestamp), false) as is_unclear
    from patterns.child as child
    cross join kind
    left join appeared on child.child_key = appeared.child_key and kind.kind = appeared.kind
),

judged as (
    select
        child_number,
        child_key,
        kind,
        case
            when is_unclear then 'cannot_be_told'
            when first_at is not null then 'recognised'
            else 'not_yet'
        end as verdict,
        case when not is_unclear then first_at end as recognised_at
    from weighed
)

select
    any_value(judged.child_key) as child_key,
    judged.kind,
    min(episode.started_at) as first_started_at,
    any_value(judged.verdict) as verdict,
    utc_to_london(any_value(judged.recognised_at))::date as recognised_on,
    case
        when any_value(judged.recognised_at) is not null
            then count(*) filter (where episode.started_at <= judged.recognised_at)
    end as at_episode,
    utc_to_london(any_value(judged.recognised_at))::date - utc_to_london(min(episode.started_at))::date
        as days_after_first
from judged
inner join patterns.episode as episode on judged.child_number = episode.child_number
group by judged.child_number, judged.kind
