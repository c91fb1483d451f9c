"""Only what the audit passes leaves, the same each time, without anything secret; a broken protector is stopped."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.disclosure.audit import AuditReport, Finding, audit
from pipelines.disclosure.cells import PUBLISHED_CELL, planned_cells
from pipelines.disclosure.errors import CellsError
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.ledger import append_release, read_ledger
from pipelines.disclosure.protect import DisclosureRefused, Past, Protection, protect
from pipelines.disclosure.rounding import Rounded
from pipelines.disclosure.system import System
from tests.disclosure_data import POLICY, TOWNS, count_cells, policy_for, simulate

KEY = RoundingKey(bytes(range(32)))
module = importlib.import_module("pipelines.disclosure.protect")
# Two tables of the plan, for what takes many attacks.
SHORT = policy_for(
    {"measures": ["incidents", "children"], "breakdowns": ["total", "sex", "age_band"]},
    {"basis": "B", "measures": ["rhi_eligible", "rhi_offered", "rhi_completed", "rhi_declined"]},
)


@pytest.fixture(scope="module")
def cells() -> pl.DataFrame:
    """True cells of a small region with many small counts."""
    return count_cells(simulate(11, 60, 1, TOWNS), TOWNS)


@pytest.fixture(scope="module")
def passed(cells: pl.DataFrame) -> Protection:
    """What may be published of it."""
    return protect(cells, POLICY, KEY, TOWNS)


def test_what_is_published_has_only_public_columns_and_rounded_counts(passed: Protection, cells: pl.DataFrame) -> None:
    assert dict(passed.cells.schema) == PUBLISHED_CELL
    assert passed.report.passed
    assert passed.report.verdicts.filter(kind="small").height > 50
    assert passed.cells.get_column("cell_id").equals(planned_cells(cells, POLICY, TOWNS).get_column("cell_id"))
    assert (passed.cells.get_column("count").drop_nulls() % 5 == 0).all()
    assert set(passed.cells.get_column("symbol")) == {"", "c"}
    assert passed.cells.filter(symbol="c").get_column("count").null_count() == passed.cells.filter(symbol="c").height
    assert set(passed.cells.get_column("method")) == {"controlled_rounding"}


def test_the_same_input_gives_the_same_bytes(passed: Protection, cells: pl.DataFrame) -> None:
    again = protect(cells.sample(fraction=1, shuffle=True, seed=2), POLICY, KEY, TOWNS)
    assert again.cells.write_csv() == passed.cells.write_csv()
    assert again.report.to_json() == passed.report.to_json()


def test_coverage_shows_as_a_symbol(cells: pl.DataFrame) -> None:
    covered = cells.with_columns(
        coverage=pl.col("area_code").replace_strict({"T1": "none", "T2": "partial"}, default="complete")
    )
    published = protect(covered, SHORT, KEY, TOWNS).cells
    published = published.with_columns(pl.col("symbol").replace("c", ""))
    by_area = {area: published.filter(area_code=area) for area in ("T1", "T3", "R")}
    of_part = published.filter(area_code="T2")
    assert by_area["T1"].get_column("count").null_count() == by_area["T1"].height
    assert {area: set(frame["symbol"]) for area, frame in by_area.items()} == {
        "T1": {"x"},
        "T3": {""},
        "R": {""},
    }
    assert set(of_part["symbol"]) <= {"u", ""}
    assert of_part.filter(symbol="u").get_column("count").null_count() == 0


def test_a_region_that_sent_nothing_can_be_published() -> None:
    nothing = count_cells(simulate(1, 0, 1, TOWNS), TOWNS).with_columns(coverage=pl.lit("none"))
    passed = protect(nothing, POLICY, KEY, TOWNS)
    assert passed.report.passed
    assert passed.report.least_width is None
    assert passed.cells.get_column("count").null_count() == passed.cells.height > 300


def test_counts_that_contradict_the_policy_are_refused_without_being_quoted(cells: pl.DataFrame) -> None:
    one = pl.col("cell_id") == "incidents|A|R|year_to_march|2021-04-01|total|Total"
    more = cells.with_columns(count=pl.when(one).then(4711).otherwise("count"))
    with pytest.raises(CellsError, match="incidents by borough") as refusal:
        protect(more, POLICY, KEY, TOWNS)
    assert "4711" not in str(refusal.value)


def refusing(report: AuditReport, cells: list[str]) -> AuditReport:
    """The same report with one more doubt about each of some cells."""
    doubts = pl.DataFrame(
        {"target_id": cells, "kind": "small", "low": 0, "high": 0, "verdict": "known too closely"},
        schema=report.verdicts.schema,
    )
    findings = tuple(Finding(cell, "known too closely") for cell in cells)
    return replace(report, refused=findings, verdicts=pl.concat([report.verdicts, doubts]))


def exactly(counts: np.ndarray) -> np.ndarray:
    """A protector that does not protect."""
    return counts


def to_the_nearest(counts: np.ndarray) -> np.ndarray:
    """A protector that rounds each cell for itself."""
    return (counts + 2) // 5 * 5


def up(counts: np.ndarray) -> np.ndarray:
    """A protector that rounds every cell up."""
    return -(-counts // 5) * 5


def hiding_small_ones(counts: np.ndarray) -> np.ndarray:
    """A protector that hides only the small counts."""
    return np.where(counts <= 5, 0, counts)


@pytest.mark.parametrize("broken", [exactly, to_the_nearest, up, hiding_small_ones])
def test_a_broken_protector_is_stopped(
    cells: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, broken: Callable[[np.ndarray], np.ndarray]
) -> None:
    def rounding(system: System, *_: object, **__: object) -> Rounded:
        counts = system.cells.get_column("count").to_numpy()
        return Rounded(broken(counts), np.full_like(counts, SHORT.reach[-1]))

    monkeypatch.setattr(module, "round_counts", rounding)
    with pytest.raises(DisclosureRefused) as refusal:
        protect(cells, SHORT, KEY, TOWNS)
    assert not refusal.value.report.passed
    assert "|" not in str(refusal.value)


def test_a_protector_that_forgets_facts_is_stopped(cells: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    build = module.build_system

    def forgetful(*arguments: object) -> System:
        system = build(*arguments)
        kept = np.array(["by borough" not in reason for reason in system.reasons])
        return System(
            system.cells, system.matrix[kept], system.equality[kept], tuple(np.array(system.reasons)[kept]),
            system.needs, system.needs_reasons,
        )  # fmt: skip

    monkeypatch.setattr(module, "build_system", forgetful)
    with pytest.raises(DisclosureRefused) as refusal:
        protect(cells, SHORT, KEY, TOWNS)
    assert any(finding.reason.startswith("contradicts: area") for finding in refusal.value.report.refused)


def test_a_refused_count_is_rounded_further_out_then_hidden_and_others_stay(
    cells: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacks: list[pl.DataFrame] = []
    doubted = "rhi_declined|B|R|year_to_march|2021-04-01|total|Total"

    def suspicious_at_first(published: pl.DataFrame, *arguments: Any, **options: Any) -> AuditReport:
        report = audit(published, *arguments, **options)
        attacks.append(published)
        return refusing(report, [doubted]) if len(attacks) <= len(SHORT.reach) else report

    monkeypatch.setattr(module, "audit", suspicious_at_first)
    again = protect(cells, SHORT, KEY, TOWNS).cells
    within = [attack.filter(cell_id=doubted).item(0, "within") for attack in attacks]
    assert within[:3] == list(SHORT.reach)
    assert again.filter(cell_id=doubted).item(0, "symbol") == "c"
    # Nobody can tell from how far a count may be from the truth that just this one was refused.
    place = ["area_code", "period_type", "period_start"]
    further = again.filter(pl.col("within") != 4)
    assert further.height > 1
    assert further.select(place).unique().rows() == again.filter(cell_id=doubted).select(place).rows()
    assert further.height == again.join(further, on=place, how="semi").height


def test_after_the_last_reach_the_release_is_refused(cells: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_satisfied(published: pl.DataFrame, *arguments: Any, **options: Any) -> AuditReport:
        return refusing(audit(published, *arguments, **options), published.get_column("cell_id").to_list())

    monkeypatch.setattr(module, "audit", never_satisfied)
    with pytest.raises(DisclosureRefused, match="refuses the release"):
        protect(cells, SHORT, KEY, TOWNS)


def test_a_later_release_moves_few_figures_and_withstands_the_joint_attack(tmp_path: Path, passed: Protection) -> None:
    episodes = simulate(11, 60, 1, TOWNS)
    released: list[Protection] = []
    for release, known in (("r1", episodes.head(-2)), ("r2", episodes)):
        made = protect(count_cells(known, TOWNS), POLICY, KEY, TOWNS, past=Past(read_ledger(tmp_path)))
        append_release(tmp_path, release, made.cells, policy_version=POLICY.version, key_fingerprint=KEY.fingerprint)
        released.append(made)
    first, second = released
    assert (first.report.releases, second.report.releases) == (0, 1)
    both = first.cells.join(second.cells, on="cell_id", suffix="_now")
    moved = both.filter(pl.col("count") != pl.col("count_now")).height
    unpinned = passed.cells.join(first.cells, on="cell_id")
    assert moved < unpinned.filter(pl.col("count") != pl.col("count_right")).height
    assert moved < both.height / 10


def test_published_again_with_nothing_new_everything_stays_and_is_found_at_once(tmp_path: Path) -> None:
    cells = count_cells(simulate(1, 20, 1, TOWNS), TOWNS)
    first = protect(cells, SHORT, KEY, TOWNS)
    assert first.cells.filter(symbol="c").height > 0
    append_release(tmp_path, "r1", first.cells, policy_version=SHORT.version, key_fingerprint=KEY.fingerprint)
    again = protect(cells, SHORT, KEY, TOWNS, past=Past(read_ledger(tmp_path), witnesses=first.report.witnesses))
    assert again.cells.equals(first.cells)
    assert again.public.to_json() == first.public.to_json()
    assert again.report.releases == 0


def test_progress_names_its_stage(cells: pl.DataFrame) -> None:
    seen: list[tuple[str, int, int]] = []
    protect(cells, SHORT, KEY, TOWNS, progress=lambda *step: seen.append(step))
    assert seen[:4] == [("rounding", 1, 2), ("rounding", 2, 2), ("audit", 1, 2), ("audit", 2, 2)]


def test_where_no_pattern_helps_whatever_stands_in_a_fact_with_the_refused_count_is_hidden(
    cells: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "B|R|year_to_march|2021-04-01|total|Total"
    doubted, told_by = f"rhi_declined|{place}", f"rhi_offered|{place}"

    def only_together(published: pl.DataFrame, *arguments: Any, **options: Any) -> AuditReport:
        report = audit(published, *arguments, **options)
        hidden = published.filter(symbol="c").get_column("cell_id").to_list()
        return report if told_by in hidden else refusing(report, [doubted])

    monkeypatch.setattr(module, "audit", only_together)
    made = protect(cells, SHORT, KEY, TOWNS).cells
    assert set(made.filter(pl.col("cell_id").is_in([doubted, told_by]))["symbol"]) == {"c"}
    assert made.filter(symbol="c").height < made.height / 2
    assert made.filter(pl.col("symbol") == "c", pl.col("cell_id").str.starts_with("children|")).is_empty()
