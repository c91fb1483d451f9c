"""How far chance goes: funnel plots, control charts and intervals over children, and the tables that hold them.

Belongs here: pure functions on arrays (`funnel`, `control_chart`, `bootstrap`, `resampling`), the rules they follow as
the files of `data_contracts/rules/` state them (`rules`), and what reads and writes tables (`tables`). Does not: the
two-line intervals of single figures, Wilson's and Byar's, which are SQL (`sql/macros/interval.sql`); how soon and how
often one child goes missing again (`pipelines.recurrence`); words and pictures (`dashboards`).
"""
