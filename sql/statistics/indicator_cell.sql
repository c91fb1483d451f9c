-- statistics.indicator_cell
-- Grain: one row per indicator, basis, area, period, breakdown and value.
-- Keys: figure_id.
-- For: which count cells make a figure. Holds no count, so the true and the published figures come from the same rows.
-- The population is the mid-year estimate of the 30 June inside the period, else the newest earlier one; where it is of
-- looked-after children, DfE's figure for that very year.
with cell as (
    select
        indicator.*,
        numerator.cell_id as numerator_cell,
        numerator.basis,
        numerator.area_code,
        numerator.period_type,
        numerator.period_start,
        numerator.period_end,
        case
            when indicator.variant <> '' then 'variant'
            when indicator.numerator_breakdown <> '' then 'total'
            else numerator.breakdown
        end as breakdown,
        case
            when indicator.variant <> '' then indicator.variant
            when indicator.numerator_breakdown <> '' then 'Total'
            else numerator.breakdown_value
        end as breakdown_value,
        case
            when indicator.denominator_breakdown <> '' then indicator.denominator_breakdown
            when indicator.denominator_undivided then 'total'
            else numerator.breakdown
        end as base_breakdown,
        case
            when indicator.denominator_breakdown <> '' then indicator.denominator_value
            when indicator.denominator_undivided then 'Total'
            else numerator.breakdown_value
        end as base_value
    from rules.indicator as indicator
    inner join statistics.count_cell as numerator
        on
            indicator.numerator_measure = numerator.measure
            and list_contains(indicator.bases, numerator.basis)
            and list_contains(indicator.periods, numerator.period_type)
    inner join reference.area as area
        on numerator.area_code = area.area_code and list_contains(indicator.areas, area.area_type)
    where
        case
            when indicator.numerator_breakdown <> ''
                then
                    numerator.breakdown = indicator.numerator_breakdown
                    and numerator.breakdown_value = indicator.numerator_value
            else
                list_contains(indicator.breakdowns, numerator.breakdown)
                or (
                    numerator.period_type = 'year_to_march'
                    and list_contains(indicator.breakdowns_of_year, numerator.breakdown)
                )
        end
),

with_population as (
    select
        cell.numerator_cell,
        cell.indicator_id,
        cell.variant,
        arg_max(population.population, population.mid_year) as population,
        max(population.mid_year) as population_year
    from cell
    inner join reference.population as population
        on
            cell.area_code = population.area_code
            and cell.denominator_band = population.age_band
            and make_date(population.mid_year, 6, 30) <= cell.period_end
    group by cell.numerator_cell, cell.indicator_id, cell.variant
),

first_month as (
    select min(period_start) as first_month
    from statistics.period
    where period_type = 'month'
)

select
    concat_ws(
        '.',
        cell.indicator_id,
        cell.basis,
        cell.area_code,
        cell.period_type,
        cell.period_start,
        cell.breakdown,
        replace(cell.breakdown_value, ' ', '_')
    ) as figure_id,
    cell.indicator_id,
    cell.variant,
    cell.basis,
    cell.area_code,
    cell.period_type,
    cell.period_start,
    cell.period_end,
    cell.breakdown,
    cell.breakdown_value,
    cell.method,
    cell.per,
    cell.numerator_cell,
    case
        when cell.denominator_measure not in ('', 'population', 'looked_after_in_year')
            then
                concat_ws(
                    '|',
                    cell.denominator_measure,
                    cell.basis,
                    cell.area_code,
                    cell.period_type,
                    cell.period_start,
                    cell.base_breakdown,
                    cell.base_value
                )
    end as denominator_cell,
    case
        when cell.numerator_breakdown <> '' and cell.denominator_undivided
            then
                concat_ws(
                    '|',
                    cell.numerator_measure,
                    cell.basis,
                    cell.area_code,
                    cell.period_type,
                    cell.period_start,
                    cell.numerator_breakdown,
                    'unknown'
                )
    end as unknown_cell,
    cell.partial_above,
    cell.none_above,
    coalesce(with_population.population, looked_after.in_year) as population,
    with_population.population_year,
    cell.look_back_months = 0
    or cell.period_start >= first_month.first_month + to_months(cell.look_back_months) as has_look_back
from cell
cross join first_month
left join with_population
    on
        cell.numerator_cell = with_population.numerator_cell
        and cell.indicator_id = with_population.indicator_id
        and cell.variant = with_population.variant
left join reference.looked_after
    on
        case when cell.denominator_measure = 'looked_after_in_year' then cell.area_code end = looked_after.area_code
        and cell.period_end = looked_after.year_to
