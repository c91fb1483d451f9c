"""The SQL of the back-test against the slow reference, on returns that nobody would send."""

from __future__ import annotations

import math
import tempfile
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.dfe_publication import half_up, load_dfe_publication
from pipelines.errors import CommandError
from pipelines.synthetic.annual_return import totals_behind
from tests.builders.returns import counted, totals, write_return
from tests.property.reference.annual_return import Absence, Placement, Reference

YEAR = 2024
RULES = load_dfe_publication()
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


@st.composite
def boroughs(draw: st.DrawFn) -> dict[str, str]:
    """True totals of a borough as DfE prints them, with or without more hidden by hand."""
    looked_after = draw(st.integers(60, 500))
    printed = {"looked_after": str(looked_after)}
    for name in ("missing", "away"):
        children = draw(st.integers(0, 40))
        repeat = draw(st.integers(0, children))
        incidents = children + repeat + (draw(st.integers(0, 20)) if repeat else 0)
        gone = draw(st.integers(0, children))
        counts = {"children": children, "repeat": repeat, "incidents": incidents, "at_year_end": gone}
        printed |= {f"{name}_{part}": RULES.printed_count(count) for part, count in counts.items()}
        printed[f"{name}_average"] = RULES.printed_share("average", incidents, children)
        printed[f"{name}_percentage"] = RULES.printed_share("percentage", children, looked_after)
        if children and draw(st.booleans()):
            printed[f"{name}_average"] = "c"
    return printed


@settings(max_examples=60, deadline=None)
@given(printed=boroughs(), seed=st.integers(0, 1000))
def test_totals_behind_printed_figures_print_the_same(printed: dict[str, str], seed: int) -> None:
    totals_ = totals_behind(printed, RULES, np.random.default_rng(seed))
    assert str(totals_.looked_after) == printed["looked_after"]
    for status, name in (("M", "missing"), ("A", "away")):
        absences = totals_.absences[status]
        ours = {
            "children": RULES.printed_count(absences.children),
            "repeat": RULES.printed_count(absences.repeat),
            "incidents": RULES.printed_count(absences.incidents),
            "average": RULES.printed_share("average", absences.incidents, absences.children),
            "percentage": RULES.printed_share("percentage", absences.children, totals_.looked_after),
            "at_year_end": RULES.printed_count(absences.at_year_end),
        }
        assert {part: value for part, value in ours.items() if printed[f"{name}_{part}"] != "c"} == {
            part: printed[f"{name}_{part}"] for part in ours if printed[f"{name}_{part}"] != "c"
        }
        assert absences.repeat <= absences.children <= absences.incidents - absences.repeat
        assert absences.at_year_end <= absences.children


def test_figures_that_contradict_each_other_are_refused() -> None:
    printed = {"looked_after": "100", "missing_at_year_end": "0", "away_at_year_end": "0"}
    for name in ("missing", "away"):
        cells = {"children": "10", "repeat": "4", "incidents": "13", "average": "1.3", "percentage": "10"}
        printed |= {f"{name}_{part}": value for part, value in cells.items()}
    with pytest.raises(CommandError, match="contradict each other"):
        totals_behind(printed, RULES, np.random.default_rng(1))
