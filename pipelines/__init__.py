"""The pipeline: from boroughs' deliveries to published statistics on children going missing.

Domain packages (`contracts`, `intake`, `warehouse`, `disclosure`, `synthetic`) know nothing of Dagster;
`assets`, `checks` and `automation` are the thin ring around them, and `definitions` is the only module
that sees everything. Tables are transformed in `sql/`, never here; pages are drawn in `dashboards/`.
"""
