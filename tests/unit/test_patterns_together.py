"""Who goes missing with whom, clusters at care settings, and children who repeat across boroughs, at their edges.

Every case has children, settings and areas of its own, named after it, so that all of them are one delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from scipy.stats import poisson

from tests.builders.rows import Delivery, EpisodeRow, delivery, utc
from tests.builders.rules import shipped_rule
from tests.builders.warehouse import SmallWarehouse, small_warehouse

RECEIVED = "2025-06-01 09:00"
TABLES = (
    "patterns.co_missing_partner",
    "patterns.co_missing_group",
    "patterns.hit_co_missing",
    "patterns.setting_cluster",
    "patterns.hit_setting_cluster",
    "patterns.across_boroughs",
)


def absence(
    child: str, started: str, *, hours: float | None = None, ended: str | None = None, **given: Any
) -> EpisodeRow:
    """A missing episode; unless a test says when it ends, ten minutes longer for each letter of the alphabet."""
    away = timedelta(hours=30, minutes=10 * (ord(child[0]) - ord("a"))) if hours is None else timedelta(hours=hours)
    found = ended or (datetime.fromisoformat(started) + away).isoformat(" ", "minutes")
    return EpisodeRow(episode_id=f"{child} {started}", child=child, started=started, found=found, **given)


def at_home(child: str, started: str, home: str = "home", **given: Any) -> EpisodeRow:
    """A missing episode from a children's home."""
    return absence(child, started, setting="childrens_home", setting_id=home, looked_after="yes", **given)


def together(*starts: Sequence[str], **given: Any) -> list[EpisodeRow]:
    """Absences of anna, ben and so on from one area, one list of starts for each child."""
    return [
        absence(child, start, **given)
        for child, own in zip(("anna", "ben", "cara"), starts, strict=False)
        for start in own
    ]


