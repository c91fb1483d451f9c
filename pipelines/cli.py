"""The `mfh` command line: names, options and exit codes. What a command does is in `pipelines.commands`.

Exit code 0 done, 1 findings or failed checks, 2 bad usage or unreadable input. Errors are one line on standard error.
Nothing is imported before its command runs, so that `mfh --help` is quick.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path

import click

from pipelines.errors import CommandError
from pipelines.home import Home

_HOME = click.option("--home", type=click.Path(path_type=Path), help="Run-time home; default $MFH_HOME, else ./data.")
_BOROUGH = click.option("--borough", required=True, help="Slug of the borough that sends the file.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="missing-from-home")
def mfh() -> None:
    """Regional statistics on children who go missing from home or care."""


def main() -> None:
    """Run the command line; an unexpected error is one line too, and says where the details are."""
    try:
        mfh(standalone_mode=True)
    except CommandError as error:
        click.echo(f"mfh: {error}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - the last guard: no traceback, no value of a cell, for anyone
        click.echo(f"mfh: unexpected {type(error).__name__}; please report what you ran.", err=True)
        sys.exit(2)


def _month(_: click.Context, __: click.Parameter, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError as error:
        msg = f"'{text}' is not a month; write it as 2021-04."
        raise click.BadParameter(msg) from error


def _day(_: click.Context, __: click.Parameter, text: str | None) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        msg = f"'{text}' is not a day; write it as 2026-07-29."
        raise click.BadParameter(msg) from error


def _instant(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        msg = f"'{text}' is not an instant; write it as 2026-04-20T12:00:00+00:00."
        raise click.BadParameter(msg) from error
    if instant and instant.tzinfo is None:
        msg = f"'{text}' has no offset from UTC; add +00:00 (or Z)."
        raise click.BadParameter(msg)
    return instant


@mfh.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Landing folder to fill.")
@click.option("--from", "first", default="2021-04", callback=_month, help="First month.", show_default=True)
@click.option("--to", "last", default="2026-03", callback=_month, help="Last month.", show_default=True)
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--scale", default=1.0, show_default=True, help="Share of the region's real volume.")
@click.option(
    "--links",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for which pseudonyms are one child; links.yaml of the home unless given, where --out is its landing.",
)
def demo(out: Path, first: date, last: date, *, seed: int, scale: float, links: Path | None) -> None:
    """Write synthetic deliveries for the ten boroughs."""
    from pipelines.commands.demo import write_demo

    write_demo(out, first, last, seed=seed, scale=scale, links=links)


@mfh.command()
@click.argument("file", type=click.Path(path_type=Path))
@_BOROUGH
@click.option("--source", "source_id", help="Layout, if it should not be recognised from the header.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--html", is_flag=False, flag_value="-", help="Write the findings as a page for a colleague (alone: print it)."
)
@click.option(
    "--with", "beside", multiple=True, type=click.Path(path_type=Path), help="Another file of yours to check against."
)
def check(
    file: Path, borough: str, source_id: str | None, html: str | None, beside: tuple[Path, ...], *, as_json: bool
) -> None:
    """Validate one extract before it is sent. Never prints the value of a cell."""
    from pipelines.commands.check import check_file

    sys.exit(check_file(file, borough, source_id, beside, html=html, as_json=as_json))


@mfh.command()
@click.argument("file", type=click.Path(path_type=Path))
@_BOROUGH
@click.option("--source", "source_id", required=True, help="Layout of the extract, such as ssda903_missing.")
@click.option(
    "--key-file", required=True, type=click.Path(path_type=Path), help="The region's key, held by the boroughs."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The delivery to write (CSV).")
def pseudonymise(file: Path, borough: str, source_id: str, key_file: Path, out: Path) -> None:
    """Turn a native extract into a delivery without direct identifiers."""
    from pipelines.commands.pseudonymise import pseudonymise_file

    pseudonymise_file(file, borough, source_id, key_file, out)


@mfh.command()
@_HOME
@click.option("--as-at", callback=_instant, help="Nothing received after this instant counts.")
@click.option("--boroughs", default="", help="Slugs, separated by commas; all by default.")
def run(home: Path | None, as_at: datetime | None, boroughs: str) -> None:
    """Run everything once: intake, tables, disclosure control, pages."""
    from pipelines.commands.run import run_everything

    chosen = [slug.strip() for slug in boroughs.split(",") if slug.strip()]
    sys.exit(run_everything(Home.resolve(home), as_at, chosen))


@mfh.command()
@_HOME
@click.option("--json", "as_json", is_flag=True, help="Print the grid as JSON.")
def status(home: Path | None, *, as_json: bool) -> None:
    """Show what was received, late, failed or refused, borough by month."""
    from pipelines.commands.status import show_status

    sys.exit(show_status(Home.resolve(home), as_json=as_json))


@mfh.command()
@click.option("--borough", default="", help="Only this borough's.")
@click.option("--figure", "figure_id", default="", help="Only the file versions that fed this published figure.")
@click.option("--json", "as_json", is_flag=True, help="Print the log as JSON.")
@_HOME
def deliveries(home: Path | None, borough: str, figure_id: str, *, as_json: bool) -> None:
    """Show the delivery log: every file received and what became of its rows."""
    from pipelines.commands.deliveries import show_deliveries

    show_deliveries(Home.resolve(home), borough, figure_id, as_json=as_json)


@mfh.command()
@click.argument("delivery")
@click.option("--reason", required=True, help="Why; it stands in the delivery log.")
@click.option("--asked-by", required=True, help="Whose decision it is: a role, not a name.")
@click.option("--undo", is_flag=True, help="Count the delivery again.")
@_HOME
def withdraw(delivery: str, reason: str, asked_by: str, home: Path | None, *, undo: bool) -> None:
    """Take a delivery back: a delivery id, or borough/file-name."""
    from pipelines.commands.withdraw import withdraw_delivery

    withdraw_delivery(Home.resolve(home), delivery, reason, asked_by, undo=undo)


@mfh.command()
@_HOME
@click.option("--json", "as_json", is_flag=True, help="Print the links as JSON.")
def links(home: Path | None, *, as_json: bool) -> None:
    """Show which pseudonyms are one child by links.yaml, and what each link does."""
    from pipelines.commands.links import show_links

    sys.exit(show_links(Home.resolve(home), as_json=as_json))


@mfh.group(invoke_without_command=True)
@_HOME
@click.option("--json", "as_json", is_flag=True, help="Print the vintages as JSON.")
@click.pass_context
def reference(context: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Show the vintages of population estimates, and which of them rates use."""
    context.obj = home
    if context.invoked_subcommand is None:
        from pipelines.commands.reference import show_vintages

        show_vintages(Home.resolve(home), as_json=as_json)


