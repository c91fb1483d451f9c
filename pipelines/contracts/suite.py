"""Rules to Great Expectations, and a run of them that returns failing row indexes and nothing else.

This is the only module that imports great_expectations, and it does so inside functions: the import costs seconds and
most commands never need it. No value of a cell may leave this module: results are asked for as row indexes only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.contracts.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

# Row indexes of failures, without the values that failed.
RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}

FINDING_SCHEMA = {"rule_id": pl.String, "index": pl.Int64}


class ValidationFailedToRunError(Exception):
    """Great Expectations could not run a rule; the message names rules, never values."""


# Expectation and arguments for each kind of rule; "expectation" rules bring their own.
_EXPECTATIONS: dict[str, Callable[[Rule], tuple[str, dict[str, Any]]]] = {
    "required": lambda rule: ("expect_column_values_to_not_be_null", {"column": rule.column}),
    "type": lambda rule: (
        "expect_column_values_to_be_in_set",
        {"column": f"{rule.column}.readable", "value_set": [True]},
    ),
    "unique": lambda rule: ("expect_column_values_to_be_unique", {"column": f"{rule.column}.key"}),
    "pattern": lambda rule: ("expect_column_values_to_match_regex", {"column": rule.column, **rule.arguments}),
    "codes": lambda rule: (
        "expect_column_values_to_be_in_set",
        {"column": rule.column, "value_set": rule.arguments["codes"]},
    ),
    "max_length": lambda rule: (
        "expect_column_value_lengths_to_be_between",
        {"column": rule.column, "max_value": rule.arguments["most"]},
    ),
    "minimum": lambda rule: (
        "expect_column_values_to_be_between",
        {"column": f"{rule.column}.number", "min_value": rule.arguments["least"]},
    ),
    "maximum": lambda rule: (
        "expect_column_values_to_be_between",
        {"column": f"{rule.column}.number", "max_value": rule.arguments["most"]},
    ),
    "expectation": lambda rule: (rule.arguments["type"], rule.arguments["kwargs"]),
}


def build_expectation(rule: Rule) -> Any:
    """Turn one rule into one Great Expectations expectation on the frame that `intake.typed` makes.

    Text is tested in the column itself, dates and numbers in the columns derived from it: `<column>.readable`,
    `<column>.number`, `<column>.earliest` and `<column>.latest`.
    """
    import great_expectations.expectations  # noqa: F401 - registers the expectations
    from great_expectations.expectations.registry import get_expectation_impl

    kind, arguments = _EXPECTATIONS[rule.kind](rule)
    stated: dict[str, Any] = {"severity": rule.severity, "meta": {"rule_id": rule.rule_id}}
    return get_expectation_impl(kind)(**arguments, **stated)


def run_rules(frame: pd.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Run every rule on a pandas frame with a 0-based range index.

    Returns:
        One row per failure: `rule_id`, `index` (position in the frame).

    Raises:
        ValidationFailedToRunError: a rule raised, or fewer results came back than rules went in. Fails closed: no row
            is accepted on rules that did not run.
    """
    if frame.empty:
        return pl.DataFrame(schema=FINDING_SCHEMA)
    results = _validate(frame, [build_expectation(rule) for rule in rules])
    if len(results) != len(rules):
        msg = f"{len(rules)} rules went in and {len(results)} results came out"
        raise ValidationFailedToRunError(msg)
    broken = [r.expectation_config.meta["rule_id"] for r in results if not _ran(r)]
    if broken:
        msg = f"Great Expectations could not run: {', '.join(sorted(broken))}"
        raise ValidationFailedToRunError(msg)
    parts = [
        pl.DataFrame(
            {"rule_id": r.expectation_config.meta["rule_id"], "index": r.result["unexpected_index_list"]},
            schema=FINDING_SCHEMA,
        )
        for r in results
        if r.result.get("unexpected_index_list")
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=FINDING_SCHEMA)


def _ran(result: Any) -> bool:
    """Whether a rule was evaluated: where a metric raised, the exception stands one level deeper, under its name."""
    said_so = result.exception_info.get("raised_exception") is False
    return said_so and bool(result.success or result.result.get("unexpected_index_list"))


def _validate(frame: pd.DataFrame, expectations: list[Any]) -> list[Any]:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("delivery")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = context.suites.add(gx.ExpectationSuite(name="contract", expectations=expectations))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="delivery", data=batch, suite=suite))
    run = definition.run(batch_parameters={"dataframe": frame}, result_format=RESULT_FORMAT)
    return list(run.results)
