-- quality.comparability_note
-- Grain: one row per borough, layout, mapping version and note that goes with rows which count now.
-- Keys: borough, source, source_version, note_id.
-- For: saying beside a figure how a borough's system records what the figure counts. rows_concerned are the live rows
-- in which a cell was read in the way that the note explains; where a note concerns no single cell, all of them.
with live as (
    select
        delivery_id,
        row_number,
        'missing_episode' as dataset,
        date_trunc('month', utc_to_london(started_at))::date as month
    from staging.missing_episode
    union all
    select
        delivery_id,
        row_number,
        'return_interview' as dataset,
        date_trunc('month', utc_to_london(coalesce(held_at, offered_at)))::date as month
    from staging.return_interview
),

noted as (
    select
        receipt.borough,
        receipt.source,
        receipt.source_version,
        note.note_id,
        live.dataset,
        live.month,
        live.delivery_id,
        live.row_number
    from intake.delivery_note as note
    inner join intake.receipt as receipt on note.delivery_id = receipt.delivery_id
    inner join live on note.delivery_id = live.delivery_id
),

trapped as (
    select distinct
        delivery_id,
        dataset,
        row_number,
        note_id
    from intake.trapped_value
),

counted as (
    select
        noted.borough,
        noted.source,
        noted.source_version,
        noted.note_id,
        count(*) as rows_live,
        count(trapped.note_id) as rows_trapped,
        min(noted.month) as first_month,
        max(noted.month) as last_month
    from noted
    left join trapped
        on
            noted.delivery_id = trapped.delivery_id
            and noted.dataset = trapped.dataset
            and noted.row_number = trapped.row_number
            and noted.note_id = trapped.note_id
    group by noted.borough, noted.source, noted.source_version, noted.note_id
)

select
    counted.borough,
    area.area_code,
    counted.source,
    counted.source_version,
    counted.note_id,
    note.text,
    note.measures,
    case when counted.rows_trapped > 0 then counted.rows_trapped else counted.rows_live end as rows_concerned,
    counted.first_month,
    counted.last_month
from counted
inner join rules.source_note as note on counted.source = note.source and counted.note_id = note.note_id
inner join reference.area as area on counted.borough = area.slug