@reference.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", default="", help="What it is and where it was downloaded; it stands beside every rate.")
@click.option(
    "--published", callback=_day, help="When it was published, as 2026-07-29; the day it is added unless given."
)
@click.option("--mid-year", type=int, help="What it is of, where neither the file nor its name says so.")
@click.option("--accept-change", is_flag=True, help="Take it although it differs much from the vintage in use.")
@_HOME
@click.pass_obj
def reference_add(
    group_home: Path | None,
    file: Path,
    *,
    source: str,
    published: str,
    mid_year: int | None,
    home: Path | None,
    accept_change: bool,
) -> None:
    """Add a release of ONS mid-year population estimates (CSV or XLSX) as a new vintage."""
    from pipelines.commands.reference import add_population

    add_population(
        Home.resolve(home or group_home),
        file,
        source=source,
        published=published,
        mid_year=mid_year,
        accept_change=accept_change,
    )


@mfh.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def audit(folder: Path, *, as_json: bool) -> None:
    """Attack a public folder: can any small count in it be worked out?"""
    from pipelines.commands.audit import audit_public_folder

    if not audit_public_folder(folder, as_json=as_json):
        sys.exit(1)


@mfh.command()
@click.argument("flag_id")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@_HOME
def explain(flag_id: str, home: Path | None, *, as_json: bool) -> None:
    """Say why a repeat-missing flag was raised, since when, how sure it is, and why it has gone."""
    from pipelines.commands.explain import explain_flag

    explain_flag(Home.resolve(home), flag_id, as_json=as_json)


@mfh.command()
@click.argument("figure_id")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@_HOME
def cite(figure_id: str, home: Path | None, *, as_json: bool) -> None:
    """Print the sentence, parts, method, notes and caveats of one published figure."""
    from pipelines.commands.cite import cite_figure

    cite_figure(Home.resolve(home), figure_id, as_json=as_json)


@mfh.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--year", required=True, type=int, help="Year in which the year to March ends, such as 2024.")
@click.option("--synthetic", is_flag=True, help="Write synthetic returns into FOLDER that add up to DfE's figures.")
@click.option("--seed", default=1, show_default=True, help="With --synthetic: same seed, same bytes.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for page and file; default HOME/backtest."
)
@_HOME
def backtest(
    folder: Path, year: int, seed: int, out: Path | None, home: Path | None, *, synthetic: bool, as_json: bool
) -> None:
    """Set our figures beside DfE's: SSDA903 returns, FOLDER/BOROUGH/{header,episodes,missing}.csv."""
    from pipelines.commands.backtest import run_back_test, write_synthetic

    if synthetic:
        write_synthetic(folder, year, seed)
    else:
        sys.exit(run_back_test(folder, year, Home.resolve(home), out, as_json=as_json))


@mfh.command()
@_HOME
@click.option("--port", default=3000, show_default=True)
def up(home: Path | None, port: int) -> None:
    """Start Dagster's web server and daemon on 127.0.0.1."""
    from pipelines.commands.up import start

    start(Home.resolve(home), port)
