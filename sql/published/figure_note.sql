-- published.figure_note
-- Grain: one row per published indicator, variant, basis, area, period and note that concerns the figures there.
-- Keys: indicator_id, variant, basis, area_code, period_type, period_start, note_id, text.
-- For: citing a figure with its notes; the public files. As quality.figure_note, from the notes that may be published.
with figure as (
    select distinct
        published.indicator_id,
        published.variant,
        published.basis,
        published.area_code,
        published.period_type,
        published.period_start,
        published.period_end,
        (published.period_start - to_days(31 * coalesce(indicator.look_back_months, 0)::integer))::date as looks_from,
        [indicator.numerator_measure, indicator.denominator_measure] as measures
    from published.indicator as published
    inner join rules.indicator as indicator
        on published.indicator_id = indicator.indicator_id and published.variant = indicator.variant
)

select
    figure.indicator_id,
    figure.variant,
    figure.basis,
    figure.area_code,
    figure.period_type,
    figure.period_start,
    note.kind,
    note.note_id,
    any_value(note.label) as label,
    note.text,
    list(distinct area.name order by area.name) as concerns
from figure
inner join published.note as note
    on
        list_contains(note.bases, figure.basis)
        and case
            when len(note.indicators) > 0 then list_contains(note.indicators, figure.indicator_id)
            else list_contains(note.measures, '*') or list_has_any(note.measures, figure.measures)
        end
        and coalesce(note.first_day <= figure.period_end, true)
        and coalesce(
            figure.looks_from <= note.last_day + to_days(if(note.kind in ('break', 'population'), 0, 61)), true
        )
inner join reference.area as area
    on note.area_code = area.area_code and figure.area_code in (area.area_code, area.parent_code)
group by
    figure.indicator_id, figure.variant, figure.basis, figure.area_code, figure.period_type, figure.period_start,
    note.kind, note.note_id, note.text
