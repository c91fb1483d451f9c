"""Dates as British extracts write them: every form, its neighbours that are none, precision and speed-ups."""

from datetime import datetime
from itertools import product

import polars as pl
import pytest

from pipelines.contracts.contract import load_contracts
from pipelines.intake.typed import FORMS, DateReading, month_first_columns, parse, read_times


def _read(*texts: str | None, reading: DateReading | None = None) -> list[tuple[datetime | None, str | None]]:
    return read_times(pl.Series(texts, dtype=pl.String), reading or DateReading()).rows()


def _clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


DAYS = ["2025-11-03", "2025-11-3", "03/11/2025", "3/11/2025", "03-11-2025", "3.11.2025", "03-Nov-25", "3-NOV-2025"]
DAYS += ["3 November 2025", "03 nov 2025", "03/Nov/25", "45964", "45964.0"]
TIMES = {
    "2025-11-03T20:15": "20:15",
    "2025-11-03 20:15:07": "20:15:07",
    "2025-11-03T20:15:07.250": "20:15:07.250",
    "2025-11-03 9:05": "09:05",
    "03/11/2025 20:15": "20:15",
    "3/11/2025 9:05": "09:05",
    "03/11/2025 20:15:07": "20:15:07",
    "03/11/2025T20:15": "20:15",
    "03-11-2025 20:15": "20:15",
    "03.11.2025 20:15": "20:15",
    "03-Nov-25 20:15": "20:15",
    "3 November 2025 20:15:07": "20:15:07",
    "45964.5": "12:00",
    "45964.84375": "20:15",
    # The nearest second, as a spreadsheet shows it.
    "45964.843831": "20:15:07",
}
SEPT = ["3 Sept 2025", "3 Sep 2025", "3-September-2025"]
NO_DATES = [
    *("03/25/2024", "11/31/2025", "31/11/2025", "2025-02-30", "30-Feb-25", "2025-13-01", "00/11/2025"),
    *("03/11/25", "03-11-25", "2025/11/03", "03/11-2025", "03.11/2025", "03 11 2025", "20251103", "3Nov2025"),
    *("3 Marble 2025", "3 Ma 2025", "Nov 3 2025", "monday", "٣/11/2025", "0000-01-01", "1234", "123456", "45964."),
    *("2025-11-03T24:00", "2025-11-03T20:60", "2025-11-03T20:15:60", "2025-11-03 20", "2025-11-03 20:15pm"),
    *("2025-11-03T20:15+24:00", "2025-11-03T20:15+01:60", "2025-11-03+01:00"),
    *(" 2025-11-03", "2025-11-03 ", "2025-11-03\n", "x2025-11-03", "", "9999-12-31T23:30-01:00"),
]


@pytest.mark.parametrize("text", DAYS)
def test_a_day_is_read_day_first_in_every_form(text: str) -> None:
    assert _read(text) == [(_clock("2025-11-03"), "date")]


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_beside_the_day(text: str) -> None:
    assert _read(text) == [(_clock(f"2025-11-03T{TIMES[text]}"), "minute")]


@pytest.mark.parametrize("text", SEPT)
def test_september_has_three_spellings(text: str) -> None:
    assert _read(text) == [(_clock("2025-09-03"), "date")]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_never_guessed(text: str) -> None:
    assert _read(text) == [(None, None)]


@pytest.mark.parametrize(("text", "year"), [("03-Nov-00", 2000), ("03-Nov-99", 2099), ("03-Nov-1999", 1999)])
def test_two_digits_of_a_year_are_this_century(text: str, year: int) -> None:
    assert _read(text) == [(_clock(f"{year}-11-03"), "date")]


