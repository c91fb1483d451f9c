"""Intake: from a file in `landing/` to accepted rows, quarantined rows and feedback in the sender's own coordinates.

`read` opens files, `sources` recognises and maps layouts, `identifiers` refuses what must not be here, `typed`
parses, `judge` runs the contract's rules, `deliver` keeps the books. Nothing downstream of acceptance belongs here.
No message made in this package contains the value of a cell.
"""
