-- history.flag
-- Grain: one row per flag that ever stood by the as-at instant, except those of which nothing may be kept any longer.
-- Keys: flag_id.
-- For: since when a flag is shown, how it came, and why it went; on the page and in `mfh explain`. A flag is known from
-- first_as_at; known_since is the first instant of the flags that it replaced, else its own. last_as_at is the last
-- instant at which it stood, gone_as_at the first at which it no longer did (null, like reason, while it stands).
-- back_as_at is the instant at which one that had gone was raised again. arrival says of the first time whether it was
-- raised on time, late or retrospectively; the words for every code are in data_contracts/rules/flag_reasons.yaml.
with raised as (
    select
        flag_id,
        arg_min({ 'as_at': as_at, 'because': because, 'month': month }, sequence) as first,
        max(as_at) filter (where because = 'came_back') as back_as_at
    from history.event
    where change = 'raised'
    group by flag_id
),

newest as (
    select
        flag_id,
        rule_id,
        rule_version,
        child_key,
        borough,
        raised_at,
        last_hit_at,
        sequence,
        as_at,
        change,
        because,
        replaced_by,
        known_since,
        row_number() over (partition by flag_id order by sequence desc) as place
    from history.event
),

replaced as (
    select
        replaced_by as flag_id,
        list(flag_id order by flag_id) as replaces
    from newest
    where place = 1 and change = 'gone' and replaced_by is not null
    group by replaced_by
),

last_instant as (
    select max(as_at) as as_at
    from history.instant
),

told as (
    select
        newest.flag_id,
        newest.rule_id,
        newest.rule_version,
        newest.child_key,
        newest.borough,
        newest.raised_at,
        newest.last_hit_at,
        raised.first,
        newest.known_since,
        coalesce(before.as_at, last_instant.as_at) as last_as_at,
        case when newest.change = 'gone' then newest.as_at end as gone_as_at,
        raised.back_as_at,
        case when newest.change = 'gone' then newest.because end as reason,
        newest.replaced_by,
        coalesce(replaced.replaces, []::varchar[]) as replaces,
        area.name as borough_name
    from newest
    cross join last_instant
    inner join raised on newest.flag_id = raised.flag_id
    left join history.instant as before on newest.change = 'gone' and newest.sequence = before.sequence + 1
    left join replaced on newest.flag_id = replaced.flag_id
    left join reference.area as area on newest.borough = area.slug
    where newest.place = 1
)

select
    told.flag_id,
    told.rule_id,
    told.rule_version,
    told.child_key,
    told.borough,
    told.raised_at,
    told.last_hit_at,
    told.first.as_at as first_as_at,
    told.known_since,
    told.last_as_at,
    told.gone_as_at,
    told.back_as_at,
    how.arrival,
    told.first.because as raised_because,
    replace(
        replace(
            replace(
                replace(
                    how.words,
                    '{month}',
                    strftime(coalesce(told.first.month, utc_to_london(told.raised_at)::date), '%B %Y')
                ),
                '{day}',
                strftime(utc_to_london(told.first.as_at), '%-d %B %Y')
            ),
            '{borough}',
            coalesce(told.borough_name, told.borough)
        ),
        '{version}',
        told.rule_version::varchar
    ) as raised_words,
    told.reason,
    replace(
        replace(why.words, '{day}', strftime(utc_to_london(told.gone_as_at), '%-d %B %Y')),
        '{version}',
        told.rule_version::varchar
    ) as gone_words,
    told.replaced_by,
    told.replaces
from told
left join rules.flag_reason as how on how.change = 'raised' and told.first.because = how.code
left join rules.flag_reason as why on why.change = 'gone' and told.reason = why.code
