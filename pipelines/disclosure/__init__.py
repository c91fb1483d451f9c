"""Disclosure control: from true counts to counts that may be published, or to a refusal.

`policy` reads what may be published and what is publicly known about it; `cells` says what comes in and goes out;
`system` turns both into linear facts; `rounding` rounds all of them together; `suppression`, with the `hiding_*`
modules, chooses cells to hide instead, and knows numbers only; `audit` attacks the result with code of its own;
`protect` runs plan, protection and audit in order and is what others call; `key` and `ledger` keep the two things that
must outlive a release. Rates, percentages and intervals are derived elsewhere, in SQL, and only from what `protect`
returns; `scan` reads the bytes of everything that is to be published and derives them once more.
"""
