-- statistics.child_again
-- Grain: one row per measure, basis, area and year to March.
-- Keys: measure, basis, area_code, period_start.
-- For: how many children were missing again within 28 days of the end of their first episode of the year (indicator 13;
-- Sidebottom et al. 2020), among those who could be followed for 28 days, whatever happened: to count a child who was
-- gone again on the third day and drop one who was not because the data end on the tenth would show too many. Children
-- who could not be followed so long are counted beside it; recurrence.gone_again uses them too (Kaplan-Meier).
with followed as (
    select
        basis,
        area_code,
        period_start,
        count_if(followed_days >= 28) as followed,
        count_if(followed_days >= 28 and is_gone_again and days <= 28) as again,
        count_if(followed_days is null or followed_days < 28) as not_followed
    from statistics.recurrence_gap
    group by basis, area_code, period_start
)

select
    basis,
    area_code,
    period_start,
    unnest(['children_followed_28_days', 'children_again_within_28_days']) as measure,
    unnest([followed, again])::bigint as count,
    not_followed::bigint as not_measurable
from followed
