"""What a back-test says in words, the same on a terminal and on its page.

Imported by a command that must start quickly, so nothing that draws is imported here.
"""

from __future__ import annotations

from dashboards.words import counted, listed, number
from pipelines.backtest.comparison import BOTH_HIDDEN, DIFFERS, EQUAL, HIDDEN_THERE, NOT_PUBLISHED, BackTest, Cell
from pipelines.backtest.counting import NOT_IN_CARE, OUTSIDE_YEAR

_COUNTED = (
    (EQUAL, "equal"),
    (BOTH_HIDDEN, "hidden in both as DfE's rule asks"),
    (DIFFERS, "different"),
    (HIDDEN_THERE, "hidden there beyond the rule and cannot be compared"),
    (NOT_PUBLISHED, "not published"),
)


# Why an absence that breaks no rule is not counted.
UNCOUNTED = {
    OUTSIDE_YEAR: "The absence lies outside the year.",
    NOT_IN_CARE: "The child was not looked after then, or was in a series of short-term placements.",
}


def verdict_sentence(result: BackTest) -> str:
    """Whether any figure differs, and how many there are of each verdict."""
    found = result.verdicts()
    differ = found.get(DIFFERS, 0)
    opening = f"{counted(differ, 'figure differs', 'figures differ')} from" if differ else "No figure differs from"
    boroughs = counted(len({cell.borough for cell in result.cells}), "borough")
    parts = [f"{counted(found[verdict], 'is', 'are')} {words}" for verdict, words in _COUNTED if found.get(verdict)]
    among = f"Of {number(len(result.cells))} figures of {boroughs} for the year to March {result.year}"
    return f"{opening} what DfE printed. {among}, {listed(parts)}."


def cell_sentence(cell: Cell) -> str:
    """One figure: borough, what it is, ours, theirs, and what is known of why."""
    of = f"{cell.numerator}" if cell.denominator is None else f"{cell.numerator} of {cell.denominator}"
    if cell.indicator.form == "average":
        of = f"{cell.numerator} for {cell.denominator}"
    ours = cell.ours if cell.denominator is None and cell.ours == str(cell.numerator) else f"{cell.ours} ({of})"
    sentence = f"{cell.borough.name}, {cell.indicator.title}: ours {ours}, DfE {cell.theirs or 'nothing'}."
    return f"{sentence} {cell.reason}".rstrip()
