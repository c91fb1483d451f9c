"""The SQL of the back-test against the slow reference, on returns that nobody would send."""

from __future__ import annotations

import math
import tempfile
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.dfe_publication import half_up
from tests.builders.returns import counted, totals, write_return
from tests.property.reference.annual_return import Absence, Placement, Reference

YEAR = 2024
FIRST, LAST = date(2023, 4, 1), date(2024, 3, 31)
CHILDREN = ("a", "b", "c")
# Days around both ends of the year, and a few inside and far outside of it.
EDGES = [end + timedelta(days=n) for end in (FIRST, LAST) for n in (-2, -1, 0, 1, 2)]
DAYS = st.sampled_from([*EDGES, date(2020, 2, 29), date(2023, 9, 1), date(2023, 9, 2), date(2023, 9, 3)])
ENDS = st.one_of(st.none(), DAYS)
# Eighteen around both ends of the year; born in it; born on a leap day; and neither.
ADULTS = [date(end.year - 18, end.month, 1) + timedelta(days=n) for end in (FIRST, LAST) for n in (-1, 0, 1, 30)]
BIRTHS = st.sampled_from([*ADULTS, FIRST, date(2023, 9, 2), date(2004, 2, 29), date(2009, 6, 15)])
PLACEMENTS = st.builds(Placement, st.sampled_from(CHILDREN), DAYS, ENDS, st.sampled_from(["C2", "V2", "V3", "V4"]))
ABSENCES = st.tuples(st.sampled_from(CHILDREN), st.sampled_from("MA"), DAYS, ENDS)


def written(day: date | None) -> str:
    return day.strftime("%d/%m/%Y") if day else ""


@settings(max_examples=50, deadline=None)
@given(
    births=st.fixed_dictionaries(dict.fromkeys(CHILDREN, BIRTHS)),
    placements=st.lists(PLACEMENTS, min_size=1, max_size=5),
    rows=st.lists(ABSENCES, min_size=1, max_size=8),
)
def test_counts_are_those_of_the_reference(
    births: dict[str, date], placements: list[Placement], rows: list[tuple[str, str, date, date | None]]
) -> None:
    absences = [Absence(number, *row) for number, row in enumerate(rows, 2)]
    reference = Reference(YEAR, births, placements)
    with tempfile.TemporaryDirectory() as folder:
        write_return(
            Path(folder) / "bury",
            [(a.child, written(births[a.child]), a.status, written(a.start), written(a.end)) for a in absences],
            [(p.child, written(p.start), "S", p.legal_status, "N1", "U1", written(p.end), "") for p in placements],
            [(child, "1", written(born), "WBRI") for child, born in births.items()],
        )
        counts = counted(Path(folder), YEAR)
    assert totals(counts) == reference.figures(absences)
    broken = {row for rule in counts.broken if rule.module == "missing" for row in rule.row_numbers}
    assert broken == {a.row for a in absences} - {a.row for a in reference.kept(absences)}


@given(numerator=st.integers(0, 100_000), denominator=st.integers(1, 3_000))
def test_halves_are_rounded_as_exact_fractions_are(numerator: int, denominator: int) -> None:
    assert half_up(numerator, denominator) == math.floor(Fraction(numerator, denominator) + Fraction(1, 2))
