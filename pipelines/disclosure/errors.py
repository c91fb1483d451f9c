"""The ways in which disclosure control refuses. Every message is for a person and carries no true count.

Only exception types belong here; the rules that raise them live beside what they check.
"""


class DisclosureError(Exception):
    """Nothing may be published: the reason is in the message."""


class PolicyError(DisclosureError):
    """The policy file says something that cannot be carried out."""


class CellsError(DisclosureError):
    """The count cells do not have the agreed shape, or contradict a declared fact."""


class SolverError(DisclosureError):
    """A solver stopped without a proven optimum."""


class InfeasibleError(SolverError):
    """It is proven that no rounding within the allowed reach satisfies the facts, or that no hidden cells protect."""


class RoundingKeyError(DisclosureError):
    """The rounding key is missing, unreadable, too short or not the one that the series was started with."""


class LedgerError(DisclosureError):
    """The ledger is damaged, or the entry would rewrite what has been published."""
