-- statistics.incident_place
-- Grain: one row per resolved missing or away episode of a child and basis, in the borough that it counts for.
-- Keys: episode_rowid, basis.
-- View: written, it would be twice statistics.incident_fact.
-- For: counting incidents by place. Basis A is the area missing from, basis B the responsible authority.
with attributed as (
    select
        *,
        unnest(['A', 'B']) as basis,
        unnest([area_missing_from, responsible_authority]) as attributed_to
    from statistics.incident_fact
)

select
    attributed.*,
    area.area_code,
    area.parent_code as region_code
from attributed
inner join reference.area as area on attributed.attributed_to = area.area_code and area.area_type = 'borough'
