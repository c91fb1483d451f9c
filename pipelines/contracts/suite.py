"""Rules to Great Expectations, and a run of them that returns failing row indexes and nothing else.

This is the only module that imports great_expectations and pandas, and it does so inside functions: the import costs
seconds and most commands never need it. No value of a cell may leave this module: results are asked for as row indexes
only.

An expectation about single rows depends on nothing but the columns it names, so it is run once for each distinct
combination of their values; what is found holds for every row that has it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.contracts.rules import Rule, columns_named

if TYPE_CHECKING:
    import pandas as pd

ResultFormat = str | dict[str, Any]

# Whether a rule found anything at all: asked first, since most rules find nothing in most files and it costs half.
WHETHER: ResultFormat = "BOOLEAN_ONLY"
# Row indexes of failures, without the values that failed.
WHICH: ResultFormat = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}

FINDING_SCHEMA = {"rule_id": pl.String, "index": pl.UInt32}
# Combinations of values that share one frame: padded to the longest of them, more would cost memory for nothing.
_SHORT = 2_000


class ValidationFailedToRunError(Exception):
    """Great Expectations could not run a rule; the message names rules, never values."""


# Expectation and arguments for each kind of rule; "expectation" rules bring their own.
_EXPECTATIONS: dict[str, Callable[[Rule], tuple[str, dict[str, Any]]]] = {
    "required": lambda rule: (
        "expect_column_values_to_be_in_set",
        {"column": f"{rule.column}.given", "value_set": [1.0]},
    ),
    "type": lambda rule: (
        "expect_column_values_to_be_in_set",
        {"column": f"{rule.column}.readable", "value_set": [1.0]},
    ),
    "unique": lambda rule: ("expect_column_values_to_be_unique", {"column": f"{rule.column}.key"}),
    "pattern": lambda rule: ("expect_column_values_to_match_regex", {"column": rule.column, **rule.arguments}),
    "codes": lambda rule: (
        "expect_column_values_to_be_in_set",
        {"column": rule.column, "value_set": rule.arguments["codes"]},
    ),
    "max_length": lambda rule: (
        "expect_column_values_to_be_between",
        {"column": f"{rule.column}.length", "max_value": rule.arguments["most"]},
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


def looked_at(rule: Rule) -> tuple[str, ...]:
    """Columns of the judged frame that a rule's expectation reads.

    Text is tested in the column itself; anything else in helper columns such as `<column>.number` or
    `<column>.earliest`, which `intake.helpers` makes.
    """
    return columns_named(_EXPECTATIONS[rule.kind](rule)[1])


def build_expectation(rule: Rule, suffix: str = "") -> Any:
    """Turn one rule into one Great Expectations expectation on the columns of `looked_at`, each with the suffix."""
    import great_expectations.expectations  # noqa: F401 - registers the expectations
    from great_expectations.expectations.registry import get_expectation_impl

    kind, arguments = _EXPECTATIONS[rule.kind](rule)
    named = {key: f"{name}{suffix}" for key, name in arguments.items() if key in {"column", "column_A", "column_B"}}
    stated: dict[str, Any] = {"severity": rule.severity, "meta": {"rule_id": rule.rule_id}}
    return get_expectation_impl(kind)(**arguments | named, **stated)


def run_rules(rows: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Run every rule on every row.

    Args:
        rows: has the columns of `looked_at` for each rule.
        rules: those that are expectations.

    Returns:
        One row per failure: `rule_id`, `index` (position of the row).

    Raises:
        ValidationFailedToRunError: a rule raised, or fewer results came back than rules went in. Fails closed: no row
            is accepted on rules that did not run.
    """
    lacking = sorted(rule.rule_id for rule in rules if not set(looked_at(rule)) <= set(rows.columns))
    if lacking:
        msg = f"columns are missing that these rules look at: {', '.join(lacking)}"
        raise ValidationFailedToRunError(msg)
    if rows.is_empty() or not rules:
        return pl.DataFrame(schema=FINDING_SCHEMA)
    cases = _cases(rows, rules)
    short = [case for case in cases if case.values.height <= _SHORT]
    batches = [short] if short else []
    batches += [[case] for case in cases if case.values.height > _SHORT]
    given = _frames_given()
    found = [failures for batch in batches for failures in _run(batch, rows, given)]
    return pl.concat([pl.DataFrame(schema=FINDING_SCHEMA), *found])


