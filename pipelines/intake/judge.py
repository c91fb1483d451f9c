"""Judging the rows of understood files by every rule that they can be judged by.

A finding is a row number, a rule and a column, never a cell; an outcome says of each delivery and rule whether it
passed, failed, or could not be applied and why. Rules are stated in the contracts (`contracts.catalogue`), rules on
single rows run in `contracts.suite` and those that compare rows in `cross_row`; what understanding a file found by
itself is in `findings`. What becomes of a row that fails is decided in `deliver`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from pipelines.contracts.catalogue import all_rules, delivery_rules, needs
from pipelines.contracts.contract import TEMPORAL, Contract, load_contracts
from pipelines.contracts.rules import CELL, RECEIVED, WITHIN_DELIVERY, Rule
from pipelines.home import CONTRACTS
from pipelines.intake.cross_row import delivered_row_columns, run_cross_row
from pipelines.intake.examine import Examined, PartRows
from pipelines.intake.findings import (
    FAILED,
    FINDINGS_SCHEMA,
    MESSAGES,
    NOT_APPLICABLE,
    OUTCOMES_SCHEMA,
    PASSED,
    Judged,
    found_on_the_way,
)
from pipelines.intake.helpers import base_columns, with_helpers
from pipelines.intake.sources import load_sources
from pipelines.intake.typed import DateReading, local_clock, read_times

_WORDS_NAMED = 12
_NO_ROWS = "There was no row to judge."
Files = Sequence[tuple[Examined, PartRows]]


def judge(examined: Sequence[Examined], contracts: Path = CONTRACTS) -> Judged:
    """Run every rule on every row of the files that can be judged by it, and add what was found on the way there.

    A rule on a column that the layout or the file does not supply is not applicable, except that a required column
    must be there; where the layout itself cannot supply it, that is only counted (`info`).
    """
    parts: dict[str, list[tuple[Examined, PartRows]]] = {}
    for file in examined:
        for rows in file.parts:
            parts.setdefault(rows.contract.dataset, []).append((file, rows))
    judged = [found_on_the_way(file) for file in examined]
    judged += [_judge_dataset(files, contracts) for _, files in sorted(parts.items())]
    return Judged(
        pl.concat([pl.DataFrame(schema=FINDINGS_SCHEMA), *(one.findings for one in judged)]),
        pl.concat([pl.DataFrame(schema=OUTCOMES_SCHEMA), *(one.outcomes for one in judged)]),
    )


def _judge_dataset(files: Files, contracts: Path) -> Judged:
    """Judge the rows of one dataset, of all files together, since a Great Expectations run has a fixed cost."""
    from pipelines.contracts.suite import run_rules

    contract = files[0][1].contract
    rules = {rule.rule_id: rule for file, _ in files for rule in delivery_rules(contract, file.source.id, contracts)}
    stated = _stated(files, contract, contracts)
    running = [rules[rule_id] for rule_id in stated.filter(reason="")["rule_id"].unique(maintain_order=True)]
    expectations = [rule for rule in running if rule.is_expectation]
    comparing = [rule for rule in running if rule.kind == WITHIN_DELIVERY]
    rows = _gather(files, contract, expectations, comparing)
    failures = _of_files(run_rules(rows, expectations), rows, stated)
    if comparing:
        stated, compared = _compare(rows, failures, stated, comparing, contracts)
        failures = pl.concat([failures, compared])
    return Judged(_findings(failures, rows, stated, rules), _outcomes(failures, stated))


def _stated(files: Files, contract: Contract, contracts: Path) -> pl.DataFrame:
    """One row per file and rule it is judged by: the severity there, and why it cannot be applied (blank: it can)."""
    of_header: dict[tuple[object, ...], list[tuple[str, str, str]]] = {}

    def rules_of(file: Examined, part: PartRows) -> list[tuple[str, str, str]]:
        # Most files of a borough have one header, and asking every rule about it takes a while.
        key = (
            file.source.name,
            file.source.version,
            *file.table.header,
            None,
            *part.part.columns,
            part.rows.is_empty(),
        )
        if key not in of_header:
            of_header[key] = [
                (rule.rule_id, "info" if _is_waived(rule, file) else rule.severity, _why_not(rule, file, part))
                for rule in delivery_rules(contract, file.source.id, contracts)
            ]
        return of_header[key]

    return pl.DataFrame(
        [
            (number, file.delivery_id, contract.dataset, *stated)
            for number, (file, part) in enumerate(files)
            for stated in rules_of(file, part)
        ],
        schema={"file": pl.UInt32}
        | dict.fromkeys(("delivery_id", "dataset", "rule_id", "severity", "reason"), pl.String),
        orient="row",
    )


def _is_waived(rule: Rule, file: Examined) -> bool:
    return rule.kind == "required" and rule.column in file.source.not_supplied


def _why_not(rule: Rule, file: Examined, part: PartRows) -> str:
    """A sentence where the rule cannot be applied to the file, else nothing."""
    if part.rows.is_empty():
        return _NO_ROWS
    if rule.kind == "required":
        return ""
    lacking = [column for column in rule.columns if not _supplies(file, part, column)]
    if rule.any_of and not any(_supplies(file, part, column) for column in rule.any_of):
        lacking.append(rule.any_of[0])
    if not lacking:
        return ""
    header = file.header_of(part.part, lacking[0])
    if lacking[0] not in part.part.columns:
        return f"The layout {file.source.id} has no column for {_title(part.contract, lacking[0])}."
    return f"The file has no column {header}."


def _supplies(file: Examined, part: PartRows, column: str) -> bool:
    mapped = part.part.columns.get(column)
    if mapped is None:
        return False
    filled = mapped.constant is not None or mapped.otherwise is not None
    return filled or bool(file.source.first_cells(mapped.inputs, file.table.header))


def _title(contract: Contract, column: str) -> str:
    return next(str(prop.businessName or column) for prop in contract.properties if prop.name == column)


def _gather(files: Files, contract: Contract, expectations: Sequence[Rule], comparing: Sequence[Rule]) -> pl.DataFrame:
    """The rows of all files with what the rules look at; `index` is a row's position, `file` the number of its file."""
    from pipelines.contracts.suite import looked_at

    names = dict.fromkeys(name for rule in expectations for name in looked_at(rule))
    columns = dict.fromkeys(base for name in names if name != RECEIVED for base in base_columns(name))
    columns |= dict.fromkeys(base for name in _compared(comparing, contract) for base in base_columns(name))
    cells = dict.fromkeys(name.removeprefix(CELL).partition(".")[0] for name in names if name.startswith(CELL))
    helpers = [name for name in (*names, *_compared(comparing, contract)) if "." in name]
    frames: list[pl.DataFrame] = []
    for number, (file, part) in enumerate(files):
        rows = _with_cells(part.rows.select("row_number", *columns), file, part, cells)
        rows = rows.with_row_index("index", offset=sum(frame.height for frame in frames)).with_columns(
            pl.selectors.ends_with(".readable").cast(pl.Float64),
            pl.lit(number, pl.UInt32).alias("file"),
            pl.lit(local_clock(file.received_at)).alias(RECEIVED),
        )
        frames.append(with_helpers(rows, helpers))
    return pl.concat(frames, how="diagonal")


