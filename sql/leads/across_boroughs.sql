-- leads.across_boroughs
-- Grain: one row per child with a current flag that no borough's own episodes would raise.
-- Keys: child_key.
-- For: the region's page only: what only a regional view can see. sent says how many of the missing episodes behind the
-- largest of these flags each borough sent a row of; an episode that two boroughs sent counts with both.
select
    across.child_key,
    list_sort(list_distinct(list(across.rule_id))) as rule_ids,
    max(across.episodes) as episodes,
    max(across.most_in_one_borough) as most_in_one_borough,
    arg_max(across.sent, (across.episodes, across.flag_id)) as sent,
    date_trunc('month', utc_to_london(max(across.last_hit_at)))::date as last_month
from patterns.across_boroughs as across
cross join rules.lead_list as list
inner join patterns.flag as flag on across.flag_id = flag.flag_id
inner join quality.data_cut as data_cut on flag.borough = data_cut.borough
where not across.is_seen_alone and across.last_hit_at > data_cut.data_to - to_days(list.current_days)
group by across.child_key
