-- filing.gone
-- Grain: one row per flag that stood at the instant before and does not stand now.
-- Keys: flag_id.
-- For: history.event. Says why it went: the first reason that holds, from the most particular to the most general, in
-- words of data_contracts/rules/flag_reasons.yaml. What is looked at are the rows behind the flag as they are now: are
-- they still there, of the same child, with the same content, in as many episodes, alone in them? In `own`, which is
-- one row, are the instants now and before, the links and withdrawals that were decided between them, and whether rules
-- and code are the same. replaced_by is the flag of the same rule that rests on most of the same rows (of any version,
-- where the version went out of force).
with lost as (
    select
        stood.*,
        rule.version is not null as is_in_force,
        rule.needs
    from stood
    left join rules.pattern as rule
        on stood.rule_id = rule.rule_id and stood.rule_version = rule.version and rule.is_current
    anti join history.standing as standing on stood.flag_id = standing.flag_id
),

behind as (
    select
        flag_id,
        unnest(evidence) as row_token
    from lost
),

-- Rows of deliveries that count no longer, and of those that count again.
decided_row as (
    select
        row_token(episode.borough, episode.source, episode.episode_id) as row_token,
        bool_or(list_contains(own.new_withdrawn, episode.delivery_id)) as is_withdrawn,
        bool_or(list_contains(own.reinstated, episode.delivery_id)) as is_reinstated
    from intake.missing_episode as episode
    cross join own
    where list_contains(own.new_withdrawn || own.reinstated, episode.delivery_id)
    group by episode.borough, episode.source, episode.episode_id
),

ended_link as (
    select distinct
        borough,
        child_id
    from intake.link_entry
    where link_id in (select unnest(own.ended_links) from own)
),

now as (
    select
        lost.flag_id,
        count_if(staged.row_key is null) as rows_lost,
        count_if(decided_row.is_withdrawn) as rows_withdrawn,
        count_if(decided_row.is_reinstated) as rows_reinstated,
        bit_xor(staged.content) as content,
        count(distinct staged.episode_key) as episodes,
        max(staged.version_received_at) as version_received_at,
        not bool_or(staged.child_key = lost.child_key) as is_other_child,
        bool_or(list_has_any(child.link_ids, own.new_links)) as is_linked,
        count(ended_link.child_id) as links_ended
    from lost
    cross join own
    inner join behind on lost.flag_id = behind.flag_id
    left join history.staged_row as staged on behind.row_token = staged.row_token
    left join decided_row on behind.row_token = decided_row.row_token
    left join staging.child as child on staged.borough = child.borough and staged.child_id = child.child_id
    left join ended_link on staged.borough = ended_link.borough and staged.child_id = ended_link.child_id
    group by lost.flag_id
),

episode_behind as (
    select distinct
        behind.flag_id,
        staged.episode_key
    from behind
    inner join history.staged_row as staged on behind.row_token = staged.row_token
),

-- Other records of the same episodes, on which the flag did not rest.
joined as (
    select distinct episode_behind.flag_id
    from episode_behind
    inner join history.staged_row as record on episode_behind.episode_key = record.episode_key
    anti join behind on episode_behind.flag_id = behind.flag_id and record.row_token = behind.row_token
),

flag_episode as (
    select
        flag_id,
        unnest(episode_keys) as episode_key
    from patterns.flag
    where is_current_rule
),

shared as (
    select
        lost.flag_id,
        other.flag_id as other_id,
        other.raised_at,
        count(*) as shared_rows
    from behind
    inner join lost on behind.flag_id = lost.flag_id
    inner join history.staged_row as staged on behind.row_token = staged.row_token
    inner join flag_episode as of_flag on staged.episode_key = of_flag.episode_key
    inner join history.standing as other
        on
            of_flag.flag_id = other.flag_id
            and lost.rule_id = other.rule_id
            and (lost.rule_version = other.rule_version or not lost.is_in_force)
    group by lost.flag_id, other.flag_id, other.raised_at
),

replacing as (
    select
        flag_id,
        arg_max(other_id, (shared_rows, -epoch_us(raised_at), other_id)) as replaced_by,
        arg_max(raised_at, (shared_rows, -epoch_us(raised_at), other_id)) as raised_at
    from shared
    group by flag_id
),

-- Whether an episode that helps to complete the other flag was not known before.
completed as (
    select
        replacing.flag_id,
        bool_or(episode.first_received_at > own.previous_as_at) as is_by_new_episode
    from replacing
    cross join own
    inner join flag_episode as of_flag on replacing.replaced_by = of_flag.flag_id
    inner join core.missing_episode as episode on of_flag.episode_key = episode.episode_key
    where episode.started_at <= replacing.raised_at
    group by replacing.flag_id
),

new_interview as (
    select distinct child.child_key
    from staging.return_interview as interview
    inner join intake.receipt as receipt on interview.delivery_id = receipt.delivery_id
    inner join staging.child as child on interview.borough = child.borough and interview.child_id = child.child_id
    where receipt.received_at > (select own.previous_as_at from own)
),

new_placement as (
    select distinct child.child_key
    from staging.placement as placement
    inner join intake.receipt as receipt on placement.delivery_id = receipt.delivery_id
    inner join staging.child as child on placement.borough = child.borough and placement.child_id = child.child_id
    where receipt.received_at > (select own.previous_as_at from own)
),

kept as (
    select max(keep_from) as keep_from
    from rules.agreement
)

select
    own.sequence,
    own.as_at,
    'gone' as change,
    lost.flag_id,
    lost.rule_id,
    lost.rule_version,
    lost.child_key,
    lost.borough,
    lost.raised_at,
    lost.last_hit_at,
    lost.episodes,
    lost.content,
    lost.oldest_at,
    lost.newest_at,
    lost.evidence,
    case
        when not lost.is_in_force then 'rule_retired'
        when now.is_linked then 'linked'
        when now.links_ended > 0 or (now.is_other_child and len(own.ended_links) > 0) then 'unlinked'
        when now.is_other_child and own.is_same_method then 'pseudonym_changed'
        when now.rows_withdrawn > 0 and (now.rows_lost > 0 or now.content <> lost.content) then 'withdrawn'
        when now.rows_lost > 0 and lost.oldest_at < kept.keep_from then 'past_retention'
        when now.rows_lost > 0 or own.as_at = own.previous_as_at then 'method_changed'
        when now.content <> lost.content and now.rows_reinstated > 0 then 'reinstated'
        when now.content <> lost.content and now.version_received_at > own.previous_as_at then 'corrected'
        when now.content <> lost.content then 'method_changed'
        when before.flag_id is not null then 'runs_joined'
        when replacing.raised_at < lost.raised_at and completed.is_by_new_episode then 'earlier_episode'
        when now.episodes < lost.episodes then 'merged'
        when joined.flag_id is not null then 'other_record'
        when new_interview.child_key is not null and list_contains(lost.needs, 'return_interview')
            then 'interview_known'
        when new_placement.child_key is not null and list_contains(lost.needs, 'placement') then 'placement_known'
        when not own.is_same_method then 'method_changed'
        else 'other_rows'
    end as because,
    null::date as month,
    replacing.replaced_by,
    lost.known_since
from lost
cross join own
cross join kept
inner join now on lost.flag_id = now.flag_id
left join replacing on lost.flag_id = replacing.flag_id
left join completed on lost.flag_id = completed.flag_id
left join joined on lost.flag_id = joined.flag_id
left join stood as before on replacing.replaced_by = before.flag_id
left join new_interview on lost.child_key = new_interview.child_key
left join new_placement on lost.child_key = new_placement.child_key
