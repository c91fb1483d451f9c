"""Repeat-missing patterns for tests: the shipped ones, and small ones that short histories reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipelines.contracts.patterns import Pattern, Value, load_patterns


def shipped() -> list[Pattern]:
    """The patterns of the region and the boroughs' own thresholds."""
    return list(load_patterns())


def shipped_rule(rule_id: str) -> Pattern:
    """The current version of one shipped pattern."""
    (found,) = (one for one in load_patterns() if one.rule_id == rule_id and one.is_current)
    return found


def small_rule(rule_id: str, kind: str, *, parameters: dict[str, Value], **given: Any) -> Pattern:
    """A pattern of a kind with other parameters, otherwise as the first shipped one of that kind."""
    like = next(one for one in load_patterns() if one.kind == kind)
    return replace(like, rule_id=rule_id, parameters={**like.parameters, **parameters}, **given)
