-- backtest.cell
-- Grain: one row per borough that sent a return and figure of DfE's table.
-- Keys: borough, indicator_id.
-- For: the counts behind each of our figures beside what DfE printed of the year, in today's symbols. denominator is
-- null for a count; theirs and published are null where DfE's figure is not in the reference.
select
    area.slug as borough,
    indicator.indicator_id,
    above.number as numerator,
    below.number as denominator,
    figure.meaning as theirs,
    figure.published
from backtest.area as area
cross join backtest.indicator as indicator
cross join backtest.year as year
inner join backtest.total as above
    on area.slug = above.borough and indicator.status = above.status and indicator.total = above.total
left join backtest.total as below
    on
        area.slug = below.borough
        and indicator.per = below.total
        and below.status in (indicator.status, '')
left join reference.dfe_missing as figure
    on
        area.code = figure.area_code
        and indicator.indicator_id = figure.indicator_id
        and year(year.last_day) = figure.year
