-- quality.figure_delivery
-- Grain: one row per published figure and delivery that feeds it.
-- Keys: figure_id, delivery_id.
-- For: the delivery log: which file version fed which figure. A figure is fed by the deliveries of its months, and of
-- the months before that its indicator looks back on. rows_used are the rows of the delivery behind those months in
-- the figure's area, of any age, sex or setting.
with figure as (
    select
        published.figure_id,
        published.area_code,
        published.basis,
        published.period_end,
        (published.period_start - to_months(coalesce(indicator.look_back_months, 0)::integer))::date as first_day,
        case when indicator.numerator_measure[:4] = 'rhi_' then 'interview' else 'episode' end as family
    from published.indicator as published
    inner join rules.indicator as indicator
        on published.indicator_id = indicator.indicator_id and published.variant = indicator.variant
),

window_of_months as (
    select distinct
        family,
        basis,
        area_code,
        first_day,
        period_end
    from figure
),

fed as (
    select
        span.family,
        span.basis,
        span.area_code,
        span.first_day,
        span.period_end,
        month_delivery.delivery_id,
        sum(month_delivery.rows_used)::bigint as rows_used
    from window_of_months as span
    inner join statistics.month_delivery
        on
            span.family = month_delivery.family
            and span.basis = month_delivery.basis
            and span.area_code = month_delivery.area_code
            and month_delivery.month between span.first_day and span.period_end
    group by
        span.family, span.basis, span.area_code, span.first_day, span.period_end, month_delivery.delivery_id
)

select
    figure.figure_id,
    fed.delivery_id,
    fed.rows_used
from figure
inner join fed
    on
        figure.family = fed.family
        and figure.basis = fed.basis
        and figure.area_code = fed.area_code
        and figure.first_day = fed.first_day
        and figure.period_end = fed.period_end