@pytest.mark.parametrize(
    ("serial", "day"),
    [("10000", "1927-05-18"), ("25569", "1970-01-01"), ("45350", "2024-02-28"), ("45352", "2024-03-01")],
)
def test_a_serial_number_counts_as_excel_does(serial: str, day: str) -> None:
    assert _read(serial) == [(_clock(day), "date")]


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2025-07-01T12:00Z", "2025-07-01T13:00"),
        ("2025-07-01T12:00:00+01:00", "2025-07-01T12:00"),
        ("01/07/2025 12:00-01:00", "2025-07-01T14:00"),
        ("2025-07-01 12:00+0100", "2025-07-01T12:00"),
        ("2025-01-01T00:30+01:00", "2024-12-31T23:30"),
        ("2025-07-01T12:00:00.5-05:30", "2025-07-01T18:30:00.500"),
        # The hour that summer time repeats, and the one it leaves out.
        ("2025-10-26T01:30+01:00", "2025-10-26T01:30"),
        ("2025-10-26T01:30Z", "2025-10-26T01:30"),
        ("2025-03-30T01:30", "2025-03-30T01:30"),
    ],
)
def test_an_offset_is_turned_into_local_time(text: str, local: str) -> None:
    assert _read(text) == [(_clock(local), "minute")]


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("2025-11-03 00:00:00", "date"),
        ("03/11/2025 00:00", "date"),
        ("03/11/2025 0:00", "date"),
        ("45964.0", "date"),
        ("2025-11-03 00:00:01", "minute"),
        ("2025-11-03 23:59:59", "minute"),
        ("2025-11-03T12:00", "minute"),
    ],
)
def test_midnight_is_no_time_where_the_layout_says_so(text: str, precision: str) -> None:
    ((value, seen),) = _read(text, reading=DateReading(midnight_is_unknown_time=True))
    assert value is not None
    assert seen == precision
    if ":" in text:
        assert _read(text)[0][1] == "minute"


@pytest.mark.parametrize("form", FORMS)
def test_a_layout_can_restrict_the_forms(form: str) -> None:
    examples = {"iso": "2025-11-03", "day_first": "3.11.2025", "month_name": "3-Nov-25", "excel_serial": "45964"}
    read = _read(*examples.values(), reading=DateReading((form,)))
    assert [value is not None for value, _ in read] == [name == form for name in examples]


def test_cells_are_read_alike_alone_and_in_any_company() -> None:
    texts = [*DAYS, *TIMES, *NO_DATES, *SEPT, None]
    alone = [_read(text)[0] for text in texts]
    assert _read(*texts) == alone
    many = [text for text, _ in product(texts, range(50))]
    assert _read(*many) == [pair for pair, _ in product(alone, range(50))]
    # A rare form far from the cells that are looked at first.
    common = ["03/11/2025"] * 5001
    common[17] = "3 November 2025 20:15"
    assert _read(*common)[17] == (_clock("2025-11-03T20:15"), "minute")


def test_no_cells_are_no_rows() -> None:
    assert _read() == []
    assert _read(None, None) == [(None, None)] * 2


MONTH_FIRST = "03/25/2024"
DAY_FIRST = "25/03/2024"
EITHER = "03/04/2024"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ([MONTH_FIRST] * 3 + [EITHER], True),
        ([MONTH_FIRST] * 2 + [EITHER] * 50, False),
        (["3-25-2024 10:00", "12.31.2024", "1/13/24 09:30 PM"], True),
        ([MONTH_FIRST] * 4 + [DAY_FIRST] * 3, True),
        ([MONTH_FIRST] * 3 + [DAY_FIRST] * 3, False),
        ([DAY_FIRST] * 50, False),
        ([EITHER] * 50, False),
        (["2024-03-25"] * 50, False),
        (["13/13/2024", "00/13/2024", "03/32/2024"] * 9, False),
        ([None] * 9, False),
    ],
)
def test_columns_that_write_the_month_first_are_named(cells: list[str | None], found: bool) -> None:
    frame = pl.DataFrame({"A": cells, "B": [None] * len(cells)}, schema={"A": pl.String, "B": pl.String})
    assert month_first_columns(frame, ["A", "B"]) == (["A"] if found else [])
    assert month_first_columns(frame, []) == []


@pytest.mark.parametrize(
    ("started", "found", "possible"),
    [
        ("2024-10-27 01:50", "2024-10-27 01:10", True),
        ("2024-10-27 01:50", "2024-10-27 00:59", False),
        ("2024-10-26 01:50", "2024-10-26 01:10", False),
        ("2024-10-20 01:50", "2024-10-20 01:10", False),
        ("2024-03-31 01:50", "2024-03-31 01:10", False),
        ("2024-10-27 02:00", "2024-10-27 01:59", True),
        ("2024-10-27 03:00", "2024-10-27 02:59", False),
        ("2024-06-01 10:00", "2024-06-01", True),
    ],
)
def test_an_end_in_the_repeated_hour_may_be_later_than_it_says(started: str, found: str, possible: bool) -> None:
    """What the rule "ends before it starts" compares: no row is lost because the clocks went back."""
    canonical = pl.DataFrame({"started_at": [started], "found_at": [found]})
    parsed = parse(canonical, load_contracts()["missing_episode"], DateReading())
    assert (parsed["found_at.latest"] >= parsed["started_at.earliest"]).to_list() == [possible]
