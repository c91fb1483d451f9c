"""The gate refuses planted leaks, and refuses what it cannot prove. Each leak is repaired and then passes."""

import ast
import importlib
import inspect
import json
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.optimize import OptimizeResult

from pipelines.disclosure import attacker
from pipelines.disclosure.audit import AuditReport, Finding, Search, audit
from pipelines.disclosure.cells import CELL_ID
from pipelines.disclosure.errors import CellsError, PolicyError
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.targets import TARGET, as_targets
from tests.disclosure_data import as_published, policy_for, small, year_cells

gate = importlib.import_module("pipelines.disclosure.audit")
TOWNS = Geography("R", ("T1", "T2", "T3", "T4"))
ONE = Geography("R", ("T1",))
INCIDENTS = policy_for({"measures": ["incidents"]})
AREAS = ("R", "T1", "T2", "T3", "T4")
REPEATS = policy_for({"measures": ["children_repeat", "incidents_of_repeaters"], "areas": ["region"]})


def towns(*counts: int) -> pl.DataFrame:
    """True incidents of the region and its four towns."""
    return year_cells({("incidents", area): count for area, count in zip(AREAS, counts, strict=True)})


def region(**counts: int) -> pl.DataFrame:
    """True cells of the region alone."""
    return year_cells({(measure, "R"): count for measure, count in counts.items()})


def attack(
    cells: pl.DataFrame, counts: list[int], policy: Policy = INCIDENTS, geography: Geography = TOWNS, within: int = 4
) -> AuditReport:
    """Audit what a protector made of true cells."""
    return audit(as_published(cells, counts, within), small(cells), policy, geography)


def reasons(report: AuditReport) -> set[str]:
    """The distinct reasons to refuse."""
    return {finding.reason for finding in report.refused}


def cell(area: str, measure: str = "incidents") -> str:
    """The id of an undivided cell of the year."""
    return f"{measure}|A|{area}|year_to_march|2023-04-01|total|Total"


def test_a_well_rounded_table_passes() -> None:
    report = attack(towns(23, 12, 3, 7, 1), [25, 10, 5, 10, 0])
    assert report.passed
    assert (report.cells, report.attacked, report.protected_by_witness + report.protected_alone) == (5, 2, 2)
    assert report.least_width == 4
    assert json.loads(report.to_json())["passed"] is True


def test_the_public_report_names_no_cell_when_it_passes_and_never_a_true_count() -> None:
    passed = attack(towns(23, 12, 3, 7, 1), [25, 10, 5, 10, 0]).to_json()
    assert "incidents|" not in passed
    assert "T2" not in passed
    again = attack(towns(23, 12, 3, 7, 1), [25, 10, 5, 10, 0])
    assert again.to_json() == passed


def test_an_unrounded_small_table_is_refused() -> None:
    report = attack(towns(23, 12, 3, 7, 1), [23, 12, 3, 7, 1])
    assert not report.passed
    assert {"not rounded", "exactly known"} <= reasons(report)
    assert Finding(cell("T2"), "exactly known") in report.refused


def test_one_small_count_left_as_it_is_is_refused_though_all_else_is_rounded() -> None:
    report = attack(towns(25, 10, 3, 5, 7), [25, 10, 3, 5, 5])
    assert Finding(cell("T2"), "exactly known") in report.refused


def test_one_hidden_cell_that_subtraction_gives_away_is_refused() -> None:
    # The region and three towns are multiples of the base and left exact (reach 0 is what printing them exactly means).
    cells = towns(35, 10, 15, 5, 5).with_columns(children=pl.lit(50))
    published = as_published(cells, [35, 10, 15, 5, 5]).with_columns(
        within=pl.when(pl.col("area_code") == "T3").then(4).otherwise(0)
    )
    unsafe = pl.DataFrame({"target_id": [cell("T3")], "count": [5]})
    report = audit(published, as_targets(unsafe, "small"), INCIDENTS, TOWNS)
    assert Finding(cell("T3"), "exactly known") in report.refused


def test_rounding_each_cell_for_itself_is_refused_where_it_pins_a_count() -> None:
    # One child in each town, each rounded up, and the region's four rounded down: each must be exactly one.
    report = attack(towns(4, 1, 1, 1, 1), [0, 5, 5, 5, 5])
    assert {"contradicts: area adds", "exactly known"} <= reasons(report)
    assert report.verdicts.filter(verdict="exactly known").height == 5
    assert attack(towns(4, 1, 1, 1, 1), [5, 5, 0, 0, 0]).passed


def test_a_table_that_does_not_add_up_is_refused_even_if_nothing_is_pinned() -> None:
    report = attack(towns(60, 15, 15, 15, 15), [55, 15, 15, 15, 15])
    assert reasons(report) == {"contradicts: area adds"}
    assert report.attacked == 0


