"""Fuzzing of reading and understanding: small files of every format, damaged at random.

`corpus` makes the files, `mutate` damages them, `judge` says whether what came of one is one of the two good ends.
`python -m tests.fuzz` runs it for a while, `tests/property/test_fuzz.py` a little of it each time.
"""
