"""`mfh audit`: attack a public folder with nothing but what is in it, read its bytes, and say what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from dashboards.constants import constant_wording
from pipelines.disclosure.audit import AuditReport, Search
from pipelines.disclosure.errors import DisclosureError
from pipelines.disclosure.policy import Geography
from pipelines.disclosure.released import audit_folder
from pipelines.disclosure.scan import Finding, ScanInputError, allowed_from_folder, scan
from pipelines.errors import CommandError
from pipelines.home import CONTRACTS
from pipelines.region import load_region

_CROSS_CHECKS = 10
_LISTED = 20


def audit_public_folder(folder: Path, *, as_json: bool) -> bool:
    """Print what the attack came to; true if nothing could be worked out and nothing else stands in the files.

    Raises:
        CommandError: the folder cannot be read.
    """
    geography = Geography.of(load_region(CONTRACTS))
    search = Search(cross_checks=_CROSS_CHECKS, progress=None if as_json else _show_progress)
    try:
        report = audit_folder(folder, geography, CONTRACTS, search)
        stray = scan(folder, allowed_from_folder(folder, constant_wording(CONTRACTS), CONTRACTS))
    except (DisclosureError, ScanInputError) as error:
        raise CommandError(str(error)) from error
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        click.echo("\n".join([*_told(report), *_read(stray)]))
    return report.passed and not stray


def _show_progress(done: int, groups: int) -> None:
    click.echo(f"\rattacking group {done} of {groups} of linked counts", nl=done == groups, err=True)


def _told(report: AuditReport) -> list[str]:
    """The report in words. It may name cells: whoever reads it has the folder and the attack."""
    lines = [
        f"{report.cells:,} published counts and {report.facts:,} facts about them were put together with",
        f"{report.releases} earlier releases and {report.outside:,} counts that others publish.",
        f"{report.attacked:,} counts, or differences of counts, may be of few children by what is printed.",
    ]
    if report.passed:
        width = "" if report.least_width is None else f" Each can still have at least {report.least_width + 1} values."
        lines.append(f"None could be worked out.{width} A second solver agreed on {report.cross_checked} of them.")
    else:
        lines.append(f"NOT SAFE: {len(report.refused)} findings.")
        lines += [f"  {finding.reason}: {finding.cell_id}" for finding in report.refused[:_LISTED]]
        if len(report.refused) > _LISTED:
            lines.append(f"  and {len(report.refused) - _LISTED:,} more (--json lists them all)")
    return lines


def _read(stray: list[Finding]) -> list[str]:
    """What the files hold beside published values, constant texts and coordinates."""
    if not stray:
        return ["Every file was read to the last value: there is nothing in them that is not published."]
    more = [f"  and {len(stray) - _LISTED:,} more"] if len(stray) > _LISTED else []
    return [
        f"NOT SAFE: {len(stray)} places hold more than what is published.",
        *(f"  {s}" for s in stray[:_LISTED]),
        *more,
    ]
