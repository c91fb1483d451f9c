-- published.ledger
-- Grain: one row per figure and release in which it was published.
-- Keys: figure_id, release_id.
-- For: citing and revising: what was ever said, when, and by which method. Append-only, since the ledger files are.
select
    figure.figure_id,
    numerator.release_id,
    numerator.sequence,
    numerator.policy_version,
    figure.indicator_id,
    figure.basis,
    figure.area_code,
    figure.period_type,
    figure.period_start,
    figure.period_end,
    figure.breakdown,
    figure.breakdown_value,
    numerator.count as numerator,
    coalesce(denominator.count, figure.population) as denominator,
    numerator.symbol,
    numerator.method
from statistics.indicator_cell as figure
inner join published.ledger_cell as numerator on figure.numerator_cell = numerator.cell_id
left join published.ledger_cell as denominator
    on figure.denominator_cell = denominator.cell_id and numerator.release_id = denominator.release_id
where figure.denominator_cell is null or denominator.cell_id is not null
