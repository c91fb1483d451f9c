-- published.revision
-- Grain: one row per published count and release in which it is not what the release before said, or is new.
-- Keys: cell_id, release_id.
-- For: whoever cites a figure. change: first_published, revised (late or corrected records of the count or of one that
-- it adds up with), hidden, shown_again. Which of a revised count's two causes it was is not told: it would say that a
-- true count stayed as it was, and two printed values of one count narrow it. Made from what was published alone.
with said as (
    select
        *,
        lag(sequence) over every_release as previous_sequence,
        lag(count) over every_release as previous_count,
        lag(symbol) over every_release as previous_symbol,
        lag(policy_version) over every_release as previous_policy_version
    from published.ledger_cell
    window every_release as (partition by cell_id order by sequence)
)

select
    cell_id,
    release_id,
    sequence,
    measure,
    basis,
    area_code,
    period_type,
    period_start,
    period_end,
    breakdown,
    breakdown_value,
    previous_count,
    previous_symbol,
    count,
    symbol,
    case
        when previous_sequence is null then 'first_published'
        when previous_count is null and count is not null then 'shown_again'
        when previous_count is not null and count is null then 'hidden'
        else 'revised'
    end as change,
    coalesce(policy_version <> previous_policy_version, false) as rules_changed
from said
where
    previous_sequence is null
    or previous_count is distinct from count
    or previous_symbol is distinct from symbol
