-- leads.flag
-- Grain: one row per borough and flag that concerns it: of the version of a regional rule in force, or of the borough's
-- own threshold, with an episode that the borough sent a row of.
-- Keys: borough, flag_id.
-- For: the borough lead's list: why a child is on it, since when, and how sure that is. raised_at is null where another
-- borough's episode completed the pattern; then only the month is known here. is_current and is_new are measured from
-- the end of the borough's own data. first_as_at and raised_words say when and how the flag was first raised, without
-- naming another borough.
with concerned as (
    select
        flag.*,
        unnest(flag.boroughs) as for_borough
    from patterns.flag as flag
    where flag.is_current_rule
)

select
    concerned.for_borough as borough,
    concerned.flag_id,
    concerned.rule_id,
    concerned.rule_version,
    concerned.scope,
    rule.on_list,
    concerned.child_key,
    concerned.summary,
    concerned.episodes,
    concerned.episode_keys,
    case when list_contains(raising.boroughs, concerned.for_borough) then concerned.raised_at end as raised_at,
    date_trunc('month', utc_to_london(concerned.raised_at))::date as raised_month,
    concerned.last_hit_at,
    date_trunc('month', utc_to_london(concerned.last_hit_at))::date as last_month,
    concerned.last_hit_at > data_cut.data_to - to_days(list.current_days) as is_current,
    concerned.raised_at > data_cut.data_to - to_days(list.recent_days) as is_new,
    concerned.is_certain,
    date_trunc('month', utc_to_london(concerned.certain_since))::date as certain_month,
    concerned.detail,
    concerned.only_region_sees,
    concerned.most_in_one_borough,
    told.known_since,
    told.first_as_at,
    told.arrival,
    case
        when told.borough = concerned.for_borough then told.raised_words
        else replace(told.raised_words, sender.name, 'another borough')
    end as raised_words
from concerned
cross join rules.lead_list as list
inner join quality.data_cut as data_cut on concerned.for_borough = data_cut.borough
inner join core.missing_episode as raising on concerned.raising_episode_key = raising.episode_key
inner join rules.pattern as rule on concerned.rule_id = rule.rule_id and concerned.rule_version = rule.version
left join history.flag as told on concerned.flag_id = told.flag_id
left join reference.area as sender on told.borough = sender.slug
where concerned.scope in ('region', concerned.for_borough)