@pytest.mark.parametrize(
    ("true", "printed", "verdict"),
    [
        # "Nobody had 30 incidents": 0 to 4 children, and at least one.
        ((("incidents", 30), ("children", 2)), (30, 0), "known to be small"),
        # At least one repeat child, and at most nine episodes of two or more each.
        ((("incidents_of_repeaters", 5), ("children_repeat", 2)), (5, 5), "known to be small"),
    ],
)
def test_a_relation_that_gives_a_small_count_away_is_refused(
    true: tuple[tuple[str, int], ...], printed: tuple[int, int], verdict: str
) -> None:
    policy = policy_for({"measures": [measure for measure, _ in true], "areas": ["region"]})
    cells = region(**dict(true)).with_columns(children=pl.lit(2))
    report = attack(cells, list(printed), policy, ONE)
    assert report.verdicts.filter(target_id=cell("R", true[1][0])).get_column("verdict").to_list() == [verdict]
    assert not report.passed


def test_what_the_relations_alone_leave_is_enough_when_zero_is_among_it() -> None:
    report = attack(region(children_repeat=1, incidents_of_repeaters=3), [0, 0], REPEATS, ONE)
    assert report.passed
    assert report.verdicts.filter(target_id=cell("R", "children_repeat")).row(0)[2:] == (0, 2, "")


def test_episodes_of_few_children_are_protected_too() -> None:
    cells = year_cells(
        {("incidents", area): count for area, count in zip(AREAS, (60, 30, 10, 10, 10), strict=True)},
        children={("incidents", "T1"): 2},
    )
    assert attack(cells, [60, 30, 10, 10, 10]).attacked == 1
    exact = as_published(cells, [60, 30, 10, 10, 10]).with_columns(within=pl.lit(0, dtype=pl.Int64))
    assert Finding(cell("T1"), "exactly known") in audit(exact, small(cells), INCIDENTS, TOWNS).refused


def test_a_late_record_that_shows_a_small_count_is_refused() -> None:
    cells = towns(14, 3, 3, 4, 4)
    first, second = [15, 5, 0, 5, 5], [15, 0, 5, 5, 5]
    earlier = as_published(cells, first).with_columns(sequence=pl.lit(1, dtype=pl.Int64))
    alone = audit(as_published(cells, second), small(cells), INCIDENTS, TOWNS)
    assert alone.passed
    joint = audit(as_published(cells, second), small(cells), INCIDENTS, TOWNS, earlier=earlier)
    assert Finding(cell("T1"), "known to be small") in joint.refused
    assert joint.releases == 1
    assert audit(as_published(cells, first), small(cells), INCIDENTS, TOWNS, earlier=earlier).passed


def test_releases_that_say_the_same_cost_the_attack_nothing_and_hide_nothing_from_it() -> None:
    cells = towns(14, 3, 3, 4, 4)
    said = [as_published(cells, counts) for counts in ([15, 5, 0, 5, 5], [15, 0, 5, 5, 5])]
    history = [said[0], said[0], said[1], said[1]]
    earlier = pl.concat(
        frame.with_columns(sequence=pl.lit(number, dtype=pl.Int64)) for number, frame in enumerate(history, start=1)
    )
    report = audit(said[1], small(cells), INCIDENTS, TOWNS, earlier=earlier)
    once = audit(said[1], small(cells), INCIDENTS, TOWNS, earlier=earlier.filter(pl.col("sequence") == 1))
    assert Finding(cell("T1"), "known to be small") in report.refused
    assert report.facts == once.facts == 2 + 5
    assert report.releases == once.releases == 1


def test_a_correction_that_takes_records_away_does_not_block_for_ever() -> None:
    before, after = towns(40, 10, 10, 10, 10), towns(13, 2, 3, 4, 4)
    earlier = as_published(before, [40, 10, 10, 10, 10]).with_columns(sequence=pl.lit(1, dtype=pl.Int64))
    report = audit(as_published(after, [15, 0, 5, 5, 5]), small(after), INCIDENTS, TOWNS, earlier=earlier)
    assert report.passed


def test_a_town_known_to_have_sent_nothing_does_not_help_to_find_another() -> None:
    cells = towns(3, 3, 0, 0, 0)
    published = as_published(cells, [5, 5, 0, 0, 0]).with_columns(
        symbol=pl.when(pl.col("area_code").is_in(["T2", "T3", "T4"])).then(pl.lit("x")).otherwise(pl.lit(""))
    )
    assert audit(published, small(cells), INCIDENTS, TOWNS).passed
    # Printed apart, the two are the same number and it lies in both windows: 1 to 4.
    apart = published.with_columns(count=pl.when(pl.col("area_code") == "R").then(0).otherwise("count"))
    assert Finding(cell("T1"), "known to be small") in audit(apart, small(cells), INCIDENTS, TOWNS).refused


def test_no_time_proves_nothing() -> None:
    cells = towns(23, 12, 3, 7, 1)
    report = audit(as_published(cells, [25, 10, 5, 10, 0]), small(cells), INCIDENTS, TOWNS, search=Search(seconds=0))
    assert not report.passed
    assert reasons(report) == {"not proved"}
    assert report.protected_by_witness == report.protected_alone == 0


