"""The rules of funnel plots and control charts, as their files state them. What they do is in the modules named so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS


class UncertaintyRuleError(ValueError):
    """A rule file says something that cannot be followed; one sentence that names the file and what to correct."""


@dataclass(frozen=True)
class Charted:
    """One reading of an indicator that is charted: its id, variant and attribution basis."""

    indicator_id: str
    variant: str
    basis: str


@dataclass(frozen=True)
class FunnelRules:
    """How funnel limits are made.

    Attributes:
        version: of the rule file.
        source: where the method comes from.
        inner: two-sided probability of the inner limits, such as 0.95.
        outer: of the outer limits, such as 0.998.
        winsorise: share of the z scores drawn in at each end.
        fewest_areas: with fewer, over-dispersion is not estimated.
        charted: what the public page shows, in order.
    """

    version: str
    source: str
    inner: float
    outer: float
    winsorise: float
    fewest_areas: int
    charted: tuple[Charted, ...] = ()


@dataclass(frozen=True)
class ControlRules:
    """How a control chart is made and read.

    Attributes:
        version: of the rule file.
        source: where the rules come from.
        fewest_months: complete months in a row that a chart needs.
        limit_ranges: mean moving ranges between the mean and a limit.
        shift_months: months in a row on one side that are a shift.
        trend_months: months in a row, each higher or each lower than the one before, that are a trend.
        near_least: how many of `near_months` in a row must lie near one limit.
        near_months: how many months in a row are looked at for that.
        near_share: what is near: this share of the way from the mean to the limit or more.
    """

    version: str
    source: str
    fewest_months: int
    limit_ranges: float
    shift_months: int
    trend_months: int
    near_least: int
    near_months: int
    near_share: float


def load_funnel_rules(contracts: Path = CONTRACTS) -> FunnelRules:
    """Read `rules/funnel.yaml`.

    Raises:
        UncertaintyRuleError: a number in it cannot be followed.
    """
    raw = _read(contracts, "funnel")
    rules = FunnelRules(
        version=raw["version"],
        source=raw["source"],
        inner=raw["limits"]["inner"],
        outer=raw["limits"]["outer"],
        winsorise=raw["winsorise"],
        fewest_areas=raw["fewest_areas"],
        charted=tuple(Charted(**row) for row in raw["charted"]),
    )
    _require(0 < rules.inner < rules.outer < 1, "funnel", "limits must be probabilities, the inner below the outer")
    _require(0 <= rules.winsorise < 0.5, "funnel", "winsorise must be at least 0 and below 0.5")  # noqa: PLR2004 - half is all
    _require(rules.fewest_areas > 1, "funnel", "fewest_areas must be 2 or more")
    return rules


def load_control_rules(contracts: Path = CONTRACTS) -> ControlRules:
    """Read `rules/control_chart.yaml`.

    Raises:
        UncertaintyRuleError: a number in it cannot be followed.
    """
    raw = _read(contracts, "control_chart")
    near = raw["near"]
    rules = ControlRules(
        version=raw["version"],
        source=raw["source"],
        fewest_months=raw["fewest_months"],
        limit_ranges=raw["limit_ranges"],
        shift_months=raw["shift_months"],
        trend_months=raw["trend_months"],
        near_least=near["least"],
        near_months=near["months"],
        near_share=near["share_of_limit"],
    )
    named = "fewest_months, shift_months and trend_months must be 2 or more"
    _require(min(rules.fewest_months, rules.shift_months, rules.trend_months) > 1, "control_chart", named)
    _require(rules.limit_ranges > 0, "control_chart", "limit_ranges must be above 0")
    _require(0 < rules.near_least <= rules.near_months, "control_chart", "near: least must be from 1 to months")
    _require(0 < rules.near_share < 1, "control_chart", "near: share_of_limit must lie between 0 and 1")
    return rules


def _read(contracts: Path, name: str) -> dict[str, Any]:
    raw: dict[str, Any] = read_yaml(contracts / "rules" / f"{name}.yaml")
    return raw


def _require(holds: bool, name: str, sentence: str) -> None:
    if not holds:
        msg = f"In data_contracts/rules/{name}.yaml, {sentence}; correct the file."
        raise UncertaintyRuleError(msg)
