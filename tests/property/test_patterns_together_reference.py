"""Co-missing and setting clusters equal the slow reference, on thousands of small worlds, and do not depend on order.

A world is a few children, settings and areas of its own, so that many stand in one warehouse without touching. Its
absences are drawn as episodes that are already resolved and lie on the edges of the rules: the same instant, a minute
to either side of six hours, five minutes after another's end, a whole window later, on the day the clocks change, on a
day without a time, without an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations
from math import prod
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.patterns import Pattern, Value
from pipelines.warehouse.connection import replace_table
from pipelines.warehouse.graph import build_table, load_tables
from tests.builders.rows import utc
from tests.builders.rules import shipped_rule, small_rule
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.deliveries import moment
from tests.property.reference.patterns_together import (
    Absence,
    Judged,
    Standing,
    Together,
    clusters,
    groups,
    joined,
    runs,
    standings,
)

# Other numbers beside the shipped ones, which short histories reach, and a second version of one rule.
SMALL: tuple[tuple[str, int, str, dict[str, Value]], ...] = (
    ("CO", 1, "co_missing", {"window_days": 2, "most_together": 3, "over_chance": 0.4}),
    ("CO", 2, "co_missing", {"window_days": 28, "most_together": 4, "over_chance": 1.0, "pairings": 3}),
    ("PLACE", 1, "setting_cluster", {"percentile": 50.0, "least_starts": 2}),
    ("PLACE", 2, "setting_cluster", {"window_days": 1, "percentile": 5.0, "least_starts": 1, "least_children": 3}),
)
DATA_TO = utc("2025-05-01 09:00")

# A world is a row of outings: children who start one after the other. The first outing starts at an anchor (local clock
# time), each other one a gap after the one before.
ANCHORS = ("2024-10-26 20:00", "2025-03-29 21:00", "2024-10-31 08:59", "2024-06-29 12:00", "2024-10-27 01:30")
MINUTE, HOUR, INSTANT = timedelta(minutes=1), timedelta(hours=1), timedelta(microseconds=1)
GAPS = (6, 12, 24, 24, 47, 48, 28 * 24, 28 * 24, 180 * 24, 180 * 24)
MINUTES = (0, 0, -1, 1)
WHO = ("ab", "ab", "ab", "ba", "abc", "bc", "ac", "cd", "aba", "abcd", "abcde")
APART = (0, 0, 2, 3, 6, 6, 6, 7, 12)  # hours from one start of an outing to the next
APART_MINUTES = (0, 0, 0, -1, 1)
S, T, N, M = ("s", "n"), ("t", "n"), (None, "n"), (None, "m")
PLACES = ((S,), (S,), (N,), (N,), (S, T), (S, N), (N, M), (("s", "m"), S), (("s", None),), ((None, None), N))
LENGTHS = (None, 0, 0.5, 5, 8, 24)
ENDS_APART = (None, 0, 4, 5, 5, 5, 6, 300)  # minutes from one end of an outing to the next
WITHOUT_TIME = ((False, False),) * 9 + ((True, True), (True, False), (False, True))
BOROUGHS = (("x",), ("x",), ("x",), ("y",), ("x", "y"))
CHOICES = (GAPS, MINUTES, WHO, APART, APART_MINUTES, PLACES, LENGTHS, ENDS_APART, WITHOUT_TIME, BOROUGHS)

# An outing is one number that chooses from those lists: drawing each choice by itself takes ten times as long.
drawn_outing = st.integers(0, prod(map(len, CHOICES)) - 1)
drawn_worlds = st.lists(st.lists(drawn_outing, min_size=2, max_size=5), min_size=120, max_size=150)


@pytest.fixture(scope="module")
def rules() -> list[Pattern]:
    small = [
        small_rule(rule_id, kind, parameters=parameters, version=version, is_current=version == 2)
        for rule_id, version, kind, parameters in SMALL
    ]
    return [shipped_rule("RCO"), shipped_rule("RPLACE"), *small]


@pytest.fixture(scope="module")
def warehouse(rules: list[Pattern]) -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        opened.connection.execute("create schema quality; create schema patterns")
        opened.replace_rules(rules)
        cut = pl.DataFrame({"borough": ["x", "y"], "data_to": [utc("2025-02-01"), DATA_TO]})
        replace_table(opened.connection, "quality.data_cut", cut)
        yield opened


@given(worlds=drawn_worlds)
@settings(max_examples=8, deadline=None)
def test_who_was_missing_together_equals_the_reference(
    warehouse: SmallWarehouse, rules: list[Pattern], worlds: list[list[int]]
) -> None:
    drawn = [_world(number, codes) for number, codes in enumerate(worlds)]
    _fill(warehouse, [absence for world in drawn for absence in world], TOGETHER)
    co_missing = [rule for rule in rules if rule.kind == "co_missing"]
    found = [(rule, run) for rule in co_missing for world in drawn for run in runs(rule, world)]
    assert _sorted(warehouse.rows(PAIRINGS)) == _sorted(_pairings(found))
    assert _sorted(warehouse.rows(PARTNERS)) == _sorted(_partners(found))
    assert _sorted(warehouse.rows(GROUPS)) == _sorted(_groups(found))
    hits = list(_hits(found))
    assert _sorted(warehouse.rows(HITS.format(kind="co_missing"))) == _sorted(map(_hit, hits))
    _check_evidence(warehouse, "co_missing", hits)


@given(worlds=drawn_worlds)
@settings(max_examples=8, deadline=None)
def test_clusters_at_settings_equal_the_reference(
    warehouse: SmallWarehouse, rules: list[Pattern], worlds: list[list[int]]
) -> None:
    drawn = [_world(number, codes) for number, codes in enumerate(worlds)]
    _fill(warehouse, [absence for world in drawn for absence in world], SETTINGS)
    clustering = [rule for rule in rules if rule.kind == "setting_cluster"]
    found = [(rule, world, standings(rule, world)) for rule in clustering for world in drawn]
    starts = [(rule, one) for rule, _, standing in found for one in standing]
    assert _sorted(warehouse.rows(STARTS)) == _sorted(_named(rule) | _start(one) for rule, one in starts)
    assert _sorted(warehouse.rows(CLUSTERS)) == _sorted(_clusters(found))
    hits = [
        Hit(rule, one.absence, one.certain, None, [*_own(rule, one.absence, world)])
        for rule, world, standing in found
        for one in standing
        if one.cluster
    ]
    assert _sorted(warehouse.rows(HITS.format(kind="setting_cluster"))) == _sorted(map(_hit, hits))
    _check_evidence(warehouse, "setting_cluster", hits)


PAIRINGS = """
    select
        rule_id, rule_version, list_sort([episode_key, partner_episode_key]) as pairing, paired_at, counts_at, kind,
        is_found_together, is_exact, pairings, exact_pairings, round(expected, 9) as expected, children_there,
        round(pairs_by_chance, 9) as pairs_by_chance, is_completing, is_beyond_chance
    from patterns.co_missing_pairing