def _compared(rules: Sequence[Rule], contract: Contract) -> list[str]:
    return list(delivered_row_columns(rules, contract).values())


def _with_cells(rows: pl.DataFrame, file: Examined, part: PartRows, columns: Iterable[str]) -> pl.DataFrame:
    """Add the file's own cells behind canonical columns, before the mapping chose among them, and whether they read."""
    made: list[pl.Series] = []
    for column in columns:
        header = file.header_of(part.part, column)
        blank = pl.repeat(None, file.table.frame.height, dtype=pl.String, eager=True)
        cells = (file.table.frame[header] if header in file.table.header else blank).alias(CELL + column)
        made.append(cells)
        if column in part.contract.of_type(*TEMPORAL):
            made.append(_readable(cells, file.source.reading))
    if not made:
        return rows
    numbered = pl.DataFrame([file.table.row_numbers.alias("row_number"), *made])
    return rows.join(numbered, on="row_number", how="left", maintain_order="left")


def _readable(cells: pl.Series, reading: DateReading) -> pl.Series:
    """Whether each cell is a date as this layout writes them; null where it is blank."""
    read = read_times(cells, reading)["value"].is_not_null()
    return pl.select(pl.when(cells.is_not_null()).then(read)).to_series().alias(f"{cells.name}.readable")


