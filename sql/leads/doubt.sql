-- leads.doubt
-- Grain: one row per borough, child on its list and reason why the list may be wrong about the child.
-- Keys: borough, child_key, reason.
-- For: how sure we are, child by child. extent is how many flags, episodes or months the reason concerns. The wording
-- is the page's. What another borough sent is not counted here, since it is not shown here.
with own as (
    select
        borough,
        child_key,
        count_if(started_precision = 'date') as day_only,
        count_if(returned_at is null) as open,
        count_if(source_rows > 1) as merged,
        count_if(is_age_unknown) as age_unknown,
        count_if(held = 'not_measurable') as interview_unclear
    from leads.child_episode
    where is_own
    group by borough, child_key
),

missing_month as (
    select
        month.borough,
        count(*) as months
    from quality.borough_month as month
    cross join rules.lead_list as list
    inner join quality.data_cut as data_cut on month.borough = data_cut.borough
    where
        month.status not in ('received', 'not due')
        and month.month > data_cut.data_to - to_days(list.current_days + 31)
        and month.month + interval 1 month <= data_cut.data_to
    group by month.borough
),

counted as (
    select
        child.borough,
        child.child_key,
        unnest([
            { 'reason': 'flag_on_one_reading', 'extent': child.unsure_flags },
            { 'reason': 'day_only', 'extent': own.day_only },
            { 'reason': 'open', 'extent': own.open },
            { 'reason': 'merged', 'extent': own.merged },
            { 'reason': 'age_unknown', 'extent': own.age_unknown },
            { 'reason': 'interview_unclear', 'extent': own.interview_unclear },
            { 'reason': 'month_missing', 'extent': missing_month.months },
            { 'reason': 'not_matched', 'extent': case when child.is_matched then 0 else 1 end },
            {
                'reason': 'several_pseudonyms',
                'extent': case when child.pseudonyms > 1 then child.pseudonyms else 0 end
            }
        ]) as doubt
    from leads.child as child
    left join own on child.borough = own.borough and child.child_key = own.child_key
    left join missing_month on child.borough = missing_month.borough
)

select
    borough,
    child_key,
    doubt.reason,
    doubt.extent::bigint as extent
from counted
where doubt.extent > 0
