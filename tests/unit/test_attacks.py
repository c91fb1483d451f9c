"""The attacks on counts: each is planted in a small release, refused for its reason, repaired, and let out.

Numbers are those of the list of attacks in the methodology notes. Attacks on the bytes of public files (13, 17 to 23,
26, 27 and 30) are in `tests/integration/test_attack_bytes.py`; more of solvers (28) is in `test_disclosure_audit.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.disclosure import audit as gate_of
from pipelines.disclosure.audit import AuditReport, Finding, audit, what_anybody_would_try
from pipelines.disclosure.cells import CELL_ID, TRUE_CELL
from pipelines.disclosure.errors import LedgerError
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.ledger import append_release, read_ledger
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.protect import Past, Protection, protect
from pipelines.disclosure.targets import as_targets
from pipelines.disclosure.unsafe import DIFFERENCE, unsafe_targets
from tests.disclosure_data import COORDINATES, policy_for

KEY = RoundingKey(bytes(range(32)))
TOWNS = Geography("R", ("T1", "T2", "T3", "T4"))
ONE = Geography("R", ("T1",))
YEAR = "year_to_march|2023-04-01"
Coordinate = tuple[str, str, str, str]  # measure with basis, area, breakdown, value


def true_cells(
    counts: dict[Coordinate, int],
    *,
    children: dict[Coordinate, int] | None = None,
    largest: dict[Coordinate, int] | None = None,
    start: date = date(2023, 4, 1),
    period_type: str = "year_to_march",
) -> pl.DataFrame:
    """True cells of one period; a count of each child, unless it is said who is behind it."""
    months = {"month": 1, "quarter": 3}.get(period_type, 12)
    rows = [
        {
            "measure": measure.split(":")[-1],
            "basis": measure[0] if ":" in measure else "A",
            "area_code": area,
            "period_type": period_type,
            "period_start": start,
            "breakdown": breakdown,
            "breakdown_value": value,
            "count": count,
            "children": (children or {}).get((measure, area, breakdown, value), count),
            "largest": (largest or {}).get((measure, area, breakdown, value), min(count, 1)),
            "second_largest": 0
            if (largest or {}).get((measure, area, breakdown, value))
            else max(min(count - 1, 1), 0),
            "coverage": "complete",
        }
        for (measure, area, breakdown, value), count in counts.items()
    ]
    end = pl.col("period_start").dt.offset_by(f"{months}mo").dt.offset_by("-1d")
    return pl.DataFrame(rows).with_columns(period_end=end).with_columns(CELL_ID.alias("cell_id")).select(*TRUE_CELL)


def suppressed(cells: pl.DataFrame, *hidden: str) -> pl.DataFrame:
    """The cells as a table that prints exact counts and hides some, named by area or by value of the breakdown."""
    gone = pl.col("area_code").is_in(hidden) | pl.col("breakdown_value").is_in(hidden) | pl.col("cell_id").is_in(hidden)
    return cells.select(
        *COORDINATES,
        count=pl.when(~gone).then("count"),
        symbol=pl.when(gone).then(pl.lit("c")).otherwise(pl.lit("")),
        method=pl.lit("suppression"),
        within=pl.lit(0, dtype=pl.Int64),
    )


def attack(
    printed: pl.DataFrame, cells: pl.DataFrame, policy: Policy, geography: Geography = TOWNS, **options: pl.DataFrame
) -> AuditReport:
    """The whole gate: what is unsafe by the true cells, and what anybody would try."""
    unsafe = unsafe_targets(cells, pl.DataFrame(schema=DIFFERENCE), policy)
    return audit(printed, pl.concat([unsafe, what_anybody_would_try(printed, policy)]), policy, geography, **options)


def reasons_for(report: AuditReport, target: str) -> set[str]:
    """Why something is refused."""
    return {finding.reason for finding in report.refused if finding.cell_id == target}


def cell(measure: str, area: str, breakdown: str = "total", value: str = "Total", basis: str = "A") -> str:
    """The id of a cell of the year."""
    return f"{measure}|{basis}|{area}|{YEAR}|{breakdown}|{value}"


def repaired(cells: pl.DataFrame, policy: Policy, geography: Geography = TOWNS, past: Past | None = None) -> Protection:
    """What the protector makes of the same counts; it raises unless the gate lets it out."""
    made = protect(cells, policy, KEY, geography, past=past)
    assert made.report.passed
    assert made.public.passed
    return made


def by_suppression(*tables: dict[str, object]) -> Policy:
    """A plan whose tables print exact counts."""
    return policy_for(*({**table, "method": "suppression"} for table in tables))


def towns(measure: str, region: int, *counts: int) -> dict[Coordinate, int]:
    """Undivided counts of the region and its towns."""
    return {
        (measure, area, "total", "Total"): count
        for area, count in zip(("R", *TOWNS.boroughs), (region, *counts), strict=True)
    }


BY_AREA = by_suppression({"measures": ["incidents"]})


def test_attack_01_one_hidden_cell_is_a_subtraction_away() -> None:
    cells = true_cells(towns("incidents", 50, 3, 20, 14, 13))
    leaky = attack(suppressed(cells, "T1"), cells, BY_AREA)
    assert reasons_for(leaky, cell("incidents", "T1")) == {"exactly known"}
    safe = repaired(cells, BY_AREA)
    hidden = safe.cells.filter(symbol="c").get_column("area_code").to_list()
    assert "T1" in hidden
    assert len(hidden) >= 2
    assert safe.cells.filter(symbol="").join(cells, on=["cell_id", "count"]).height == 5 - len(hidden)


def test_attack_02_two_hidden_in_every_row_and_column_and_one_is_determined_all_the_same() -> None:
    # Rows are towns, columns ages. What is hidden in rows 1 and 2, less what is hidden in columns 1 and 2, is one cell.
    ages = ("under 10", "10 to 11", "12 to 14", "15 to 17")
    inner = np.array([[9, 9, 3, 30], [9, 9, 30, 30], [30, 30, 9, 9], [30, 30, 9, 9]])
    counts = {
        ("incidents", t, "age_band", a): int(inner[i, j])
        for i, t in enumerate(TOWNS.boroughs)
        for j, a in enumerate(ages)
    }
    counts |= {("incidents", t, "total", "Total"): int(inner[i].sum()) for i, t in enumerate(TOWNS.boroughs)}
    counts |= {("incidents", "R", "age_band", a): int(inner[:, j].sum()) for j, a in enumerate(ages)}
    counts |= {("incidents", "R", "total", "Total"): int(inner.sum())}
    cells = true_cells(counts)
    policy = by_suppression({"measures": ["incidents"], "breakdowns": ["total", "age_band"]})
    small = inner < 10
    assert (small.sum(axis=0) >= 2).all()
    assert (small.sum(axis=1) >= 2).all()
    hidden = [
        cell("incidents", t, "age_band", a)
        for i, t in enumerate(TOWNS.boroughs)
        for j, a in enumerate(ages)
        if small[i, j]
    ]
    leaky = attack(suppressed(cells, *hidden), cells, policy)
    assert reasons_for(leaky, cell("incidents", "T1", "age_band", "12 to 14")) == {"exactly known"}
    assert {finding.cell_id for finding in leaky.refused} == {cell("incidents", "T1", "age_band", "12 to 14")}
    assert repaired(cells, policy).cells.filter(symbol="c").height >= 4


BANDS = {"1": 28, "2 to 4": 3, "5 to 9": 4, "10 or more": 6}


def banded(repeat_too: bool) -> tuple[pl.DataFrame, Policy]:
    """Children of a region by the number of their incidents, with or without the table of repeat children."""
    counts = {("children", "R", "incident_band", band): count for band, count in BANDS.items()}
    counts[("children", "R", "total", "Total")] = sum(BANDS.values())
    tables: list[dict[str, object]] = [
        {"measures": ["children"], "areas": ["region"], "breakdowns": ["total", "incident_band"]}
    ]
    if repeat_too:
        counts[("children_repeat", "R", "total", "Total")] = 13
        tables.append({"measures": ["children_repeat"], "areas": ["region"]})
    return true_cells(counts), by_suppression(*tables)


def test_attack_03_tables_that_are_safe_alone_and_not_together() -> None:
    cells, policy = banded(repeat_too=False)
    assert attack(suppressed(cells, "1", "2 to 4", "5 to 9"), cells, policy, ONE).passed
    # Beside it, how many children came back: 13, of whom six had ten or more. Then "1" is 28, and the two others are 7.
    cells, policy = banded(repeat_too=True)
    leaky = attack(suppressed(cells, "2 to 4", "1"), cells, policy, ONE)
    assert reasons_for(leaky, cell("children", "R", "incident_band", "2 to 4")) == {"exactly known"}
    assert repaired(cells, policy, ONE).cells.filter(symbol="c").height >= 2


def test_attack_04_the_same_children_on_two_bases() -> None:
    place = ("own authority", "elsewhere in the region", "outside the region")
    of_a = dict(zip(place, (27, 3, 9), strict=True))
    counts = {("A:incidents", "R", "place", value): count for value, count in of_a.items()}
    counts |= {("A:incidents", "R", "total", "Total"): 39}
    a_table = {"measures": ["incidents"], "areas": ["region"], "breakdowns": ["total", "place"]}
    alone = by_suppression(a_table)
    cells = true_cells(counts)
    assert attack(suppressed(cells, *place), cells, alone, ONE).passed
    # By responsibility: as many from the own authority, and 3 placed elsewhere in the region, who are the same.
    of_b = dict(zip(place, (27, 3, 40), strict=True))
    both = counts | {("B:incidents", "R", "place", value): count for value, count in of_b.items()}
    both |= {("B:incidents", "R", "total", "Total"): 70}
    cells, policy = true_cells(both), by_suppression(a_table, {**a_table, "basis": "B"})
    hidden = [cell("incidents", "R", "place", value) for value in place]
    hidden += [cell("incidents", "R", "place", value, basis="B") for value in place[1:]]
    leaky = attack(suppressed(cells, *hidden[:2], *hidden[3:]), cells, policy, ONE)
    assert reasons_for(leaky, cell("incidents", "R", "place", "elsewhere in the region")) == {"exactly known"}
    assert repaired(cells, policy, ONE).cells.filter(symbol="c").height >= 4


def test_attack_05_two_schemes_of_ages_differ_by_one_year() -> None:
    counts = {("incidents", "R", "total", "Total"): 60}
    bands, dfe = (10, 10, 15, 25, 0), (4, 4, 2, 28, 22, 0)
    counts |= {
        ("incidents", "R", "age_band", v): c
        for v, c in zip(("under 10", "10 to 11", "12 to 14", "15 to 17", "unknown"), bands, strict=True)
    }
    counts |= {
        ("incidents", "R", "age_dfe", v): c
        for v, c in zip(("under 1", "1 to 4", "5 to 9", "10 to 15", "16 to 17", "unknown"), dfe, strict=True)
    }
    cells = true_cells(counts)
    policy = by_suppression(
        {"measures": ["incidents"], "areas": ["region"], "breakdowns": ["total", "age_band", "age_dfe"]}
    )
    # Every printed count but the smallest is large; three 15-year-olds are what 15 to 17 has more than 16 to 17.
    leaky = attack(suppressed(cells, "under 1", "1 to 4", "5 to 9"), cells, policy, ONE)
    assert reasons_for(leaky, cell("incidents_aged_15", "R")) == {"exactly known"}
    rounded = policy_for(
        {"measures": ["incidents"], "areas": ["region"], "breakdowns": ["total", "age_band", "age_dfe"]}
    )
    safe = repaired(cells, rounded, ONE).report.verdicts.filter(target_id=cell("incidents_aged_15", "R"))
    assert safe.filter(kind="small").select("verdict").item() == ""


ROUNDED = policy_for({"measures": ["incidents"]})


def as_rounded(cells: pl.DataFrame, *counts: int) -> pl.DataFrame:
    """The region and towns with rounded counts."""
    printed = dict(zip(("R", *TOWNS.boroughs), counts, strict=True))
    return cells.select(
        *COORDINATES,
        count=pl.col("area_code").replace_strict(printed, return_dtype=pl.Int64),
        symbol=pl.lit(""),
        method=pl.lit("controlled_rounding"),
        within=pl.lit(4, dtype=pl.Int64),
    )


def test_attack_06_a_revision_shows_what_neither_release_shows() -> None:
    cells = true_cells(towns("incidents", 14, 3, 3, 4, 4))
    first, second = as_rounded(cells, 15, 5, 0, 5, 5), as_rounded(cells, 15, 0, 5, 5, 5)
    assert attack(first, cells, ROUNDED).passed
    assert attack(second, cells, ROUNDED).passed
    # At least 1 before, at most 4 after, and late records only add.
    joint = attack(second, cells, ROUNDED, earlier=first.with_columns(sequence=pl.lit(1, dtype=pl.Int64)))
    assert reasons_for(joint, cell("incidents", "T1")) == {"known to be small"}
    ledger = first.with_columns(sequence=pl.lit(1, dtype=pl.Int64), release_id=pl.lit("r1"))
    safe = repaired(cells, ROUNDED, past=Past(ledger))
    assert safe.cells.get_column("count").to_list() == first.sort("cell_id").get_column("count").to_list()


def test_attack_07_twelve_months_less_the_twelve_before() -> None:
    months = [3, 9, *[20] * 10, 21, 14]
    start = pl.date_range(date(2023, 1, 1), date(2024, 2, 1), "1mo", eager=True)
    one = ("incidents", "R", "total", "Total")
    parts = [
        true_cells({one: count}, start=first, period_type="month") for count, first in zip(months, start, strict=True)
    ]
    parts += [
        true_cells({one: sum(months[i : i + 12])}, start=start[i], period_type="rolling_12_months") for i in range(3)
    ]
    cells = pl.concat(parts).with_columns(CELL_ID.alias("cell_id"))
    policy = by_suppression(
        {"measures": ["incidents"], "areas": ["region"], "period_types": ["month", "rolling_12_months"]}
    )
    january = "incidents|A|R|month|2023-01-01|total|Total"
    hidden = [january, january.replace("2023-01", "2023-02")]
    leaky = attack(suppressed(cells, *hidden), cells, policy, ONE)
    assert reasons_for(leaky, january) == {"exactly known"}
    assert january in repaired(cells, policy, ONE).cells.filter(symbol="c").get_column("cell_id").to_list()


def test_attack_08_the_same_data_again_with_other_noise(tmp_path: Path) -> None:
    cells = true_cells(towns("incidents", 61, 3, 21, 24, 13))
    once, again = (protect(cells, ROUNDED, KEY, TOWNS).cells for _ in range(2))
    assert once.write_csv() == again.write_csv()
    append_release(tmp_path, "r1", once, policy_version=ROUNDED.version, key_fingerprint=KEY.fingerprint)
    other = RoundingKey(bytes(32))
    noisy = protect(cells, ROUNDED, other, TOWNS).cells
    with pytest.raises(LedgerError, match="not the one that this series was started with"):
        append_release(tmp_path, "r2", noisy, policy_version=ROUNDED.version, key_fingerprint=other.fingerprint)
    # Even with the right key: what stands is kept, so there is nothing to average.
    kept = protect(cells, ROUNDED, KEY, TOWNS, past=Past(read_ledger(tmp_path))).cells
    assert kept.equals(once)


def test_attack_09_nobody_can_reason_backwards_from_the_closest_table() -> None:
    cells = true_cells(towns("incidents", 61, 3, 21, 24, 13))
    printed = [protect_counts(cells, number).filter(area_code="T1").item(0, "count") for number in range(60)]
    assert set(printed) == {0, 5}
    # 3 of 5 of the keys round 3 up: a table that was always the closest would do so for every key.
    assert 24 <= sum(count == 5 for count in printed) <= 48


def protect_counts(cells: pl.DataFrame, number: int) -> pl.DataFrame:
    """What is published with one of many keys, without the cost of the attack."""
    from pipelines.disclosure.cells import planned_cells
    from pipelines.disclosure.rounding import round_counts
    from pipelines.disclosure.system import build_system

    system = build_system(planned_cells(cells, ROUNDED, TOWNS), ROUNDED, TOWNS)
    rounded = round_counts(system, ROUNDED, RoundingKey(number.to_bytes(32, "big")))
    return system.cells.with_columns(count=pl.Series(rounded.counts))


def test_attack_10_one_child_makes_most_of_a_count() -> None:
    whose = ("incidents", "T1", "total", "Total")
    cells = true_cells(towns("incidents", 245, 45, 60, 70, 70), children={whose: 6}, largest={whose: 40})
    # Rounded to 45 it says that the child had 36 to 44 episodes, to anybody who knows the other five.
    leaky = attack(as_rounded(cells, 245, 45, 60, 70, 70), cells, ROUNDED)
    assert reasons_for(leaky, cell("incidents", "T1")) == {"one child makes most of it"}
    safe = repaired(cells, ROUNDED)
    assert safe.cells.filter(area_code="T1").select("count", "symbol").row(0) == (None, "c")
    # 20 of 45 is not most, and is printed.
    fair = true_cells(towns("incidents", 245, 45, 60, 70, 70), children={whose: 6}, largest={whose: 20})
    assert attack(as_rounded(fair, 245, 45, 60, 70, 70), fair, ROUNDED).passed


def test_attack_11_many_episodes_of_few_children() -> None:
    whose = ("incidents", "T1", "total", "Total")
    cells = true_cells(towns("incidents", 230, 30, 60, 70, 70), children={whose: 2}, largest={whose: 16})
    leaky = attack(suppressed(cells), cells, BY_AREA)
    assert "exactly known" in reasons_for(leaky, cell("incidents", "T1"))
    assert repaired(cells, BY_AREA).cells.filter(area_code="T1").item(0, "symbol") == "c"


def test_attack_12_bands_of_children_and_their_episodes_give_the_most_frequent_away() -> None:
    bands = {"1": 40, "2 to 4": 12, "5 to 9": 4, "10 or more": 1}
    counts = {("children", "R", "incident_band", band): count for band, count in bands.items()}
    counts |= {("children", "R", "total", "Total"): 57, ("children_repeat", "R", "total", "Total"): 17}
    counts |= {("incidents", "R", "total", "Total"): 160, ("incidents_of_repeaters", "R", "total", "Total"): 120}
    behind = {
        ("incidents", "R", "total", "Total"): 57,
        ("incidents_of_repeaters", "R", "total", "Total"): 17,
    }
    tables = (
        {"measures": ["incidents", "children", "children_repeat", "incidents_of_repeaters"], "areas": ["region"]},
        {"measures": ["children"], "areas": ["region"], "breakdowns": ["incident_band"]},
    )
    cells = true_cells(counts, children=behind)
    # Five had five or more. Twelve children with at most 4 and five with at most 9 have at most 93 episodes, not 120.
    leaky = attack(suppressed(cells, "5 to 9", "10 or more"), cells, by_suppression(*tables), ONE)
    assert reasons_for(leaky, cell("children", "R", "incident_band", "10 or more")) == {"known to be small"}
    assert repaired(cells, policy_for(*tables), ONE).cells.filter(symbol="c").is_empty()


INTERVIEWS = ("rhi_eligible", "rhi_offered", "rhi_completed", "rhi_completed_72h", "rhi_declined")


def interviews(*counts: int) -> pl.DataFrame:
    """The interview cascade of a region."""
    return true_cells({(f"B:{name}", "R", "total", "Total"): n for name, n in zip(INTERVIEWS, counts, strict=True)})


def cascade(method: str) -> Policy:
    """A plan with the interview cascade of a region."""
    return policy_for({"basis": "B", "measures": list(INTERVIEWS), "areas": ["region"], "method": method})


def test_attack_14_a_share_says_what_its_complement_hides() -> None:
    # 97 of 100 were heard: printed, both large. Three were not.
    cells = interviews(100, 98, 97, 60, 1)
    leaky = attack(suppressed(cells, cell("rhi_declined", "R", basis="B")), cells, cascade("suppression"), ONE)
    assert reasons_for(leaky, cell("rhi_not_held", "R", basis="B")) == {"exactly known"}
    safe = repaired(cells, cascade("controlled_rounding"), ONE)
    assert safe.public.verdicts.filter(target_id=cell("rhi_not_held", "R", basis="B")).item(0, "verdict") == ""


@pytest.mark.parametrize(
    ("counts", "share"),
    [((9, 9, 6, 3, 0), "rhi_offered"), ((9, 8, 6, 3, 0), "rhi_offered"), ((9, 8, 6, 3, 0), "rhi_declined")],
)
def test_attack_15_none_all_or_all_but_one_of_a_small_group(counts: tuple[int, ...], share: str) -> None:
    cells = interviews(*counts)
    leaky = attack(suppressed(cells), cells, cascade("suppression"), ONE)
    assert "a share of none, all or all but one" in reasons_for(leaky, cell(share, "R", basis="B"))
    # With other numbers of the same group, none of the two is told of anybody.
    fair = interviews(9, 7, 5, 3, 2)
    told = attack(suppressed(fair), fair, cascade("suppression"), ONE)
    assert "a share of none, all or all but one" not in reasons_for(told, cell(share, "R", basis="B"))
    assert repaired(cells, cascade("controlled_rounding"), ONE)


def test_attack_16_printed_zeros_say_that_what_is_hidden_is_not_one() -> None:
    # Three hidden counts add up to 8. If each may be 0, a 1 among them may be 0 to 8; printed zeros say 1 to 6.
    cells = true_cells(towns("incidents", 10, 1, 1, 1, 7))
    hidden = suppressed(cells, "T1", "T2", "T3")
    leaky = attack(hidden, cells, BY_AREA)
    assert all(reasons_for(leaky, cell("incidents", area)) == {"exactly known"} for area in ("T1", "T2", "T3"))
    safe = repaired(cells, BY_AREA)
    assert safe.cells.filter(symbol="c").get_column("area_code").to_list() == ["T1", "T2", "T3", "T4"]
    low = safe.report.verdicts.filter(target_id=cell("incidents", "T1"), kind="small").item(0, "low")
    assert low == 1


def test_attack_24_what_somebody_else_publishes_of_the_same_children() -> None:
    values = {"yes": 27, "no": 3, "unknown": 9}
    counts = {("B:incidents", "R", "looked_after", value): count for value, count in values.items()}
    counts |= {("B:incidents", "R", "total", "Total"): 39}
    cells = true_cells(counts)
    table = {"basis": "B", "measures": ["incidents"], "areas": ["region"], "breakdowns": ["total", "looked_after"]}
    policy, printed = by_suppression(table), suppressed(cells, "yes", "no")
    theirs = pl.DataFrame({"cell_id": [cell("incidents", "R", "looked_after", "yes", basis="B")], "count": [27]})
    assert attack(printed, cells, policy, ONE).passed
    leaky = attack(printed, cells, policy, ONE, outside=theirs)
    assert reasons_for(leaky, cell("incidents", "R", "looked_after", "no", basis="B")) == {"exactly known"}
    rounded = repaired(cells, policy_for(table), ONE, Past(outside=theirs))
    assert rounded.report.outside == 1


def test_attack_25_a_child_that_knows_itself_learns_nothing_of_the_others() -> None:
    cells = true_cells(towns("incidents", 14, 3, 3, 4, 4))
    safe = repaired(cells, ROUNDED).report.verdicts.filter(kind="small")
    # Whoever is in a small count knows that it is 1 or more; at least four values are left of it, so of the others too.
    left = safe.select(pl.col("high") - pl.max_horizontal("low", pl.lit(1)) + 1).to_series()
    assert (left >= 4).all()
    narrow = attack(as_rounded(cells, 10, 0, 0, 5, 5), cells, ROUNDED)
    assert narrow.passed
    told = narrow.verdicts.filter(kind="small").select(pl.col("high") - pl.max_horizontal("low", pl.lit(1)) + 1)
    assert (told.to_series() >= 4).all()


def test_attack_28_a_second_solver_that_finds_something_else_stops_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = true_cells(towns("incidents", 61, 3, 21, 24, 13))
    search = gate_of.Search(cross_checks=2)
    printed = as_rounded(cells, 60, 5, 20, 25, 10)
    small = as_targets(cells.filter(area_code="T1").select(target_id="cell_id", count="count"), "small")
    agreed = audit(printed, small, ROUNDED, TOWNS, search=search)
    assert agreed.passed
    assert agreed.cross_checked == 1
    monkeypatch.setattr(gate_of, "intervals", lambda *_: [(1, 8)])
    assert (
        Finding("", "a second solver does not agree, or came to no end")
        in audit(printed, small, ROUNDED, TOWNS, search=search).refused
    )


def bespoke(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.select(
        *COORDINATES, count="count", symbol=pl.lit(""), method=pl.lit("controlled_rounding"), within=pl.lit(0)
    )


@pytest.mark.parametrize("printing", [suppressed, bespoke], ids=["by another method", "exact"])
def test_attack_29_a_cut_made_outside_the_plan_meets_the_same_gate(
    printing: Callable[[pl.DataFrame], pl.DataFrame],
) -> None:
    cells = true_cells(towns("incidents", 61, 3, 21, 24, 13))
    released = repaired(cells, ROUNDED).cells.with_columns(sequence=pl.lit(1, dtype=pl.Int64))
    cut = true_cells(
        towns("incidents", 61, 3, 21, 24, 13)
        | {("incidents", "T1", "sex", "Female"): 1, ("incidents", "T1", "sex", "Male"): 2}
    )
    answered = pl.concat(
        [released.filter(pl.col("breakdown") == "total").drop("sequence"), printing(cut.filter(breakdown="sex"))],
        how="vertical_relaxed",
    )
    refused = attack(answered, cells, ROUNDED, earlier=released)
    assert "not in the plan" in {finding.reason for finding in refused.refused}
    # Declared in the plan and rounded with the rest, it passes together with what was released.
    wider = policy_for({"measures": ["incidents"]}, {"measures": ["incidents"], "breakdowns": ["sex"]})
    every = towns("incidents", 61, 3, 21, 24, 13)
    for (_, area, _, _), count in list(every.items()):
        every |= {
            ("incidents", area, "sex", "Female"): count // 2,
            ("incidents", area, "sex", "Male"): count - count // 2,
        }
    every[("incidents", "R", "sex", "Female")] = sum(every[("incidents", t, "sex", "Female")] for t in TOWNS.boroughs)
    every[("incidents", "R", "sex", "Male")] = 61 - every[("incidents", "R", "sex", "Female")]
    assert repaired(true_cells(every), wider, past=Past(released.with_columns(release_id=pl.lit("r1"))))


def test_hiding_more_never_tells_more() -> None:
    cells = true_cells(towns("incidents", 50, 3, 20, 14, 13))
    two, three = (suppressed(cells, *hidden) for hidden in (("T1", "T2"), ("T1", "T2", "T3")))
    widths = [
        attack(printed, cells, replace(BY_AREA, minimum_width=4)).verdicts.filter(
            kind="small", target_id=cell("incidents", "T1")
        )
        for printed in (two, three)
    ]
    narrow, wide = (frame.select("low", "high").row(0) for frame in widths)
    assert wide[0] <= narrow[0]
    assert wide[1] >= narrow[1]
