"""`mfh backtest`: our thirteen figures beside DfE's on a terminal, as JSON, as a page and as a file.

What is compared and how is in `pipelines.backtest`; the page is in `dashboards.pages.backtest`. True counts: neither
the page nor the file is for publication, and both say so.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import click

from pipelines.backtest.comparison import DIFFERS, HIDDEN_THERE, BackTest, Cell, back_test
from pipelines.backtest.counting import BrokenRule
from pipelines.contracts.contract import ContractError
from pipelines.contracts.dfe_publication import load_dfe_publication
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.intake.store import write_text
from pipelines.region import load_region
from pipelines.warehouse.graph import TableError

_ROWS_SHOWN = 12


def run_back_test(folder: Path, year: int, home: Home, out: Path | None, *, as_json: bool) -> int:
    """Compare, write the page and the file, and print.

    Args:
        folder: returns, one folder per borough slug.
        year: in which the year to March ends.
        home: where page and file go unless `out` says otherwise.
        out: folder for `backtest.html` and `backtest.csv`.
        as_json: print JSON in place of tables.

    Returns:
        0 where no figure differs, 1 where one does.
    """
    try:
        result = back_test(folder, year)
    except (ContractError, TableError) as error:
        raise CommandError(str(error)) from error
    page, file = _write(result, out or home.root / "backtest")
    if as_json:
        click.echo(json.dumps(_report(result) | {"page": str(page), "file": str(file)}, indent=1))
    else:
        click.echo(_for_people(result))
        click.echo(f"Restricted, true counts: {page} and {file}.")
    return 0 if result.agrees else 1


def write_synthetic(folder: Path, year: int, seed: int) -> None:
    """Write synthetic returns that add up to what DfE printed, and say what they are."""
    from pipelines.synthetic.annual_return import write_annual_returns

    try:
        rows = write_annual_returns(folder, year, seed=seed)
    except ContractError as error:
        raise CommandError(str(error)) from error
    click.echo(
        f"Synthetic returns of {len(rows)} boroughs for the year to March {year} in {folder}, with "
        f"{sum(rows.values())} rows of absences; no child in them is real."
    )


def _write(result: BackTest, folder: Path) -> tuple[Path, Path]:
    from dashboards.pages.backtest import back_test_file, back_test_page

    file = back_test_file(result)
    page_path, file_path = folder / "backtest.html", folder / file.name
    try:
        write_text(page_path, back_test_page(result, load_dfe_publication(), load_region()))
        write_text(file_path, file.text())
    except OSError as error:
        msg = f"{folder} cannot be written; check the folder and its permissions, or name another with --out."
        raise CommandError(msg) from error
    return page_path, file_path


def _report(result: BackTest) -> dict[str, Any]:
    """The whole comparison for a program; holds counts and row numbers, no cell of a return."""
    return {
        "year": result.year,
        "synthetic": result.synthetic,
        "agrees": result.agrees,
        "verdicts": dict(result.verdicts()),
        "editions": [
            {"table": one.table, "title": one.title, "published": one.published.isoformat(), "licence": one.licence}
            for one in result.editions
        ],
        "figures": [_figure(cell) for cell in result.cells],
        "not_received": [area.slug for area in result.not_received],
        "rows_read": [
            {"borough": borough, "module": module, "rows": rows} for (borough, module), rows in result.rows_read.items()
        ],
        "rows_not_counted": [_broken(rule) for rule in result.broken],
        "incidents": [
            {"borough": borough, "standing": standing, "rows": rows}
            for (borough, standing), rows in result.standings.items()
        ],
    }


def _figure(cell: Cell) -> dict[str, Any]:
    return {
        "borough": cell.borough.slug,
        "indicator_id": cell.indicator.indicator_id,
        "indicator": cell.indicator.wording,
        "numerator": cell.numerator,
        "denominator": cell.denominator,
        "ours": cell.ours,
        "theirs": cell.theirs,
        "verdict": cell.verdict,
        "reason": cell.reason,
    }


def _broken(rule: BrokenRule) -> dict[str, Any]:
    return {
        "borough": rule.borough,
        "module": rule.module,
        "rule_id": rule.rule_id,
        "says": load_dfe_publication().row_rules[rule.rule_id],
        "row_numbers": list(rule.row_numbers),
    }


def _for_people(result: BackTest) -> str:
    """Lay the comparison out for a terminal: a table a borough, then every difference in words."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    from dashboards.sentences_backtest import cell_sentence, verdict_sentence

    out = io.StringIO()
    console = Console(file=out, width=118, highlight=False)
    for area in dict.fromkeys(cell.borough for cell in result.cells):
        grid = Grid(
            "figure", "ours", "DfE", "verdict", title=f"{area.name}, year to March {result.year}", title_justify="left"
        )
        for cell in result.cells:
            if cell.borough == area:
                grid.add_row(cell.indicator.title, cell.ours, cell.theirs or "-", cell.verdict)
        console.print(grid)
    console.print(escape(verdict_sentence(result)))
    for heading, verdict in (("Differences", DIFFERS), ("Hidden there, so not compared", HIDDEN_THERE)):
        if cells := result.of(verdict):
            console.print(f"{heading}:")
            for cell in cells:
                console.print(escape(f"- {cell_sentence(cell)}"))
    for sentence in _uncounted(result):
        console.print(escape(sentence))
    return out.getvalue().rstrip()


def _uncounted(result: BackTest) -> list[str]:
    """Rows that break a rule, by row number; and how many absences DfE does not count."""
    from dashboards.sentences_backtest import UNCOUNTED

    says = load_dfe_publication().row_rules
    names = {area.slug: area.name for area in load_region().boroughs}
    sentences = []
    for rule in result.broken:
        shown = " ".join(map(str, rule.row_numbers[:_ROWS_SHOWN]))
        more = " ..." if len(rule.row_numbers) > _ROWS_SHOWN else ""
        sentences.append(
            f"Not counted, {names[rule.borough]}, {rule.module}, rule {rule.rule_id}: {says[rule.rule_id]} "
            f"Rows: {shown}{more}"
        )
    for standing, why in UNCOUNTED.items():
        rows = sum(number for (_, other), number in result.standings.items() if other == standing)
        if rows:
            sentences.append(f"Absences not counted: {rows}. {why}")
    if result.not_received:
        sentences.append(f"No folder for: {', '.join(area.slug for area in result.not_received)}.")
    return sentences
