-- quality.cross_file_need
-- Grain: one row per borough and thing that a rule which compares deliveries can need and the borough has delivered.
-- Keys: borough, need_id.
-- For: quality.cross_file_outcome. The ids are those of data_contracts/rules/ssda903.yaml.
select distinct
    borough,
    'episode' as need_id
from staging.missing_episode
union all
select distinct
    borough,
    'interview' as need_id
from staging.return_interview
union all
select distinct
    borough,
    'placement' as need_id
from staging.placement
union all
select distinct
    borough,
    'age' as need_id
from staging.placement
where age_at_end is not null
union all
select distinct
    earlier.borough,
    'previous_return' as need_id
from quality.annual_return as earlier
inner join quality.annual_return as later
    on earlier.borough = later.borough and earlier.year_to_march + 1 = later.year_to_march
