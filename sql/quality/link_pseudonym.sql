-- quality.link_pseudonym
-- Grain: one row per link decided by the as-at instant and pseudonym that it names.
-- Keys: link_id, borough, child_id.
-- For: `mfh links`: what each link does. is_delivered is whether any row that counts bears the pseudonym; rows are
-- those that stand now (episodes, interviews, placements), episodes the resolved ones. sex_differs and age_differs say
-- of a link in force that the pseudonym's episodes do not fit those of another pseudonym of the same child: no sex in
-- common where both have one, or starts and ages that leave no two days of birth less than a year apart.
with row_of_child as (
    select
        borough,
        child_id
    from staging.missing_episode
    union all
    select
        borough,
        child_id
    from staging.return_interview
    union all
    select
        borough,
        child_id
    from staging.placement
),

counted as (
    select
        row_of_child.borough,
        row_of_child.child_id,
        count(*) as rows
    from row_of_child
    semi join intake.link_entry as entry
        on row_of_child.borough = entry.borough and row_of_child.child_id = entry.child_id
    group by row_of_child.borough, row_of_child.child_id
),

absence as (
    select
        staged.borough,
        staged.child_id,
        count(distinct episode_row.episode_key) as episodes
    from staging.missing_episode as staged
    semi join intake.link_entry as entry on staged.borough = entry.borough and staged.child_id = entry.child_id
    inner join core.episode_row on staged.row_key = episode_row.row_key
    group by staged.borough, staged.child_id
),

-- A pseudonym that is one child in every borough stands here once, by its own key: no link says that it is one.
described as (
    select
        child.child_key,
        child.own_key,
        list(distinct staged.sex) filter (where staged.sex <> 'unknown') as sexes,
        max(utc_to_london(staged.started_at)::date - to_years(staged.age_at_start::int + 1)) as born_after,
        min(utc_to_london(staged.started_at)::date - to_years(staged.age_at_start::int)) as born_by
    from staging.child as child
    inner join staging.missing_episode as staged
        on child.borough = staged.borough and child.child_id = staged.child_id
    where len(child.link_ids) > 0
    group by child.child_key, child.own_key
),

compared as (
    select
        one.own_key,
        bool_or(not list_has_any(one.sexes, other.sexes)) as sex_differs,
        bool_or(
            one.born_after - to_years(1) >= other.born_by or other.born_after - to_years(1) >= one.born_by
        ) as age_differs
    from described as one
    inner join described as other on one.child_key = other.child_key and one.own_key <> other.own_key
    group by one.own_key
)

select
    entry.link_id,
    entry.borough,
    entry.child_id,
    entry.decided_at,
    entry.decided_by,
    entry.reason,
    entry.ended_at,
    entry.ended_by,
    entry.end_reason,
    entry.ended_at is null as is_in_force,
    child.child_key,
    child.child_key is not null as is_delivered,
    coalesce(counted.rows, 0) as rows,
    coalesce(absence.episodes, 0) as episodes,
    entry.ended_at is null and coalesce(compared.sex_differs, false) as sex_differs,
    entry.ended_at is null and coalesce(compared.age_differs, false) as age_differs
from intake.link_entry as entry
left join staging.child as child on entry.borough = child.borough and entry.child_id = child.child_id
left join counted on entry.borough = counted.borough and entry.child_id = counted.child_id
left join absence on entry.borough = absence.borough and entry.child_id = absence.child_id
left join compared on child.own_key = compared.own_key
