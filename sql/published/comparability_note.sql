-- published.comparability_note
-- Grain: one row per borough and note on how its system records.
-- Keys: area_code, note_id.
-- For: public pages, which may not show a figure without it. Says something of systems, nothing of children: no count.
select distinct
    area_code,
    note_id,
    text,
    measures
from quality.comparability_note
