-- statistics.frame_month
-- Grain: one row per basis, borough and month.
-- Keys: basis, area_code, month.
-- For: everything that is counted by child and period: frame_numbers are the frames (statistics.frame) in which a month
-- of the borough counts: the month, its quarter and its year, of the borough and of the region.
select
    frame.basis,
    borough.area_code,
    month.period_start as month,
    list(frame.frame_number) as frame_numbers
from statistics.frame as frame
inner join reference.area as borough
    on borough.area_type = 'borough' and frame.area_code in (borough.area_code, borough.parent_code)
inner join statistics.period as month
    on month.period_type = 'month' and month.period_start between frame.period_start and frame.period_end
group by frame.basis, borough.area_code, month.period_start
