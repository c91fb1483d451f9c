"""Slow, obvious readings of the rules in plain Python, one record at a time: no SQL, no frames.

They are written from the rules in words, the headers of the SQL files among them, and share no code with what they
judge. Expectations of single cases belong in `tests/unit`.
"""
