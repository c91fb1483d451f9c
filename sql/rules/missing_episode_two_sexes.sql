-- missing_episode.two_sexes
-- Fails: every row with a known sex of a child who has two known sexes in the file.
with known as (
    select
        delivery_id,
        row_number,
        min(sex) over (partition by delivery_id, child_id) as first_sex,
        max(sex) over (partition by delivery_id, child_id) as last_sex
    from delivered_row
    where sex in ('female', 'male', 'other')
)

select
    delivery_id,
    row_number
from known
where first_sex <> last_sex
