-- statistics.frame_month
-- Grain: one row per basis, borough and month that lies in some frame.
-- Keys: basis, area_code, month.
-- For: everything that is counted by child and period: frame_numbers are the frames (statistics.frame) in which a month
-- of the borough counts: the month, its quarter and its year, of the borough and of the region. A child may return in a
-- month in which nobody went missing: that counts in its quarter and year.
with month as (
    select unnest(generate_series(min(period_start), max(period_end), interval 1 month))::date as month
    from statistics.frame
)

select
    frame.basis,
    borough.area_code,
    month.month,
    list(frame.frame_number order by frame.frame_number) as frame_numbers
from statistics.frame as frame
inner join reference.area as borough
    on borough.area_type = 'borough' and frame.area_code in (borough.area_code, borough.parent_code)
inner join month on month.month between frame.period_start and frame.period_end
group by frame.basis, borough.area_code, month.month
