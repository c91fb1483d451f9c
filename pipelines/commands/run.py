"""`mfh run`: everything once, through Dagster, with a progress display and an account at the end."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.inputs import borough_named
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.intake.corrections import NOT_AS_EXPECTED
from pipelines.intake.landing import strange_folders
from pipelines.intake.receipt import Receipt, read_receipts, shown_name
from pipelines.region import load_region

if TYPE_CHECKING:
    import dagster as dg

_CONSOLE: dict[str, Any] = {"loggers": {"console": {"config": {}}}}
_DAGSTER_YAML = """\
# Written by mfh. Nothing leaves this machine; one writer of the warehouse at a time.
telemetry:
  enabled: false
concurrency:
  pools:
    default_limit: 1
    granularity: run
  runs:
    max_concurrent_runs: 1
"""


def prepare_dagster_home(home: Home) -> None:
    """Point Dagster at the home's instance, with telemetry off."""
    folder = os.environ.setdefault("DAGSTER_HOME", str(home.dagster))
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - the variable is text
    configuration = os.path.join(folder, "dagster.yaml")  # noqa: PTH118 - as above
    if not os.path.exists(configuration):  # noqa: PTH110 - as above
        with open(configuration, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write(_DAGSTER_YAML)


def run_everything(home: Home, as_at: datetime | None, boroughs: Sequence[str]) -> int:
    """Run and report.

    Returns:
        0 when everything ran and published, 1 when a file was refused or a step failed (the rest still published).
    """
    for slug in boroughs:
        borough_named(slug)
    if not any(home.landing.glob("*/*")) and not any(home.receipts.glob("*/*.json")):
        msg = f"No deliveries in {home.landing}; put files into {home.landing}/<borough>/ or make some with `mfh demo`."
        raise CommandError(msg)
    prepare_dagster_home(home)
    failures = _execute(home, as_at, boroughs)
    receipts = read_receipts(home)
    click.echo(account(receipts), err=True)
    problems = [*failures, *_overlooked(home), *_unfit_corrections(receipts)]
    for problem in problems:
        click.echo(f"mfh: {problem}", err=True)
    index = home.site / "index.html"
    if index.exists():
        click.echo(str(index))
    refused = any(receipt.status == "rejected" for receipt in receipts)
    return 1 if problems or refused else 0


def _overlooked(home: Home) -> list[str]:
    return [
        f"landing/{shown_name(name)} is not the folder of a borough; nothing in it was read."
        for name in strange_folders(home, load_region().slugs)
    ]


def _unfit_corrections(receipts: Sequence[Receipt]) -> list[str]:
    return [
        f"{receipt.borough}/{receipt.file_name}: a correction did not find what it expects in {finding.rows} cells and "
        "was not applied there; the source has been changed, so end or amend the correction."
        for receipt in receipts
        for finding in receipt.findings
        if finding.rule_id == NOT_AS_EXPECTED
    ]


def _execute(home: Home, as_at: datetime | None, boroughs: Sequence[str]) -> list[str]:
    """Run the jobs and return a sentence per failed step."""
    # Beta features of Dagster that we chose knowingly announce themselves at every import.
    warnings.filterwarnings("ignore", module="dagster")
    from pipelines.assets.house import House
    from pipelines.automation.instance import open_instance
    from pipelines.automation.schedule import all_boroughs, everything, intake, regional
    from pipelines.definitions import build_defs
    from pipelines.progress import RunProgress

    house = House(root=str(home.root), as_at=as_at.isoformat() if as_at else "")
    definitions = build_defs(house=house)
    whole = definitions.resolve_job_def(everything.name)
    runs: list[tuple[dg.JobDefinition, dict[str, str]]] = [(whole, all_boroughs())]
    if boroughs:
        one = definitions.resolve_job_def(intake.name)
        runs = [(one, {"dagster/partition": slug}) for slug in boroughs]
        runs.append((definitions.resolve_job_def(regional.name), {}))
    failures = []
    with (
        RunProgress(sum(len(job.graph.nodes) for job, _ in runs)),
        open_instance(os.environ["DAGSTER_HOME"]) as instance,
    ):
        for job, tags in runs:
            result = job.execute_in_process(instance=instance, tags=tags, run_config=_CONSOLE, raise_on_error=False)
            failures += [_sentence(event) for event in result.all_events if event.is_step_failure]
    return failures


def _sentence(event: dg.DagsterEvent) -> str:
    """Say which step failed and why. Only our own errors are quoted: they are written without values."""
    step = (event.step_key or "").replace("__", ".")
    error = event.step_failure_data.error
    cause = error.cause if error and error.cause else error
    name = (cause.cls_name if cause else None) or "an unknown error"
    told = cause.message.strip().split(": ", 1)[-1] if cause and name.endswith(("Error", "Refused")) else ""
    ours = bool(cause and any("pipelines" in line or "dashboards" in line for line in cause.stack[-1:]))
    return f"{step} failed: {told if ours and told else name}"


def account(receipts: Sequence[Receipt]) -> str:
    """One line a borough: files, rows read = accepted + quarantined + duplicates; then each refused file."""
    boroughs = sorted({receipt.borough for receipt in receipts})
    lines = [
        f"{'borough':<12}{'files':>6}{'read':>9}{'accepted':>10}{'quarantined':>13}{'duplicates':>12}{'refused':>9}"
    ]
    for borough in boroughs:
        own = [receipt for receipt in receipts if receipt.borough == borough]
        lines.append(
            f"{borough:<12}{len(own):>6}{sum(r.rows_read for r in own):>9}{sum(r.rows_accepted for r in own):>10}"
            f"{sum(r.rows_quarantined for r in own):>13}{sum(r.rows_duplicate for r in own):>12}"
            f"{sum(r.status == 'rejected' for r in own):>9}"
        )
    lines += [f"refused: {r.borough}/{r.file_name}: {r.reason}" for r in receipts if r.status == "rejected"]
    return "\n".join(lines)