"""
PARTNERS = """
    select
        rule_id, rule_version, is_current_rule, child_key, partner_key, boroughs, partner_boroughs, first_at, raised_at,
        last_at, is_recent, pairings, same_setting, same_area, found_together, kind, is_beyond_chance,
        round(pairs_by_chance, 9) as pairs_by_chance
    from patterns.co_missing_partner
"""
GROUPS = """
    select rule_id, list_sort(list(child_key)) as members, any_value(children) as children, any_value(pairs) as pairs
    from patterns.co_missing_group group by rule_id, group_id
"""
STARTS = """
    select
        rule_id, rule_version, setting_key, borough, episode_key, starts, children, threshold, is_cluster, is_certain
    from patterns.setting_start
"""
CLUSTERS = "select * from patterns.setting_cluster"
EVIDENCE = """
    select rule.rule_id, rule.version as rule_version, hit.episode_key, list(evidence.episode_key) as evidence
    from patterns.evidence_{kind} as listed
    inner join rules.pattern as rule using (rule_number)
    inner join patterns.episode as hit
        on listed.child_number = hit.child_number and listed.episode_number = hit.episode_number
    inner join patterns.episode as evidence
        on listed.child_number = evidence.child_number and listed.evidence_number = evidence.episode_number
    group by all
"""
HITS = """
    select rule_id, version as rule_version, episode_key, hit_at, window_after, is_certain, detail
    from patterns.hit_{kind}
    inner join rules.pattern using (rule_number)
    inner join patterns.episode using (child_number, episode_number)
