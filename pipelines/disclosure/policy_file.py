"""The file `data_contracts/rules/disclosure.yaml`, read strictly into a `policy.Policy`.

A misspelt key, an unknown name or a rule that cannot be carried out is an error here, so that no table is published
without its facts. What the policy means does not belong here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from pipelines.contracts.yaml_text import read_yaml
from pipelines.disclosure.errors import PolicyError
from pipelines.disclosure.policy import (
    AREA_LEVELS,
    OVERLAPPING,
    PERIOD_TYPES,
    TOTAL,
    TOTAL_VALUE,
    Composition,
    Count,
    Difference,
    Measure,
    Method,
    Outside,
    Policy,
    Relation,
    Sense,
    Share,
    Table,
    Unit,
)

# A count: "children", one value of a breakdown "children[age_band: 10 to 11]", of a basis "A:incidents".
_COUNT = re.compile(r"(?:([A-Z]):)?([a-z]\w*)(?:\[(\w+): ([^\]]+)\])?")
_TERM = re.compile(rf"\s*([+-]?)\s*(?:(\d+)\s*\*?\s*)?(?P<count>{_COUNT.pattern})")
_PAIR = 2
_COMPARISON = re.compile(r"<=|>=|=")
_PARTS = (
    "version method rounding unsafe dominance interval percentages hidden_to periods breakdowns measures relations "
    "differences attributes outside tables"
)


def policy_path(contracts: Path) -> Path:
    """Where the policy stands in the folder `data_contracts`."""
    return contracts / "rules" / "disclosure.yaml"


def load_policy(path: Path) -> Policy:
    """Read and check the policy file.

    Args:
        path: the YAML file.

    Raises:
        PolicyError: if the file cannot be read or a rule in it cannot be carried out.
    """
    try:
        content = read_yaml(path)
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
    root = _section(content, "the policy", _PARTS)
    rounding = _section(root["rounding"], "rounding", "base reach seconds_per_component")
    unsafe = _section(root["unsafe"], "unsafe", "from to")
    interval = _section(root["interval"], "interval", "minimum_width")
    dominance = _section(root["dominance"], "dominance", "percent")
    percentages = _section(root["percentages"], "percentages", "minimum_base decimals")
    attributes = _section(root["attributes"], "attributes", "group_to shares")
    seconds = rounding["seconds_per_component"]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise PolicyError("rounding: seconds_per_component must be a number.")
    measures = {str(name): _measure(str(name), entry) for name, entry in _mapping(root["measures"], "measures").items()}
    policy = Policy(
        version=str(root["version"]),
        base=_whole(rounding["base"], "rounding: base", least=2),
        reach=tuple(_whole(reach, "rounding: reach", least=1) for reach in _list(rounding["reach"], "rounding: reach")),
        seconds_per_component=float(seconds),
        unsafe_from=_whole(unsafe["from"], "unsafe: from", least=1),
        unsafe_to=_whole(unsafe["to"], "unsafe: to", least=1),
        dominance_percent=_whole(dominance["percent"], "dominance: percent", least=1),
        minimum_width=_whole(interval["minimum_width"], "interval: minimum_width", least=1),
        minimum_percentage_base=_whole(percentages["minimum_base"], "percentages: minimum_base", least=1),
        percentage_decimals=_whole(percentages["decimals"], "percentages: decimals", least=0),
        hidden_to=_whole(root["hidden_to"], "hidden_to", least=1),
        periods=_names(root["periods"], "periods"),
        fixed_for_child=_breakdowns(root["breakdowns"]),
        measures=measures,
        relations=tuple(_relation(entry) for entry in _list(root["relations"], "relations")),
        differences=tuple(_difference(entry) for entry in _list(root["differences"], "differences")),
        shares=tuple(_share(entry) for entry in _list(attributes["shares"], "attributes: shares")),
        share_group_to=_whole(attributes["group_to"], "attributes: group_to", least=1),
        outside=tuple(_outside(entry) for entry in _list(root["outside"], "outside")),
        tables=tuple(_table(entry, root["method"]) for entry in _list(root["tables"], "tables")),
    )
    _check_numbers(policy)
    _check_names(policy)
    _check_methods(policy)
    _check_overlaps(policy)
    _check_related(policy)
    return policy


def _check_numbers(policy: Policy) -> None:
    """Refuse a rounding that cannot meet the requirement whatever the data are."""
    if not policy.reach or policy.reach[0] != policy.base - 1 or sorted(set(policy.reach)) != list(policy.reach):
        raise PolicyError("rounding: reach must rise, from one less than the base.")
    if not policy.unsafe_from <= policy.unsafe_to <= policy.base:
        raise PolicyError("unsafe: from <= to <= base is required; a smaller base does not hide such counts.")
    if policy.minimum_width >= policy.base:
        raise PolicyError("interval: minimum_width must be below the base; a printed 0 leaves no more.")


def _check_names(policy: Policy) -> None:
    """Refuse a table or relation that speaks of something undeclared: it would be published without its facts."""
    _refuse_unknown("periods", "period type", policy.periods, set(PERIOD_TYPES))
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
    for where, counts in _counts_named(policy):
        _refuse_unknown(where, "measure", tuple(count.measure for count in counts), set(policy.measures))
        _refuse_unknown(where, "breakdown", tuple(count.breakdown for count in counts), breakdowns)


def _counts_named(policy: Policy) -> Iterator[tuple[str, tuple[Count, ...]]]:
    for relation in policy.relations:
        yield f"relation {relation.text!r}", relation.counts
    for difference in policy.differences:
        yield f"difference {difference.id}", tuple(count for count, _ in difference.terms)
    for share in policy.shares:
        yield "attributes: shares", (share.part, share.whole)
    for outside in policy.outside:
        yield "outside", (outside.count,)


def _refuse_unknown(where: str, kind: str, used: tuple[str, ...], declared: set[str]) -> None:
    unknown = sorted(set(used) - declared)
    if unknown:
        message = f"{where}: {kind} {', '.join(unknown)} is not declared in the policy."
        raise PolicyError(message)


def _check_methods(policy: Policy) -> None:
    """Refuse two methods for counts that add up to each other: rounded parts do not add up to an exact whole."""
    methods: dict[tuple[str, str], set[str]] = defaultdict(set)
    for table in policy.tables:
        for measure in table.measures:
            methods[table.basis, measure].add(table.method)
    for (basis, measure), found in sorted(methods.items()):
        if len(found) > 1:
            message = f"tables: {measure} on basis {basis} is protected by two methods; one count has one."
            raise PolicyError(message)
    for relation in policy.relations:
        for basis in {table.basis for table in policy.tables}:
            found = {
                m for count in relation.counts for m in methods.get((count.basis or basis, count.measure), {"none"})
            }
            if relation.sense == "zero" and len(found - {"none"}) > 1 and "none" not in found:
                message = f"relation {relation.text!r}: it ties counts that are protected by two methods."
                raise PolicyError(message)


def _check_overlaps(policy: Policy) -> None:
    """Refuse periods that overlap without the shorter ones that tell them apart: their differences are counts too."""
    for table in policy.tables:
        for period_type in set(table.period_types) & set(OVERLAPPING):
            for measure in table.measures:
                if policy.measures[measure].time != "adds":
                    message = (
                        f"table {table.id}: {measure} does not add over time and cannot be published by {period_type}."
                    )
                    raise PolicyError(message)
            if "month" not in table.period_types:
                message = f"table {table.id}: {period_type} needs month beside it, which its differences give away."
                raise PolicyError(message)


def _check_related(policy: Policy) -> None:
    """Refuse a measure that no relation ties to the others of its basis: an outsider would know more than the audit."""
    tied = {count.measure for relation in policy.relations for count in relation.counts}
    for basis in sorted({table.basis for table in policy.tables}):
        published = {measure for table in policy.tables if table.basis == basis for measure in table.measures}
        alone = sorted(published - tied) if len(published) > 1 else []
        if alone:
            message = f"relations: nothing relates {', '.join(alone)} to the other counts of basis {basis}."
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


def _table(entry: object, usual: object) -> Table:
    where = f"table {entry.get('id', '(no id)') if isinstance(entry, dict) else entry!r}"
    fields = _section(entry, where, "id basis measures period_types areas breakdowns", optional="method")
    method = fields.get("method", usual)
    if method not in get_args(Method):
        message = f"method: {method!r} is not available; use {' or '.join(get_args(Method))}."
        raise PolicyError(message)
    return Table(
        id=str(fields["id"]),
        basis=str(fields["basis"]),
        measures=_names(fields["measures"], where),
        period_types=_names(fields["period_types"], where),
        areas=_names(fields["areas"], where),
        breakdowns=_names(fields["breakdowns"], where),
        method=cast("Method", method),
    )


def _difference(entry: object) -> Difference:
    fields = _section(entry, "differences", "id is basis because")
    text = str(fields["is"])
    return Difference(
        str(fields["id"]), tuple(_terms(text, text).items()), str(fields["basis"]), str(fields["because"])
    )


def _share(entry: object) -> Share:
    fields = _section(entry, "attributes: shares", "part of")
    return Share(_count(str(fields["part"])), _count(str(fields["of"])))


def _outside(entry: object) -> Outside:
    fields = _section(entry, "outside", "table item measure basis breakdown breakdown_value")
    count = Count(str(fields["measure"]), str(fields["breakdown"]), str(fields["breakdown_value"]))
    return Outside(str(fields["table"]), str(fields["item"]), str(fields["basis"]), count)


def _relation(entry: object) -> Relation:
    fields = _section(entry, "relations", "fact because", optional="at areas")
    text = str(fields["fact"])
    at = fields.get("at", TOTAL)
    if at not in (TOTAL, "every_breakdown"):
        message = f"relation {text!r}: at must be {TOTAL} or every_breakdown."
        raise PolicyError(message)
    areas = _names(fields.get("areas", list(AREA_LEVELS)), f"relation {text!r}: areas")
    _refuse_unknown(f"relation {text!r}", "area level", areas, set(AREA_LEVELS))
    sense, terms = _needs(text) if " needs " in text else _comparison(text)
    relation = Relation(text, sense, terms, at == "every_breakdown", areas, str(fields["because"]))
    if relation.every_breakdown and any(count.breakdown != TOTAL for count in relation.counts):
        message = f"relation {text!r}: it names a value, so it cannot hold at every one."
        raise PolicyError(message)
    if len({count.basis is None for count in relation.counts}) > 1:
        message = f"relation {text!r}: name the basis of every count or of none."
        raise PolicyError(message)
    return relation


def _count(text: str) -> Count:
    found = _COUNT.fullmatch(text)
    if found is None:
        message = f"{text!r} is not a count: write a measure, or measure[breakdown: value]."
        raise PolicyError(message)
    basis, measure, breakdown, value = found.groups()
    return Count(measure, breakdown or TOTAL, value or TOTAL_VALUE, basis)


def _needs(text: str) -> tuple[Sense, tuple[tuple[Count, int], ...]]:
    counts = text.split(" needs ")
    if len(counts) != len(set(counts)) or not all(_COUNT.fullmatch(count) for count in counts) or len(counts) != _PAIR:
        message = f"relation {text!r}: write 'A needs B' with two counts."
        raise PolicyError(message)
    return "needs", ((_count(counts[0]), 1), (_count(counts[1]), 1))


def _comparison(text: str) -> tuple[Sense, tuple[tuple[Count, int], ...]]:
    """Bring `left <= right`, `left >= right` or `left = right` to one side."""
    signs = _COMPARISON.findall(text)
    if len(signs) != 1:
        message = f"relation {text!r}: write one of <=, >=, = or 'needs'."
        raise PolicyError(message)
    left, right = _COMPARISON.split(text)
    greater, lesser = (right, left) if signs[0] == "<=" else (left, right)
    coefficients = _terms(greater, text)
    for count, coefficient in _terms(lesser, text).items():
        coefficients[count] = coefficients.get(count, 0) - coefficient
    if not all(coefficients.values()):
        message = f"relation {text!r}: a measure cancels out."
        raise PolicyError(message)
    return ("zero" if signs[0] == "=" else "at_least_zero"), tuple(coefficients.items())


def _terms(side: str, text: str) -> dict[Count, int]:
    """The coefficients of a sum of counts."""
    found: dict[Count, int] = {}
    position = 0
    while position < len(side.rstrip()):
        match = _TERM.match(side, position)
        if match is None or (position > 0 and not match[1]):
            message = f"relation {text!r}: {side.strip()!r} is not a sum of measures."
            raise PolicyError(message)
        count = _count(match["count"])
        found[count] = found.get(count, 0) + int(match[1] + (match[2] or "1"))
        position = match.end()
    if position == 0:
        message = f"relation {text!r}: one side is empty."
        raise PolicyError(message)
    return found


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
