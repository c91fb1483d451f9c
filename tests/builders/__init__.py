"""Builders of made-up data that several tests share: `rows` says what a borough sent, `warehouse` makes tables of it.

No expectation belongs here, and no real child is behind any of it.
"""
