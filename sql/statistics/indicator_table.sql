-- statistics.indicator_table
-- Grain: one row per indicator, basis, area and year to March of those that are not one count over another.
-- Keys: figure_id.
-- For: statistics.indicator. Concentration (indicator 12) is worked out in statistics.concentration; here it gets the
-- form of the others. Of what is not delivered (34) there is a row that says so. Unrounded: never published.
with figure as (
    select
        indicator.indicator_id,
        indicator.variant,
        concentration.basis,
        concentration.area_code,
        concentration.period_start,
        case
            when indicator.slice = 'half_of_incidents' then concentration.children else concentration.incidents
        end as numerator,
        case
            when indicator.slice = 'half_of_incidents'
                then concentration.children_total
            else concentration.incidents_total
        end as denominator,
        case
            when indicator.slice = 'half_of_incidents'
                then concentration.share_of_children
            else concentration.share_of_incidents
        end as value,
        concentration.children
    from rules.indicator as indicator
    inner join statistics.concentration
        on
            indicator.method = 'concentration'
            and indicator.slice = concentration.slice
            and list_contains(indicator.bases, concentration.basis)
),

wanted as (
    select
        indicator.indicator_id,
        indicator.variant,
        indicator.method,
        basis.basis,
        area.area_code,
        period.period_type,
        period.period_start,
        period.period_end,
        coverage.coverage
    from rules.indicator as indicator
    cross join unnest(indicator.bases) as basis (basis)
    inner join reference.area as area on list_contains(indicator.areas, area.area_type)
    inner join statistics.period as period on list_contains(indicator.periods, period.period_type)
    left join statistics.coverage as coverage
        on
            area.area_code = coverage.area_code
            and period.period_type = coverage.period_type
            and period.period_start = coverage.period_start
            and coverage.family = 'episode'
    where indicator.method in ('concentration', 'not_delivered')
)

select
    concat_ws(
        '.',
        wanted.indicator_id,
        wanted.basis,
        wanted.area_code,
        wanted.period_type,
        wanted.period_start,
        case when wanted.variant <> '' then 'variant' else 'total' end,
        case when wanted.variant <> '' then replace(wanted.variant, ' ', '_') else 'Total' end
    ) as figure_id,
    wanted.indicator_id,
    wanted.variant,
    wanted.basis,
    wanted.area_code,
    wanted.period_type,
    wanted.period_start,
    wanted.period_end,
    case when wanted.variant <> '' then 'variant' else 'total' end as breakdown,
    case when wanted.variant <> '' then wanted.variant else 'Total' end as breakdown_value,
    case when wanted.coverage <> 'none' then figure.numerator end as numerator,
    figure.denominator,
    case when wanted.coverage <> 'none' then figure.value end as value,
    null::double as lower_95,
    null::double as upper_95,
    figure.children,
    0::bigint as not_measurable,
    case
        when coalesce(wanted.coverage, 'none') = 'none' or figure.value is null then 'x'
        when wanted.coverage = 'partial' then 'u'
        else ''
    end as symbol,
    null::bigint as population_year
from wanted
left join figure
    on
        wanted.indicator_id = figure.indicator_id
        and wanted.variant = figure.variant
        and wanted.basis = figure.basis
        and wanted.area_code = figure.area_code
        and wanted.period_start = figure.period_start
