-- statistics.interview_measure
-- Grain: one row per measure of the interview cascade.
-- Keys: measure.
-- For: naming the bits of statistics.interview_place: bit says that the episode counts in the measure, unclear_bit that
-- it cannot be told (0 where that cannot be).
with named (measure, bit, unclear_bit) as (
    values
    ('rhi_eligible', 1, 0),
    ('rhi_offered', 2, 1024),
    ('rhi_completed', 4, 2048),
    ('rhi_completed_of_offered', 8, 4096),
    ('rhi_completed_72h', 16, 8192),
    ('rhi_declined', 32, 0),
    ('rhi_overtaken', 64, 16384),
    ('rhi_eligible_elsewhere', 128, 0),
    ('rhi_completed_elsewhere', 256, 32768),
    ('rhi_completed_72h_elsewhere', 512, 65536)
)

select
    measure,
    bit,
    unclear_bit
from named
