-- published.comparability_note
-- Grain: one row per borough and note on how its system records.
-- Keys: area_code, note_id.
-- For: public pages, which may not show a figure without it. Says something of systems, nothing of children: no count.
-- first_month and last_month are those of the years to March in which the borough's rows were recorded in this way: the
-- month of the first or last row itself would tell that a child was missing or heard in it.
select
    area_code,
    note_id,
    text,
    measures,
    make_date(year(min(first_month)) - (month(min(first_month)) < 4)::bigint, 4, 1) as first_month,
    make_date(year(max(last_month)) + (month(max(last_month)) > 3)::bigint, 3, 1) as last_month
from quality.comparability_note
group by area_code, note_id, text, measures
