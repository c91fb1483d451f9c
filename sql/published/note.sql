-- published.note
-- Grain: one row per note, area it concerns and stretch of days in which it does.
-- Keys: note_id, area_code, first_day, text.
-- For: public pages, which may not show a figure without it. As quality.note, without what rests on true counts: of
-- layouts one row a borough, and how often a field is not filled from published figures only. Where days are those of
-- first and last records (source), they are widened to years to March, which tell of no single record.
with said as (
    select
        kind,
        note_id,
        area_code,
        label,
        text,
        bases,
        indicators,
        measures,
        case
            when kind = 'source' then make_date(year(first_day) - (month(first_day) < 4)::bigint, 4, 1)
            else first_day
        end as first_day,
        case
            when kind = 'source' then make_date(year(last_day) + (month(last_day) > 3)::bigint, 3, 31)
            else last_day
        end as last_day,
        break_days
    from quality.note
    where is_public and kind <> 'layout'
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
        []::date[] as break_days
    from published.comparability_note
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
        []::date[] as break_days
    from published.indicator as figure
    inner join rules.field_note as note on figure.breakdown_value = note.field
    inner join reference.area as area on figure.area_code = area.area_code
    where
        figure.indicator_id = 'I35'
        and figure.breakdown = 'field'
        and figure.period_type = 'year_to_march'
        and figure.value > note.above
        and area.area_type = 'borough'
)

select * from said
union all by name
select * from layout
union all by name
select * from field
