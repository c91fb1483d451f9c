-- patterns.look_back
-- Grain: one row per number of episodes that a rule needs and missing episode that may be the last of so many.
-- Keys: needed, child_number, episode_number.
-- For: every rule that counts starts in a window. first_started_at is the start of the first of the `needed` last
-- episodes, so a window holds enough starts exactly when that lies in it. Rows that no rule's window reaches are left
-- out.
with need as (
    select
        episodes as needed,
        max(window_days) as window_days
    from rules.pattern
    where kind in ('window', 'exploitation', 'unheard', 'out_of_area', 'after_move')
    group by episodes
),

looked_back as (
    select
        need.needed,
        need.window_days,
        episode.child_number,
        episode.episode_number,
        episode.started_at,
        episode.latest_start_so_far,
        lag(episode.started_at, need.needed - 1) over (
            partition by need.needed, episode.child_number
            order by episode.episode_number
        ) as first_started_at
    from patterns.episode as episode
    cross join need
)

select
    needed,
    child_number,
    episode_number,
    started_at,
    latest_start_so_far,
    first_started_at
from looked_back
where started_at - first_started_at < to_days(window_days)
