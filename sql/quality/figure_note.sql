-- quality.figure_note
-- Grain: one row per indicator, variant, basis, area, period and note that concerns the figures there.
-- Keys: indicator_id, variant, basis, area_code, period_type, period_start, note_id, text.
-- For: restricted figures: none may be shown without these. Holds for every breakdown of the figure. A note of a
-- borough concerns the region's figures too; concerns are the boroughs. What a period looks at
-- begins with the months before it that the indicator looks back on, and a return can follow the month of its start by
-- 61 days; the days of a break are exact.
with figure as (
    select distinct
        cell.indicator_id,
        cell.variant,
        cell.basis,
        cell.area_code,
        cell.period_type,
        cell.period_start,
        cell.period_end,
        (cell.period_start - to_days(31 * coalesce(indicator.look_back_months, 0)::integer))::date as looks_from
    from statistics.indicator_cell as cell
    inner join rules.indicator as indicator
        on cell.indicator_id = indicator.indicator_id and cell.variant = indicator.variant
),

-- Which reading of which indicator a note concerns, and in which areas.
concerned as (
    select
        note.kind,
        note.note_id,
        note.label,
        note.text,
        note.is_public,
        note.first_day,
        note.last_day + to_days(if(note.kind in ('break', 'population'), 0, 61)) as last_day,
        area.name as borough,
        indicator.indicator_id,
        indicator.variant,
        unnest([area.area_code, area.parent_code]) as area_code,
        note.bases
    from quality.note as note
    inner join reference.area as area on note.area_code = area.area_code
    inner join rules.indicator as indicator
        on
            case
                when len(note.indicators) > 0 then list_contains(note.indicators, indicator.indicator_id)
                else
                    list_contains(note.measures, '*')
                    or list_has_any(note.measures, [indicator.numerator_measure, indicator.denominator_measure])
            end
)

select
    figure.indicator_id,
    figure.variant,
    figure.basis,
    figure.area_code,
    figure.period_type,
    figure.period_start,
    concerned.kind,
    concerned.note_id,
    any_value(concerned.label) as label,
    concerned.text,
    list(distinct concerned.borough order by concerned.borough) as concerns,
    bool_and(concerned.is_public) as is_public
from figure
inner join concerned
    on
        figure.indicator_id = concerned.indicator_id
        and figure.variant = concerned.variant
        and figure.area_code = concerned.area_code
        and list_contains(concerned.bases, figure.basis)
        and coalesce(concerned.first_day <= figure.period_end, true)
        and coalesce(figure.looks_from <= concerned.last_day, true)
group by
    figure.indicator_id, figure.variant, figure.basis, figure.area_code, figure.period_type, figure.period_start,
    concerned.kind, concerned.note_id, concerned.text
