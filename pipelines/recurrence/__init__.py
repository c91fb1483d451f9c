"""How soon and how often children go missing again: what SQL cannot estimate, from the tables that SQL prepares.

Belongs here: survival curves, mean cumulative functions, hazards and bootstrapped limits over children, and the
`recurrence.*` tables that hold them. Does not: who counts, where, in which year and until when a child is observed
(`sql/statistics/recurrence_gap.sql` and its neighbours). The tables are restricted: nothing here is protected against
disclosure, and nothing here is published.
"""
