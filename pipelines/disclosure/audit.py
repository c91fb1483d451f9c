"""The gate: is every small count still protected from the `attacker`, and is the published table what it claims to be?

Verdicts and the report belong here; the facts and the search do not. Like the attacker, it must not import `system` or
`rounding`. It sees no true count except those that it is asked to protect.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
import polars as pl
import scipy

from pipelines.disclosure.attacker import Knowledge, Whole, public_knowledge
from pipelines.disclosure.errors import CellsError, InfeasibleError, SolverError
from pipelines.disclosure.policy import AREA_LEVELS, Geography, Policy

Progress = Callable[[int, int], None]

_COLUMNS = [
    "cell_id",
    "measure",
    "basis",
    "area_code",
    "period_type",
    "period_start",
    "period_end",
    "breakdown",
    "breakdown_value",
    "count",
    "symbol",
    "within",
]
_IN_PLAN = ["measure", "basis", "period_type", "breakdown"]
_SOLVER = f"HiGHS through scipy {scipy.__version__}"
# A witness need not be the most extreme table, only a possible one; proving that it is the most extreme takes the time.
_WITNESS_GAP = 0.05


@dataclass(frozen=True)
class Finding:
    """One reason to refuse: a cell's coordinates and what is wrong, never a value."""

    cell_id: str
    reason: str


