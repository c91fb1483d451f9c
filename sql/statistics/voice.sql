-- statistics.voice
-- Grain: one row per area (basis B), period and question (independent, account_recorded, something_done) with an
-- interview held.
-- Keys: area_code, period_type, period_start, question.
-- For: whether children are heard and whether anything follows; restricted use only. Of the interviews held, how many
-- answer yes, no, or not_measurable, and how many children they were held with. unplaced: interviews that the area sent
-- and that are in no figure here, since the authority responsible for the child is not recorded.
with answered as (
    select
        held.area_code,
        held.period_type,
        held.period_start,
        held.child_number,
        held.is_placed,
        unnest([
            { 'question': 'independent', 'answer': voice.independent },
            { 'question': 'account_recorded', 'answer': voice.account_recorded },
            { 'question': 'something_done', 'answer': voice.something_done }
        ]) as asked
    from statistics.voice_interview as held
    inner join core.interview_voice as voice on held.interview_key = voice.interview_key
)

select
    'B' as basis,
    area_code,
    period_type,
    period_start,
    asked.question,
    count_if(is_placed)::bigint as interviews,
    count_if(is_placed and asked.answer = 'yes')::bigint as yes,
    count_if(is_placed and asked.answer = 'no')::bigint as no,
    count_if(is_placed and asked.answer = 'not_measurable')::bigint as not_measurable,
    count(distinct child_number) filter (where is_placed) as children,
    count_if(not is_placed)::bigint as unplaced
from answered
group by area_code, period_type, period_start, asked.question