def in_case(name: str, rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
    """The same rows in a case of their own."""
    return [
        replace(
            row,
            episode_id=f"{name}: {row.episode_id}",
            child=f"{name}: {row.child}",
            setting_id=row.setting_id and f"{name}: {row.setting_id}",
            area=f"{name}: {row.missing_from}" if row.area != "unknown" else row.area,
        )
        for row in rows
    ]


def of_cases(by_name: Mapping[str, Sequence[EpisodeRow]]) -> Delivery:
    """One delivery of independent cases."""
    return delivery(*(row for name, rows in by_name.items() for row in in_case(name, rows)), received=RECEIVED)


# Six hours, and what else makes a pairing: each case is paired once on 1 May, and once more or not on 2 May

FIRST = together(["2024-05-01 20:00"], ["2024-05-01 20:00"])
PAIRS: dict[str, Sequence[EpisodeRow]] = {
    "6:00": [*FIRST, *together(["2024-05-03 20:00"], ["2024-05-04 02:00"])],
    "6:01": [*FIRST, *together(["2024-05-03 20:00"], ["2024-05-04 02:01"])],
    "spring 6:00": [*FIRST, *together(["2024-03-30 22:00"], ["2024-03-31 05:00"])],
    "spring 6:01": [*FIRST, *together(["2024-03-30 22:00"], ["2024-03-31 05:01"])],
    "autumn 6:00": [*FIRST, *together(["2024-10-26 22:00"], ["2024-10-27 03:00"])],
    "autumn 6:01": [*FIRST, *together(["2024-10-26 22:00"], ["2024-10-27 03:01"])],
    "repeated hour": [*FIRST, *together(["2024-10-27 00:30"], ["2024-10-27 01:30"])],
    "days": [*FIRST, *together(["2024-05-04"], ["2024-05-04"])],
    "a day and a minute": [*FIRST, *together(["2024-05-04"], ["2024-05-04 00:00"])],
    "another area": [
        *FIRST,
        absence("anna", "2024-05-03 20:00", area="E08000001"),
        absence("ben", "2024-05-03 20:00", area="E08000002"),
    ],
    "unknown area": [*FIRST, *together(["2024-05-03 20:00"], ["2024-05-03 20:00"], area="unknown")],
    "unknown area, one home": [
        *FIRST,
        at_home("anna", "2024-05-03 20:00", area="unknown"),
        at_home("ben", "2024-05-03 20:00", area="unknown"),
    ],
    "two homes of one area": [
        *FIRST,
        at_home("anna", "2024-05-03 20:00", "one"),
        at_home("ben", "2024-05-03 20:00", "other"),
    ],
    "one home, numbered by two boroughs": [
        *FIRST,
        at_home("anna", "2024-05-03 20:00", area="unknown"),
        at_home("ben", "2024-05-03 20:00", area="unknown", borough="bury"),
    ],
    "with a girl of 18": [
        *FIRST,
        *together(["2024-05-03 20:00"]),
        absence("ben", "2024-05-03 20:00", age=18),
    ],
    "away": [*FIRST, *together(["2024-05-03 20:00"]), absence("ben", "2024-05-03 20:00", status="away")],
    "once more with somebody else": [*FIRST, *together(["2024-05-03 20:00"], [], ["2024-05-03 20:00"])],
    "the one twice, the other once": together(
        ["2024-05-03 18:00", "2024-05-03 20:00"], ["2024-05-03 21:00"], hours=0.1
    ),
    "the one twice, the other twice": together(
        ["2024-05-03 18:00", "2024-05-03 20:00"], ["2024-05-03 21:00", "2024-05-03 23:30"], hours=0.1
    ),
    # found together: the episodes overlap and end within five minutes of each other
    "found 5 minutes apart": [
        *FIRST,
        absence("anna", "2024-05-04 08:00", ended="2024-05-05 10:00"),
        absence("ben", "2024-05-04 20:00", ended="2024-05-05 10:05"),
    ],
    "found 6 minutes apart": [
        *FIRST,
        absence("anna", "2024-05-04 08:00", ended="2024-05-05 10:00"),
        absence("ben", "2024-05-04 20:00", ended="2024-05-05 10:06"),
    ],
    "found on one day": [
        *FIRST,
        absence("anna", "2024-05-04 08:00", ended="2024-05-05"),
        absence("ben", "2024-05-04 20:00", ended="2024-05-05"),
    ],
    "found in the repeated hour": [
        *FIRST,
        absence("anna", "2024-10-26 08:00", ended="2024-10-27 01:30"),
        absence("ben", "2024-10-26 20:00", ended="2024-10-27 01:30"),
    ],
    "found together, known by day who left when": [
        *FIRST,
        absence("anna", "2024-05-04", ended="2024-05-05 10:00"),
        absence("ben", "2024-05-05", ended="2024-05-05 10:05"),
    ],
    "found just before the other left": [
        *FIRST,
        absence("anna", "2024-05-04 08:00", ended="2024-05-05 10:00"),
        absence("ben", "2024-05-05 10:00", ended="2024-05-05 10:05"),
    ],
    "found in two areas": [
        *FIRST,
        absence("anna", "2024-05-04 08:00", ended="2024-05-05 10:00", area="E08000001"),
        absence("ben", "2024-05-04 20:00", ended="2024-05-05 10:05", area="E08000002"),
    ],
    # 180 days
    "180 days": together(["2024-05-01 20:00", "2024-10-28 19:00"], ["2024-05-01 20:00", "2024-10-28 19:00"]),
    "180 days less a minute": together(
        ["2024-05-01 20:00", "2024-10-28 18:59"], ["2024-05-01 20:00", "2024-10-28 18:59"]
    ),
    "the edge of 180 days": together(
        ["2024-05-01 14:00", "2024-10-28 18:58"], ["2024-05-01 20:00", "2024-10-28 18:58"]
    ),
    # a crowd of twelve, and of thirteen
    **{
        f"{crowd} at once": [
            *FIRST,
            *together(["2024-05-03 20:00"], ["2024-05-03 20:00"]),
            *(absence(f"other {number}", "2024-05-03 20:00") for number in range(crowd - 2)),
        ]
        for crowd in (12, 13)
    },
    "13 in six hours": [
        *FIRST,
        *together(["2024-05-03 20:00"], ["2024-05-03 20:00"]),
        *(absence(f"other {number}", f"2024-05-03 {14 + number // 3}:00") for number in range(11)),
    ],
    "13, the first a minute too early": [
        *FIRST,
        *together(["2024-05-03 20:00"], ["2024-05-03 20:00"]),
        *(absence(f"other {number}", f"2024-05-03 {14 + number // 3}:00") for number in range(1, 11)),
        absence("other 0", "2024-05-03 13:59"),
    ],
    "a crowd in the area, a pair in a home": [
        *FIRST,
        at_home("anna", "2024-05-03 20:00"),
        at_home("ben", "2024-05-03 20:00"),
        *(absence(f"other {number}", "2024-05-03 20:00") for number in range(20)),
    ],
}
PAIRED = {
    "6:00": "same area",
    "spring 6:00": "same area",
    "autumn 6:00": "same area",
    "unknown area, one home": "same setting",
    "two homes of one area": "same area",
    "the one twice, the other twice": "same area",
    "found 5 minutes apart": "found together",
    "found together, known by day who left when": "found together",
    "180 days less a minute": "same area",
    "the edge of 180 days": "same area",
    "12 at once": "same area",
    "13, the first a minute too early": "same area",
    "a crowd in the area, a pair in a home": "same setting",
}

# Certain where chance does not explain it; zoe stands for places that are known for long

LONG_KNOWN = [absence("zoe", "2023-01-01 10:00"), at_home("zoe", "2023-02-01 10:00")]
FOUR = ("2025-03-01 20:00", "2025-03-11 20:00", "2025-03-21 20:00", "2025-03-31 20:00")
LONG_AGO = [day.replace("2025", "2024") for day in FOUR]
DAYS = [(datetime(2025, 1, 31, 20) + timedelta(days)).isoformat(" ", "minutes") for days in range(60)]  # noqa: DTZ001 - local


def twice_among(children: int) -> list[EpisodeRow]:
    """Two children together twice, where so many children in all go missing in those months."""
    others = [absence(f"other {number}", DAYS[number]) for number in range(children - 2)]
    return [
        *LONG_KNOWN,
        *together(["2025-04-05 20:00", "2025-04-15 20:00"], ["2025-04-05 20:00", "2025-04-15 20:00"]),
        *others,
    ]


def every_day_and(times: int) -> list[EpisodeRow]:
    """One child who goes missing on sixty days, and another who does so on some of them."""
    return [*LONG_KNOWN, *together(DAYS, DAYS[-times:], hours=2)]


SURE: dict[str, Sequence[EpisodeRow]] = {
    "four times": [*LONG_KNOWN, *together(FOUR, FOUR)],
    "four times, found together, by days": [
        *LONG_KNOWN,
        *(absence(child, day[:10], ended=day) for day in FOUR for child in ("anna", "ben")),
    ],
    "four times, the place known since then": together(FOUR, FOUR),
    "twice among 30": twice_among(30),
    "twice among 60": twice_among(60),
    "4 of 60 days": every_day_and(4),
    "5 of 60 days": every_day_and(5),
}
CERTAIN = {"four times", "twice among 30", "5 of 60 days"}

# Groups: anna with ben, ben with cara in another borough; dan with eve a year before

GROUP = [
    *LONG_KNOWN,
    *together(FOUR, FOUR),
    *(
        absence(child, day.replace("20:00", "05:00"), hours=2, area="E08000002", borough="bury")
        for day in FOUR
        for child in ("ben", "cara")
    ),
    *(absence(child, day) for day in LONG_AGO for child in ("dan", "eve")),
]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        opened.load(of_cases({**PAIRS, **SURE, "group": GROUP}))
        opened.build(*TABLES)
        yield opened


def of_kind(warehouse: SmallWarehouse, kind: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Hits of a kind by the case they are in, each with the name of its child."""
    hits: dict[str, list[dict[str, Any]]] = {}
    query = f"""
        select hit.*, episode.child_id from patterns.hit_{kind} as hit
        inner join core.missing_episode as episode using (episode_key) order by hit_at, child_id
    """  # noqa: S608 - our own names
    for row in warehouse.rows(query):
        name, row["child"] = row["child_id"].split(": ", maxsplit=1)
        if name in names:
            hits.setdefault(name, []).append(row)
    return hits


def test_what_is_a_pairing(warehouse: SmallWarehouse) -> None:
    hits = of_kind(warehouse, "co_missing", PAIRS)
    assert {name: of_case[0]["detail"] for name, of_case in hits.items()} == PAIRED


def test_a_pairing_completes_the_pattern_for_both_children_at_their_own_start(warehouse: SmallWarehouse) -> None:
    (anna, ben) = of_kind(warehouse, "co_missing", ["6:00"])["6:00"]
    assert (anna["child"], anna["hit_at"]) == ("anna", utc("2024-05-03 19:00"))
    assert (ben["child"], ben["hit_at"]) == ("ben", utc("2024-05-04 01:00"))
    assert {one["hit_at"] - one["window_after"] for one in (anna, ben)} == {timedelta(days=180)}


def test_a_window_reaches_back_to_the_start_of_each_episode_that_it_pairs(warehouse: SmallWarehouse) -> None:
    hits = of_kind(warehouse, "co_missing", ["the edge of 180 days"])["the edge of 180 days"]
    after = {one["child"]: one["window_after"] for one in hits}
    assert after == {"anna": utc("2024-05-01 12:59:59.999999"), "ben": utc("2024-05-01 18:58")}


def test_it_is_certain_where_chance_does_not_explain_it(warehouse: SmallWarehouse) -> None:
    hits = of_kind(warehouse, "co_missing", SURE)
    assert hits.keys() == SURE.keys()
    assert {name for name, of_case in hits.items() if of_case[-1]["is_certain"]} == CERTAIN


def test_a_partner_is_shown_with_what_chance_would_bring(warehouse: SmallWarehouse) -> None:
    query = "select * from patterns.co_missing_partner where child_key = $child"
    (row,) = warehouse.rows(query, child="5 of 60 days: ben")
    assert (row["partner_key"], row["pairings"], row["same_area"]) == ("5 of 60 days: anna", 5, 5)
    assert (row["starts"], row["partner_starts"], row["children_there"]) == (5, 60, 2)
    assert row["expected"] == pytest.approx(5 * 60 / 180)
    assert row["pairs_by_chance"] == pytest.approx(poisson.sf(4, 5 / 3), rel=0.1)
    assert row["pairs_by_chance"] > poisson.sf(4, 5 / 3)


def test_children_whom_recent_pairs_connect_are_a_group(warehouse: SmallWarehouse) -> None:
    query = "select * from patterns.co_missing_group where starts_with(child_key, 'group') order by child_key"
    rows = warehouse.rows(query)
    assert [(row["child_key"], row["partners"], row["boroughs"]) for row in rows] == [
        ("group: anna", 1, ["bolton"]),
        ("group: ben", 2, ["bolton", "bury"]),
        ("group: cara", 1, ["bury"]),
    ]
    assert {(row["children"], row["pairs"], *row["group_boroughs"]) for row in rows} == {(3, 2, "bolton", "bury")}
    assert len({row["group_id"] for row in rows}) == 1
    partners = warehouse.rows(
        "select is_recent, is_beyond_chance from patterns.co_missing_partner where child_key = 'group: dan'"
    )
    assert partners == [{"is_recent": False, "is_beyond_chance": True}]
