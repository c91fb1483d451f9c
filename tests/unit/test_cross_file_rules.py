"""Rules that compare deliveries: each on rows that it lets through, just, and on rows that it reports.

Every case is a child of its own in one warehouse. A rule that lacks what it needs is not applicable, never passed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from pipelines.contracts.catalogue import cross_file_rules
from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, PlacementRow, Row, as_child, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse

FINDING, OUTCOME = "quality.cross_file_finding", "quality.cross_file_outcome"


def missing(start: str, end: str | None = None, **given: object) -> EpisodeRow:
    """A missing row of a looked-after child."""
    return EpisodeRow(episode_id="M", started=start, found=end, looked_after="yes", **given)  # type: ignore[arg-type] # fields of the row


def care(
    start: str, end: str | None = None, ceased: str | None = None, because: str = "S", **more: int
) -> PlacementRow:
    """A placement row; an end without a reason is followed by another row (X1)."""
    return PlacementRow(started=start, ended=end, because=because, ceased=ceased or ("X1" if end else None), **more)


# Rule -> name of the case -> rows of one child, and the place (from 0) of the row that fails, if one does.
Case = tuple[Sequence[Row], int | None]
CASES: dict[str, Mapping[str, Case]] = {
    "ssda903.575": {
        "closed before the placement ended": (
            [missing("2024-05-01", "2024-05-03"), care("2024-01-01", "2024-05-10", "E4A")],
            None,
        ),
        "open, placement lasts": ([missing("2024-05-01"), care("2024-01-01")], None),
        "open, placement ended": ([missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E8")], 0),
        "open, started on the last day": ([missing("2024-05-10"), care("2024-01-01", "2024-05-10", "E8")], 0),
        "open, started the day after": ([missing("2024-05-11"), care("2024-01-01", "2024-05-10", "E8")], None),
        "open, moved to other carers": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10"), care("2024-05-10", because="P")],
            0,
        ),
        "open, only the legal status changed": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10"), care("2024-05-10", because="L")],
            None,
        ),
        "open, moved with the same carers": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10"), care("2024-05-10", because="T")],
            None,
        ),
        "open, same carers, then the stay ended": (
            [
                missing("2024-05-01"),
                care("2024-01-01", "2024-05-10"),
                care("2024-05-10", "2024-06-01", "E8", because="U"),
            ],
            0,
        ),
        "open, started on the day of the move": (
            [missing("2024-05-10"), care("2024-01-01", "2024-05-10"), care("2024-05-10", because="P")],
            None,
        ),
        "open, the row after X1 was not delivered": ([missing("2024-05-01"), care("2024-01-01", "2024-05-10")], None),
        "extracted before the placement ended": (
            [missing("2024-05-01", extracted="2024-05-09"), care("2024-01-01", "2024-05-10", "E8")],
            None,
        ),
        "extracted on the day it ended": (
            [missing("2024-05-01", extracted="2024-05-10"), care("2024-01-01", "2024-05-10", "E8")],
            0,
        ),
        "not looked after": (
            [replace(missing("2024-05-01"), looked_after="no"), care("2024-01-01", "2024-05-10", "E8")],
            None,
        ),
    },
    "ssda903.577": {
        "ended on the day care ceased": (
            [missing("2024-05-01", "2024-05-10"), care("2024-01-01", "2024-05-10", "E4A")],
            None,
        ),
        "ended the day after": ([missing("2024-05-01", "2024-05-11"), care("2024-01-01", "2024-05-10", "E4A")], 0),
        "ended minutes after midnight": (
            [missing("2024-05-01 22:00", "2024-05-11 00:10"), care("2024-01-01", "2024-05-10", "E4A")],
            0,
        ),
        "open when care ceased": ([missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E4A")], 0),
        "open, care goes on elsewhere": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10"), care("2024-05-10", because="P")],
            None,
        ),
        "open, care began anew the day after": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E4A"), care("2024-05-11")],
            0,
        ),
        "started in no care at all": ([missing("2024-06-01"), care("2024-01-01", "2024-05-10", "E4A")], None),
    },
    "ssda903.578": {
        "on the day care ceased": (
            [missing("2024-05-10", "2024-05-10"), care("2024-01-01", "2024-05-10", "E4A")],
            None,
        ),
        "the day after": ([missing("2024-05-11", "2024-05-11"), care("2024-01-01", "2024-05-10", "E4A")], 0),
        "between two periods of care": (
            [missing("2024-05-20", "2024-05-20"), care("2024-01-01", "2024-05-10", "E4A"), care("2024-06-01")],
            0,
        ),
        "in the second period": (
            [missing("2024-06-01", "2024-06-02"), care("2024-01-01", "2024-05-10", "E4A"), care("2024-06-01")],
            None,
        ),
        "after X1, whose next row was not delivered": (
            [missing("2024-05-20", "2024-05-21"), care("2024-01-01", "2024-05-10")],
            None,
        ),
        "before care started": ([missing("2023-12-31", "2024-01-01"), care("2024-01-01", "2024-05-10", "E4A")], None),
        "within a long row that another lies in": (
            [
                missing("2024-05-20", "2024-05-21"),
                care("2024-01-01", "2024-06-30", "E8"),
                care("2024-02-01", "2024-03-01", "E8", because="P"),
            ],
            None,
        ),
    },
    "ssda903.581": {
        "on the first day": ([missing("2024-01-01", "2024-01-02"), care("2024-01-01")], None),
        "the day before": ([missing("2023-12-31", "2024-01-02"), care("2024-01-01")], 0),
        "before the first row delivered, which did not start care": (
            [missing("2023-12-31", "2024-01-02"), care("2024-01-01", because="P")],
            None,
        ),
        "after care ceased": ([missing("2024-06-01", "2024-06-02"), care("2024-01-01", "2024-05-10", "E4A")], None),
    },
    "ssda903.580": {
        "missing at 18, ceased E8": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E8", age_at_end=18)],
            None,
        ),
        "missing at 18, ceased otherwise": (
            [missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E5", age_at_end=18)],
            1,
        ),
        "the period ends on the birthday": (
            [missing("2024-05-01", "2024-05-10"), care("2024-01-01", "2024-05-10", "E5", age_at_end=18)],
            1,
        ),
        "back the day before": (
            [missing("2024-05-01", "2024-05-09"), care("2024-01-01", "2024-05-10", "E5", age_at_end=18)],
            None,
        ),
        "went missing on the birthday": (
            [missing("2024-05-10"), care("2024-01-01", "2024-05-10", "E5", age_at_end=18)],
            None,
        ),
        "ceased at 17": ([missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E4A", age_at_end=17)], None),
    },
    "return_interview.held_before_return": {
        "at the return": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00", returned="2024-05-02 08:00"),
                InterviewRow(interview_id="I", episode_ids=["E"], held="2024-05-02 08:00"),
            ],
            None,
        ),
        "a minute before": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00", returned="2024-05-02 08:00"),
                InterviewRow(interview_id="I", episode_ids=["E"], held="2024-05-02 07:59"),
            ],
            1,
        ),
        "on the day of the return, no time": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00", returned="2024-05-02 08:00"),
                InterviewRow(interview_id="I", episode_ids=["E"], held="2024-05-02"),
            ],
            None,
        ),
        "before the second of two": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00", returned="2024-05-02 08:00"),
                EpisodeRow(episode_id="F", started="2024-05-04 20:00", found="2024-05-05 08:00"),
                InterviewRow(interview_id="I", episode_ids=["E", "F"], held="2024-05-03 12:00"),
            ],
            2,
        ),
        "the episode is open": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00"),
                InterviewRow(interview_id="I", episode_ids=["E"], held="2024-05-01 12:00"),
            ],
            None,
        ),
    },
    "return_interview.unknown_episode": {
        "one of two was not delivered": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00"),
                InterviewRow(interview_id="I", episode_ids=["E", "X"]),
            ],
            1,
        ),
        "delivered": (
            [EpisodeRow(episode_id="E", started="2024-05-01 20:00"), InterviewRow(interview_id="I", episode_ids=["E"])],
            None,
        ),
        "delivered by another borough": (
            [
                EpisodeRow(episode_id="E", started="2024-05-01 20:00", borough="bury"),
                InterviewRow(interview_id="I", episode_ids=["E"]),
            ],
            None,
        ),
    },
}


def _rows_of(rule_id: str, name: str) -> list[Row]:
    return as_child(f"{rule_id} {name}", *CASES[rule_id][name][0])


def _in_one_delivery() -> Delivery:
    return delivery(*(row for rule_id, cases in CASES.items() for name in cases for row in _rows_of(rule_id, name)))


@pytest.fixture(scope="module")
def opened() -> Iterator[SmallWarehouse]:
    with small_warehouse() as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def found(opened: SmallWarehouse) -> set[tuple[str, str]]:
    """Rule and identifier of every row that a rule reports."""
    opened.load(_in_one_delivery())
    opened.build(FINDING)
    rows = opened.rows(
        """
        select found.rule_id, coalesce(episode.episode_id, placement.placement_id, interview.interview_id) as id
        from quality.cross_file_finding as found
        left join intake.missing_episode as episode using (delivery_id, row_number)
        left join intake.placement as placement using (delivery_id, row_number)
        left join intake.return_interview as interview using (delivery_id, row_number)
        """
    )
    return {(row["rule_id"], row["id"]) for row in rows}


@pytest.mark.parametrize(("rule_id", "name"), [(rule_id, name) for rule_id, cases in CASES.items() for name in cases])
def test_rule_reports_the_row_that_fails_and_no_other(found: set[tuple[str, str]], rule_id: str, name: str) -> None:
    place = CASES[rule_id][name][1]
    rows = [row.columns() for row in _rows_of(rule_id, name)]
    ids = [row.get("episode_id") or row.get("placement_id") or row.get("interview_id") for row in rows]
    expected = set() if place is None else {(rule_id, ids[place])}
    assert {(rule, row) for rule, row in found if rule == rule_id and row in ids} == expected


def returns(*years: tuple[int, Sequence[EpisodeRow]], filler: int = 9) -> list[Delivery]:
    """SSDA903 returns of several years to March, each with periods of other children that lie well within it."""
    return [
        delivery(
            *rows,
            *(
                EpisodeRow(
                    episode_id=f"{year}/{n}", started=f"{year - 1}-07-0{n}", found=f"{year - 1}-07-0{n}", child=f"c{n}"
                )
                for n in range(1, filler + 1)
            ),
            name=f"return {year}",
            source="ssda903_missing",
            received=f"{year}-06-01 09:00",
        )
        for year, rows in years
    ]


OPEN = EpisodeRow(episode_id="2024", started="2024-03-20")
CARRIED = {
    "carried over": ([EpisodeRow(episode_id="2025", started="2024-03-20", found="2024-04-02")], False),
    "carried over under the other status": (
        [EpisodeRow(episode_id="2025", started="2024-03-20", status="away")],
        False,
    ),
    "another start": ([EpisodeRow(episode_id="2025", started="2024-03-21", found="2024-04-02")], True),
    "another child": ([EpisodeRow(episode_id="2025", started="2024-03-20", found="2024-04-02", child="beth")], True),
    "nothing": ([], True),
}


@pytest.mark.parametrize("name", CARRIED)
def test_576_a_period_open_in_one_return_stands_in_the_next(opened: SmallWarehouse, name: str) -> None:
    rows, fails = CARRIED[name]
    opened.load(*returns((2024, [OPEN]), (2025, rows)))
    opened.build(FINDING)
    found = opened.rows(f"from {FINDING} where rule_id = 'ssda903.576'")
    assert [(row["delivery_id"], row["row_number"]) for row in found] == (
        [("bolton.missing_episode.return 2024", 2)] if fails else []
    )


def test_576_looks_at_closed_periods_of_the_next_year_but_one_not_at_all(opened: SmallWarehouse) -> None:
    opened.load(*returns((2024, [OPEN]), (2026, [])))
    opened.build(OUTCOME)
    assert outcome(opened, "ssda903.576") == ("not_applicable", 0)


def test_576_takes_the_return_received_last(opened: SmallWarehouse) -> None:
    first, second = returns((2024, [OPEN]), (2025, []))
    corrected = replace(
        returns((2025, [EpisodeRow(episode_id="2025", started="2024-03-20")]))[0],
        name="again",
        received="2025-07-01 09:00",
    )
    opened.load(first, second, corrected)
    opened.build(OUTCOME)
    assert outcome(opened, "ssda903.576") == ("passed", 0)


@pytest.mark.parametrize(("elsewhere", "expected"), [(1, ("passed", 0)), (2, ("not_applicable", 0))])
def test_a_return_has_nine_in_ten_rows_in_one_year(
    opened: SmallWarehouse, elsewhere: int, expected: tuple[str, int]
) -> None:
    old = [
        EpisodeRow(episode_id=f"old {n}", started="2020-05-01", found="2020-05-02", child=f"d{n}")
        for n in range(elsewhere)
    ]
    opened.load(*returns((2024, old), (2025, [])))
    opened.build(OUTCOME)
    assert outcome(opened, "ssda903.576") == expected


@pytest.mark.parametrize(
    ("age", "start", "fails"),
    [
        (14, "2025-02-28", False),  # 14 on 1 March 2024: born after 1 March 2009, on or before 1 March 2010
        (15, "2025-03-01", False),
        (14, "2025-03-01", True),
        (16, "2025-02-28", True),
        (15, "2024-03-02", False),
        (16, "2024-03-02", True),
    ],
)
def test_two_ages_in_two_deliveries_leave_a_day_of_birth_that_fits_both(
    opened: SmallWarehouse, age: int, start: str, fails: bool
) -> None:
    opened.load(
        delivery(EpisodeRow(episode_id="1", started="2024-03-01", found="2024-03-01", age=14), name="one"),
        delivery(EpisodeRow(episode_id="2", started=start, found=start, age=age), name="two"),
    )
    opened.build(OUTCOME)
    assert outcome(opened, "missing_episode.two_ages") == (("failed", 2) if fails else ("passed", 0))


def test_two_ages_in_one_delivery_are_not_for_the_rule_across_deliveries(opened: SmallWarehouse) -> None:
    opened.load(
        delivery(
            EpisodeRow(episode_id="1", started="2024-03-01", age=14),
            EpisodeRow(episode_id="2", started="2024-03-02", age=10),
        )
    )
    opened.build(OUTCOME)
    assert outcome(opened, "missing_episode.two_ages") == ("not_applicable", 0)


@pytest.mark.parametrize(("child", "expected"), [("anna", ("passed", 0)), ("beth", ("failed", 1))])
def test_an_interview_names_the_childs_own_episode(
    opened: SmallWarehouse, child: str, expected: tuple[str, int]
) -> None:
    opened.load(
        delivery(
            EpisodeRow(episode_id="E", started="2024-05-01", child="anna"),
            InterviewRow(interview_id="I", episode_ids=["E"], child=child),
        )
    )
    opened.build(OUTCOME)
    assert outcome(opened, "return_interview.child_differs") == expected
    assert outcome(opened, "return_interview.unknown_episode") == ("passed", 0)


def outcome(opened: SmallWarehouse, rule_id: str, borough: str = "bolton") -> tuple[str, int]:
    """Outcome of a rule for a borough, and the rows that fail."""
    (row,) = opened.rows(
        f"from {OUTCOME} where rule_id = $rule_id and borough = $borough", rule_id=rule_id, borough=borough
    )
    assert (row["outcome"] == "not_applicable") == (row["reason"] != "")
    return row["outcome"], row["rows"]


def test_every_rule_has_one_outcome_for_every_borough(opened: SmallWarehouse) -> None:
    opened.load(delivery(EpisodeRow(episode_id="1", started="2024-03-01")))
    opened.build(OUTCOME)
    counts = Counter(row["rule_id"] for row in opened.rows(f"from {OUTCOME}"))
    assert counts == {rule.rule_id: 10 for rule in cross_file_rules()}


def test_rules_that_lack_what_they_need_are_not_applicable_and_say_why(opened: SmallWarehouse) -> None:
    opened.load(delivery(EpisodeRow(episode_id="1", started="2024-03-01", looked_after="yes")))
    opened.build(OUTCOME)
    reasons = {
        (row["borough"], row["rule_id"]): row["reason"]
        for row in opened.rows(f"from {OUTCOME} where outcome = 'not_applicable'")
    }
    assert len(reasons) == 10 * len(cross_file_rules())
    assert reasons["bolton", "ssda903.575"] == "No placement data was delivered."
    assert reasons["bury", "ssda903.575"] == "No episode was delivered."
    assert reasons["bolton", "ssda903.576"] == "No two SSDA903 returns of consecutive years were delivered."
    assert reasons["bolton", "return_interview.held_before_return"] == "No return interview was delivered."


def test_a_rule_with_nothing_to_compare_is_not_applicable(opened: SmallWarehouse) -> None:
    opened.load(delivery(missing("2024-05-01"), replace(care("2024-01-01", age_at_end=17), child="beth")))
    opened.build(OUTCOME)
    for rule_id in ("ssda903.575", "ssda903.577", "ssda903.578", "ssda903.580", "ssda903.581"):
        assert outcome(opened, rule_id) == ("not_applicable", 0)


def test_580_needs_ages(opened: SmallWarehouse) -> None:
    opened.load(delivery(missing("2024-05-01"), care("2024-01-01", "2024-05-10", "E8")))
    opened.build(OUTCOME)
    (row,) = opened.rows(f"from {OUTCOME} where rule_id = 'ssda903.580' and borough = 'bolton'")
    assert row["reason"] == "The placement data does not say how old a child was when a placement ended."


def test_every_rule_across_deliveries_has_its_cases() -> None:
    others = {"ssda903.576", "missing_episode.two_ages", "return_interview.child_differs"}
    assert CASES.keys() | others == {rule.rule_id for rule in cross_file_rules()}
    for cases in CASES.values():
        assert {place is None for _, place in cases.values()} == {True, False}
