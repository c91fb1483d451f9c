"""The publication plan as rows for the warehouse: which counts, with whose children, disclosure control must see.

Joins what the disclosure policy publishes with the values that the indicators' breakdowns have. What is done with the
counts belongs to `pipelines.disclosure`.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipelines.contracts.indicators import Catalogue
from pipelines.disclosure.errors import PolicyError
from pipelines.disclosure.policy import TOTAL, TOTAL_VALUE, Policy

_COLUMNS = [
    "measure",
    "unit",
    "family",
    "basis",
    "period_type",
    "area_type",
    "breakdown",
    "breakdown_value",
    "is_difference",
]


def publication_frame(policy: Policy, catalogue: Catalogue) -> pl.DataFrame:
    """Make the rows of `rules.publication`: every count of the plan, and the groups that its differences give away.

    Returns:
        One row for each measure (or difference), basis, period type, area type, breakdown and value, with unit
        (episode, child) and family (episode, interview: on whose delivery it depends).

    Raises:
        PolicyError: the plan publishes a measure or a breakdown that the indicators do not have.
    """
    rows = sorted({*_planned(policy, catalogue), *_differences(policy, catalogue)})
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def _planned(policy: Policy, catalogue: Catalogue) -> Iterator[tuple[str | bool, ...]]:
    for measure, basis, period, area, breakdown, _ in policy.plan().iter_rows():
        unit, family = policy.measures[measure].unit, _family(measure, catalogue)
        if breakdown != TOTAL and breakdown not in catalogue.breakdowns:
            message = (
                f"The publication plan names the breakdown {breakdown}, which rules/indicators.yaml does not have."
            )
            raise PolicyError(message)
        for value in catalogue.breakdowns[breakdown] if breakdown != TOTAL else (TOTAL_VALUE,):
            yield (measure, unit, family, basis, period, area, breakdown, value, False)


def _differences(policy: Policy, catalogue: Catalogue) -> Iterator[tuple[str | bool, ...]]:
    """Differences of episodes; children behind a difference of children are the difference itself."""
    for difference in policy.differences:
        measure = difference.terms[0][0].measure
        if policy.measures[measure].unit == "child":
            continue
        published = policy.plan().filter(measure=measure, basis=difference.basis, breakdown=TOTAL)
        for period, area in published.select("period_type", "area_level").iter_rows():
            family = _family(measure, catalogue)
            yield (difference.id, "episode", family, difference.basis, period, area, TOTAL, TOTAL_VALUE, True)


def _family(measure: str, catalogue: Catalogue) -> str:
    if measure not in catalogue.measures:
        message = f"The publication plan names {measure}, which rules/indicators.yaml does not count."
        raise PolicyError(message)
    family = catalogue.measures[measure].family
    return "interview" if family == "interview" else "episode"
