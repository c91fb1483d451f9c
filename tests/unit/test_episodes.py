"""What becomes one episode and what stays two, which version of a row counts, how interviews are linked to episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, as_child, cases, delivery, utc
from tests.builders.warehouse import SmallWarehouse, small_warehouse

EPISODES = "select * from core.missing_episode order by started_at, status, child_key"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


def resolve(warehouse: SmallWarehouse, *rows: EpisodeRow) -> list[dict[str, Any]]:
    """Episodes that rows of one delivery become."""
    return resolve_deliveries(warehouse, delivery(*rows))


def resolve_deliveries(
    warehouse: SmallWarehouse, *deliveries: Delivery, as_at: str | None = None
) -> list[dict[str, Any]]:
    """Episodes that deliveries become."""
    warehouse.load(*deliveries, as_at=as_at)
    warehouse.build("core.missing_episode")
    return warehouse.rows(EPISODES)


def absence(started: str) -> EpisodeRow:
    """A second row that ends as it starts."""
    return EpisodeRow(episode_id="2", started=started, found=started)


def apart(warehouse: SmallWarehouse, by_name: Mapping[str, Sequence[EpisodeRow]]) -> set[str]:
    """Names of the cases whose rows do not become one episode."""
    episodes = resolve_deliveries(warehouse, cases(by_name))
    assert {episode["child_id"] for episode in episodes} == set(by_name)
    return {episode["child_id"] for episode in episodes if episode["source_rows"] < len(by_name[episode["child_id"]])}


def link(warehouse: SmallWarehouse, *rows: EpisodeRow | InterviewRow) -> list[dict[str, Any]]:
    """Links between interviews and episodes, in the order of the episodes."""
    warehouse.load(delivery(*rows))
    warehouse.build("core.episode_interview")
    return warehouse.rows(
        "select interview_id, episode.started_at, hours_from_return, within_72_hours, return_is_found, held "
        "from core.episode_interview inner join core.missing_episode as episode using (episode_key) "
        "inner join core.return_interview using (interview_key) order by episode.started_at, interview_id"
    )


# Merging


def test_nightly_reports_of_one_absence_are_one_episode(warehouse: SmallWarehouse) -> None:
    nights = [
        EpisodeRow(episode_id=f"night {day}", started=f"2024-05-{day:02} 22:00", found=f"2024-05-{day + 1:02} 22:00")
        for day in range(1, 6)
    ]
    (episode,) = resolve(warehouse, *nights)
    assert episode["source_rows"] == 5
    assert episode["started_at"] == utc("2024-05-01 21:00")
    assert episode["ended_at"] == utc("2024-05-06 21:00")


def test_nightly_reports_without_an_end_are_one_open_episode(warehouse: SmallWarehouse) -> None:
    nights = [EpisodeRow(episode_id=f"night {day}", started=f"2024-05-{day:02} 22:0{6 - day}") for day in range(1, 6)]
    (episode,) = resolve(warehouse, *nights)
    assert (episode["source_rows"], episode["ended_at"]) == (5, None)


def test_a_start_not_after_the_previous_end_is_the_same_episode(warehouse: SmallWarehouse) -> None:
    first = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00")
    edges = {
        "before the end": (first, absence("2024-05-02 09:59")),
        "at the end": (first, absence("2024-05-02 10:00")),
        "a minute after": (first, absence("2024-05-02 10:01")),
    }
    assert apart(warehouse, edges) == {"a minute after"}


def test_an_open_row_takes_in_starts_less_than_24_hours_later(warehouse: SmallWarehouse) -> None:
    first = EpisodeRow(episode_id="1", started="2024-05-01 10:00")
    edges = {
        "a minute less": (first, absence("2024-05-02 09:59")),
        "exactly 24 hours": (first, absence("2024-05-02 10:00")),
    }
    assert apart(warehouse, edges) == {"exactly 24 hours"}


def test_the_24_hours_are_elapsed_hours_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    autumn = EpisodeRow(episode_id="1", started="2024-10-26 10:00")
    spring = EpisodeRow(episode_id="1", started="2024-03-30 10:00")
    edges = {
        "autumn, a minute less": (autumn, absence("2024-10-27 08:59")),
        "autumn, exactly": (autumn, absence("2024-10-27 09:00")),
        "spring, a minute less": (spring, absence("2024-03-31 10:59")),
        "spring, exactly": (spring, absence("2024-03-31 11:00")),
    }
    assert apart(warehouse, edges) == {"autumn, exactly", "spring, exactly"}


def test_a_long_episode_takes_in_what_it_contains_and_what_that_touches(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="long", started="2024-05-01 10:00", found="2024-05-08 10:00"),
        EpisodeRow(episode_id="nested", started="2024-05-02 10:00", found="2024-05-02 12:00"),
        EpisodeRow(episode_id="apart from the nested one", started="2024-05-07 10:00", found="2024-05-09 10:00"),
        EpisodeRow(episode_id="apart", started="2024-05-09 10:01", found="2024-05-09 12:00"),
    )
    assert [episode["source_rows"] for episode in resolve(warehouse, *rows)] == [3, 1]


@pytest.mark.parametrize("difference", [{"child": "ben"}, {"status": "away"}])
def test_rows_of_another_child_or_status_are_another_episode(
    warehouse: SmallWarehouse, difference: dict[str, str]
) -> None:
    first = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00")
    second = EpisodeRow(episode_id="2", started="2024-05-01 10:00", found="2024-05-02 10:00", **difference)
    assert [episode["source_rows"] for episode in resolve(warehouse, first, second)] == [1, 1]


def test_a_row_of_dates_joins_the_episode_known_to_the_minute(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="police", started="2024-05-01 22:15", found="2024-05-02 07:40"),
        EpisodeRow(episode_id="return", started="2024-05-01", found="2024-05-02"),
    )
    (episode,) = resolve(warehouse, *rows)
    assert (episode["source_rows"], episode["started_precision"], episode["ended_precision"]) == (2, "minute", "minute")
    assert (episode["started_at"], episode["ended_at"]) == (utc("2024-05-01 21:15"), utc("2024-05-02 06:40"))


def test_a_row_of_dates_never_bridges_two_episodes_known_to_the_minute(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="first", started="2024-05-01 10:00", found="2024-05-01 12:00"),
        EpisodeRow(episode_id="second", started="2024-05-03 10:00", found="2024-05-03 12:00"),
        EpisodeRow(episode_id="days", started="2024-05-01", found="2024-05-03"),
    )
    assert [episode["source_rows"] for episode in resolve(warehouse, *rows)] == [2, 1]


def test_a_row_of_dates_joins_the_episode_that_starts_on_its_day(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="over midnight", started="2024-05-01 22:00", found="2024-05-02 06:00"),
        EpisodeRow(episode_id="that day", started="2024-05-02 18:00", found="2024-05-02 20:00"),
        EpisodeRow(episode_id="days", started="2024-05-02", found="2024-05-02"),
    )
    assert [episode["source_rows"] for episode in resolve(warehouse, *rows)] == [1, 2]


def test_rows_of_dates_merge_while_their_days_may_touch(warehouse: SmallWarehouse) -> None:
    ended = EpisodeRow(episode_id="1", started="2024-05-01", found="2024-05-02")
    still_open = EpisodeRow(episode_id="1", started="2024-05-01")
    edges = {
        "ended that day": (ended, absence("2024-05-02")),
        "ended the day before": (ended, absence("2024-05-03")),
        "open since yesterday": (still_open, absence("2024-05-02")),
        "open for two days": (still_open, absence("2024-05-03")),
    }
    assert apart(warehouse, edges) == {"ended the day before", "open for two days"}


# What an episode says


def test_a_return_that_nobody_recorded_stays_unknown(warehouse: SmallWarehouse) -> None:
    (episode,) = resolve(warehouse, EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00"))
    assert (episode["ended_at"], episode["ended_precision"]) == (utc("2024-05-02 09:00"), "minute")
    assert (episode["returned_at"], episode["returned_precision"]) == (None, None)


def test_an_open_episode_has_neither_end_nor_return(warehouse: SmallWarehouse) -> None:
    (episode,) = resolve(warehouse, EpisodeRow(episode_id="1", started="2024-05-01 10:00"))
    times = ("ended_at", "ended_precision", "returned_at", "returned_precision")
    assert [episode[name] for name in times] == [None] * 4


def test_an_episode_open_again_has_not_returned(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00", returned="2024-05-02 10:00"),
        EpisodeRow(episode_id="2", started="2024-05-02 10:00"),
    )
    (episode,) = resolve(warehouse, *rows)
    assert (episode["source_rows"], episode["ended_at"], episode["returned_at"]) == (2, None, None)


def test_an_open_duplicate_does_not_reopen_an_episode_that_ended_later(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00"),
        EpisodeRow(episode_id="2", started="2024-05-01 10:30"),
    )
    (episode,) = resolve(warehouse, *rows)
    assert episode["ended_at"] == utc("2024-05-02 09:00")


def test_an_open_row_of_dates_does_not_reopen_an_episode_known_to_the_minute(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02"),
        EpisodeRow(episode_id="2", started="2024-05-02"),
    )
    (episode,) = resolve(warehouse, *rows)
    assert (episode["source_rows"], episode["ended_at"]) == (2, utc("2024-05-01 23:00"))


def test_the_end_is_the_finding_and_the_return_is_kept_beside_it(warehouse: SmallWarehouse) -> None:
    row = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00", returned="2024-05-02 15:00")
    (episode,) = resolve(warehouse, row)
    assert (episode["ended_at"], episode["returned_at"]) == (utc("2024-05-02 09:00"), utc("2024-05-02 14:00"))


def test_the_end_is_the_return_where_no_finding_is_recorded(warehouse: SmallWarehouse) -> None:
    (episode,) = resolve(warehouse, EpisodeRow(episode_id="1", started="2024-05-01 10:00", returned="2024-05-02 15:00"))
    assert episode["ended_at"] == episode["returned_at"] == utc("2024-05-02 14:00")


def test_no_episode_ends_before_it_starts_even_in_the_skipped_hour(warehouse: SmallWarehouse) -> None:
    row = EpisodeRow(episode_id="1", started="2024-03-31 01:30", found="2024-03-31 02:15", returned="2024-03-31 02:15")
    (episode,) = resolve(warehouse, row)
    assert episode["started_at"] == episode["ended_at"] == episode["returned_at"] == utc("2024-03-31 01:30")


def test_what_the_lead_row_does_not_know_comes_from_the_others(warehouse: SmallWarehouse) -> None:
    rows = (
        EpisodeRow(
            episode_id="1", started="2024-05-01 10:00", age=None, sex="unknown", area="unknown", looked_after="no"
        ),
        EpisodeRow(
            episode_id="2", started="2024-05-01 11:00", age=12, sex="male", area="E08000003", looked_after="yes"
        ),
        EpisodeRow(episode_id="3", started="2024-05-01 12:00", age=13, sex="female"),
    )
    (episode,) = resolve(warehouse, *rows)
    assert (episode["age_at_start"], episode["sex"], episode["looked_after"]) == (12, "male", "yes")
    assert episode["area_missing_from"] in {"E08000003", "E08000001"}


# Pseudonyms


@pytest.mark.parametrize(("scope", "children"), [("regional", 1), ("borough", 2)])
def test_a_pseudonym_in_two_boroughs_is_one_child_only_where_it_is_regional(
    warehouse: SmallWarehouse, scope: str, children: int
) -> None:
    times = {"started": "2024-05-01 10:00", "found": "2024-05-02 10:00", "scope": scope}
    episodes = resolve(
        warehouse, EpisodeRow(episode_id="1", **times), EpisodeRow(episode_id="1", borough="bury", **times)
    )
    assert len({episode["child_key"] for episode in episodes}) == len(episodes) == children
    assert sorted(slug for episode in episodes for slug in episode["boroughs"]) == ["bolton", "bury"]


# Supersession

FIRST = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-01 12:00", age=12)
SECOND = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-01 13:00", age=13)


@pytest.mark.parametrize(
    ("first_extracted", "second_extracted", "age"),
    [
        (None, None, 13),
        ("2024-06-01 10:00", "2024-06-01 10:00", 13),
        ("2024-06-01 10:00", "2024-06-01 09:59", 12),
        ("2024-06-01", "2024-06-01 00:01", 13),
    ],
    ids=["arrival decides", "equal extractions", "an older extract arrives late", "a day counts from its start"],
)
def test_the_row_extracted_last_wins_then_the_delivery_received_last(
    warehouse: SmallWarehouse, first_extracted: str | None, second_extracted: str | None, age: int
) -> None:
    episodes = resolve_deliveries(
        warehouse,
        delivery(EpisodeRow(**vars(FIRST) | {"extracted": first_extracted}), received="2024-06-02 09:00", name="one"),
        delivery(EpisodeRow(**vars(SECOND) | {"extracted": second_extracted}), received="2024-06-03 09:00", name="two"),
    )
    assert [episode["age_at_start"] for episode in episodes] == [age]


def test_deliveries_received_together_are_ordered_by_file_name(warehouse: SmallWarehouse) -> None:
    for names, age in ((("a", "b"), 13), (("b", "a"), 12)):
        pair = zip((FIRST, SECOND), names, strict=True)
        episodes = resolve_deliveries(warehouse, *(delivery(row, name=name) for row, name in pair))
        assert [episode["age_at_start"] for episode in episodes] == [age]


def test_a_delivery_after_the_as_at_instant_is_not_known_yet(warehouse: SmallWarehouse) -> None:
    deliveries = (
        delivery(FIRST, received="2024-06-02 09:00", name="one"),
        delivery(SECOND, received="2024-06-03 09:00", name="two"),
    )
    ages = [
        [episode["age_at_start"] for episode in resolve_deliveries(warehouse, *deliveries, as_at=as_at)]
        for as_at in ("2024-06-03 08:59", "2024-06-03 09:00")
    ]
    assert ages == [[12], [13]]


# Metamorphic: what must not matter

HISTORY = (
    EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00", returned="2024-05-02 11:00"),
    EpisodeRow(episode_id="2", started="2024-05-02 10:00", found="2024-05-03 10:00", age=None),
    EpisodeRow(episode_id="3", started="2024-05-01", found="2024-05-04", borough="bury", looked_after="yes"),
    EpisodeRow(episode_id="4", started="2024-06-01 10:00", borough="bury"),
    EpisodeRow(episode_id="5", started="2024-06-01 10:00", child="ben", found="2024-06-01 11:00"),
    EpisodeRow(episode_id="6", started="2024-06-02 09:00", found="2024-06-02 21:00"),
)


def test_the_order_of_rows_changes_nothing(warehouse: SmallWarehouse) -> None:
    expected = resolve(warehouse, *HISTORY)
    for turn in range(1, len(HISTORY)):
        assert resolve(warehouse, *HISTORY[turn:], *HISTORY[:turn]) == expected
    assert resolve(warehouse, *reversed(HISTORY)) == expected


def test_splitting_a_delivery_changes_nothing(warehouse: SmallWarehouse) -> None:
    expected = resolve(warehouse, *HISTORY)
    for place in range(1, len(HISTORY)):
        parts = (delivery(*HISTORY[:place], name="one"), delivery(*HISTORY[place:], name="two"))
        assert resolve_deliveries(warehouse, *parts) == expected


def test_delivering_everything_again_changes_nothing(warehouse: SmallWarehouse) -> None:
    expected = resolve(warehouse, *HISTORY)
    again = delivery(*HISTORY, received="2026-07-01 09:00", name="again")
    assert resolve_deliveries(warehouse, delivery(*HISTORY), again) == expected


def test_renaming_boroughs_changes_only_their_names(warehouse: SmallWarehouse) -> None:
    names = {"bolton": "wigan", "bury": "oldham"}
    renamed = [EpisodeRow(**vars(row) | {"borough": names[row.borough]}) for row in HISTORY]
    before, after = resolve(warehouse, *HISTORY), resolve(warehouse, *renamed)
    same = ("child_id", "started_at", "ended_at", "returned_at", "age_at_start", "looked_after", "source_rows")
    assert [[row[name] for name in same] for row in before] == [[row[name] for name in same] for row in after]
    assert [names[row["borough"]] for row in before] == [row["borough"] for row in after]


# Interviews

ABSENCE = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 09:00", returned="2024-05-02 10:00")


def interview(held: str | None = None, *names: str, **given: Any) -> InterviewRow:
    """An interview about the first episode unless others are named."""
    return InterviewRow(interview_id="I", episode_ids=names or ("1",), held=held, **given)


def within_72_hours(warehouse: SmallWarehouse, times: Sequence[tuple[str, str]]) -> list[str]:
    """Verdicts on pairs of a return and an interview, each of another child."""
    rows = [
        as_child(
            f"{number:02}",
            EpisodeRow(episode_id="1", started=f"{returned[:8]}01 10:00", returned=returned),
            interview(held),
        )
        for number, (returned, held) in enumerate(times)
    ]
    found = link(warehouse, *(row for pair in rows for row in pair))
    return [row["within_72_hours"] for row in sorted(found, key=lambda row: row["interview_id"])]


@pytest.mark.parametrize(
    ("held", "verdict", "hours"),
    [
        ("2024-05-05 10:00", "yes", 72.0),
        ("2024-05-05 10:01", "no", 72 + 1 / 60),
        ("2024-05-02 10:00", "yes", 0.0),
        ("2024-05-02 09:59", "not_measurable", -1 / 60),
        (None, None, None),
    ],
    ids=["exactly 72 hours", "a minute more", "on return", "before the return", "not held"],
)
def test_72_hours_run_from_the_return(
    warehouse: SmallWarehouse, held: str | None, verdict: str | None, hours: float | None
) -> None:
    (found,) = link(warehouse, ABSENCE, interview(held))
    assert found["within_72_hours"] == verdict
    assert found["hours_from_return"] == (None if hours is None else pytest.approx(hours, abs=1e-9))


def test_72_hours_are_elapsed_hours_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    spring, autumn = "2024-03-29 12:00", "2024-10-25 12:00"
    assert within_72_hours(warehouse, [(spring, "2024-04-01 13:00"), (autumn, "2024-10-28 11:00")]) == ["yes", "yes"]
    assert within_72_hours(warehouse, [(spring, "2024-04-01 13:01"), (autumn, "2024-10-28 11:01")]) == ["no", "no"]


def test_a_day_is_within_72_hours_only_where_every_reading_agrees(warehouse: SmallWarehouse) -> None:
    readings = {
        ("2024-05-02 10:00", "2024-05-01"): "not_measurable",
        ("2024-05-02 10:00", "2024-05-02"): "yes",
        ("2024-05-02 10:00", "2024-05-04"): "yes",
        ("2024-05-02 10:00", "2024-05-05"): "not_measurable",
        ("2024-05-02 10:00", "2024-05-06"): "no",
        ("2024-05-02", "2024-05-04"): "yes",
        ("2024-05-02", "2024-05-05"): "not_measurable",
        ("2024-05-02", "2024-05-06"): "no",
        ("2024-05-02", "2024-05-05 00:00"): "yes",
        ("2024-05-02", "2024-05-05 00:01"): "not_measurable",
        ("2024-05-02", "2024-05-05 23:59"): "not_measurable",
        ("2024-05-02", "2024-05-06 00:00"): "no",
    }
    assert within_72_hours(warehouse, list(readings)) == list(readings.values())


def test_the_clock_runs_from_the_finding_where_no_return_is_recorded(warehouse: SmallWarehouse) -> None:
    row = EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 10:00")
    (found,) = link(warehouse, row, interview("2024-05-05 10:00"))
    assert (found["hours_from_return"], found["within_72_hours"], found["return_is_found"]) == (72.0, "yes", True)


def test_an_interview_during_an_open_episode_is_not_measurable(warehouse: SmallWarehouse) -> None:
    (found,) = link(warehouse, EpisodeRow(episode_id="1", started="2024-05-01 10:00"), interview("2024-05-05 10:00"))
    assert (found["within_72_hours"], found["hours_from_return"]) == ("not_measurable", None)


def test_one_interview_may_be_about_two_episodes(warehouse: SmallWarehouse) -> None:
    second = EpisodeRow(
        episode_id="2", started="2024-05-04 10:00", found="2024-05-04 12:00", returned="2024-05-04 12:00"
    )
    found = link(warehouse, ABSENCE, second, interview("2024-05-06 10:00", "1", "2"))
    assert [row["within_72_hours"] for row in found] == ["no", "yes"]


def test_an_interview_about_two_rows_of_one_episode_is_linked_once(warehouse: SmallWarehouse) -> None:
    again = EpisodeRow(episode_id="2", started="2024-05-01 20:00", found="2024-05-02 09:00")
    assert len(link(warehouse, ABSENCE, again, interview("2024-05-03 10:00", "1", "2"))) == 1


@pytest.mark.parametrize("other", [{"child": "ben"}, {"borough": "bury"}])
def test_a_name_is_looked_up_among_the_senders_own_rows_of_that_child(
    warehouse: SmallWarehouse, other: dict[str, str]
) -> None:
    assert link(warehouse, ABSENCE, interview("2024-05-03 10:00", **other)) == []


def test_accepted_is_not_held(warehouse: SmallWarehouse) -> None:
    answers: dict[str, tuple[dict[str, str], str]] = {
        "dated": ({"held": "2024-05-03 10:00"}, "yes"),
        "dated only": ({"held": "2024-05-03", "offered": "unknown", "accepted": "unknown"}, "yes"),
        "accepted": ({"accepted": "yes"}, "not_measurable"),
        "offered": ({"accepted": "unknown"}, "not_measurable"),
        "nothing known": ({"offered": "unknown", "accepted": "unknown"}, "not_measurable"),
        "refused": ({"accepted": "no"}, "no"),
        "not offered": ({"offered": "no", "accepted": "unknown"}, "no"),
        "not applicable": ({"offered": "not_applicable", "accepted": "unknown"}, "no"),
        "declined": ({"accepted": "unknown", "declined_reason": "child_declined"}, "no"),
    }
    warehouse.load(cases({name: (ABSENCE, interview(**given)) for name, (given, _) in answers.items()}))
    warehouse.build("core.return_interview")
    found = warehouse.connection.execute("select child_id, held from core.return_interview").fetchall()
    assert dict(found) == {name: verdict for name, (_, verdict) in answers.items()}


def test_an_interview_by_a_borough_without_episodes_of_the_child_is_matched_by_its_own_scope(
    warehouse: SmallWarehouse,
) -> None:
    rows = [
        InterviewRow(interview_id=scope, episode_ids=("1",), borough=borough, scope=scope)
        for borough, scope in (("bury", "regional"), ("wigan", "borough"))
    ]
    warehouse.load(delivery(ABSENCE, *rows))
    warehouse.build("core.return_interview")
    keys = dict(warehouse.connection.execute("select interview_id, child_key from core.return_interview").fetchall())
    assert keys == {"regional": "anna", "borough": "wigan:anna"}
