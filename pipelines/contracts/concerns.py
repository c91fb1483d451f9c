"""Which figures a note concerns: the keys `indicators`, `bases` and the measures behind indicators, read strictly.

Shared by the files of notes; what a note says, and from when to when, is read by the module of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pipelines.contracts.indicators import BASES, load_indicators
from pipelines.contracts.keys import Keys

ALL = "all"
# In the measures of a note: whatever is counted, the note concerns it.
ALL_MEASURES = "*"
# The ids of the domain notes, section 8. A note may name one that is not published yet.
_INDICATOR = re.compile(r"I(0[1-9]|[12]\d|3[0-5])")


def indicators_of(keys: Keys) -> tuple[str, ...]:
    """Read `indicators`: none for `all`, else ids.

    Raises:
        ContractError: it is missing or empty, or an id is no indicator's.
    """
    ids = keys.texts("indicators")
    if not ids:
        keys.fail("indicators", "this must be `all` or a list of indicators such as I01")
    if ids == (ALL,):
        return ()
    for indicator_id in ids:
        if not _INDICATOR.fullmatch(indicator_id):
            keys.fail("indicators", "an indicator is written I01 to I35; to mean every one, write `all` alone")
    return ids


def bases_of(keys: Keys) -> tuple[str, ...]:
    """Read `bases`: A, B or both; both where the key is left out.

    Raises:
        ContractError: it is empty or names another basis.
    """
    bases = keys.texts("bases") if "bases" in keys.raw else BASES
    if not bases or not set(bases) <= set(BASES):
        keys.fail("bases", "this must be A, B or both, as a list")
    return bases


def measures_behind(indicators: Iterable[str], contracts: Path) -> list[str]:
    """Measures that indicators are made of, sorted, for figures that are no indicator; all for no indicators."""
    wanted = set(indicators)
    if not wanted:
        return [ALL_MEASURES]
    known = load_indicators(contracts).indicators
    return sorted({count.measure for one in known if one.indicator_id in wanted for count in one.counts})
