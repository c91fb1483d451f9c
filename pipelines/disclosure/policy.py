"""The disclosure policy: `data_contracts/rules/disclosure.yaml` read into values that cannot be wrong.

What is unsafe, how counts are rounded, what must remain possible for an outsider, which tables are published and how
their measures are related. Everything here is public. Cells, equations and solvers do not belong here.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

import polars as pl
import yaml

from pipelines.disclosure.errors import PolicyError

Composition = Literal["adds", "union", "at_least_each", "at_least_sum"]
Unit = Literal["episode", "child"]
Sense = Literal["at_least_zero", "zero", "needs"]

TOTAL = "total"
AREA_LEVELS = ("borough", "region")

# A count in a relation: "children", or one value of a breakdown, "children[age_band: 10 to 11]".
_COUNT = re.compile(r"([a-z]\w*)(?:\[(\w+): ([^\]]+)\])?")
_TERM = re.compile(rf"\s*([+-]?)\s*(?:(\d+)\s*\*?\s*)?(?P<count>{_COUNT.pattern})")
_PAIR = 2
_COMPARISON = re.compile(r"<=|>=|=")


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


@dataclass(frozen=True)
class Measure:
    """What a measure counts, and how a whole relates to its parts along each axis."""

    name: str
    unit: Unit
    area: Composition
    time: Composition
    breakdown: Composition


@dataclass(frozen=True)
class Relation:
    """A fact between measures at one coordinate.

    `terms` are (count, coefficient); a count is a measure, or `measure[breakdown: value]`. `at_least_zero` and `zero`
    speak of the sum of coefficient times count; `needs` has two terms: where the first count is not zero, the second
    is not zero.
    """

    text: str
    sense: Sense
    terms: tuple[tuple[str, int], ...]
    every_breakdown: bool
    because: str

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that it speaks of."""
        return tuple(count.partition("[")[0] for count, _ in self.terms)

    @property
    def breakdowns(self) -> tuple[str, ...]:
        """The breakdowns of which it names a value."""
        return tuple(count.partition("[")[2].partition(":")[0] for count, _ in self.terms if "[" in count)


@dataclass(frozen=True)
class Table:
    """One published table: the product of its lists."""

    id: str
    basis: str
    measures: tuple[str, ...]
    period_types: tuple[str, ...]
    areas: tuple[str, ...]
    breakdowns: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """The whole policy. Load it with `load_policy`; a value of this type has been checked.

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
    method: str
    base: int
    reach: tuple[int, ...]
    seconds_per_component: float
    unsafe_from: int
    unsafe_to: int
    minimum_width: int
    minimum_percentage_base: int
    percentage_decimals: int
    periods: tuple[str, ...]
    fixed_for_child: Mapping[str, bool]
    measures: Mapping[str, Measure]
    relations: tuple[Relation, ...]
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
            Distinct, sorted rows of measure, basis, period_type, area_level and breakdown.
        """
        tables = pl.DataFrame(
            {
                "measure": [list(table.measures) for table in self.tables],
                "basis": [table.basis for table in self.tables],
                "period_type": [list(table.period_types) for table in self.tables],
                "area_level": [list(table.areas) for table in self.tables],
                "breakdown": [list(table.breakdowns) for table in self.tables],
            }
        )
        exploded = tables.explode("measure").explode("period_type").explode("area_level").explode("breakdown")
        return exploded.unique().sort(exploded.columns)


