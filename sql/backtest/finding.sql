-- backtest.finding
-- Grain: one row per row of a module and rule of the return that the row breaks.
-- Keys: borough, module, row_number, rule_id.
-- For: leaving such rows out of the counts, and telling the borough which they are. Rules with a number are DfE's
-- (rules/ssda903.yaml); the others say what the module itself needs. No cell is here.
with header as (
    select
        borough,
        child,
        min(dob) as dob
    from backtest.header_row
    group by borough, child
),

said as (
    select
        missing.*,
        upper(missing.missing) as status,
        coalesce(header.dob, missing.dob) as born
    from backtest.missing_row as missing
    left join header on missing.borough = header.borough and missing.child = header.child
),

row_by_row as (
    select
        borough,
        'missing' as module,
        row_number,
        unnest([
            case when is_ragged then 'ragged' end,
            case when not is_ragged and child is null then 'child' end,
            case when status is not null and not mis_start_given then '564' end,
            case when status is null and mis_start_given then '565' end,
            case when status is null and mis_end_given then '566' end,
            case when status not in ('M', 'A') then 'status' end,
            case when mis_start_given and mis_start is null then '1004' end,
            case when mis_end_given and mis_end is null then '1005' end,
            case when dob_given and dob is null then 'born' end,
            case when mis_end < mis_start then '567' end,
            case when mis_start <= born then '586' end
        ]) as rule_id
    from said
    union all
    select
        borough,
        'episodes' as module,
        row_number,
        unnest([
            case when is_ragged then 'ragged' end,
            case when not is_ragged and child is null then 'child' end,
            case when not is_ragged and ls is null then 'legal_status' end,
            case when not is_ragged and decom is null then 'started' end,
            case when dec_given and dec is null then 'ended' end,
            case when dec < decom then 'ends_first' end
        ]) as rule_id
    from backtest.episodes_row
    union all
    select
        borough,
        'header' as module,
        row_number,
        unnest([
            case when is_ragged then 'ragged' end,
            case when not is_ragged and child is null then 'child' end,
            case when not is_ragged and dob is null then 'born' end,
            case when dob <> min(dob) over (partition by borough, child) then 'two_births' end
        ]) as rule_id
    from backtest.header_row
),

broken as (
    select *
    from row_by_row
    where rule_id is not null
),

-- A period that has no end is over on no day, so that whatever starts after it overlaps with it.
after_others as (
    select
        said.borough,
        said.row_number,
        said.mis_start < max(coalesce(said.mis_end, 'infinity'::date)) over (
            partition by said.borough, said.child
            order by said.mis_start, said.mis_end nulls last, said.row_number
            rows between unbounded preceding and 1 preceding
        ) as is_overlapping
    from said
    anti join broken
        on said.borough = broken.borough and broken.module = 'missing' and said.row_number = broken.row_number
    where said.child is not null and said.mis_start is not null
)

select
    borough,
    module,
    row_number,
    rule_id
from broken
union all
select
    borough,
    'missing' as module,
    row_number,
    '574' as rule_id
from after_others
where is_overlapping
