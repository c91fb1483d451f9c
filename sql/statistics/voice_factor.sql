-- statistics.voice_factor
-- Grain: one row per area (basis B), period, kind of list (push, pull, harm, action) and code named in it.
-- Keys: area_code, period_type, period_start, kind, code.
-- For: what children said they ran from, what drew them away, the harms they disclosed and what was done; restricted
-- use only. An interview names each code once; of how many interviews is in statistics.voice.
with named as (
    select
        interview_key,
        unnest(
            list_transform(push_factors, lambda code: { 'kind': 'push', 'code': code })
            || list_transform(pull_factors, lambda code: { 'kind': 'pull', 'code': code })
            || list_transform(harms_disclosed, lambda code: { 'kind': 'harm', 'code': code })
            || list_transform(actions, lambda code: { 'kind': 'action', 'code': code })
        ) as factor
    from core.interview_voice
)

select
    'B' as basis,
    held.area_code,
    held.period_type,
    held.period_start,
    named.factor.kind,
    named.factor.code,
    count(*) as interviews,
    count(distinct held.child_number) as children
from named
inner join statistics.voice_interview as held on named.interview_key = held.interview_key
where held.is_placed
group by held.area_code, held.period_type, held.period_start, named.factor.kind, named.factor.code
