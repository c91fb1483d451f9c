-- patterns.open_until
-- Grain: one row per missing episode without an end that may still be going on.
-- Keys: episode_key; child_number, episode_number.
-- For: patterns.hit_long and patterns.hit_night. Such an episode counts until the data end of the borough that sent it.
-- Where the child went missing again later, at any age, it ended at a time that nobody recorded: it is not here.
select
    episode.episode_key,
    episode.child_number,
    episode.episode_number,
    data_cut.data_to as until_at
from patterns.episode as episode
inner join quality.data_cut on episode.borough = data_cut.borough
where
    episode.ended_at is null
    and not exists (
        select 1
        from core.missing_episode as later
        where
            later.child_number = episode.child_number
            and later.status = 'missing'
            and later.started_at > episode.started_at
    )
