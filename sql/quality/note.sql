-- quality.note
-- Grain: one row per note, area it concerns and stretch of days in which it does.
-- Keys: note_id, area_code, first_day, text.
-- For: quality.figure_note, and the restricted pages. kind: layout (how a case system records), recording (what an
-- agreement says of a borough), break (a series is not one across a day), population (rates use two vintages), months
-- (not received), source (whose records were delivered), field (often not filled), reconciliation (police against
-- authority, counts). Only rows with is_public may be shown to the public: they say something of systems, deliveries
-- and published figures, and hold no true count. indicators: ids, none for all; measures: what is counted, for what is
-- no indicator. break_days are drawn on charts. first_day and last_day: null for ever.
with borough as (
    select
        area_code,
        slug,
        parent_code
    from reference.area
    where area_type = 'borough'
),

layout as (
    select
        'layout' as kind,
        note_id,
        area_code,
        '' as label,
        text,
        ['A', 'B'] as bases,
        []::varchar[] as indicators,
        measures,
        first_month as first_day,
        last_month as last_day,
        []::date[] as break_days,
        true as is_public
    from quality.comparability_note
),

recording as (
    select
        'recording' as kind,
        note_id,
        area_code,
        '' as label,
        text,
        bases,
        indicators,
        measures,
        from_day as first_day,
        to_day as last_day,
        []::date[] as break_days,
        true as is_public
    from rules.recording_note
),

series_break as (
    select
        'break' as kind,
        break_id as note_id,
        unnest(areas) as area_code,
        label,
        text,
        bases,
        indicators,
        measures,
        (from_day - to_months(months_beside))::date as first_day,
        (coalesce(to_day, from_day) + to_months(months_beside))::date as last_day,
        list_filter([from_day, (to_day + 1)::date], lambda day: is_drawn and day is not null) as break_days,
        true as is_public
    from rules.series_break
),

rate as (
    select
        list(distinct indicator_id order by indicator_id) as indicators,
        list(distinct numerator_measure order by numerator_measure) as measures
    from rules.indicator
    where denominator_band <> ''
),

-- Mid-years that figures use, each with the vintage in use before it.
used_vintage as (
    select
        used.population_year as mid_year,
        vintage.vintage,
        vintage.published,
        lag(vintage.vintage) over (order by used.population_year) as vintage_before,
        lag(vintage.published) over (order by used.population_year) as published_before,
        lag(used.population_year) over (order by used.population_year) as mid_year_before
    from (select distinct population_year from statistics.indicator_cell) as used
    inner join reference.population_vintage as vintage
        on used.population_year = vintage.mid_year and vintage.is_used
),

population as (
    select
        'population' as kind,
        'population-' || used_vintage.mid_year as note_id,
        borough.area_code,
        'other population estimates' as label,
        printf(
            'Rates use the population estimates published %s (vintage %s) up to mid-%d and those published %s '
            || '(vintage %s) from mid-%d on; part of a change in a rate may be a revision of the population.',
            used_vintage.published_before,
            used_vintage.vintage_before,
            used_vintage.mid_year_before,
            used_vintage.published,
            used_vintage.vintage,
            used_vintage.mid_year
        ) as text,
        ['A', 'B'] as bases,
        rate.indicators,
        []::varchar[] as measures,
        make_date(used_vintage.mid_year - 1, 6, 30) as first_day,
        make_date(used_vintage.mid_year + 1, 6, 30) as last_day,
        [make_date(used_vintage.mid_year, 6, 30)] as break_days,
        true as is_public
    from used_vintage
    cross join borough
    cross join rate
    where used_vintage.vintage <> used_vintage.vintage_before
),

expected_month as (
    select
        area_code,
        month,
        unnest(['episode', 'interview']) as what,
        unnest([
            status not in ('received', 'not due'),
            status = 'received' and not interviews_received
        ]) as is_missing
    from quality.borough_month
),

-- Months that are due and were not received; those without a gap between them have the same run.
missing_month as (
    select
        area_code,
        what,
        month,
        (month - to_months(row_number() over (partition by area_code, what order by month)::integer))::date as run
    from expected_month
    where is_missing
),

