-- What its sender calls a row, as a digest of 128 bits in hexadecimal.
create or replace macro row_digest(borough, source, own_id) as (md5(concat_ws('|', borough, source, own_id)));

-- The key of a row: 12 characters, 72 bits of its digest (that two of a million rows are alike is one chance in ten
-- thousand million). DuckDB handles texts of up to 12 bytes as it does numbers.
create or replace macro row_key(borough, source, own_id) as (
    translate(left(to_base64(unhex(row_digest(borough, source, own_id))), 12), '+/', '-_')
);

-- The name of a row in the flag history: 64 bits of its digest.
create or replace macro row_token(borough, source, own_id) as (
    ('0x' || left(row_digest(borough, source, own_id), 16))::ubigint
);