@dataclass(frozen=True)
class _Cases:
    """The distinct values of some columns, and the rules that look at just these columns.

    The one expectation that compares rows has to see each of them: there the values are not distinct, but the rows'.
    """

    rules: tuple[Rule, ...]
    values: pl.DataFrame
    is_every_row: bool

    def failing(self, positions: Sequence[int], rows: pl.DataFrame) -> pl.Series:
        """Indexes of the rows whose values stand at the positions."""
        failed = pl.Series(positions, dtype=pl.UInt32)
        failed = failed.filter(failed < self.values.height)
        if self.is_every_row or failed.is_empty():
            return failed
        columns = self.values.columns
        numbered = rows.select(columns).with_row_index("index")
        return numbered.join(self.values[failed], on=columns, how="semi", nulls_equal=True)["index"]


def _cases(rows: pl.DataFrame, rules: Sequence[Rule]) -> list[_Cases]:
    by_columns: dict[tuple[tuple[str, ...], bool], list[Rule]] = {}
    for rule in rules:
        by_columns.setdefault((looked_at(rule), rule.kind == "unique"), []).append(rule)
    return [
        _Cases(tuple(same), rows.select(columns) if every_row else rows.select(columns).unique(), every_row)
        for (columns, every_row), same in by_columns.items()
    ]


def _run(batch: Sequence[_Cases], rows: pl.DataFrame, given: Any) -> list[pl.DataFrame]:
    """Run the rules of all cases on one pandas frame, the short ones padded by repeating their first row."""
    import pandas as pd

    height = max(case.values.height for case in batch)
    frame = pd.DataFrame(
        {
            f"{name}#{number}": _to_pandas(case.values[name], height)
            for number, case in enumerate(batch)
            for name in case.values.columns
        }
    )
    asked = [(f"#{number}", rule, case) for number, case in enumerate(batch) for rule in case.rules]
    verdicts = _results(given, frame, [(suffix, rule) for suffix, rule, _ in asked], WHETHER)
    objecting = [one for one in asked if not verdicts[one[1].rule_id].success]
    details = _results(given, frame, [(suffix, rule) for suffix, rule, _ in objecting], WHICH)
    broken = sorted(rule_id for rule_id, result in (verdicts | details).items() if not _ran(result))
    if broken:
        msg = f"Great Expectations could not run: {', '.join(broken)}"
        raise ValidationFailedToRunError(msg)
    return [
        pl.select(index=case.failing(details[rule.rule_id].result["unexpected_index_list"], rows)).select(
            rule_id=pl.lit(rule.rule_id), index="index"
        )
        for _, rule, case in objecting
    ]


def _results(
    given: Any, frame: pd.DataFrame, rules: Sequence[tuple[str, Rule]], result_format: ResultFormat
) -> dict[str, Any]:
    """One result for each rule (with the suffix of its columns), by rule id."""
    if not rules:
        return {}
    expectations = [build_expectation(rule, suffix) for suffix, rule in rules]
    results = _validate(given, frame, expectations, result_format)
    if len(results) != len(rules):
        msg = f"{len(rules)} rules went in and {len(results)} results came out"
        raise ValidationFailedToRunError(msg)
    return {result.expectation_config.meta["rule_id"]: result for result in results}


def _to_pandas(column: pl.Series, height: int) -> pd.Series:
    import pandas as pd

    padded = column.extend_constant(column[0], height - column.len()) if column.len() < height else column
    if padded.dtype == pl.String:
        return pd.Series(padded.to_list(), dtype=object)
    return pd.Series(padded.to_numpy())


def _ran(result: Any) -> bool:
    """Whether a rule was evaluated: where a metric raised, the exception stands one level deeper, under its name."""
    said_so = result.exception_info.get("raised_exception") is False
    return said_so and bool(result.success or result.result.get("unexpected_index_list"))


def _frames_given() -> Any:
    """A definition of batches that are frames in memory, in a context of its own: a context keeps what it was given."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("delivery")
    return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")


def _validate(given: Any, frame: pd.DataFrame, expectations: list[Any], result_format: ResultFormat) -> list[Any]:
    """Validate the batch itself: a stored validation definition would serialise results that nobody reads again."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(name="contract", expectations=expectations)
    batch = given.get_batch(batch_parameters={"dataframe": frame})
    return list(batch.validate(suite, result_format=result_format).results)
