"""Contracts as the single source: what a borough delivers, in ODCS v3.1, and everything generated from it.

`contract` reads the YAML, `rules` turns it into named rules, `suite` turns rules into Great Expectations,
`schema` into column types and `dictionary` into the data dictionary. Reading files and deciding what to do
with a failing row belong in `intake`.
"""
