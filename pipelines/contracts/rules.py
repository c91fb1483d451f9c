"""The rules a contract states, each as one named thing: id, column, severity and a sentence for people.

Every constraint in the ODCS file becomes exactly one `Rule`. A rule about one row is an expectation (`suite` says
which); a rule that compares rows is a file of SQL, under `sql/rules/` where it compares the rows of one delivery and
under `sql/quality/` where it compares deliveries. Rules that hold for one layout only are read by `catalogue`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from open_data_contract_standard.model import DataQuality, SchemaProperty

from pipelines.contracts.contract import NUMERIC, TEMPORAL, Contract, ContractError

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
WITHIN_DELIVERY, ACROSS_DELIVERIES = "within_delivery", "across_deliveries"
# Folder under `sql/` of the rules of each kind that compare rows.
_FOLDERS = {"rules": WITHIN_DELIVERY, "quality": ACROSS_DELIVERIES}
# Pseudo-columns an expectation may name: the arrival of the file, and the recorded end (found, else returned).
RECEIVED, ENDED = "received_at", "ended"
ENDS = ("found_at", "returned_at")
# Before the name of a column: the source's own cell, before it is mapped.
CELL = "cell."
# Between the names of two columns: the least number of days from the second to the first.
DAYS_AFTER = "days_after"


@dataclass(frozen=True)
class Rule:
    """A rule: `kind` says what is tested, `arguments` with which values, `message` what a person reads.

    A rule can run on a delivery that supplies all of `columns` and, where `any_of` is not empty, one of those.
    `stands_for` names rules that say the same: on a row where this rule fails, they are not reported as well. `source`
    is the only layout it holds for (blank: every layout). `needs` are facts beyond columns, listed in `catalogue`.
    """

    rule_id: str
    dataset: str
    column: str
    kind: str
    severity: Severity
    message: str
    arguments: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()
    source: str = ""
    needs: tuple[str, ...] = ()

    @property
    def is_expectation(self) -> bool:
        """Whether the rule looks at one row at a time and is run by Great Expectations."""
        return self.kind not in {WITHIN_DELIVERY, ACROSS_DELIVERIES}


@cache
def contract_rules(contract: Contract) -> tuple[Rule, ...]:
    """List the rules of a contract in the order of its properties.

    Raises:
        ContractError: two rules share an id, or a quality rule is of a type that no engine here runs. A rule that
            would be dropped without a word is the known failure of contract tools, so it is an error.
    """
    if any(table.quality for table in contract.odcs.schema_ or []):
        msg = f"{contract.path.name}: no engine here runs a quality rule of the whole table; state it at a property"
        raise ContractError(msg)
    rules = tuple(rule for prop in contract.properties for rule in _property_rules(contract, prop))
    ids = [rule.rule_id for rule in rules]
    repeated = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    if repeated:
        msg = f"{contract.path.name}: rule ids stated twice: {', '.join(repeated)}"
        raise ContractError(msg)
    return rules


def _property_rules(contract: Contract, prop: SchemaProperty) -> Iterator[Rule]:
    name = str(prop.name)
    label = prop.businessName or name
    usual: Severity = "critical" if prop.criticalDataElement else "warning"

    def rule(kind: str, message: str, severity: Severity = usual, **arguments: Any) -> Rule:
        rule_id = f"{contract.dataset}.{name}.{kind}"
        return Rule(rule_id, contract.dataset, name, kind, severity, message, arguments, columns=(name,))

    if prop.required:
        yield rule("required", f"{label} is blank; every row needs it.", "critical")
    if prop.logicalType in TEMPORAL:
        yield rule("type", f"{label} is not a date or a date and time that exists.")
    if prop.logicalType in NUMERIC:
        yield rule("type", f"{label} is not a {'whole ' if prop.logicalType == 'integer' else ''}number.")
    if prop.unique:
        yield rule("unique", f"{label} stands on two different rows of this file; only one can be right.")
    yield from (rule(*stated[:2], **stated[2]) for stated in _stated_options(prop, label))
    for quality in prop.quality or []:
        yield _quality_rule(contract, name, label, quality)


def _stated_options(prop: SchemaProperty, label: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, message and arguments of each ODCS logical type option."""
    options = prop.logicalTypeOptions or {}
    kinds = {
        "pattern": ("pattern", "does not have the agreed form", "regex"),
        "maxLength": ("max_length", "is longer than {} characters", "most"),
        "minimum": ("minimum", "is below {}", "least"),
        "maximum": ("maximum", "is above {}", "most"),
    }
    for option, limit in options.items():
        if option not in kinds:
            msg = f"{prop.name}: no engine here runs the option {option}"
            raise ContractError(msg)
        kind, says, argument = kinds[option]
        yield kind, f"{label} {says.format(limit)}.", {argument: limit}