"""


def _pairings(found: Iterable[tuple[Pattern, Together]]) -> Iterator[dict[str, Any]]:
    for rule, run in found:
        for one in run.pairings:
            yield _named(rule) | {
                "pairing": sorted((one.pairing.one.key, one.pairing.other.key)),
                "paired_at": one.pairing.at,
                "counts_at": min(last.pairing.at for last in run.completing if last.pairing.at >= one.pairing.at),
                "kind": one.pairing.kind,
                "is_found_together": one.pairing.found,
                "is_exact": one.pairing.exact,
                "pairings": one.pairings,
                "exact_pairings": one.exact_pairings,
                "expected": round(one.expected, 9),
                "children_there": one.children,
                "pairs_by_chance": round(one.pairs_by_chance, 9),
                "is_completing": one.completes,
                "is_beyond_chance": one.beyond_chance,
            }


def _partners(found: Iterable[tuple[Pattern, Together]]) -> Iterator[dict[str, Any]]:
    for rule, run in found:
        kinds = [one.pairing.kind for one in run.pairings]
        strongest = [one for one in run.completing if one.beyond_chance] or run.completing
        for child, partner in permutations(run.pair):
            yield _named(rule) | {
                "is_current_rule": rule.is_current,
                "child_key": child,
                "partner_key": partner,
                "boroughs": _senders(run, child),
                "partner_boroughs": _senders(run, partner),
                "first_at": run.first,
                "raised_at": min(one.pairing.at for one in run.completing),
                "last_at": run.last,
                "is_recent": run.last > DATA_TO - _window(rule),
                "pairings": min(len({one.pairing.of(two).key for one in run.pairings}) for two in run.pair),
                "same_setting": kinds.count("same setting"),
                "same_area": kinds.count("same area"),
                "found_together": sum(one.pairing.found for one in run.pairings),
                "kind": _most_specific(kinds),
                "is_beyond_chance": run.beyond_chance,
                "pairs_by_chance": round(min(one.pairs_by_chance for one in strongest), 9),
            }


def _senders(run: Together, child: str) -> list[str]:
    return sorted({borough for one in run.pairings for borough in one.pairing.of(child).boroughs})


def _most_specific(kinds: Iterable[str]) -> str:
    return min(kinds, key=("same setting", "same area", "found together").index)


def _groups(found: Sequence[tuple[Pattern, Together]]) -> Iterator[dict[str, Any]]:
    for rule in {one.rule_id: one for one, _ in found if one.is_current}.values():
        of_rule = [run for other, run in found if other is rule]
        for members, pairs in groups(of_rule, DATA_TO, rule):
            yield {"rule_id": rule.rule_id, "members": sorted(members), "children": len(members), "pairs": pairs}


@dataclass(frozen=True)
class Hit:
    """A start that completes a pattern, and the child's absences that show it."""

    rule: Pattern
    absence: Absence
    certain: bool
    detail: str | None
    evidence: Sequence[Absence]

    @property
    def after(self) -> datetime:
        """Where its window begins: far enough back for the window of the rule and for all that shows it."""
        return min(self.absence.start - _window(self.rule), *(one.start - INSTANT for one in self.evidence))


