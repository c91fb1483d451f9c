"""What the page of deliveries says about months and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest

from dashboards.intake import Delivery, FedMonth, IntakeReader, Month
from dashboards.pages.deliveries import Received, region_received
from pipelines.region import Area, Region

REGION = Region(Area("R", "region", "The region"), (Area("A", "a", "Aston"), Area("B", "b", "Barton")))
ARRIVED = datetime(2026, 4, 20, 9)  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse
FILE = Delivery(
    "a-1", "a", "one.csv", "missing_episode", "canonical", "1.0.0", ARRIVED, "accepted", "",
    10, 8, 1, 1, 3, 1,
)  # fmt: skip


class Books(IntakeReader):
    """Books without a warehouse."""

    def __init__(
        self, months: Sequence[Month] = (), files: Sequence[Delivery] = (), fed: Sequence[FedMonth] = ()
    ) -> None:
        self._given = list(months), list(files), list(fed)

    def expected_day(self) -> int:
        return 20

    def months(self) -> list[Month]:
        return self._given[0]

    def deliveries(self) -> list[Delivery]:
        return self._given[1]

    def fed_months(self) -> dict[str, list[FedMonth]]:
        return {"a-1": self._given[2]} if self._given[2] else {}


def month(borough: str, day: date, status: str) -> Month:
    return Month(borough, day, 1 if status == "received" else 0, status, interviews_received=False)


def received(months: Sequence[Month] = (), files: Sequence[Delivery] = (), fed: Sequence[FedMonth] = ()) -> Received:
    return region_received(Books(months, files, fed), REGION)


def fed(*months: int, dataset: str = "missing_episode", live: int = 1) -> list[FedMonth]:
    return [FedMonth("a-1", dataset, date(2025, number, 1), 2, live) for number in months]


def cells(page: Received) -> dict[str, str]:
    table = page.log.table
    return dict(zip(table.headings, table.rows[0], strict=True))


def test_boroughs_that_miss_the_same_months_are_named_together() -> None:
    late = [month(slug, date(2025, number, 1), "late") for slug in ("a", "b") for number in (11, 12)]
    assert received(late).grid_finding == "Late: all boroughs Nov 2025 to Dec 2025."
    late[-1] = month("b", date(2025, 12, 1), "failed")
    assert received(late).grid_finding == (
        "Late: Aston Nov 2025 to Dec 2025; Barton Nov 2025. Failed, as the newest file was refused: Barton Dec 2025."
    )
    assert received(late).summary == "4 borough-months are due and not received."


@pytest.mark.parametrize("status", ["received", "not due"])
def test_a_month_that_is_received_or_not_due_is_not_missed(status: str) -> None:
    assert received([month("a", date(2025, 11, 1), status)]).grid_finding == "Every month that is due was received."


def test_a_month_of_december_is_expected_in_the_next_year() -> None:
    assert (
        "December 2025 is expected by 20 January 2026." in received([month("a", date(2025, 12, 1), "not due")]).expected
    )


def test_rows_are_accounted_for_one_by_one() -> None:
    row = cells(received(files=[FILE]))
    assert row["Rows read = accepted + quarantined + duplicates"].replace("\u00a0", " ") == "10 = 8 + 1 + 1"
    assert row["In use now"] == "4 (3 replaced by a later file and 1 past retention)"
    assert received(files=[FILE]).log.finding.endswith("every row is accounted for.")
    lost = replace(FILE, rows_read=11)
    assert "the rows do not add up" in received(files=[lost]).log.finding


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (fed(4, 5, 6), "Apr 2025 to Jun 2025"),
        (fed(4, 6, 8, 10), "4 months from Apr 2025 to Oct 2025"),
        (fed(4, live=0), "none now"),
        (
            [*fed(4), *fed(5, dataset="return_interview")],
            "missing episodes: Apr 2025; return interviews: May 2025",
        ),
        ([FedMonth("a-1", "return_interview", None, 1, 1)], "month not recorded"),
    ],
)
def test_the_months_a_file_feeds(given: list[FedMonth], expected: str) -> None:
    assert cells(received(files=[FILE], fed=given))["Feeds"].replace("\u00a0", " ") == expected


@pytest.mark.parametrize("status", ["rejected", "withdrawn"])
def test_a_file_that_does_not_count_feeds_nothing(status: str) -> None:
    row = cells(received(files=[replace(FILE, status=status, reason="Why.")], fed=fed(4)))
    assert (row["In use now"], row["Feeds"]) == ("none", "none")
    assert row["Outcome"].endswith("Why.")


def test_a_long_list_is_cut_on_the_page_and_whole_in_the_file() -> None:
    files = [replace(FILE, delivery_id=f"a-{number}") for number in range(101)]
    log = received(files=files).log
    assert len(log.table.rows) == 100
    assert log.limit == "The 100 newest of 101 files are listed."
    assert len(log.files[0].rows) == 101
    assert received(files=files[:100]).log.limit == ""