def test_a_solver_that_lies_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(weight: np.ndarray, **_: object) -> OptimizeResult:
        return OptimizeResult(status=0, x=np.where(weight > 0, 0.0, 1000.0))

    monkeypatch.setattr(attacker, "milp", lying)
    report = attack(towns(23, 12, 3, 7, 1), [25, 10, 5, 10, 0])
    assert reasons(report) == {"not proved"}


@pytest.mark.parametrize("status", [1, 3, 4])
def test_a_solver_that_stops_early_is_not_believed(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    solve = attacker.milp

    def stopped(*arguments: object, **options: object) -> OptimizeResult:
        result = solve(*arguments, **options)
        result.status = status
        return result

    monkeypatch.setattr(attacker, "milp", stopped)
    assert reasons(attack(towns(23, 12, 3, 7, 1), [25, 10, 5, 10, 0])) == {"not proved"}


def test_what_is_not_as_the_policy_says_is_refused() -> None:
    cells = towns(23, 12, 3, 7, 1)
    good = as_published(cells, [25, 10, 5, 10, 0])
    unsafe = small(cells)
    first = pl.col("area_code") == "T1"

    def found(published: pl.DataFrame, secret: pl.DataFrame = unsafe) -> set[str]:
        return reasons(audit(published, secret, INCIDENTS, TOWNS))

    def changed(**columns: pl.Expr) -> pl.DataFrame:
        return good.with_columns(
            pl.when(first).then(value).otherwise(name).alias(name) for name, value in columns.items()
        )

    assert found(good) == set()
    assert "missing beside this cell" in found(good.filter(~first))
    assert "planned but missing" in found(good.filter(pl.col("area_code") == "R"))
    assert "unknown reach" in found(changed(within=pl.lit(40)))
    assert "unknown symbol" in found(changed(symbol=pl.lit("low")))
    assert "not within its reach" in found(good, unsafe.with_columns(pl.col("count") + 20))
    nobody = as_targets(pl.DataFrame({"target_id": ["nobody"], "count": [2]}), "small")
    assert "not published" in found(good, nobody)
    stranger = (
        good.filter(first).with_columns(measure=pl.lit("children_3_in_28")).with_columns(CELL_ID.alias("cell_id"))
    )
    assert "not in the plan" in found(pl.concat([good, stranger]))
    elsewhere = good.filter(first).with_columns(area_code=pl.lit("T9")).with_columns(CELL_ID.alias("cell_id"))
    assert "not in the plan" in found(pl.concat([good, elsewhere]))


def test_a_relation_that_names_a_value_nobody_publishes_is_refused() -> None:
    table = {"measures": ["incidents"], "areas": ["region"], "breakdowns": ["total", "sex"]}
    policy = policy_for(table, also="2 incidents >= incidents[sex: male]")
    total = region(incidents=20)
    divided = total.with_columns(breakdown=pl.lit("sex"), breakdown_value=pl.lit("Male"))
    cells = pl.concat([divided, total]).with_columns(CELL_ID.alias("cell_id"))
    assert reasons(attack(cells, [20, 20], policy, ONE)) == {"without a value that a relation names"}
    named = cells.with_columns(pl.col("breakdown_value").replace("Male", "male")).with_columns(CELL_ID.alias("cell_id"))
    assert attack(named, [20, 20], policy, ONE).passed


def test_the_audit_shares_no_code_with_the_protector() -> None:
    protector = {"pipelines.disclosure.system", "pipelines.disclosure.rounding", "pipelines.disclosure.protect"}
    for module in (gate, attacker):
        tree = ast.parse(inspect.getsource(module))
        froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert "pipelines.disclosure.policy" in froms
        assert not protector & (froms | names)


def test_unreadable_cells_are_refused() -> None:
    published = as_published(towns(23, 12, 3, 7, 1), [25, 10, 5, 10, 0])
    unsafe = pl.DataFrame(schema=TARGET)
    with pytest.raises(CellsError, match="within"):
        audit(published.drop("within"), unsafe, INCIDENTS, TOWNS)
    with pytest.raises(CellsError, match="1 with an empty field"):
        audit(published.with_columns(pl.col("count").replace(5, None)), unsafe, INCIDENTS, TOWNS)
    with pytest.raises(CellsError, match="repeated"):
        audit(pl.concat([published, published.head(1)]), unsafe, INCIDENTS, TOWNS)


def test_a_period_that_the_audit_cannot_place_is_refused() -> None:
    policy = policy_for({"measures": ["incidents"]}, periods=("fortnight",))
    policy = Policy(**{**vars(policy), "tables": tuple(
        type(table)(**{**vars(table), "period_types": ("fortnight",)}) for table in policy.tables
    )})  # fmt: skip
    cells = towns(23, 12, 3, 7, 1).with_columns(period_type=pl.lit("fortnight"), period_end=date(2024, 3, 31))
    with pytest.raises(PolicyError, match="fortnight"):
        attack(cells.with_columns(CELL_ID.alias("cell_id")), [25, 10, 5, 10, 0], policy)