@dataclass(frozen=True)
class AuditReport:
    """What the attack came to.

    Attributes:
        cells: published cells attacked.
        releases: earlier releases that they were attacked together with.
        facts: facts that the attacker used.
        unsafe: cells that need protection.
        protected_by_witness: of these, shown to be protected by possible tables found for many cells at once.
        protected_alone: of these, shown to be protected by attacking the cell by itself.
        least_width: least width that is proved to remain of any protected cell's interval; null without such cells.
        refused: reasons to refuse, in canonical order.
        policy_version: version of the policy that says what protection is.
        solver: what searched for the tables.
        verdicts: cell_id, low, high (possible values that were found) and verdict ('' = protected) of each unsafe cell.
            Restricted: a list of the cells that were attacked says which counts are small.
        seconds: time taken; not part of `to_json`, so that the same release gives the same bytes.
    """

    cells: int
    releases: int
    facts: int
    unsafe: int
    protected_by_witness: int
    protected_alone: int
    least_width: int | None
    refused: tuple[Finding, ...]
    policy_version: str
    solver: str
    verdicts: pl.DataFrame = field(repr=False, compare=False)
    seconds: float = field(compare=False)

    @property
    def passed(self) -> bool:
        """Whether the release may go out: nothing refused, and every unsafe cell shown to be protected."""
        return not self.refused and self.unsafe == self.protected_by_witness + self.protected_alone

    def to_json(self) -> str:
        """The public report as canonical JSON; it names cells only where it refuses."""
        content = {
            "passed": self.passed,
            "cells": self.cells,
            "earlier_releases": self.releases,
            "facts": self.facts,
            "unsafe_cells": self.unsafe,
            "protected_by_witness": self.protected_by_witness,
            "protected_alone": self.protected_alone,
            "least_width_proved": self.least_width,
            "refused": [{"cell_id": finding.cell_id, "reason": finding.reason} for finding in self.refused],
            "policy_version": self.policy_version,
            "solver": self.solver,
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def audit(
    published: pl.DataFrame,
    unsafe: pl.DataFrame,
    policy: Policy,
    geography: Geography,
    *,
    earlier: pl.DataFrame | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Attack what is to be published.

    A cell counts as protected when possible tables have been found, and checked against every fact in whole numbers,
    that differ enough in that cell. A pass therefore does not rest on the solver being right; only a refusal does.

    Args:
        published: coordinates, rounded count, symbol and `within` of each cell. The counts behind the symbol `x` are
            given too: the other cells' sums give most of them away, so the attacker is granted all.
        unsafe: cell_id and true count of each cell that must be protected.
        policy: facts, plan and requirement, all of them public.
        geography: the region and its boroughs.
        earlier: what earlier releases published: columns of the ledger. Attacked together with `published`.
        seconds: time limit of each search; default that of the policy.
        progress: called with (groups done, groups) after each group of linked cells that has unsafe ones.

    Returns:
        The report. Whatever is not proved to be protected is a reason to refuse.

    Raises:
        CellsError: if a column is missing, a field empty or a cell repeated.
        PolicyError: if a period type is unknown to the audit.
    """
    started = perf_counter()
    policy = policy if seconds is None else replace(policy, seconds_per_component=seconds)
    cells = _readable(published)
    planned = cells.join(policy.plan(), on=_IN_PLAN, how="semi").with_columns(empty=_known_empty(unsafe))
    known = public_knowledge(_after(planned, earlier, policy, geography), policy, geography)
    findings = [*_misfits(cells, unsafe, policy, geography), *_contradictions(planned, known)]
    verdicts = _verdicts(planned, unsafe, known, policy, progress)
    failed = verdicts.filter(pl.col("verdict") != "")
    findings += [Finding(*row) for row in failed.select("cell_id", "verdict").iter_rows()]
    protected = verdicts.filter(pl.col("verdict") == "")
    alone = int(protected.get_column("alone").sum())
    least = protected.select((pl.col("high") - pl.col("low")).min()).item()
    return AuditReport(
        cells=cells.height,
        releases=0 if earlier is None else earlier.get_column("sequence").n_unique(),
        facts=known.rows.shape[0],
        unsafe=unsafe.height,
        protected_by_witness=protected.height - alone,
        protected_alone=alone,
        least_width=least,
        refused=tuple(sorted(set(findings), key=lambda finding: (finding.cell_id, finding.reason))),
        policy_version=policy.version,
        solver=_SOLVER,
        verdicts=verdicts.select("cell_id", "low", "high", "verdict"),
        seconds=perf_counter() - started,
    )


def _readable(published: pl.DataFrame) -> pl.DataFrame:
    missing = sorted(set(_COLUMNS) - set(published.columns))
    if missing:
        message = f"The audit cannot read cells without {', '.join(missing)}."
        raise CellsError(message)
    cells = published.select(_COLUMNS).sort("cell_id")
    empty = int(cells.select(pl.any_horizontal(pl.all().is_null()).sum()).item())
    repeated = int(cells.select(pl.struct(_COLUMNS[1:9]).is_duplicated().sum()).item())
    repeated += int(cells.get_column("cell_id").is_duplicated().sum())
    if empty or repeated:
        message = f"The audit cannot read the cells: {empty} with an empty field, {repeated} repeated."
        raise CellsError(message)
    return cells


def _known_empty(unsafe: pl.DataFrame) -> pl.Expr:
    """Cells that an outsider may take to be zero because nothing was delivered, where that is not a false belief."""
    return (pl.col("symbol") == "x") & (pl.col("count") == 0) & ~pl.col("cell_id").is_in(unsafe["cell_id"].to_list())


def _misfits(cells: pl.DataFrame, unsafe: pl.DataFrame, policy: Policy, geography: Geography) -> Iterator[Finding]:
    """Cells that are not what the policy says is published, and unsafe cells that the publication misstates."""
    level = (
        pl.when(pl.col("area_code") == geography.region).then(pl.lit(AREA_LEVELS[1])).otherwise(pl.lit(AREA_LEVELS[0]))
    )
    inside = pl.col("area_code").is_in([geography.region, *geography.boroughs])
    placed = cells.with_columns(area_level=level)
    unplanned = placed.join(
        policy.plan(), on=["measure", "basis", "period_type", "area_level", "breakdown"], how="anti"
    )
    beside = cells.select("cell_id", printed="count", within="within").join(unsafe, on="cell_id", how="right")
    faults = {
        "not in the plan": pl.concat([unplanned, placed.filter(~inside)]),
        "not rounded": cells.filter((pl.col("count") % policy.base != 0) | (pl.col("count") < 0)),
        "unknown reach": cells.filter(~pl.col("within").is_in(policy.reach)),
        "unknown symbol": cells.filter(~pl.col("symbol").is_in(["", "u", "x"])),
        "not published": beside.filter(pl.col("printed").is_null()),
        "not within its reach": beside.filter((pl.col("printed") - pl.col("count")).abs() > pl.col("within")),
        "missing beside this cell": _incomplete(placed, geography),
        "without a value that a relation names": _unnamed(cells, policy),
    }
    for reason, found in faults.items():
        yield from (Finding(cell_id, reason) for cell_id in found.get_column("cell_id"))
    absent = policy.plan().join(placed, on=["measure", "basis", "period_type", "area_level", "breakdown"], how="anti")
    yield from (Finding("|".join(row), "planned but missing") for row in absent.iter_rows())


def _unnamed(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Cells of a measure and breakdown of which a relation names a value that is not published anywhere."""
    named = pl.DataFrame(
        {"name": [count for relation in policy.relations for count, _ in relation.terms if "[" in count]},
        schema={"name": pl.String},
    ).select(
        pl.col("name")
        .str.extract_groups(r"^(?<measure>\w+)\[(?<breakdown>\w+): (?<breakdown_value>.+)\]$")
        .struct.unnest()
    )
    absent = named.join(cells, on=["measure", "breakdown", "breakdown_value"], how="anti")
    return cells.join(absent, on=["measure", "breakdown"], how="semi")


def _incomplete(placed: pl.DataFrame, geography: Geography) -> pl.DataFrame:
    """Cells of a part of the plan that lacks an area, a period or a value: a fact may be missing with it."""
    part = ["measure", "basis", "period_type", "area_level", "breakdown"]
    areas = {"region": 1, "borough": len(geography.boroughs)}
    periods = placed.group_by("basis", "period_type").agg(periods=pl.col("period_start").n_unique())
    values = placed.group_by("breakdown").agg(values=pl.col("breakdown_value").n_unique())
    expected = (
        pl.col("area_level").replace_strict(areas, return_dtype=pl.Int64) * pl.col("periods") * pl.col("values")
    ).cast(pl.Int64)
    counted = placed.group_by(part).agg(pl.len().cast(pl.Int64), pl.col("cell_id").min())
    return (
        counted.join(periods, on=["basis", "period_type"])
        .join(values, on="breakdown")
        .filter(pl.col("len") != expected)
    )


def _after(planned: pl.DataFrame, earlier: pl.DataFrame | None, policy: Policy, geography: Geography) -> pl.DataFrame:
    """This release's cells, in order, followed by those of earlier releases that were shown and are still planned."""
    if earlier is None or earlier.is_empty():
        return planned.with_columns(release=pl.lit(1, dtype=pl.Int64))
    now = planned.with_columns(release=pl.lit(earlier.get_column("sequence").max(), dtype=pl.Int64) + 1)
    before = (
        earlier.filter(pl.col("count").is_not_null())
        .join(policy.plan(), on=_IN_PLAN, how="semi")
        .with_columns(release=pl.col("sequence"), empty=pl.lit(value=False))
        .select(now.columns)
    )
    groups = public_knowledge(now, policy, geography).groups()
    label = pl.DataFrame(
        {
            "cell_id": now.get_column("cell_id").gather(np.concatenate(groups)),
            "group": np.repeat(range(len(groups)), [*map(len, groups)]),
        }
    )
    stacked = pl.concat([now, before]).join(label, on="cell_id", how="left", maintain_order="left")
    return _without_repetition(stacked).drop("group")


def _without_repetition(stacked: pl.DataFrame) -> pl.DataFrame:
    """Leave out what a release said of a group of linked cells where the next one said exactly the same.

    It adds nothing: whatever was possible of the later is possible of the earlier with the same counts. So a year that
    no late record touches costs the attack nothing, however often it is released.
    """
    said = pl.format("{} {} {}", "cell_id", "count", "within").sort().str.join("\n")
    told = stacked.group_by("group", "release").agg(said=said).sort("group", "release")
    repeated = told.filter(pl.col("said") == pl.col("said").shift(-1).over("group"))
    return stacked.join(repeated, on=["group", "release"], how="anti", nulls_equal=True, maintain_order="left")


def _contradictions(planned: pl.DataFrame, known: Knowledge) -> list[Finding]:
    """Facts that this release's counts contradict: the published table must itself be a possible table."""
    ids = planned.get_column("cell_id")
    alone = known.about(np.arange(planned.height))
    facts = alone.contradicted(planned.get_column("count").to_numpy())
    firsts = alone.rows.indices[alone.rows.indptr[facts]]
    return [
        Finding(ids[int(cell)], f"contradicts: {alone.reasons[fact]}") for fact, cell in zip(facts, firsts, strict=True)
    ]


def _verdicts(
    cells: pl.DataFrame,
    unsafe: pl.DataFrame,
    known: Knowledge,
    policy: Policy,
    progress: Progress | None,
) -> pl.DataFrame:
    """Attack group by group: cell_id, low, high, verdict and whether the cell was attacked alone."""
    wanted = np.flatnonzero(cells.get_column("cell_id").is_in(unsafe["cell_id"].to_list()).to_numpy())
    groups = [(group, targets) for group in known.groups() if len(targets := np.intersect1d(group, wanted))]
    found = []
    for done, (group, targets) in enumerate(groups, start=1):
        # Earlier releases come after this one's cells, so that these keep their numbers without them.
        of_this_release = group[group < cells.height]
        attack = _Attack(
            known=_believable(known, group, of_this_release, policy.seconds_per_component),
            printed=cells.get_column("count").to_numpy()[of_this_release],
            targets=np.searchsorted(group, targets),
            policy=policy,
        )
        found.append(attack.verdicts().with_columns(cell_id=cells.get_column("cell_id").gather(targets)))
        if progress is not None:
            progress(done, len(groups))
    schema = {"cell_id": pl.String, "low": pl.Int64, "high": pl.Int64, "verdict": pl.String, "alone": pl.Boolean}
    return pl.concat([pl.DataFrame(schema=schema), *(frame.select(*schema) for frame in found)]).sort("cell_id")


def _believable(known: Knowledge, group: Whole, of_this_release: Whole, seconds: float) -> Knowledge:
    """What is known of a group together with earlier releases, or without them where the two cannot both be true.

    They cannot after a correction that takes records away; an outsider then learns that late records did not only add.
    """
    together = known.about(group)
    if len(group) == len(of_this_release):
        return together
    try:
        together.extreme(np.zeros(len(group)), seconds)
    except InfeasibleError:
        return known.about(of_this_release)
    except SolverError:
        return together  # the attack itself will not get further, and refuses
    return together


class _Attack:
    """The attack on the unsafe cells of one group: which values of each have been shown to be possible."""

    def __init__(self, known: Knowledge, printed: Whole, targets: Whole, policy: Policy) -> None:
        self.known = known
        self.targets = targets
        self.policy = policy
        self.seconds = policy.seconds_per_component
        self.low = np.full(len(targets), np.iinfo(np.int64).max)
        self.high = np.full(len(targets), -1)
        self.alone = np.zeros(len(targets), dtype=bool)
        # What is published is the first possible table, and the only one that need not be searched for.
        if len(printed) == len(known.low) and known.allows(printed):
            self._witness(printed)

    def verdicts(self) -> pl.DataFrame:
        """Low, high, verdict and alone, one row for each target."""
        verdict = [""] * len(self.targets)
        try:
            self._search_together()
            for number in self._open():
                verdict[number] = self._search_alone(int(number))
        except SolverError:
            for number in self._open():
                verdict[number] = verdict[number] or "not proved"
        shown = self.high >= 0
        return pl.DataFrame(
            {
                "low": pl.Series(np.where(shown, self.low, 0)),
                "high": pl.Series(np.where(shown, self.high, 0)),
                "verdict": pl.Series(verdict, dtype=pl.String),
                "alone": pl.Series(self.alone),
            }
        )

    def _open(self) -> Whole:
        """Targets not yet shown to be protected."""
        protected = [
            self.policy.protects(int(low), int(high), self.policy.minimum_width)
            for low, high in zip(self.low, self.high, strict=True)
        ]
        return np.flatnonzero(~np.array(protected, dtype=bool))

    def _witness(self, table: Whole) -> None:
        self.low = np.minimum(self.low, table[self.targets])
        self.high = np.maximum(self.high, table[self.targets])

    def _search_together(self) -> None:
        """Look for tables that are high, or low, in all open targets at once, while that shows something new."""
        before = np.array([-1])
        while not np.array_equal(before, still := self._open()) and len(still):
            weight = np.zeros(len(self.known.low))
            weight[self.targets[still]] = 1
            self._witness(self.known.extreme(weight, self.seconds, _WITNESS_GAP))
            self._witness(self.known.extreme(-weight, self.seconds, _WITNESS_GAP))
            before = still

    def _search_alone(self, number: int) -> str:
        """The exact interval of one target, and its verdict."""
        cell = int(self.targets[number])
        low, high = self.known.interval(cell, self.seconds)
        self.low[number], self.high[number] = low, high
        self.alone[number] = True
        if self.policy.protects(low, high, self._possible_width(cell)):
            return ""
        if low == high:
            return "exactly known"
        return "known to be small" if low > 0 and high <= self.policy.unsafe_to else "known too closely"

    def _possible_width(self, cell: int) -> int:
        """Width that the relations at the cell's own coordinate leave of its window, whatever else is published."""
        local = self.known.about(np.arange(len(self.known.low)), local=True)
        low, high = local.interval(cell, self.seconds)
        return high - low