def _of_files(failures: pl.DataFrame, rows: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Add file and severity, and drop failures of rules that do not apply to a row's file: files run together."""
    applied = stated.filter(reason="").select("file", "rule_id", "severity")
    return failures.join(rows.select("index", "file"), on="index").join(applied, on=["file", "rule_id"])


def _compare(
    rows: pl.DataFrame, failures: pl.DataFrame, stated: pl.DataFrame, rules: Sequence[Rule], contracts: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Run the rules that compare rows, on the rows that no critical rule refused.

    Returns:
        What is stated, with the reasons where a delivery lacks what a rule needs; and failures as in `_of_files`.
    """
    contract = load_contracts(contracts)[rules[0].dataset]
    delivered = rows.join(failures.filter(severity="critical"), on="index", how="anti").select(
        "row_number", RECEIVED, "index", delivery_id="file", **delivered_row_columns(rules, contract)
    )
    all_needs = needs(contracts)
    found, met = run_cross_row(delivered.drop("index"), rules, all_needs)
    unmet = [
        (rule.rule_id, file, all_needs[need].reason)
        for rule in rules
        for need in rule.needs
        for file in stated["file"].unique()
        if file not in met[need]
    ]
    lacking = pl.DataFrame(
        unmet, schema={"rule_id": pl.String, "file": pl.UInt32, "lacks": pl.String}, orient="row"
    ).unique(["rule_id", "file"], keep="first")
    stated = (
        stated.join(lacking, on=["rule_id", "file"], how="left", maintain_order="left")
        .with_columns(reason=pl.when(pl.col("reason") == "").then(pl.col("lacks").fill_null("")).otherwise("reason"))
        .drop("lacks")
    )
    indexed = found.join(
        delivered.select("row_number", "index", file="delivery_id"),
        left_on=["delivery_id", "row_number"],
        right_on=["file", "row_number"],
    )
    return stated, _of_files(indexed.select("rule_id", "index"), rows, stated)


def _findings(
    failures: pl.DataFrame, rows: pl.DataFrame, stated: pl.DataFrame, rules: Mapping[str, Rule]
) -> pl.DataFrame:
    """One row per failure that is reported: not where a rule that says the same is reported on the row."""
    said = pl.DataFrame(
        [(rule.rule_id, other) for rule in rules.values() for other in rule.stands_for],
        schema={"rule_id": pl.String, "other": pl.String},
        orient="row",
    )
    already = failures.join(said, on="rule_id").select("index", rule_id="other")
    columns = {rule_id: rule.column for rule_id, rule in rules.items()}
    return (
        failures.join(already, on=["index", "rule_id"], how="anti")
        .join(rows.select("index", "row_number"), on="index")
        .join(stated.select("file", "rule_id", "delivery_id", "dataset"), on=["file", "rule_id"])
        .with_columns(column=pl.col("rule_id").replace_strict(columns, return_dtype=pl.String))
        .select(pl.col(name).cast(kind) for name, kind in FINDINGS_SCHEMA.items())
        .sort("delivery_id", "row_number", "rule_id")
    )


def _outcomes(failures: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    counts = failures.group_by("file", "rule_id").agg(pl.len().cast(pl.Int64).alias("rows"))
    outcome = (
        pl.when(pl.col("reason") != "")
        .then(pl.lit(NOT_APPLICABLE))
        .when(pl.col("rows") > 0)
        .then(pl.lit(FAILED))
        .otherwise(pl.lit(PASSED))
    )
    return (
        stated.join(counts, on=["file", "rule_id"], how="left", maintain_order="left")
        .with_columns(pl.col("rows").fill_null(0))
        .with_columns(outcome.alias("outcome"))
        .select(*OUTCOMES_SCHEMA)
    )


def rules_by_id(contracts: Path = CONTRACTS) -> dict[str, Rule]:
    """Every rule by its id."""
    return {rule.rule_id: rule for rule in all_rules(contracts)}


def messages_by_rule(contracts: Path = CONTRACTS) -> dict[str, str]:
    """What a person reads for each rule that a row can fail, those of reading included."""
    of_rows = {rule_id: rule.message for rule_id, rule in rules_by_id(contracts).items()}
    of_layouts = {s.rows_kept.rule_id: s.rows_kept.message for s in load_sources(contracts).values() if s.rows_kept}
    return of_rows | of_layouts | MESSAGES


def messages_for(file: Examined, contracts: Path = CONTRACTS) -> dict[str, str]:
    """What the sender of a file reads for each rule: where the layout has words of its own, those and not our codes."""
    own = {}
    for part in file.parts:
        for name, column in part.part.columns.items():
            words = [word for word in column.codes or () if word]
            if words:
                title = _title(part.contract, name)
                own[f"{part.contract.dataset}.{name}.codes"] = (
                    f"{title} holds a word that the layout {file.source.id} does not know. Known are: "
                    f"{', '.join(words[:_WORDS_NAMED])}{', ...' if len(words) > _WORDS_NAMED else ''}."
                )
    return messages_by_rule(contracts) | own
