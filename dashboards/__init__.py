"""Static pages out of the warehouse: one public page for the inquiry, restricted pages for boroughs and the region.

Layout, wording and charts belong here. Counting, rounding and matching do not: they are done in `sql/` and
`pipelines/disclosure/` before a page is drawn. Nothing here imports dagster.
"""
