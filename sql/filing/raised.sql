-- filing.raised
-- Grain: one row per flag that stands now and did not stand at the instant before ('raised'), or stood on other rows
-- ('changed').
-- Keys: flag_id.
-- For: history.event. Says how a raised flag came: whether the episode that completes it arrived on time, late (after
-- the day on which its month was due, see quality.borough_month), with its sender's very first delivery, or had been
-- known before, so that the flag is raised retrospectively, and by what. The codes are those of
-- data_contracts/rules/flag_reasons.yaml.
-- `own`, `stood` and `gone` are as in filing.gone.
with fresh as (
    select
        standing.*,
        stood.flag_id is null as is_raised,
        stood.known_since
    from history.standing as standing
    left join stood on standing.flag_id = stood.flag_id
    where
        stood.flag_id is null
        or stood.content <> standing.content
        or stood.last_hit_at <> standing.last_hit_at
        or stood.episodes <> standing.episodes
        or stood.borough <> standing.borough
),

flag_episode as (
    select
        fresh.flag_id,
        unnest(flag.episode_keys) as episode_key
    from fresh
    inner join patterns.flag on fresh.flag_id = flag.flag_id
),

evidence as (
    select
        fresh.flag_id,
        list(staged.row_token order by staged.row_token) as evidence
    from fresh
    inner join flag_episode as of_flag on fresh.flag_id = of_flag.flag_id
    inner join history.staged_row as staged on of_flag.episode_key = staged.episode_key
    group by fresh.flag_id
),

-- The earliest-known of the episodes that start when the flag is raised, and the first of those that arrived since.
completed as (
    select
        fresh.flag_id,
        min(episode.first_received_at) filter (where episode.started_at = fresh.raised_at) as received_at,
        bool_or(episode.ended_at is null or episode.ended_at > own.previous_as_at)
        filter (where episode.started_at = fresh.raised_at) as went_on,
        min(episode.started_at) filter (where episode.first_received_at > own.previous_as_at) as arrived_started_at
    from fresh
    cross join own
    inner join flag_episode as of_flag on fresh.flag_id = of_flag.flag_id
    inner join core.missing_episode as episode on of_flag.episode_key = episode.episode_key
    where fresh.is_raised and episode.started_at <= fresh.raised_at
    group by fresh.flag_id
),

-- Flags with an episode that was known before and of which another record arrived since.
recorded_again as (
    select distinct of_flag.flag_id
    from fresh
    cross join own
    inner join flag_episode as of_flag on fresh.flag_id = of_flag.flag_id
    inner join core.missing_episode as episode on of_flag.episode_key = episode.episode_key
    inner join history.staged_row as record on episode.episode_key = record.episode_key
    where
        fresh.is_raised
        and episode.first_received_at <= own.previous_as_at
        and record.first_received_at > own.previous_as_at
),

reinstated as (
    select distinct of_flag.flag_id
    from flag_episode as of_flag
    inner join core.episode_row on of_flag.episode_key = episode_row.episode_key
    inner join staging.missing_episode as staged on episode_row.row_key = staged.row_key
    where staged.delivery_id in (select unnest(own.reinstated) from own)
),

link as (
    select
        child.child_key,
        bool_or(list_has_any(child.link_ids, own.new_links)) as is_linked,
        count(ended.link_id) as links_ended
    from staging.child as child
    cross join own
    left join intake.link_entry as ended
        on
            child.borough = ended.borough
            and child.child_id = ended.child_id
            and list_contains(own.ended_links, ended.link_id)
    where len(own.new_links) + len(own.ended_links) > 0
    group by child.child_key
),

first_delivery as (
    select
        borough,
        min(received_at) as received_at
    from intake.receipt
    where dataset = 'missing_episode' and status = 'accepted'
    group by borough
),

replacing as (
    select
        replaced_by as flag_id,
        min(known_since) as known_since,
        bool_or(because = 'withdrawn') as is_withdrawn
    from gone
    where replaced_by is not null
    group by replaced_by
),

stood_before as (
    select
        flag_id,
        min(known_since) as known_since
    from history.event
    where change = 'gone'
    group by flag_id
)

select
    own.sequence,
    own.as_at,
    case when fresh.is_raised then 'raised' else 'changed' end as change,
    fresh.flag_id,
    fresh.rule_id,
    fresh.rule_version,
    fresh.child_key,
    fresh.borough,
    fresh.raised_at,
    fresh.last_hit_at,
    fresh.episodes,
    fresh.content,
    fresh.oldest_at,
    fresh.newest_at,
    evidence.evidence,
    case
        when not fresh.is_raised then null
        when own.previous_as_at is null then 'first_delivery'
        when stood_before.flag_id is not null then 'came_back'
        when not list_contains(own.previous_rules, fresh.rule_id || ' ' || fresh.rule_version) then 'rule_new'
        when completed.received_at > own.previous_as_at and first_delivery.received_at > own.previous_as_at
            then 'first_delivery'
        when
            completed.received_at > own.previous_as_at
            and completed.received_at >= london_to_utc(
                date_trunc('month', utc_to_london(fresh.raised_at))
                + interval 1 month
                + to_days(parameter.expected_day)
            )
            then 'late'
        when completed.received_at > own.previous_as_at then 'on_time'
        when completed.arrived_started_at is not null then 'episode_arrived'
        when link.is_linked then 'linked'
        when link.links_ended > 0 then 'unlinked'
        when reinstated.flag_id is not null then 'reinstated'
        when replacing.is_withdrawn then 'withdrawn'
        when own.as_at = own.previous_as_at or not own.is_same_method then 'method_changed'
        when recorded_again.flag_id is not null then 'other_record'
        when completed.went_on then 'went_on'
        else 'record_changed'
    end as because,
    case
        when fresh.is_raised and completed.received_at <= own.previous_as_at
            then date_trunc('month', utc_to_london(completed.arrived_started_at))::date
    end as month,
    null::varchar as replaced_by,
    coalesce(fresh.known_since, stood_before.known_since, replacing.known_since, own.as_at) as known_since
from fresh
cross join own
cross join run.parameter as parameter
inner join evidence on fresh.flag_id = evidence.flag_id
left join completed on fresh.flag_id = completed.flag_id
left join recorded_again on fresh.flag_id = recorded_again.flag_id
left join reinstated on fresh.flag_id = reinstated.flag_id
left join link on fresh.child_key = link.child_key
left join first_delivery on fresh.borough = first_delivery.borough
left join replacing on fresh.flag_id = replacing.flag_id
left join stood_before on fresh.flag_id = stood_before.flag_id
