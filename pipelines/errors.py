"""The error that ends a command with one line for people."""

from __future__ import annotations


class CommandError(Exception):
    """Bad usage or unreadable input: what is wrong, where, and what to do. Exit code 2."""