def _hits(found: Iterable[tuple[Pattern, Together]]) -> Iterator[Hit]:
    """The hits of either child, those of one start taken together."""
    completing = [(rule, run, one) for rule, run in found for one in run.completing]
    of_start: dict[tuple[str, int, str], list[tuple[Pattern, Together, Judged, str]]] = {}
    for rule, run, one in completing:
        for child in run.pair:
            start = (rule.rule_id, rule.version, one.pairing.of(child).key)
            of_start.setdefault(start, []).append((rule, run, one, child))
    for together in of_start.values():
        rule, _, last, child = together[0]
        yield Hit(
            rule=rule,
            absence=last.pairing.of(child),
            certain=any(one.beyond_chance for _, _, one, _ in together),
            detail=_most_specific(one.pairing.kind for _, _, one, _ in together),
            evidence=[
                inside.pairing.of(child)
                for _, run, one, _ in together
                for inside in run.pairings
                if one.pairing.at - _window(rule) < inside.pairing.at <= one.pairing.at
            ],
        )


def _hit(hit: Hit) -> dict[str, Any]:
    return _named(hit.rule) | {
        "episode_key": hit.absence.key,
        "hit_at": hit.absence.start,
        "window_after": hit.after,
        "is_certain": hit.certain,
        "detail": hit.detail,
    }


def _start(one: Standing) -> dict[str, Any]:
    return {
        "setting_key": one.absence.setting,
        "borough": one.borough,
        "episode_key": one.absence.key,
        "starts": one.starts,
        "children": one.children,
        "threshold": one.threshold,
        "is_cluster": one.cluster,
        "is_certain": one.certain,
    }


def _clusters(found: Iterable[tuple[Pattern, Sequence[Absence], Sequence[Standing]]]) -> Iterator[dict[str, Any]]:
    for rule, world, standing in found:
        for run in clusters(rule, standing):
            first, last = (edge(one.absence.start for one in run) for edge in (min, max))
            inside = [
                one
                for one in world
                if one.setting == run[0].absence.setting and first - _window(rule) < one.start <= last
            ]
            yield _named(rule) | {
                "is_current_rule": rule.is_current,
                "setting_key": run[0].absence.setting,
                "borough": run[0].borough,
                "window_after": first - _window(rule),
                "first_at": first,
                "last_at": last,
                "starts": len(inside),
                "children": len({one.child for one in inside}),
                "most_starts": max(one.starts for one in run),
                "threshold": run[0].threshold,
                "is_certain": any(one.certain for one in run),
            }


def _own(rule: Pattern, absence: Absence, world: Sequence[Absence]) -> Iterator[Absence]:
    """The child's own absences from the setting within the window."""
    for one in world:
        same = (one.child, one.setting) == (absence.child, absence.setting)
        if same and absence.start - _window(rule) < one.start <= absence.start:
            yield one


def _check_evidence(warehouse: SmallWarehouse, kind: str, hits: Sequence[Hit]) -> None:
    """The hits of one flag together list what shows any of them, whichever of them lists it."""
    listed = {
        (row["rule_id"], row["rule_version"], row["episode_key"]): row["evidence"]
        for row in warehouse.rows(EVIDENCE.format(kind=kind))
    }
    assert all(len(set(evidence)) == len(evidence) for evidence in listed.values())
    of_child: dict[tuple[str, int, str], list[Hit]] = {}
    for hit in hits:
        of_child.setdefault((hit.rule.rule_id, hit.rule.version, hit.absence.child), []).append(hit)
    for (rule_id, version, _), own in of_child.items():
        for flag in joined(own, lambda a, b: a.after < b.absence.start and b.after < a.absence.start):
            found = {key for hit in flag for key in listed.get((rule_id, version, hit.absence.key), ())}
            assert found == {one.key for hit in flag for one in hit.evidence}


def _window(rule: Pattern) -> timedelta:
    days = rule.parameters["window_days"]
    assert isinstance(days, int)
    return timedelta(hours=24 * days)


def _named(rule: Pattern) -> dict[str, Any]:
    return {"rule_id": rule.rule_id, "rule_version": rule.version}


