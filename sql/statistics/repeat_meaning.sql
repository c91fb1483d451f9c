-- statistics.repeat_meaning
-- Grain: one row per basis, area and year to March with a missing episode.
-- Keys: basis, area_code, period_start.
-- For: the two published meanings of "repeat" side by side; on the same data they lie up to 19 points apart (domain.md
-- section 4.2), so neither is ever shown without its name. Each divides incidents, in two variants of looking back.
-- second_or_later (Galiano Lopez et al. 2021, as its figures imply; indicator 6): incidents that are not the child's
-- first. _in_year: not the first in this area and year, so each child has one that is none (incidents less children).
-- _365_days: after another start of the child less than 365 days earlier, whichever borough it was in.
-- incidents_of_repeat_children (Sidebottom et al. 2020, as its figures imply; indicator 7): every incident, the first
-- included, of a child who repeats. _in_year: two or more in this area and year. _365_days: at least one of its
-- incidents of the year is second_or_later_365_days. children_repeat is the number of children, in the same two
-- variants; the first is DfE's "missing more than once in the year".
-- Where less than twelve months before the year are loaded, what looks back 365 days is null.
with child_year as (
    select
        frame.basis,
        frame.area_code,
        frame.period_start,
        child.child_number,
        child.incidents,
        child.second_or_later
    from statistics.child_period as child
    inner join statistics.frame as frame on child.frame_number = frame.frame_number
    where frame.period_type = 'year_to_march'
),

summed as (
    select
        basis,
        area_code,
        period_start,
        sum(incidents)::bigint as incidents,
        count(*) as children,
        sum(incidents - 1)::bigint as second_or_later_in_year,
        sum(second_or_later)::bigint as second_or_later_365_days,
        coalesce(sum(incidents) filter (where incidents >= 2), 0)::bigint as incidents_of_repeat_children_in_year,
        coalesce(sum(incidents) filter (where second_or_later > 0), 0)::bigint
            as incidents_of_repeat_children_365_days,
        count_if(incidents >= 2)::bigint as children_repeat_in_year,
        count_if(second_or_later > 0)::bigint as children_repeat_365_days
    from child_year
    group by basis, area_code, period_start
),

first_month as (
    select min(period_start) as first_month
    from statistics.period
    where period_type = 'month'
)

select
    summed.basis,
    summed.area_code,
    summed.period_start,
    summed.incidents,
    summed.children,
    summed.second_or_later_in_year,
    summed.incidents_of_repeat_children_in_year,
    summed.children_repeat_in_year,
    case
        when summed.period_start >= first_month.first_month + interval 12 months then summed.second_or_later_365_days
    end
        as second_or_later_365_days,
    case
        when summed.period_start >= first_month.first_month + interval 12 months
            then summed.incidents_of_repeat_children_365_days
    end as incidents_of_repeat_children_365_days,
    case
        when summed.period_start >= first_month.first_month + interval 12 months then summed.children_repeat_365_days
    end
        as children_repeat_365_days
from summed
cross join first_month
