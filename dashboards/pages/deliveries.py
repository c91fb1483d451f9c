"""What was received: the delivery grid, the day a month is expected by, and the log of files with the months they feed.

One page for the region, and each borough's own part on its page. Counts of files, months and rows only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboards.figures import DataFile, Table
from dashboards.intake import Delivery, FedMonth, IntakeReader, Month
from dashboards.pages.grid import LEGEND, Grid, by_borough, by_year
from dashboards.words import clock, counted, full_date, listed, month, months, number, ordinal, visible
from pipelines.region import Area, Region

# The newest files on the page; the file beside the page has all.
_MOST_OF_REGION = 100
_MOST_OF_BOROUGH = 25
_LONGEST_NAME = 90
_DUE_AND_NOT_RECEIVED = {
    "late": "Late",
    "failed": "Failed, as the newest file was refused",
    "quarantined": "Every row quarantined",
}
_MOST_RANGES = 2
_STATUS = {
    "accepted": "● accepted",
    "superseded_in_part": "◐ superseded in part",
    "superseded": "○ superseded",
    "withdrawn": "\u2298 withdrawn",
    "rejected": "✕ refused",
}
_NONE_IN_USE = {"rejected", "withdrawn"}


@dataclass(frozen=True)
class DeliveryLog:
    """Files received, newest first: those on the page, what is said about all, and the files with all."""

    table: Table
    finding: str
    limit: str
    files: tuple[DataFile, ...]


@dataclass(frozen=True)
class Received:
    """Months and files, as the region's page and a borough's page show them."""

    grid: Grid
    grid_finding: str
    summary: str
    expected: str
    legend: tuple[tuple[str, str], ...]
    log: DeliveryLog


def region_received(reader: IntakeReader, region: Region) -> Received:
    """Put together what the boroughs sent."""
    names = {area.slug: area.name for area in region.boroughs}
    months_ = reader.months()
    log = _log(reader.deliveries(), reader.fed_months(), names, most=_MOST_OF_REGION)
    grid = by_borough(months_, list(names.items()), "Months received, newest first, with the number of rows accepted")
    return _received(reader, months_, names, grid, log)


def borough_received(reader: IntakeReader, borough: Area) -> Received:
    """Put together what one borough sent."""
    months_ = [item for item in reader.months() if item.borough == borough.slug]
    files = [item for item in reader.deliveries() if item.borough == borough.slug]
    log = _log(files, reader.fed_months(), {}, most=_MOST_OF_BOROUGH)
    grid = by_year(months_, f"Months received from {borough.name}, with the number of rows accepted")
    return _received(reader, months_, {borough.slug: borough.name}, grid, log)


def _received(
    reader: IntakeReader, months_: Sequence[Month], names: Mapping[str, str], grid: Grid, log: DeliveryLog
) -> Received:
    return Received(
        grid=grid,
        grid_finding=_grid_finding(months_, names),
        summary=_summary(months_),
        expected=_expected(reader.expected_day(), months_),
        legend=LEGEND,
        log=log,
    )


def _expected(day: int, months_: Sequence[Month]) -> str:
    """Say by when a month is expected, and when the newest month that is not yet due will be."""
    sentence = f"A month's records are expected by the {ordinal(day)} of the next month."
    waiting = [item.month for item in months_ if item.status == "not due"]
    if waiting:
        first = min(waiting)
        due = date(first.year + first.month // 12, first.month % 12 + 1, day)
        sentence += f" {month(first)} is expected by {full_date(due)}."
    return f"{sentence} A month without one accepted row was not received, and is never read as zero."


def _grid_finding(months_: Sequence[Month], names: Mapping[str, str]) -> str:
    """Name every month that is due and was not received, by what became of it; boroughs without the same together."""
    if not months_:
        return "Nothing has been received yet."
    sentences = []
    for status, words in _DUE_AND_NOT_RECEIVED.items():
        missing: dict[str, list[date]] = {}
        for item in months_:
            if item.status == status:
                missing.setdefault(item.borough, []).append(item.month)
        alike: dict[str, list[str]] = {}
        for slug, days in missing.items():
            alike.setdefault(months(days), []).append(names[slug])
        parts = [days if len(names) == 1 else f"{_who(who, names)} {days}" for days, who in alike.items()]
        if parts:
            sentences.append(f"{words}: {'; '.join(parts)}.")
    return " ".join(sentences) or "Every month that is due was received."


def _who(boroughs: Sequence[str], names: Mapping[str, str]) -> str:
    return "all boroughs" if len(boroughs) == len(names) else listed(boroughs)


def _summary(months_: Sequence[Month]) -> str:
    """How many months are due and were not received, for a page that only points to the grid."""
    missed = sum(item.status in _DUE_AND_NOT_RECEIVED for item in months_)
    return f"{counted(missed, 'borough-month is', 'borough-months are')} due and not received."


def _log(
    deliveries: Sequence[Delivery], fed: Mapping[str, Sequence[FedMonth]], names: Mapping[str, str], *, most: int
) -> DeliveryLog:
    """Lay files out; the column of boroughs is there where names are."""
    files = [_delivery_file(deliveries)]
    if fed:
        files.append(_month_file(deliveries, fed))
    headings = (
        "Received", *(["Borough"] if names else []), "File", "Layout", "Outcome",
        "Rows read = accepted + quarantined + duplicates", "In use now", *(["Feeds"] if fed else []),
    )  # fmt: skip
    rows = tuple(
        (
            clock(item.received_at, "date"),
            *([names.get(item.borough, item.borough)] if names else []),
            visible(item.file_name, _LONGEST_NAME),
            f"{item.source} {item.source_version or ''}".strip() if item.source else "not recognised",
            ": ".join(filter(None, [_STATUS.get(item.status, item.status), item.reason])),
            " ".join(
                (
                    f"{number(item.rows_read)} =",
                    f"{number(item.rows_accepted)} + {number(item.rows_quarantined)} + {number(item.rows_duplicate)}",
                )
            ).replace(" ", "\u00a0"),
            _in_use(item),
            *([_feeds(item, fed.get(item.delivery_id, ()))] if fed else []),
        )
        for item in deliveries[:most]
    )
    limit = f"The {most} newest of {number(len(deliveries))} files are listed." if len(deliveries) > most else ""
    table = Table("Files received, newest first", headings, rows, numeric=False, tall=True)
    return DeliveryLog(table, _accounted(deliveries), limit, tuple(files))


def _in_use(item: Delivery) -> str:
    """Accepted rows that still count, and why the others do not."""
    if item.status in _NONE_IN_USE:
        return "none"
    gone = [
        f"{number(count)} {words}"
        for count, words in (
            (item.rows_superseded, "replaced by a later file"),
            (item.rows_past_retention, "past retention"),
        )
        if count
    ]
    live = number(item.rows_accepted - item.rows_superseded - item.rows_past_retention)
    return f"{live} ({listed(gone)})" if gone else live


def _feeds(item: Delivery, fed: Sequence[FedMonth]) -> str:
    """Say which months have rows of the file in use now, each dataset by itself where there are several."""
    if item.status in _NONE_IN_USE:
        return "none"
    live = [one for one in fed if one.rows_live]
    datasets = list(dict.fromkeys(one.dataset for one in live))
    parts = [
        (f"{dataset.replace('_', ' ')}s: " if len(datasets) > 1 else "")
        + _spell([one.month for one in live if one.dataset == dataset and one.month])
        for dataset in datasets
    ]
    return "; ".join(parts) or "none now"


def _spell(days: Sequence[date]) -> str:
    """Write months; where there are many gaps, their number and both ends."""
    if not days:
        return "month not recorded"
    ranges = months(days)
    if ranges.count(",") >= _MOST_RANGES:
        ranges = f"{len(days)} months from {months([min(days)])} to {months([max(days)])}"
    # A month and its year stay on one line.
    return re.sub(r" (?=\d{4})", "\u00a0", ranges)


def _accounted(deliveries: Sequence[Delivery]) -> str:
    """Say that no row was lost, or that one was."""
    read, accepted, quarantined, duplicate = (
        sum(getattr(item, name) for item in deliveries)
        for name in ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
    )
    adds = (
        "every row is accounted for"
        if read == accepted + quarantined + duplicate
        else "the rows do not add up: look into it"
    )
    refused = sum(item.status == "rejected" for item in deliveries)
    withdrawn = sum(item.status == "withdrawn" for item in deliveries)
    apart = [counted(refused, "file was refused", "files were refused")] if refused else []
    apart += [counted(withdrawn, "was withdrawn", "were withdrawn")] if withdrawn else []
    return (
        f"{counted(len(deliveries), 'file')} with {counted(read, 'row')}: {number(accepted)} accepted, "
        f"{number(quarantined)} quarantined and {counted(duplicate, 'exact duplicate')}; {adds}."
        + (f" {listed(apart)}." if apart else "")
    )


def _delivery_file(deliveries: Sequence[Delivery]) -> DataFile:
    columns = (
        "delivery_id", "borough", "file_name", "dataset", "source", "source_version", "received_at", "status", "reason",
        "rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate", "rows_superseded",
        "rows_past_retention",
    )  # fmt: skip
    rows = tuple(
        tuple(
            item.received_at.isoformat(timespec="seconds") if name == "received_at" else getattr(item, name)
            for name in columns
        )
        for item in deliveries
    )
    return DataFile("deliveries.csv", columns, rows)


def _month_file(deliveries: Sequence[Delivery], fed: Mapping[str, Sequence[FedMonth]]) -> DataFile:
    columns = ("delivery_id", "borough", "file_name", "dataset", "month", "rows_accepted", "rows_live")
    rows = tuple(
        (
            item.delivery_id, item.borough, item.file_name, one.dataset,
            one.month.isoformat() if one.month else None, one.rows_accepted, one.rows_live,
        )
        for item in deliveries
        for one in fed.get(item.delivery_id, ())
    )  # fmt: skip
    return DataFile("delivery-months.csv", columns, rows)
