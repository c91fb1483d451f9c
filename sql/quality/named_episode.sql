-- quality.named_episode
-- Grain: one row per live interview and episode that it names.
-- Keys: interview_key, episode_id.
-- For: the rules that compare interviews with episodes. An identifier is looked up among the sender's rows, and among
-- those of other boroughs about the same child.
with named as (
    select distinct
        interview_key,
        borough,
        delivery_id,
        row_number,
        child_key,
        latest_held_at,
        trim(unnest(string_split(episode_ids, ';'))) as episode_id
    from staging.return_interview
),

of_borough as (
    select distinct
        borough,
        episode_id
    from staging.missing_episode
),

of_child as (
    select distinct
        child_key,
        episode_id
    from staging.missing_episode
),

returned as (
    select
        borough,
        child_key,
        episode_id,
        max(coalesce(returned_at, ended_at)) as returned_at
    from staging.missing_episode
    group by borough, child_key, episode_id
)

select
    named.interview_key,
    named.borough,
    named.delivery_id,
    named.row_number,
    named.episode_id,
    named.latest_held_at,
    of_borough.episode_id is not null or of_child.episode_id is not null as is_delivered,
    of_child.episode_id is not null as is_childs_own,
    returned.returned_at
from named
left join of_borough on named.borough = of_borough.borough and named.episode_id = of_borough.episode_id
left join of_child on named.child_key = of_child.child_key and named.episode_id = of_child.episode_id
left join returned
    on
        named.borough = returned.borough
        and named.child_key = returned.child_key
        and named.episode_id = returned.episode_id
where named.episode_id <> ''
