"""The back-test: our figures from child-level looked-after data beside those that DfE published.

`returns` reads the modules of an SSDA903 return, `counting` fills a warehouse in memory and lets `sql/backtest/` count,
`comparison` prints the counts as DfE does and sets them beside DfE's. How DfE counts, rounds and hides is in
`contracts.dfe_publication`. What does not belong here: drawing or wording a page (`dashboards`), inventing children
(`synthetic.annual_return`).
"""