def load_policy(path: Path) -> Policy:
    """Read and check the policy file.

    Args:
        path: the YAML file.

    Raises:
        PolicyError: if the file cannot be read or a rule in it cannot be carried out.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        message = f"The disclosure policy {path} cannot be read: {error}"
        raise PolicyError(message) from error
    return parse_policy(content)


def parse_policy(content: object) -> Policy:
    """Check the content of a policy file.

    Args:
        content: the file as nested mappings and lists.

    Raises:
        PolicyError: naming the entry that is missing, unknown or impossible.
    """
    root = _section(
        content,
        "the policy",
        "version method rounding unsafe interval percentages periods breakdowns measures relations tables",
    )
    rounding = _section(root["rounding"], "rounding", "base reach seconds_per_component")
    unsafe = _section(root["unsafe"], "unsafe", "from to")
    interval = _section(root["interval"], "interval", "minimum_width")
    percentages = _section(root["percentages"], "percentages", "minimum_base decimals")
    seconds = rounding["seconds_per_component"]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise PolicyError("rounding: seconds_per_component must be a number.")
    measures = {str(name): _measure(str(name), entry) for name, entry in _mapping(root["measures"], "measures").items()}
    policy = Policy(
        version=str(root["version"]),
        method=str(root["method"]),
        base=_whole(rounding["base"], "rounding: base", least=2),
        reach=tuple(_whole(reach, "rounding: reach", least=1) for reach in _list(rounding["reach"], "rounding: reach")),
        seconds_per_component=float(seconds),
        unsafe_from=_whole(unsafe["from"], "unsafe: from", least=1),
        unsafe_to=_whole(unsafe["to"], "unsafe: to", least=1),
        minimum_width=_whole(interval["minimum_width"], "interval: minimum_width", least=1),
        minimum_percentage_base=_whole(percentages["minimum_base"], "percentages: minimum_base", least=1),
        percentage_decimals=_whole(percentages["decimals"], "percentages: decimals", least=0),
        periods=_names(root["periods"], "periods"),
        fixed_for_child=_breakdowns(root["breakdowns"]),
        measures=measures,
        relations=tuple(_relation(entry) for entry in _list(root["relations"], "relations")),
        tables=tuple(_table(entry) for entry in _list(root["tables"], "tables")),
    )
    _check_numbers(policy)
    _check_names(policy)
    return policy


def _check_numbers(policy: Policy) -> None:
    """Refuse a rounding that cannot meet the requirement whatever the data are."""
    if policy.method != "controlled_rounding":
        message = f"method: {policy.method!r} is not available; use controlled_rounding."
        raise PolicyError(message)
    if not policy.reach or policy.reach[0] != policy.base - 1 or sorted(set(policy.reach)) != list(policy.reach):
        raise PolicyError("rounding: reach must rise, from one less than the base.")
    if not policy.unsafe_from <= policy.unsafe_to <= policy.base:
        raise PolicyError("unsafe: from <= to <= base is required; a smaller base does not hide such counts.")
    if policy.minimum_width >= policy.base:
        raise PolicyError("interval: minimum_width must be below the base; a printed 0 leaves no more.")


def _check_names(policy: Policy) -> None:
    """Refuse a table or relation that speaks of something undeclared: it would be published without its facts."""
    if not policy.tables:
        raise PolicyError("tables: the plan publishes nothing.")
    if len({table.id for table in policy.tables}) != len(policy.tables):
        raise PolicyError("tables: each id may be used once.")
    breakdowns = {TOTAL, *policy.fixed_for_child}
    for table in policy.tables:
        where = f"table {table.id}"
        _refuse_unknown(where, "measure", table.measures, set(policy.measures))
        _refuse_unknown(where, "period type", table.period_types, set(policy.periods))
        _refuse_unknown(where, "area level", table.areas, set(AREA_LEVELS))
        _refuse_unknown(where, "breakdown", table.breakdowns, breakdowns)
    for relation in policy.relations:
        where = f"relation {relation.text!r}"
        _refuse_unknown(where, "measure", relation.measures, set(policy.measures))
        _refuse_unknown(where, "breakdown", relation.breakdowns, set(policy.fixed_for_child))


def _refuse_unknown(where: str, kind: str, used: tuple[str, ...], declared: set[str]) -> None:
    unknown = sorted(set(used) - declared)
    if unknown:
        message = f"{where}: {kind} {', '.join(unknown)} is not declared in the policy."
        raise PolicyError(message)


def _measure(name: str, entry: object) -> Measure:
    fields = _section(entry, f"measure {name}", "unit area time breakdown")
    for key, value in fields.items():
        choices = get_args(Unit) if key == "unit" else get_args(Composition)
        if value not in choices:
            message = f"measure {name}: {key} must be one of {', '.join(choices)}."
            raise PolicyError(message)
    return Measure(
        name=name,
        unit=cast("Unit", fields["unit"]),
        area=cast("Composition", fields["area"]),
        time=cast("Composition", fields["time"]),
        breakdown=cast("Composition", fields["breakdown"]),
    )


def _breakdowns(entry: object) -> dict[str, bool]:
    fixed: dict[str, bool] = {}
    for name, value in _mapping(entry, "breakdowns").items():
        flag = _section(value, f"breakdown {name}", "fixed_for_child")["fixed_for_child"]
        if not isinstance(flag, bool) or name == TOTAL:
            message = f"breakdown {name}: fixed_for_child must be true or false, and the name not '{TOTAL}'."
            raise PolicyError(message)
        fixed[str(name)] = flag
    return fixed


def _table(entry: object) -> Table:
    where = f"table {entry.get('id', '(no id)') if isinstance(entry, dict) else entry!r}"
    fields = _section(entry, where, "id basis measures period_types areas breakdowns")
    return Table(
        id=str(fields["id"]),
        basis=str(fields["basis"]),
        measures=_names(fields["measures"], where),
        period_types=_names(fields["period_types"], where),
        areas=_names(fields["areas"], where),
        breakdowns=_names(fields["breakdowns"], where),
    )


def _relation(entry: object) -> Relation:
    fields = _section(entry, "relations", "fact because", optional="at")
    text = str(fields["fact"])
    at = fields.get("at", TOTAL)
    if at not in (TOTAL, "every_breakdown"):
        message = f"relation {text!r}: at must be {TOTAL} or every_breakdown."
        raise PolicyError(message)
    sense, terms = _needs(text) if " needs " in text else _comparison(text)
    relation = Relation(text, sense, terms, at == "every_breakdown", str(fields["because"]))
    if relation.every_breakdown and relation.breakdowns:
        message = f"relation {text!r}: it names a value, so it cannot hold at every one."
        raise PolicyError(message)
    return relation


def _needs(text: str) -> tuple[Sense, tuple[tuple[str, int], ...]]:
    counts = text.split(" needs ")
    if len(counts) != len(set(counts)) or not all(_COUNT.fullmatch(count) for count in counts) or len(counts) != _PAIR:
        message = f"relation {text!r}: write 'A needs B' with two counts."
        raise PolicyError(message)
    return "needs", ((counts[0], 1), (counts[1], 1))


def _comparison(text: str) -> tuple[Sense, tuple[tuple[str, int], ...]]:
    """Bring `left <= right`, `left >= right` or `left = right` to one side."""
    signs = _COMPARISON.findall(text)
    if len(signs) != 1:
        message = f"relation {text!r}: write one of <=, >=, = or 'needs'."
        raise PolicyError(message)
    left, right = _COMPARISON.split(text)
    greater, lesser = (right, left) if signs[0] == "<=" else (left, right)
    coefficients: dict[str, int] = {}
    for side, sign in ((greater, 1), (lesser, -1)):
        for measure, coefficient in _sum_terms(side, text):
            coefficients[measure] = coefficients.get(measure, 0) + sign * coefficient
    if not all(coefficients.values()):
        message = f"relation {text!r}: a measure cancels out."
        raise PolicyError(message)
    return ("zero" if signs[0] == "=" else "at_least_zero"), tuple(coefficients.items())


def _sum_terms(side: str, text: str) -> Iterator[tuple[str, int]]:
    position = 0
    while position < len(side.rstrip()):
        match = _TERM.match(side, position)
        if match is None or (position > 0 and not match[1]):
            message = f"relation {text!r}: {side.strip()!r} is not a sum of measures."
            raise PolicyError(message)
        yield match["count"], int(match[1] + (match[2] or "1"))
        position = match.end()
    if position == 0:
        message = f"relation {text!r}: one side is empty."
        raise PolicyError(message)


def _section(value: object, where: str, required: str, optional: str = "") -> dict[str, Any]:
    """A mapping with exactly the named keys, so that a misspelt rule is an error and not a rule left out."""
    fields = _mapping(value, where)
    missing = sorted(set(required.split()) - set(fields))
    unknown = sorted(set(fields) - set(required.split()) - set(optional.split()))
    if missing or unknown:
        message = f"{where}: missing {missing or 'nothing'}, not understood {unknown or 'nothing'}."
        raise PolicyError(message)
    return fields


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"{where}: a mapping is expected."
        raise PolicyError(message)
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        message = f"{where}: a list is expected."
        raise PolicyError(message)
    return value


def _names(value: object, where: str) -> tuple[str, ...]:
    names = tuple(str(name) for name in _list(value, where))
    if not names or len(set(names)) != len(names):
        message = f"{where}: a list of distinct names is expected."
        raise PolicyError(message)
    return names


def _whole(value: object, where: str, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        message = f"{where}: a whole number of at least {least} is expected."
        raise PolicyError(message)
    return value
