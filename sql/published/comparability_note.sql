-- published.comparability_note
-- Grain: one row per borough and note on how its system records.
-- Keys: area_code, note_id.
-- For: public pages, which may not show a figure without it. Says something of systems, nothing of children: no count.
-- first_month and last_month are those between which the borough's rows were recorded in this way.
select
    area_code,
    note_id,
    text,
    measures,
    min(first_month) as first_month,
    max(last_month) as last_month
from quality.comparability_note
group by area_code, note_id, text, measures