def _quality_rule(contract: Contract, name: str, label: str, quality: DataQuality) -> Rule:
    severity = quality.severity
    if severity not in SEVERITIES:
        msg = f"{contract.path.name}, {name}: severity must be one of {', '.join(SEVERITIES)}"
        raise ContractError(msg)
    if quality.type == "library" and quality.metric == "invalidValues" and quality.mustBe == 0:
        codes = list((quality.arguments or {})["validValues"])
        return Rule(
            rule_id=f"{contract.dataset}.{name}.codes",
            dataset=contract.dataset,
            column=name,
            kind="codes",
            severity=severity,
            message=f"{label} is not one of: {', '.join(codes)}.",
            arguments={"codes": codes},
            columns=(name,),
        )
    if quality.type == "custom" and quality.engine in {"greatExpectations", "duckdb"} and quality.name:
        implementation = quality.implementation
        if not isinstance(implementation, dict):
            msg = f"{contract.path.name}, {name}: {quality.name} has no implementation"
            raise ContractError(msg)
        return custom_rule(
            implementation,
            rule_id=quality.name,
            dataset=contract.dataset,
            column=name,
            severity=severity,
            message=str(quality.description),
        )
    msg = f"{contract.path.name}, {name}: no engine here runs a quality rule of type {quality.type}"
    raise ContractError(msg)


def custom_rule(
    implementation: Mapping[str, Any], *, rule_id: str, dataset: str, column: str, severity: Severity, message: str
) -> Rule:
    """Make a rule of an expectation (`type`, `kwargs`) or of a file of SQL (`file`, `columns`, `any_of`, `needs`).

    Raises:
        ContractError: the implementation is neither, or its file is under no folder that an engine here runs.
    """
    if {"type", "kwargs"} == implementation.keys():
        bases = [base for name in columns_named(implementation["kwargs"]) for base in _bases(name)]
        return Rule(
            rule_id=rule_id,
            dataset=dataset,
            column=column,
            kind="expectation",
            severity=severity,
            message=message,
            arguments=dict(implementation),
            columns=tuple(base for base in dict.fromkeys(bases) if base not in {RECEIVED, ENDED}),
            any_of=ENDS if ENDED in bases else (),
        )
    kind = _FOLDERS.get(str(implementation.get("file", "")).partition("/")[0])
    if kind is None:
        msg = f"{rule_id} ({column}): no engine here runs this implementation"
        raise ContractError(msg)
    return Rule(
        rule_id=rule_id,
        dataset=dataset,
        column=column,
        kind=kind,
        severity=severity,
        message=message,
        arguments={"file": implementation["file"]},
        columns=tuple(implementation.get("columns", ())),
        any_of=tuple(implementation.get("any_of", ())),
        needs=tuple(implementation.get("needs", ())),
    )


def columns_named(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns of the judged frame that an expectation's arguments name; helper columns as they are written."""
    return tuple(str(kwargs[key]) for key in ("column", "column_A", "column_B") if key in kwargs)


def _bases(name: str) -> tuple[str, ...]:
    """The contract's columns behind the name of a helper column: `found_at.days_after.started_at` looks at two."""
    first, _, second = name.removeprefix(CELL).partition(f".{DAYS_AFTER}.")
    return (first.partition(".")[0], *([second] if second else []))