interview_measure as (
    select list(distinct measure) as measures
    from rules.measure
    where family = 'interview'
),

months as (
    select
        'months' as kind,
        'months-' || missing_month.what as note_id,
        missing_month.area_code,
        '' as label,
        case missing_month.what when 'episode' then 'no missing episodes' else 'no return interviews' end
        || ' were received for '
        || case when count(*) > 1 then strftime(min(missing_month.month), '%B %Y') || ' to ' else '' end
        || strftime(max(missing_month.month), '%B %Y')
        || ', so the true number is likely to be higher.' as text,
        ['A', 'B'] as bases,
        []::varchar[] as indicators,
        case missing_month.what when 'episode' then ['*'] else any_value(interview_measure.measures) end as measures,
        min(missing_month.month) as first_day,
        last_day(max(missing_month.month)) as last_day,
        []::date[] as break_days,
        true as is_public
    from missing_month
    cross join interview_measure
    group by missing_month.area_code, missing_month.what, missing_month.run
),

-- Which records a borough delivers, told of deliveries and not of episodes.
delivered as (
    select
        borough,
        count_if(recorded_by = 'police') > 0 as has_police,
        count_if(recorded_by = 'authority') > 0 as has_authority,
        date_trunc('month', utc_to_london(min(started_at) filter (where recorded_by = 'police')))::date as first_police,
        last_day(utc_to_london(max(started_at) filter (where recorded_by = 'police'))::date) as last_police
    from staging.missing_episode
    group by borough
),

source as (
    select
        'source' as kind,
        case
            when not delivered.has_police then 'source-authority'
            when delivered.has_authority then 'source-both'
            else 'source-police'
        end as note_id,
        borough.area_code,
        '' as label,
        case
            when not delivered.has_police
                then 'episodes come from the authority''s records; no police records were delivered.'
            when delivered.has_authority
                then 'episodes come from the authority''s and from police records; an absence in both counts once.'
            else 'episodes come from police records; no records of the authority were delivered.'
        end as text,
        ['A', 'B'] as bases,
        []::varchar[] as indicators,
        ['incidents', 'children'] as measures,
        delivered.first_police as first_day,
        delivered.last_police as last_day,
        []::date[] as break_days,
        true as is_public
    from delivered
    inner join borough on delivered.borough = borough.slug
),

field as (
    select
        'field' as kind,
        'field-' || replace(note.field, ' ', '-') as note_id,
        figure.area_code,
        '' as label,
        printf(
            '%s (%d%% of the episodes of the year to March %d).',
            note.text,
            round(100 * figure.value)::integer,
            year(figure.period_end)
        ) as text,
        [figure.basis] as bases,
        note.indicators,
        note.measures,
        figure.period_start as first_day,
        figure.period_end as last_day,
        []::date[] as break_days,
        false as is_public
    from statistics.indicator as figure
    inner join rules.field_note as note on figure.breakdown_value = note.field
    inner join borough on figure.area_code = borough.area_code
    where
        figure.indicator_id = 'I35'
        and figure.breakdown = 'field'
        and figure.period_type = 'year_to_march'
        and figure.value > note.above
),

reconciliation as (
    select
        'reconciliation' as kind,
        'reconciliation' as note_id,
        year.area_code,
        '' as label,
        printf(
            'of the episodes of the year to March %d, the police and the authority both recorded %d, the police alone '
            || '%d, the authority alone %d.',
            year(year.period_end),
            year.by_both,
            year.police_only,
            year.authority_only
        ) as text,
        ['A', 'B'] as bases,
        []::varchar[] as indicators,
        ['incidents', 'children'] as measures,
        year.period_start as first_day,
        year.period_end as last_day,
        []::date[] as break_days,
        false as is_public
    from quality.reconciliation as year
    inner join borough on year.area_code = borough.area_code
    where year.period_type = 'year_to_march' and year.police_only + year.by_both > 0
)

select * from layout
union all by name
select * from recording
union all by name
select * from series_break
union all by name
select * from population
union all by name
select * from months
union all by name
select * from source
union all by name
select * from field
union all by name
select * from reconciliation
