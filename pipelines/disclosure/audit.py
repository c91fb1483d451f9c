"""The gate: is every small count still protected from the `attacker`, and is the published table what it claims to be?

Verdicts and the report belong here; the facts and the search do not. Like the attacker, it must not import `system` or
`rounding`. It sees no true count except those that it is asked to protect.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.attacker import Knowledge, Whole, own_windows, public_knowledge
from pipelines.disclosure.errors import CellsError, InfeasibleError, SolverError
from pipelines.disclosure.merging import merge_releases
from pipelines.disclosure.policy import AREA_LEVELS, Geography, Policy
from pipelines.disclosure.second_solver import intervals
from pipelines.disclosure.targets import Targets, find_targets, possible_targets

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
    "method",
    "within",
]
_MAY_BE_EMPTY = ("count",)
_IN_PLAN = ["measure", "basis", "period_type", "breakdown"]
_SOLVER = f"HiGHS through scipy {scipy.__version__}"
_FAULTS = {"dominated": "one child makes most of it", "share": "a share of none, all or all but one"}
_DISPUTED = "a second solver does not agree, or came to no end"
# At how many cells the surroundings are enough for both solvers to have something to do.
_AROUND = 300
# The number of the release that is attacked: later than all before it, and the same however many these are.
_NOW = 2**31
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
        releases: earlier releases, saying something else, that they were attacked together with.
        facts: facts that the attacker used.
        outside: exact counts of others that the attacker used.
        attacked: counts, differences and shares that the attack aimed at.
        protected_by_witness: of these, shown to be protected by possible tables found for many at once.
        protected_alone: of these, shown to be protected by attacking them one by one.
        least_width: least width that is proved to remain of any small count's interval; null without one.
        cross_checked: intervals that an unrelated solver found too.
        refused: reasons to refuse, in canonical order.
        policy_version: version of the policy that says what protection is.
        solver: what searched for the tables.
        verdicts: target_id, kind, low, high (possible values that were found) and verdict ('' = protected) of each.
            Restricted, but for kind "possible", which anybody can list: which counts are small is not public.
        witnesses: release, cell_id, values: the possible tables that were found, each checked against every fact. They
            need not be searched for again. Restricted.
        seconds: time taken; not part of `to_json`, so that the same release gives the same bytes.
    """

    cells: int
    releases: int
    facts: int
    outside: int
    attacked: int
    protected_by_witness: int
    protected_alone: int
    least_width: int | None
    cross_checked: int
    refused: tuple[Finding, ...]
    policy_version: str
    solver: str
    verdicts: pl.DataFrame = field(repr=False, compare=False)
    witnesses: pl.DataFrame = field(repr=False, compare=False)
    seconds: float = field(compare=False)

    @property
    def passed(self) -> bool:
        """Whether the release may go out: nothing refused, and every target shown to be protected."""
        return not self.refused and self.attacked == self.protected_by_witness + self.protected_alone

    def to_json(self) -> str:
        """The public report as canonical JSON: what anybody may attack, and which values of it remain possible."""
        open_to_all = self.verdicts.filter(kind="possible")
        content = {
            "passed": self.passed,
            "cells": self.cells,
            "earlier_releases": self.releases,
            "facts": self.facts,
            "least_width_proved": self.least_width,
            "cross_checked": self.cross_checked,
            "refused": [{"cell_id": finding.cell_id, "reason": finding.reason} for finding in self.refused],
            "policy_version": self.policy_version,
            "solver": self.solver,
            "possible_values": {
                target: [low, high] for target, low, high in open_to_all.select("target_id", "low", "high").iter_rows()
            },
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Search:
    """How an attack is carried out.

    Attributes:
        seconds: time limit of each search; without one, that of the policy.
        cross_checks: how many intervals an unrelated solver looks for as well.
        remembered: witnesses of an earlier audit. They are believed only where they stand every check again.
        progress: called with (groups done, groups) after each group of linked cells that is aimed at.
    """

    seconds: float | None = None
    cross_checks: int = 0
    remembered: pl.DataFrame | None = None
    progress: Progress | None = None


def audit(
    published: pl.DataFrame,
    wanted: pl.DataFrame,
    policy: Policy,
    geography: Geography,
    *,
    earlier: pl.DataFrame | None = None,
    outside: pl.DataFrame | None = None,
    search: Search | None = None,
) -> AuditReport:
    """Attack what is to be published.

    A target counts as protected when possible tables have been found, and checked against every fact in whole numbers,
    that differ enough in it. A pass therefore does not rest on the solver being right; only a refusal does.

    Args:
        published: coordinates, printed count, symbol, method and `within` of each cell. The counts behind the symbol
            `x` may be given too: the other cells' sums give most of them away, so the attacker is granted all.
        wanted: what must be protected, columns of `targets.TARGET`.
        policy: facts, plan and requirement, all of them public.
        geography: the region and its boroughs.
        earlier: what earlier releases published: columns of the ledger. Attacked together with `published`.
        outside: cell_id and exact count of cells that others publish too.
        search: limits, progress and what is remembered; by default those of the policy, none and nothing.

    Returns:
        The report. Whatever is not proved to be protected is a reason to refuse.

    Raises:
        CellsError: if a column is missing, a field empty or a cell repeated.
        PolicyError: if a period type is unknown to the audit.
    """
    started = perf_counter()
    search = search or Search()
    policy = policy if search.seconds is None else replace(policy, seconds_per_component=search.seconds)
    cells = _readable(published)
    planned = cells.join(policy.plan(), on=_IN_PLAN, how="semi").with_columns(empty=_known_empty(wanted))
    every = _after(planned, earlier, policy, geography)
    known = public_knowledge(every, policy, geography)
    beliefs = (with_outside(known, planned, outside), known)
    aims = find_targets(planned, wanted, policy)
    findings = [*_misfits(cells, wanted, policy, geography), *_contradictions(planned, known)]
    findings += [Finding(target, "not published") for target in set(wanted["target_id"]) - set(aims.ids)]
    aims = _worth_aiming_at(aims, known, policy)
    attacks = [*_attacks(every, beliefs, aims, policy, search)]
    verdicts = pl.concat([_NO_VERDICT, *(attack.verdicts() for attack in attacks)]).sort("target_id", "kind")
    failed = verdicts.filter(pl.col("verdict") != "")
    findings += [Finding(*row) for row in failed.select("target_id", "verdict").iter_rows()]
    checked = _cross_check(attacks, search.cross_checks, policy) if failed.is_empty() else 0
    findings += [Finding("", _DISPUTED)] if checked < 0 else []
    protected = verdicts.filter(pl.col("verdict") == "")
    alone = int(protected.get_column("alone").sum())
    of_small = protected.filter(pl.col("kind").is_in(["small", "possible"]))
    return AuditReport(
        cells=cells.height,
        releases=every.get_column("release").n_unique() - 1,
        facts=known.rows.shape[0],
        outside=0 if outside is None else outside.height,
        attacked=verdicts.height,
        protected_by_witness=protected.height - alone,
        protected_alone=alone,
        least_width=of_small.select((pl.col("high") - pl.col("low")).min()).item(),
        cross_checked=max(checked, 0),
        refused=tuple(sorted(set(findings), key=lambda finding: (finding.cell_id, finding.reason))),
        policy_version=policy.version,
        solver=_SOLVER,
        verdicts=verdicts.drop("alone"),
        witnesses=pl.concat([_NO_WITNESS, *(attack.witnesses() for attack in attacks)]),
        seconds=perf_counter() - started,
    )


_NO_VERDICT = pl.DataFrame(
    schema={
        "target_id": pl.String,
        "kind": pl.String,
        "low": pl.Int64,
        "high": pl.Int64,
        "verdict": pl.String,
        "alone": pl.Boolean,
    }
)
_NO_WITNESS = pl.DataFrame(schema={"release": pl.Int64, "cell_id": pl.String, "values": pl.List(pl.Int64)})


def what_anybody_would_try(published: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The targets that follow from what is printed alone, columns of `targets.TARGET`.

    Not those of which nothing is printed because nothing was received, and that printed counts do not give away: of
    them there is nothing to try.
    """
    cells = _readable(published).filter((pl.col("symbol") != "x") | pl.col("count").is_not_null())
    low, high = own_windows(cells, policy)
    return possible_targets(cells, low, high, policy)


def with_outside(known: Knowledge, planned: pl.DataFrame, outside: pl.DataFrame | None) -> Knowledge:
    """What is known to somebody who also has others' exact counts of some cells of this release.

    An outside count that a cell's own printed value excludes is not of the same children, and is left out.
    """
    if outside is None or outside.is_empty():
        return known
    numbered = planned.select("cell_id").with_row_index("cell")
    exact = numbered.join(outside.select("cell_id", exact="count"), on="cell_id")
    cell, count = exact.get_column("cell").to_numpy(), exact.get_column("exact").to_numpy()
    fits = (known.low[cell] <= count) & (count <= known.high[cell])
    low, high = known.low.copy(), known.high.copy()
    low[cell[fits]] = high[cell[fits]] = count[fits]
    return replace(known, low=low, high=high)


def _readable(published: pl.DataFrame) -> pl.DataFrame:
    missing = sorted(set(_COLUMNS) - set(published.columns))
    if missing:
        message = f"The audit cannot read cells without {', '.join(missing)}."
        raise CellsError(message)
    cells = published.select(_COLUMNS).sort("cell_id")
    never_empty = [name for name in _COLUMNS if name not in _MAY_BE_EMPTY]
    silent = pl.col("symbol").is_in(["c", "x"])
    empty = cells.select(
        (pl.any_horizontal(pl.col(never_empty).is_null()) | (pl.col("count").is_null() & ~silent)).sum()
    )
    repeated = int(cells.select(pl.struct(_COLUMNS[1:9]).is_duplicated().sum()).item())
    repeated += int(cells.get_column("cell_id").is_duplicated().sum())
    if empty.item() or repeated:
        message = f"The audit cannot read the cells: {empty.item()} with an empty field, {repeated} repeated."
        raise CellsError(message)
    return cells


def _known_empty(wanted: pl.DataFrame) -> pl.Expr:
    """Cells that an outsider may take to be zero because nothing was delivered, where that is not a false belief."""
    small = wanted.filter(pl.col("kind") != "possible").get_column("target_id").to_list()
    return ((pl.col("symbol") == "x") & (pl.col("count") == 0) & ~pl.col("cell_id").is_in(small)).fill_null(value=False)


def _misfits(cells: pl.DataFrame, wanted: pl.DataFrame, policy: Policy, geography: Geography) -> Iterator[Finding]:
    """Cells that are not what the policy says is published, and small cells that the publication misstates."""
    level = (
        pl.when(pl.col("area_code") == geography.region).then(pl.lit(AREA_LEVELS[1])).otherwise(pl.lit(AREA_LEVELS[0]))
    )
    inside = pl.col("area_code").is_in([geography.region, *geography.boroughs])
    placed = cells.with_columns(area_level=level)
    part = ["measure", "basis", "period_type", "area_level", "breakdown"]
    unplanned = placed.join(policy.plan(), on=[*part, "method"], how="anti")
    rounded = cells.filter((pl.col("method") == "controlled_rounding") & (pl.col("symbol") != "c"))
    told = wanted.drop_nulls("count").select(cell_id="target_id", true="count")
    beside = cells.join(told, on="cell_id").filter(pl.col("symbol") != "c")
    faults = {
        "not in the plan": pl.concat([unplanned, placed.filter(~inside)]),
        "not rounded": rounded.filter((pl.col("count") % policy.base != 0) | (pl.col("count") < 0)),
        "unknown reach": rounded.filter(~pl.col("within").is_in(policy.reach)),
        "unknown symbol": cells.filter(~pl.col("symbol").is_in(["", "u", "x", "c"])),
        "not within its reach": beside.filter((pl.col("count") - pl.col("true")).abs() > pl.col("within")),
        "missing beside this cell": _incomplete(placed, geography),
        "without a value that a relation names": _unnamed(cells, policy),
    }
    for reason, found in faults.items():
        yield from (Finding(cell_id, reason) for cell_id in found.get_column("cell_id"))
    absent = policy.plan().join(placed, on=part, how="anti").select(part)
    yield from (Finding("|".join(row), "planned but missing") for row in absent.iter_rows())


def _unnamed(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Cells of a measure and breakdown of which a relation names a value that is not published anywhere."""
    divided = set(cells.select("measure", "breakdown").unique().iter_rows())
    named = pl.DataFrame(
        [
            (count.measure, count.breakdown, count.value)
            for relation in policy.relations
            if all((count.measure, count.breakdown) in divided for count in relation.counts)
            for count in relation.counts
        ],
        schema={"measure": pl.String, "breakdown": pl.String, "breakdown_value": pl.String},
        orient="row",
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
        return planned.with_columns(release=pl.lit(_NOW, dtype=pl.Int64))
    now = planned.with_columns(release=pl.lit(_NOW, dtype=pl.Int64))
    before = (
        earlier.filter(pl.col("count").is_not_null() & (pl.col("symbol") != "c"))
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
    shown = stacked.filter(~pl.col("symbol").is_in(["c", "x"]))
    told = shown.group_by("group", "release").agg(said=said).sort("group", "release")
    repeated = told.filter(pl.col("said") == pl.col("said").shift(-1).over("group"))
    return stacked.join(repeated, on=["group", "release"], how="anti", nulls_equal=True, maintain_order="left")


def _contradictions(planned: pl.DataFrame, known: Knowledge) -> list[Finding]:
    """Facts that this release's counts contradict: the rounded counts must themselves be possible counts.

    Not asked where a count is hidden, or where exact counts stand beside rounded ones.
    """
    ids = planned.get_column("cell_id")
    told = (pl.col("method") == "controlled_rounding") & (pl.col("symbol") != "c") & pl.col("count").is_not_null()
    others = np.flatnonzero(~planned.select(told).to_series().to_numpy())
    alone = known.about(np.arange(planned.height)).without(others)
    facts = alone.contradicted(planned.get_column("count").fill_null(0).to_numpy())
    firsts = alone.rows.indices[alone.rows.indptr[facts]]
    return [
        Finding(ids[int(cell)], f"contradicts: {alone.reasons[fact]}") for fact, cell in zip(facts, firsts, strict=True)
    ]


def _worth_aiming_at(aims: Targets, known: Knowledge, policy: Policy) -> Targets:
    """Leave out what anybody would try where windows alone, nothing delivered among them, say that there is nobody."""
    size = aims.weights.shape[1]
    most = aims.weights.maximum(0) @ known.high[:size] + aims.weights.minimum(0) @ known.low[:size]
    kept = [most[number] >= policy.unsafe_from or kind != "possible" for number, kind in enumerate(aims.kinds)]
    return aims.only(np.flatnonzero(kept))


def _attacks(
    every: pl.DataFrame, beliefs: tuple[Knowledge, Knowledge], aims: Targets, policy: Policy, search: Search
) -> Iterator["_Attack"]:
    """Carry the attack out, group by group of linked cells.

    `beliefs` are what is known with the counts of others, and without.
    """
    targets, planned = aims.weights.shape
    weights = sparse.hstack([aims.weights, sparse.csr_array((targets, every.height - planned), dtype=np.int64)]).tocsr()
    groups = [
        (group, inside)
        for group in beliefs[1].groups(weights)
        if len(inside := np.flatnonzero(abs(weights)[:, group].sum(axis=1) > 0))
    ]
    for done, (group, inside) in enumerate(groups, start=1):
        # Earlier releases come after this one's cells, so that these keep their numbers without them.
        of_this_release = group[group < planned]
        for believed in _beliefs(beliefs, group, of_this_release):
            cells = group[: len(believed.low)]
            attack = _Attack(
                known=believed,
                cells=every[cells].select("release", "cell_id", "count"),
                targets=aims.only(inside),
                weights=weights[inside][:, cells].tocsr(),
                policy=policy,
            )
            attack.run(search.remembered)
            if not attack.is_contradiction:
                break
        if search.progress is not None:
            search.progress(done, len(groups))
        yield attack


def _beliefs(beliefs: tuple[Knowledge, Knowledge], group: Whole, of_this_release: Whole) -> Iterator[Knowledge]:
    """What is known of a group with the counts of others and earlier releases, then with less, if not all can be true.

    Others' counts cannot where they are not of the same children; earlier releases cannot after a correction that takes
    records away: an outsider then learns that late records did not only add.
    """
    with_others, ours = (belief.about(group) for belief in beliefs)
    if not (np.array_equal(with_others.low, ours.low) and np.array_equal(with_others.high, ours.high)):
        yield with_others
    if len(group) > len(of_this_release):
        yield ours
    yield beliefs[1].about(of_this_release)


class _Attack:
    """The attack on one group of linked cells: which values of each target have been shown to be possible."""

    def __init__(
        self, known: Knowledge, cells: pl.DataFrame, targets: Targets, weights: sparse.csr_array, policy: Policy
    ) -> None:
        """Begin with what is published: the first possible table, and the only one that need not be searched for."""
        self.known, self.cells, self.targets, self.weights, self.policy = known, cells, targets, weights, policy
        self.seconds = policy.seconds_per_component
        size = len(targets.ids)
        self.low, self.high = np.full(size, np.iinfo(np.int64).max), np.full(size, -1)
        self.alone = np.zeros(size, dtype=bool)
        self.verdict = [""] * size
        self.is_contradiction = False
        self.tables: list[Whole] = []
        self._merged = merge_releases(known, cells)
        self._local = known.about(np.arange(len(known.low)), local=True)
        self._near: dict[int, Whole] | None = None
        printed = cells.get_column("count").fill_null(0).to_numpy()
        if known.allows(printed):
            self._witness(printed)

    def run(self, remembered: pl.DataFrame | None) -> None:
        """Look for possible tables until every target is shown to be protected, or is known not to be."""
        for table in _remembered(self.cells, remembered):
            if len(self._open()) and self.known.allows(table):
                self._witness(table)
        try:
            self._search_together()
            for number in self._open():
                self.verdict[number] = self._search_alone(int(number))
            if not self.tables:  # nothing has shown yet that what is believed can be true
                self._witness(self._great(np.zeros(len(self.known.low))))
        except InfeasibleError:
            self.is_contradiction = True
            self._give_up("no counts are possible that agree with what is printed")
        except SolverError:
            self._give_up("not proved")

    def _give_up(self, reason: str) -> None:
        for number in self._open():
            self.verdict[number] = self.verdict[number] or reason

    def verdicts(self) -> pl.DataFrame:
        """One row for each target: what was found possible, and what is wrong with it."""
        shown = self.high >= self.low
        return pl.DataFrame(
            {
                "target_id": pl.Series(self.targets.ids, dtype=pl.String),
                "kind": pl.Series(self.targets.kinds, dtype=pl.String),
                "low": pl.Series(np.where(shown, self.low, 0)),
                "high": pl.Series(np.where(shown, self.high, 0)),
                "verdict": pl.Series(self.verdict, dtype=pl.String),
                "alone": pl.Series(self.alone),
            }
        )

    def witnesses(self) -> pl.DataFrame:
        """The possible tables that showed something, as one list of values for each cell."""
        values = np.stack(self.tables, axis=1) if self.tables else np.zeros((self.cells.height, 0), dtype=np.int64)
        frame = self.cells.select("release", "cell_id").with_columns(
            values=pl.Series(values.tolist(), dtype=pl.List(pl.Int64))
        )
        return frame if self.tables else frame.clear()

    def _open(self) -> Whole:
        """Targets neither shown to be protected nor given up."""
        return np.flatnonzero([not self._is_protected(number) for number in range(len(self.verdict))])

    def _is_protected(self, number: int, possible_width: int | None = None) -> bool:
        low, high, kind = int(self.low[number]), int(self.high[number]), self.targets.kinds[number]
        if high < low:
            return False
        if kind == "dominated":
            return high >= int(self.targets.upper[number])
        if kind == "share":
            return low < high or high > 1
        width = self.policy.minimum_width if possible_width is None else possible_width
        return self.policy.protects(low, high, width)

    def _witness(self, table: Whole) -> None:
        values = self.weights @ table
        if (values < self.low).any() or (values > self.high).any():
            self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)
            self.tables.append(table)

    def _search_together(self) -> None:
        """Look for tables that are high in many open targets and low in the others, while that shows something new.

        Which are to be high, and how much each matters, is drawn anew each time, and the opposite is asked for as well:
        asking for all at once would cancel out what a whole and its parts, or a difference, want of the same cells.
        """
        draw = np.random.default_rng(0)
        before = -1
        while before != len(still := self._open()) and len(still):
            before = len(still)
            wish = draw.choice([-1.0, 1.0], before) * draw.exponential(1, before)
            weight = np.asarray(wish @ self.weights[still], dtype=np.float64).ravel()
            self._witness(self._great(weight))
            self._witness(self._great(-weight))

    def _great(self, weight: NDArray[np.float64]) -> Whole:
        """A possible table of great weight, by the shorter question where it has an answer."""
        if self._merged is not None:
            with suppress(SolverError):
                table = self._merged.extreme(weight, self.seconds, _WITNESS_GAP)
                if self.known.allows(table):
                    return table
        return self.known.extreme(weight, self.seconds, _WITNESS_GAP)

    def _search_alone(self, number: int) -> str:
        """Search for one target, exactly where nothing quicker shows it to be protected; its verdict."""
        if self._is_protected_as_far_as_possible(number):  # also by a table that was found for another meanwhile
            return ""
        weight = self._weight(number)
        if self._merged is not None:
            for sign in (-1, 1):
                self._witness(self._great(sign * weight))
            if self._is_protected_as_far_as_possible(number):
                return ""
        for sign in (-1, 1):
            self._witness(self.known.extreme(sign * weight, self.seconds))
        self.alone[number] = True
        return "" if self._is_protected(number) else self._fault(number)

    def _is_protected_as_far_as_possible(self, number: int) -> bool:
        """Whether it is protected, or as uncertain as the relations at its own place let any count be."""
        if self._is_protected(number):
            return True
        kind = self.targets.kinds[number]
        if kind in _FAULTS:
            return False
        least, greatest = self._possible_ends(number)
        return not self._touches_unsafe(kind, least, greatest) or self._is_protected(number, greatest - least)

    def _fault(self, number: int) -> str:
        """What is wrong with an exact interval; nothing where no more is possible, or it is not of few children."""
        kind, low, high = self.targets.kinds[number], int(self.low[number]), int(self.high[number])
        if kind in _FAULTS:
            return _FAULTS[kind]
        least, greatest = self._possible_ends(number)
        if self._is_protected(number, greatest - least) or not self._touches_unsafe(kind, low, high):
            return ""
        if low == high:
            return "exactly known"
        return "known to be small" if low > 0 and high <= self.policy.unsafe_to else "known too closely"

    def _touches_unsafe(self, kind: str, low: int, high: int) -> bool:
        """Whether a count may be of few children at all; one that is small in truth is."""
        return kind == "small" or (low <= self.policy.unsafe_to and high >= self.policy.unsafe_from)

    def _weight(self, number: int) -> NDArray[np.float64]:
        return self.weights[[number]].toarray().ravel().astype(np.float64)

    def _possible_ends(self, number: int) -> tuple[int, int]:
        """What the relations at a target's own place leave of its windows, whatever else is published."""
        near = self._neighbourhood(int(self.weights[[number]].indices[0]))
        local, weight = self._local.about(near, local=True), self._weight(number)[near]
        least, greatest = (local.extreme(sign * weight, self.seconds) @ weight for sign in (-1, 1))
        return int(least), int(greatest)

    def _neighbourhood(self, cell: int) -> Whole:
        """The cells that relations at one place link with a cell, and what is subtracted there."""
        if self._near is None:
            groups = self._local.groups(self.weights)
            self._near = {int(one): group for group in groups for one in group}
        return self._near[cell]

    def sample(self, number: int) -> Iterator[tuple[Knowledge, Whole]]:
        """Some targets, first of those searched for alone: what is known around each, and its weights there."""
        alone = np.flatnonzero(self.alone)
        for one in np.concatenate([alone, np.setdiff1d(np.arange(len(self.verdict)), alone)])[:number]:
            weights: Whole = self.weights[[one]].toarray()
            around = self.known.around(np.flatnonzero(weights[0]), _AROUND)
            yield self.known.about(around), weights[:, around]


def _cross_check(attacks: list[_Attack], number: int, policy: Policy) -> int:
    """Let an unrelated solver find the intervals of some targets of every group, from the facts around each.

    Returns:
        How many were found alike; -1 where the solvers disagree or the second one came to no end.
    """
    seconds = policy.seconds_per_component
    problems = [
        problem
        for done, attack in enumerate(attacks, start=1)
        for problem in attack.sample(_share_of(number, done, len(attacks)))
    ]
    try:
        theirs = intervals(problems, seconds)
        mine = [
            tuple(int(known.extreme(sign * weights[0], seconds) @ weights[0]) for sign in (-1, 1))
            for known, weights in problems
        ]
    except SolverError:
        return -1
    return len(mine) if theirs == mine else -1


def _share_of(total: int, number: int, of: int) -> int:
    """The part of a total that falls to one of several, so that the parts add up to it."""
    return total * number // of - total * (number - 1) // of


def _remembered(cells: pl.DataFrame, remembered: pl.DataFrame | None) -> Iterator[Whole]:
    """Tables of an earlier audit that have a value for every one of these cells."""
    if remembered is None:
        return
    found = cells.join(remembered, on=["release", "cell_id"], how="left", maintain_order="left").get_column("values")
    if found.null_count() or found.list.len().n_unique() != 1:
        return
    yield from np.array(found.to_list(), dtype=np.int64).T
