-- backtest.care
-- Grain: one row per placement that counts and touches the year.
-- Keys: borough, row_number.
-- For: who was looked after in the year and when, by DfE's rules: no series of short-term placements, nobody who is an
-- adult. first_day, last_day: the days of the year that the placement covers, both belong to it. is_at_year_end: it has
-- not ended by the end of the year's last day.
with born as (
    select
        borough,
        child,
        min(dob) as dob
    from (
        select
            borough,
            child,
            dob
        from backtest.header_row
        union all
        select
            missing.borough,
            missing.child,
            missing.dob
        from backtest.missing_row as missing
        anti join backtest.header_row as header
            on missing.borough = header.borough and missing.child = header.child and header.dob is not null
    ) as said
    group by borough, child
),

placement as (
    select
        episode.borough,
        episode.row_number,
        episode.child,
        episode.decom,
        episode.dec,
        -- Born on 29 February, one comes of age on 1 March of a year that has none.
        (born.dob + to_years(year.adult_at))::date + case
            when day(born.dob) > day((born.dob + to_years(year.adult_at))::date) then 1
            else 0
        end as adult_on,
        year.first_day as year_first_day,
        year.last_day as year_last_day
    from backtest.episodes_row as episode
    cross join backtest.year as year
    left join born on episode.borough = born.borough and episode.child = born.child
    anti join backtest.finding as finding
        on
            episode.borough = finding.borough
            and finding.module = 'episodes'
            and episode.row_number = finding.row_number
    where not list_contains(year.short_break_legal_statuses, upper(episode.ls))
)

select
    borough,
    row_number,
    child,
    greatest(decom, year_first_day) as first_day,
    least(coalesce(dec, year_last_day), coalesce(adult_on - 1, year_last_day), year_last_day) as last_day,
    coalesce(dec > year_last_day, true) and coalesce(adult_on > year_last_day, true) as is_at_year_end
from placement
where
    greatest(decom, year_first_day)
    <= least(coalesce(dec, year_last_day), coalesce(adult_on - 1, year_last_day), year_last_day)
