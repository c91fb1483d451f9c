-- published.indicator
-- Grain: one row per figure of the publication plan.
-- Keys: figure_id.
-- For: public pages, releases and citations; nothing else may be shown to the public. Everything here comes from
-- published counts: percentages, rates and limits too. symbol: x not received or too often unanswered, u in part, z
-- not applicable (data before the period is not loaded), c not shown because the published base is below the policy's
-- minimum.
with figure as (
    select
        cell.*,
        case
            when unanswered.count > cell.none_above * denominator.count then 'x'
            when numerator.symbol = '' and unanswered.count > cell.partial_above * denominator.count then 'u'
            else numerator.symbol
        end as symbol,
        numerator.method as protection,
        case
            when cell.has_look_back and coalesce(unanswered.count <= cell.none_above * denominator.count, true)
                then numerator.count
        end as numerator,
        coalesce(denominator.count, cell.population) as denominator,
        cell.denominator_cell is not null and denominator.cell_id is null as denominator_not_published,
        denominator.count < parameter.minimum_percentage_base as base_too_small
    from statistics.indicator_cell as cell
    inner join published.count_cell as numerator on cell.numerator_cell = numerator.cell_id
    left join published.count_cell as denominator on cell.denominator_cell = denominator.cell_id
    left join published.count_cell as unanswered on cell.unknown_cell = unanswered.cell_id
    cross join published.parameter as parameter
),

marked as (
    select
        *,
        case
            when not has_look_back then 'z'
            when symbol = 'x' or (method = 'rate' and denominator is null) then 'x'
            when method <> 'count' and (base_too_small or denominator is null) then 'c'
            else symbol
        end as shown_symbol
    from figure
    where not denominator_not_published
)

select
    marked.figure_id,
    marked.indicator_id,
    marked.variant,
    marked.basis,
    marked.area_code,
    marked.period_type,
    marked.period_start,
    marked.period_end,
    marked.breakdown,
    marked.breakdown_value,
    marked.numerator,
    marked.denominator,
    case
        when marked.shown_symbol in ('', 'u')
            then indicator_value(marked.method, marked.numerator, marked.denominator, marked.per)
    end as value,
    case
        when marked.shown_symbol in ('', 'u')
            then indicator_lower(marked.method, marked.numerator, marked.denominator, marked.per)
    end as lower_95,
    case
        when marked.shown_symbol in ('', 'u')
            then indicator_upper(marked.method, marked.numerator, marked.denominator, marked.per)
    end as upper_95,
    marked.shown_symbol as symbol,
    marked.protection as method,
    parameter.release_id,
    marked.population_year
from marked
cross join published.parameter as parameter
