-- statistics.indicator
-- Grain: one row per indicator, basis, area, period, breakdown and value.
-- Keys: indicator_id, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: the restricted pages and analysts. Unrounded: never published. numerator is null where nothing was received
-- (symbol x) or the data before the period that the definition needs is not loaded; u marks a period received, or
-- answered, in part.
with figure as (
    select
        cell.*,
        numerator.coverage,
        numerator.children,
        numerator.not_measurable,
        case when numerator.coverage <> 'none' and cell.has_look_back then numerator.count end as numerator,
        coalesce(denominator.count, cell.population) as denominator
    from statistics.indicator_cell as cell
    inner join statistics.count_cell as numerator on cell.numerator_cell = numerator.cell_id
    left join statistics.count_cell as denominator on cell.denominator_cell = denominator.cell_id
)

select
    figure_id,
    indicator_id,
    variant,
    basis,
    area_code,
    period_type,
    period_start,
    period_end,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    indicator_value(method, numerator, denominator, per) as value,
    indicator_lower(method, numerator, denominator, per) as lower_95,
    indicator_upper(method, numerator, denominator, per) as upper_95,
    children,
    not_measurable,
    case
        when not has_look_back then 'z'
        when coverage = 'none' then 'x'
        when coverage = 'partial' then 'u'
        else ''
    end as symbol,
    population_year
from figure
