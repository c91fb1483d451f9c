"""Reference figures that others publish: their files read and checked, and kept as vintages in the home.

What is stated with the contracts is loaded by `warehouse.load`; which vintage a rate uses is decided in
`sql/reference/`.
"""
