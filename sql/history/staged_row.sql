-- history.staged_row
-- Grain: one row per staged episode row.
-- Keys: row_key; row_token (the name of the row in the flag history).
-- For: noticing that a row behind a flag changed, without keeping the row. content is a digest of everything in it that
-- a pattern may read; an ethnicity that is filled in later is no change. kept_until is the local time from which the
-- retention of the row runs, as in retention.missing_episode. first_received_at is the arrival of the row's first
-- version, version_received_at that of the version that counts now.
select
    staged.row_key,
    row_token(staged.borough, staged.source, staged.episode_id) as row_token,
    episode_row.episode_key,
    staged.borough,
    staged.child_id,
    staged.child_key,
    ('0x' || left(md5({
        'row_key': row_digest(staged.borough, staged.source, staged.episode_id),
        'child_id': staged.child_id,
        'status': staged.status,
        'started_at': staged.started_at,
        'latest_started_at': staged.latest_started_at,
        'started_precision': staged.started_precision,
        'ended_at': staged.ended_at,
        'latest_ended_at': staged.latest_ended_at,
        'ended_precision': staged.ended_precision,
        'returned_at': staged.returned_at,
        'latest_returned_at': staged.latest_returned_at,
        'returned_precision': staged.returned_precision,
        'age_at_start': staged.age_at_start,
        'looked_after': staged.looked_after,
        'responsible_authority': staged.responsible_authority,
        'area_missing_from': staged.area_missing_from,
        'missing_from_setting': staged.missing_from_setting,
        'setting_id': staged.setting_id,
        'cse_flag': staged.cse_flag,
        'cse_flag_date': staged.cse_flag_date,
        'cce_flag': staged.cce_flag,
        'cce_flag_date': staged.cce_flag_date
    }::varchar), 16))::ubigint as content,
    utc_to_london(coalesce(staged.ended_at, staged.started_at)) as kept_until,
    staged.first_received_at,
    receipt.received_at as version_received_at
from staging.missing_episode as staged
inner join core.episode_row on staged.row_key = episode_row.row_key
inner join intake.receipt as receipt on staged.delivery_id = receipt.delivery_id
