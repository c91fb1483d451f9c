-- statistics.value
-- Grain: one row per breakdown of incidents and children by age band, sex or looked after, and value.
-- Keys: breakdown, breakdown_value; bit.
-- For: naming the bits of statistics.episode.
with named (breakdown, breakdown_value, bit) as (
    values
    ('age_band', 'under 10', 1),
    ('age_band', '10 to 11', 2),
    ('age_band', '12 to 14', 4),
    ('age_band', '15 to 17', 8),
    ('age_band', 'unknown', 16),
    ('sex', 'female', 32),
    ('sex', 'male', 64),
    ('sex', 'other', 128),
    ('sex', 'unknown', 256),
    ('looked_after', 'yes', 512),
    ('looked_after', 'no', 1024),
    ('looked_after', 'unknown', 2048)
)

select
    breakdown,
    breakdown_value,
    bit
from named
