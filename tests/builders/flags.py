"""Flags of some kinds of rules: the hits of the other kinds stay empty, which halves the time of making flags."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from pipelines.contracts.patterns import KINDS
from pipelines.warehouse.graph import Table, build_table, load_tables
from tests.builders.warehouse import SmallWarehouse

_HIT = """
    null::integer as rule_number, null::integer as child_number, null::integer as episode_number,
    null::timestamp as hit_at, null::timestamp as window_after, null::boolean as is_certain, null::varchar as detail
"""
_EVIDENCE = """
    null::integer as rule_number, null::integer as child_number, null::integer as episode_number,
    null::integer as evidence_number
"""


def leave_out_other_kinds(warehouse: SmallWarehouse, kinds: Collection[str]) -> None:
    """Make the views of hits and evidence of all other kinds, empty."""
    warehouse.connection.execute("create schema if not exists patterns")
    for name in sorted(_of_other_kinds(frozenset(kinds))):
        columns = _HIT if name.startswith("patterns.hit_") else _EVIDENCE
        warehouse.connection.execute(f"create or replace view {name} as select {columns} where false")


def build_flags(warehouse: SmallWarehouse, kinds: Collection[str], *, given: Collection[str] = ()) -> None:
    """Make patterns.flag and whatever it reads, but for the hits of other kinds and of the given schemas."""
    for table in _needed(frozenset(kinds)):
        if table.schema not in given:
            build_table(warehouse.connection, table)


@cache
def _needed(kinds: frozenset[str]) -> tuple[Table, ...]:
    tables = {table.qualified: table for table in load_tables()}
    wanted = {"patterns.flag"}
    for name in reversed(tables):
        if name in wanted:
            wanted |= (tables[name].reads & tables.keys()) - _of_other_kinds(kinds)
    return tuple(table for name, table in tables.items() if name in wanted)


def _of_other_kinds(kinds: frozenset[str]) -> set[str]:
    names = {f"patterns.{what}_{kind}" for kind in KINDS.keys() - kinds for what in ("hit", "evidence")}
    return names & {table.qualified for table in load_tables()}
