"""What the scan says of a place in a public file: where, and which rule it breaks. Never the value that stands there.

A finding is read in logs and on terminals, so it must be safe to show to anyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.disclosure.errors import DisclosureError

RULES = {
    "number": "a number that is not published for this figure, no coordinate and no constant of the text",
    "derived": "not derived from published counts",
    "rows": "the rows are not the complete matrix in its fixed order, so their presence or order tells something",
    "order": "not in the order of the reference file",
    "column": "a column that no public table has",
    "symbol": "a mark that is not one of c, x, z, u",
    "pseudonym": "what looks like a pseudonym or a hash of one",
    "date": "a date finer than a month, or a year outside the publication",
    "extremum": "a longest, shortest, least or greatest of single events",
    "events": "single events over time, such as steps, days or numbers at risk",
    "axis": "an axis or a size that does not follow from what is drawn",
    "chart": "a chart that cannot be read, or has parts that no chart of ours has",
    "figure": "a figure without its file of published values",
    "hidden": "a part that a reader does not see",
    "comment": "a comment",
    "script": "a script that is not ours",
    "element": "an element or attribute that no page of ours has",
    "formula": "a formula",
    "metadata": "a note of who made the file, or another part beside the data",
    "file": "a kind of file that the scan does not know, or a file that cannot be read",
    "policy": "not the disclosure policy of this project",
}


@dataclass(frozen=True, order=True)
class Finding:
    """One place that must not be published.

    Attributes:
        file: path inside the folder.
        place: figure id, sheet and cell, line and column, or path in a document.
        rule: one of `RULES`.
    """

    file: str
    place: str
    rule: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.file}, {self.place}: {RULES[self.rule]} ({self.rule})"


_MOST_TOLD = 10


class PublicPagesRefused(DisclosureError):  # noqa: N818 - it says what was done with the pages
    """Public pages hold more than is published, so they were not put in place."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Say how many places there are, and name the first of them."""
        more = len(findings) - _MOST_TOLD
        told = [str(finding) for finding in findings[:_MOST_TOLD]] + ([f"and {more} more"] if more > 0 else [])
        super().__init__(
            f"The public pages were not replaced, since {len(findings)} places hold more than is published. "
            f"{'; '.join(told)}."
        )
        self.findings = tuple(findings)
