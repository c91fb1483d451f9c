-- statistics.early_identification
-- Grain: one row per area (a borough on basis A, and the region), year to March and kind of statistics.recognition.
-- Keys: area_code, period_start, kind.
-- For: early identification; restricted use only. At which episode, and how many days after the first, was a child
-- first flagged, heard or met about? A child belongs to the area and the year of its first missing episode, and nowhere
-- where that area is not recorded or outside the region. Medians and at_* are of the recognised: the episodes begun by
-- then, 0 where it came before the first. What came later than the data is not_yet, so a late year has more of it.
-- A child's first episode in the data need not be its first ever: the data begin on data_from.
with first_episode as (
    select
        child.child_key,
        episode.area_missing_from,
        utc_to_london(episode.started_at)::date as start_day
    from patterns.episode as episode
    inner join patterns.child as child on episode.child_number = child.child_number
    where episode.episode_number = 1
),

begin as (
    select min(start_day) as data_from
    from first_episode
),

placed as (
    select
        first_episode.child_key,
        year_to_march(first_episode.start_day) as period_start,
        unnest([area.area_code, area.parent_code]) as area_code
    from first_episode
    inner join reference.area as area on first_episode.area_missing_from = area.area_code
    where area.area_type = 'borough'
)

select
    'A' as basis,
    placed.area_code,
    period.period_type,
    period.period_start,
    recognition.kind,
    any_value(begin.data_from) as data_from,
    count(*) as children,
    count(*) filter (where recognition.verdict = 'recognised') as recognised,
    count(*) filter (where recognition.verdict = 'cannot_be_told') as cannot_be_told,
    count(*) filter (where recognition.verdict = 'not_yet') as not_yet,
    median(recognition.at_episode) as median_episode,
    median(recognition.days_after_first) as median_days,
    count(*) filter (where recognition.at_episode = 0) as at_0,
    count(*) filter (where recognition.at_episode = 1) as at_1,
    count(*) filter (where recognition.at_episode = 2) as at_2,
    count(*) filter (where recognition.at_episode between 3 and 4) as at_3_to_4,
    count(*) filter (where recognition.at_episode between 5 and 9) as at_5_to_9,
    count(*) filter (where recognition.at_episode >= 10) as at_10_or_more
from placed
cross join begin
inner join statistics.recognition on placed.child_key = recognition.child_key
inner join statistics.period
    on period.period_type = 'year_to_march' and placed.period_start = period.period_start
group by placed.area_code, period.period_type, period.period_start, recognition.kind
