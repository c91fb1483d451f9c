"""The disclosure policy: what is unsafe, how it is protected, what is published, and what all the world knows of it.

Everything here is public, and a value of these types has been checked (`policy_file`). Cells, equations and solvers do
not belong here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import polars as pl

from pipelines.disclosure.errors import PolicyError
from pipelines.region import Region

Composition = Literal["adds", "union", "at_least_each", "at_least_sum", "none"]
Unit = Literal["episode", "child"]
Sense = Literal["at_least_zero", "zero", "needs"]
Method = Literal["controlled_rounding", "suppression"]

# A number, or a column of them.
Number = TypeVar("Number", int, pl.Expr)

TOTAL, TOTAL_VALUE = "total", "Total"
AREA_LEVELS = ("borough", "region")
PERIOD_TYPES = ("month", "quarter", "year_to_march", "rolling_12_months")
# Those whose periods overlap.
OVERLAPPING = ("rolling_12_months",)


@dataclass(frozen=True)
class Geography:
    """The region and the boroughs that it is made of, as ONS codes."""

    region: str
    boroughs: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a region without boroughs, or a code that appears twice.

        Raises:
            PolicyError: if the codes are not distinct or there is no borough.
        """
        codes = {self.region, *self.boroughs}
        if not self.boroughs or len(codes) != 1 + len(self.boroughs):
            raise PolicyError("A region needs at least one borough, and each area code once.")

    @classmethod
    def of(cls, region: Region) -> "Geography":
        """The codes of a region as configured."""
        return cls(region.area.code, tuple(area.code for area in region.boroughs))

    def of_levels(self, levels: Collection[str]) -> tuple[str, ...]:
        """The codes of the areas of some levels."""
        return (*(self.boroughs if "borough" in levels else ()), *((self.region,) if "region" in levels else ()))


@dataclass(frozen=True)
class Measure:
    """What a measure counts, and how a whole relates to its parts along each axis."""

    name: str
    unit: Unit
    area: Composition
    time: Composition
    breakdown: Composition


@dataclass(frozen=True)
class Count:
    """What is counted at some area and period: a measure, or one value of a breakdown of it.

    `basis` is that of the fact it stands in, unless the policy names one (`A:incidents`).
    """

    measure: str
    breakdown: str = TOTAL
    value: str = TOTAL_VALUE
    basis: str | None = None


@dataclass(frozen=True)
class Relation:
    """A fact between measures at one area and period, of one basis unless its counts name theirs.

    `at_least_zero` and `zero` speak of the sum of coefficient times count; `needs` has two terms: where the first
    count is not zero, the second is not zero.
    """

    text: str
    sense: Sense
    terms: tuple[tuple[Count, int], ...]
    every_breakdown: bool
    areas: tuple[str, ...]
    because: str

    @property
    def counts(self) -> tuple[Count, ...]:
        """The counts that it speaks of."""
        return tuple(count for count, _ in self.terms)


@dataclass(frozen=True)
class Difference:
    """A group that no table prints and that anybody can work out from what is printed."""

    id: str
    terms: tuple[tuple[Count, int], ...]
    basis: str
    because: str


@dataclass(frozen=True)
class Share:
    """A part of a group of which "none", "all" or "all but one" would say something of each member."""

    part: Count
    whole: Count


@dataclass(frozen=True)
class Outside:
    """Where somebody else's exact counts stand, and which of our cells they are the counts of."""

    table: str
    item: str
    basis: str
    count: Count


@dataclass(frozen=True)
class Table:
    """One published table: the product of its lists, and how its counts are protected."""

    id: str
    basis: str
    measures: tuple[str, ...]
    period_types: tuple[str, ...]
    areas: tuple[str, ...]
    breakdowns: tuple[str, ...]
    method: Method


@dataclass(frozen=True)
class Policy:
    """The whole policy. Read it with `policy_file.load_policy`; a value of this type has been checked.

    The interval requirement, for a cell behind which there are `unsafe_from` to `unsafe_to` children, on the whole
    numbers [low, high] that an outsider who knows every declared fact cannot exclude:

    1. `low < high`: the count is never known exactly;
    2. `high - low >= minimum_width`, or as much as is structurally possible: what the relations with other measures at
       the cell's own coordinate leave of its rounding window. (At most 4 episodes by repeat children are at most 2 such
       children, however the rest is published.)
    3. `low = 0` or `high > unsafe_to`: it cannot be proven that the count lies in the unsafe range.

    It is weaker than "every value from 1 to 5 and one more remain possible", which is for suppressed cells and which no
    rounding to base 5 can give: a printed 0 says 0 to 4 and a printed 5 says 1 to 9. About half of the small cells
    are therefore seen not to be zero. It never shows which of them is a 1.
    """

    version: str
    base: int
    reach: tuple[int, ...]
    seconds_per_component: float
    unsafe_from: int
    unsafe_to: int
    dominance_percent: int
    minimum_width: int
    minimum_percentage_base: int
    percentage_decimals: int
    hidden_to: int
    periods: tuple[str, ...]
    fixed_for_child: Mapping[str, bool]
    measures: Mapping[str, Measure]
    relations: tuple[Relation, ...]
    differences: tuple[Difference, ...]
    shares: tuple[Share, ...]
    share_group_to: int
    outside: tuple[Outside, ...]
    tables: tuple[Table, ...]

    def protects(self, low: int, high: int, possible_width: int) -> bool:
        """Whether an interval meets the requirement. A wider interval never does worse.

        Args:
            low: least count that remains possible.
            high: greatest count that remains possible.
            possible_width: structurally possible width of the interval.
        """
        wide_enough = high - low >= max(1, min(self.minimum_width, possible_width))
        return wide_enough and (low == 0 or high > self.unsafe_to)

    def needed_upper(self, count: Number, largest: Number, second: Number) -> Number:
        """What a count of episodes must be thought able to be, at least, so that its largest part stays hidden.

        The p%-rule (Handbook on Statistical Disclosure Control, 4.2.2): the second contributor takes its own part from
        the total and so knows the largest up to the parts of all others; that must leave `dominance_percent` of it.

        Args:
            count: episodes of all children.
            largest: episodes of the child with most.
            second: episodes of the next child.

        Returns:
            The least upper bound that protects. Where it is above the count, one child dominates.
        """
        lacking = -(-self.dominance_percent * largest // 100) - (count - largest - second)
        return count + lacking

    def covering(self, period_types: Collection[str]) -> "Policy":
        """The same policy with a plan of these period types only.

        For a young series: while no year is over, there is no yearly table, which is not the same as a hole in one.

        Args:
            period_types: those of which at least one period is over.
        """
        kept = (replace(t, period_types=tuple(p for p in t.period_types if p in period_types)) for t in self.tables)
        return replace(self, tables=tuple(table for table in kept if table.period_types))

    def plan(self) -> pl.DataFrame:
        """The publication plan, one row for each combination that some table publishes.

        Returns:
            Distinct, sorted rows of measure, basis, period_type, area_level, breakdown and method.
        """
        tables = pl.DataFrame(
            {
                "measure": [list(table.measures) for table in self.tables],
                "basis": [table.basis for table in self.tables],
                "period_type": [list(table.period_types) for table in self.tables],
                "area_level": [list(table.areas) for table in self.tables],
                "breakdown": [list(table.breakdowns) for table in self.tables],
                "method": [table.method for table in self.tables],
            }
        )
        exploded = tables.explode("measure").explode("period_type").explode("area_level").explode("breakdown")
        return exploded.unique().sort(exploded.columns)
