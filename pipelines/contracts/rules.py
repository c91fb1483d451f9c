"""The rules a contract states, each as one named thing: id, column, severity and a sentence for people.

Every constraint in the ODCS file becomes exactly one `Rule`; what engine runs it is decided in `suite`. Rules that
look at more than one row are SQL under `sql/quality/`, not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from open_data_contract_standard.model import DataQuality, SchemaProperty

from pipelines.contracts.contract import NUMERIC, TEMPORAL, Contract, ContractError

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


@dataclass(frozen=True)
class Rule:
    """A row rule: `kind` says what is tested, `arguments` with which values, `message` what a person reads."""

    rule_id: str
    dataset: str
    column: str
    kind: str
    severity: Severity
    message: str
    arguments: dict[str, Any] = field(default_factory=dict)


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
        return Rule(f"{contract.dataset}.{name}.{kind}", contract.dataset, name, kind, severity, message, arguments)

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
        )
    if quality.type == "custom" and quality.engine == "greatExpectations" and quality.name:
        implementation = quality.implementation
        if not isinstance(implementation, dict):
            msg = f"{contract.path.name}, {name}: {quality.name} has no implementation"
            raise ContractError(msg)
        return Rule(
            rule_id=quality.name,
            dataset=contract.dataset,
            column=name,
            kind="expectation",
            severity=severity,
            message=str(quality.description),
            arguments=dict(implementation),
        )
    msg = f"{contract.path.name}, {name}: no engine here runs a quality rule of type {quality.type}"
    raise ContractError(msg)
