-- statistics.indicator
-- Grain: one row per indicator, basis, area, period, breakdown and value.
-- Keys: indicator_id, basis, area_code, period_type, period_start, breakdown, breakdown_value.
-- For: the restricted pages and analysts. Unrounded: never published. numerator is null where nothing was received
-- (symbol x) or the data before the period that the definition needs is not loaded; u marks a period received, or
-- answered, in part. Every indicator of rules.indicator is here and is computed nowhere else; those of another form
-- than one count over another come from statistics.indicator_table.
with figure as (
    select
        cell.*,
        numerator.children,
        coalesce(denominator.count, cell.population) as denominator,
        numerator.count as counted,
        coalesce(unanswered.count, numerator.not_measurable) as not_measurable,
        coalesce(unanswered.count, case when numerator.family = 'verdict' then numerator.not_measurable end) as unclear,
        case
            when unclear > cell.none_above * denominator.count then 'none'
            when numerator.coverage = 'complete' and unclear > cell.partial_above * denominator.count then 'partial'
            else numerator.coverage
        end as coverage
    from statistics.indicator_cell as cell
    inner join statistics.count_cell as numerator on cell.numerator_cell = numerator.cell_id
    left join statistics.count_cell as denominator on cell.denominator_cell = denominator.cell_id
    left join statistics.count_cell as unanswered on cell.unknown_cell = unanswered.cell_id
),

told as (
    select
        *,
        case when coverage <> 'none' and has_look_back then counted end as numerator
    from figure
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
        when coverage = 'none' or (method <> 'count' and denominator is null) then 'x'
        when coverage = 'partial' then 'u'
        else ''
    end as symbol,
    population_year
from told
union all
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
    value,
    lower_95,
    upper_95,
    children,
    not_measurable,
    symbol,
    population_year
from statistics.indicator_table