def _sorted(rows: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(str(row) for row in rows)


def _world(number: int, codes: Sequence[int]) -> list[Absence]:
    absences: dict[tuple[str, datetime], Absence] = {}
    clock = datetime.fromisoformat(ANCHORS[number % len(ANCHORS)])
    for outing, code in enumerate(codes):
        gap, minutes, who, apart, apart_minutes, places, length, ends_apart, without_time, boroughs = _chosen(code)
        clock += gap * HOUR + minutes * MINUTE if outing else timedelta()
        for place, child in enumerate(who):
            start = clock + place * (apart * HOUR + apart_minutes * MINUTE)
            end = None if length is None else start + length * HOUR
            if end and ends_apart is not None:
                end = max(start, clock + length * HOUR + place * ends_apart * MINUTE)
            one = _absence(start, end, without_time)
            setting, area = places[place % len(places)]
            one = replace(
                one,
                key=f"{number}.{outing}.{place}",
                child=f"{number}{child}",
                boroughs=tuple(f"{number}{borough}" for borough in boroughs),
                setting=setting and f"{number}{boroughs[0]}:{setting}",
                area=area and f"{number}{area}",
            )
            absences.setdefault((one.child, one.start), one)  # core leaves no child two episodes that start together
    return list(absences.values())


def _chosen(code: int) -> list[Any]:
    chosen = []
    for options in CHOICES:
        code, place = divmod(code, len(options))
        chosen.append(options[place])
    return chosen


def _absence(start: datetime, end: datetime | None, without_time: tuple[bool, bool]) -> Absence:
    started = moment(_written(start, day_only=without_time[0]))
    assert started is not None
    ended = _not_before(started.earliest, _written(end, day_only=without_time[1]) if end else None)
    return Absence(key="", child="", boroughs=(), started=started, end=ended, setting=None, area=None)


def _written(clock: datetime, *, day_only: bool) -> str:
    return clock.date().isoformat() if day_only else clock.isoformat(" ", "minutes")


def _not_before(start: datetime, text: str | None) -> Any:
    end = moment(text)
    return end and replace(end, earliest=max(end.earliest, start), until=max(end.until, start))


def _fill(warehouse: SmallWarehouse, absences: Sequence[Absence], made: frozenset[str]) -> None:
    """Put the absences where the patterns read them, and make the tables."""
    rows = pl.DataFrame([_columns(one) for one in absences], schema=_COLUMNS)
    children = rows.select("child_key").unique().sort("child_key").with_row_index("child_number", 1)
    children = children.select(pl.col("child_number").cast(pl.Int32), "child_key")
    episodes = rows.join(children, on="child_key").sort("child_number", "started_at")
    numbered = episodes.with_columns(episode_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("child_number"))
    replace_table(warehouse.connection, "patterns.child", children)
    replace_table(warehouse.connection, "patterns.episode", numbered)
    for table in load_tables():
        if table.schema == "patterns" and table.name in made:
            build_table(warehouse.connection, table)


def _columns(one: Absence) -> dict[str, Any]:
    return {
        "episode_key": one.key,
        "child_key": one.child,
        "borough": one.boroughs[0],
        "boroughs": list(one.boroughs),
        "started_at": one.start,
        "latest_started_at": one.started.latest,
        "started_precision": "minute" if one.started.exact else "date",
        "ended_at": one.end and one.end.earliest,
        "latest_ended_at": one.end and one.end.latest,
        "ended_precision": one.end and ("minute" if one.end.exact else "date"),
        "setting_key": one.setting,
        "area_missing_from": one.area or "unknown",
    }


_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("episode_key", "child_key", "borough"), pl.String()),
    "boroughs": pl.List(pl.String()),
    **dict.fromkeys(("started_at", "latest_started_at", "ended_at", "latest_ended_at"), pl.Datetime("us")),
    **dict.fromkeys(("started_precision", "ended_precision", "setting_key", "area_missing_from"), pl.String()),
}
TOGETHER = frozenset(
    (
        "start_at_place",
        "co_missing_queue",
        "co_missing_pairing",
        "co_missing_pair",
        "co_missing_partner",
        "co_missing_group",
        "hit_co_missing",
        "evidence_co_missing",
    )
)
SETTINGS = frozenset(("setting_start", "setting_cluster", "hit_setting_cluster", "evidence_setting_cluster"))
