-- statistics.setting_top_ten
-- Grain: one row per measure, basis and year to March, for the region.
-- Keys: measure, basis, period_start.
-- For: how much of what is recorded at care settings comes from few of them (indicator 20; Hayden). A setting is the
-- number that its sender gave it; without one an incident cannot be placed. Where the tenth ties with others, ten are
-- taken all the same: they have equally many.
with placed as (
    select
        fact.basis,
        fact.region_code as area_code,
        period.period_start,
        fact.setting_key,
        count(*) as incidents
    from statistics.incident_place as fact
    inner join statistics.period
        on fact.month between period.period_start and period.period_end and period.period_type = 'year_to_march'
    where fact.status = 'missing' and fact.is_care_setting
    group by fact.basis, fact.region_code, period.period_start, fact.setting_key
),

ranked as (
    select
        *,
        row_number() over (
            partition by basis, area_code, period_start, setting_key is null
            order by incidents desc, setting_key asc
        ) as place
    from placed
)

select
    basis,
    area_code,
    period_start,
    unnest(['incidents_care_setting', 'incidents_ten_settings']) as measure,
    unnest([
        sum(incidents) filter (where setting_key is not null),
        sum(incidents) filter (where setting_key is not null and place <= 10)
    ])::bigint as count,
    coalesce(sum(incidents) filter (where setting_key is null), 0)::bigint as not_measurable
from ranked
group by basis, area_code, period_start
