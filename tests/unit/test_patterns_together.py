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
from tests.builders.warehouse import SmallWarehouse, small_warehouse

RECEIVED = "2025-06-01 09:00"
CHILDREN = ("anna", "ben", "cara")
TABLES = (
    "patterns.co_missing_partner",
    "patterns.co_missing_group",
    "patterns.hit_co_missing",
    "patterns.evidence_co_missing",
    "patterns.setting_cluster",
    "patterns.hit_setting_cluster",
    "patterns.evidence_setting_cluster",
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
    return [absence(child, start, **given) for child, own in zip(CHILDREN, starts, strict=False) for start in own]


def others(starts: Iterable[str]) -> list[EpisodeRow]:
    """Absences of as many other children."""
    return [absence(f"other {number}", start) for number, start in enumerate(starts)]


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
TWO = [*FIRST, *together(["2024-05-03 20:00"], ["2024-05-03 20:00"])]
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
    # a crowd of six, and of seven
    **{f"{crowd} at once": [*TWO, *others(["2024-05-03 20:00"] * (crowd - 2))] for crowd in (6, 7)},
    "7 in six hours": [*TWO, *others(f"2024-05-03 {hour}:00" for hour in (14, 15, 16, 17, 18))],
    "7, the first a minute too early": [
        *TWO,
        *others(["2024-05-03 13:59", "2024-05-03 14:00", *["2024-05-03 15:00"] * 3]),
    ],
    "a crowd in the area, a pair in a home": [
        *FIRST,
        at_home("anna", "2024-05-03 20:00"),
        at_home("ben", "2024-05-03 20:00"),
        *others(["2024-05-03 20:00"] * 20),
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
    "6 at once": "same area",
    "7, the first a minute too early": "same area",
    "a crowd in the area, a pair in a home": "same setting",
}

# Certain where chance does not explain it; zoe stands for places that are known for long

LONG_KNOWN = [absence("zoe", "2023-01-01 10:00"), at_home("zoe", "2023-02-01 10:00")]
FOUR = ("2025-03-01 20:00", "2025-03-11 20:00", "2025-03-21 20:00", "2025-03-31 20:00")
LONG_AGO = [day.replace("2025", "2024") for day in FOUR]
DAYS = [(datetime(2025, 1, 31, 20) + timedelta(days)).isoformat(" ", "minutes") for days in range(60)]  # noqa: DTZ001 - local


def twice_among(children: int) -> list[EpisodeRow]:
    """Two children together twice, where so many children in all go missing in those months."""
    return [
        *LONG_KNOWN,
        *together(["2025-04-05 20:00", "2025-04-15 20:00"], ["2025-04-05 20:00", "2025-04-15 20:00"]),
        *others(DAYS[: children - 2]),
    ]


def each_of(days: int) -> list[EpisodeRow]:
    """One child who goes missing on so many days running, and another who does so on the last four of them."""
    return [*LONG_KNOWN, *together(DAYS[-days:], DAYS[-4:], hours=2)]


SURE: dict[str, Sequence[EpisodeRow]] = {
    "four times": [*LONG_KNOWN, *together(FOUR, FOUR)],
    "four times, found together, by days": [
        *LONG_KNOWN,
        *(absence(child, day[:10], ended=day) for day in FOUR for child in ("anna", "ben")),
    ],
    "four days running": [*LONG_KNOWN, *together(DAYS[:4], DAYS[:4], hours=2)],
    "four days running, nothing known before": together(DAYS[:4], DAYS[:4], hours=2),
    "twice among 30": twice_among(30),
    "twice among 60": twice_among(60),
    "4 of 59 days": each_of(59),
    "4 of 60 days": each_of(60),
}
CERTAIN = {"four times", "four days running", "twice among 30", "4 of 59 days"}

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


# Settings. Three starts make a cluster in a borough, unless its own settings are busier


def from_home(*by_child: Sequence[str], home: str = "home", **given: Any) -> list[EpisodeRow]:
    """Absences of anna, ben and so on from one home, one list of starts for each child."""
    return [
        at_home(child, start, home, hours=2, **given)
        for child, own in zip(CHILDREN, by_child, strict=False)
        for start in own
    ]


CLUSTERS: dict[str, Sequence[EpisodeRow]] = {
    "three by two": from_home(["2024-06-01 10:00", "2024-06-20 10:00"], ["2024-06-10 10:00"]),
    "three by one": from_home(["2024-06-01 10:00", "2024-06-10 10:00", "2024-06-20 10:00"]),
    "two by two": from_home(["2024-06-01 10:00"], ["2024-06-10 10:00"]),
    "28 days": from_home(["2024-06-01 10:00", "2024-06-10 10:00"], ["2024-06-29 10:00"]),
    "28 days less a minute": from_home(["2024-06-01 10:01", "2024-06-10 10:00"], ["2024-06-29 10:00"]),
    "spring, 28 days": from_home(["2024-03-10 10:00", "2024-03-20 10:00"], ["2024-04-07 11:00"]),
    "spring, less a minute": from_home(["2024-03-10 10:01", "2024-03-20 10:00"], ["2024-04-07 11:00"]),
    "two homes": [
        *from_home(["2024-06-01 10:00", "2024-06-20 10:00"]),
        *from_home([], ["2024-06-10 10:00"], home="other"),
    ],
    "one number, two boroughs": [
        *from_home(["2024-06-01 10:00", "2024-06-20 10:00"]),
        *from_home([], ["2024-06-10 10:00"], borough="bury"),
    ],
    "at home": [
        replace(row, setting="home")
        for row in from_home(["2024-06-01 10:00", "2024-06-20 10:00"], ["2024-06-10 10:00"])
    ],
    "by days": from_home(["2024-06-01", "2024-06-20"], ["2024-06-10"]),
    "by days, perhaps 28": from_home(["2024-06-01 10:00", "2024-06-10 10:00"], ["2024-06-29"]),
    "three in a busy borough": from_home(
        ["2024-06-01 10:00", "2024-06-20 10:00"], ["2024-06-10 10:00"], borough="wigan"
    ),
    # forty starts in forty days: 27 and more from the 27th on, 28 only
    "busy": from_home(
        *[[day.replace("20:00", f"{hour}:00") for day in DAYS[:40]] for hour in (10, 16)], borough="wigan"
    ),
}
CLUSTERED = {
    "three by two": ("anna", True),
    "28 days less a minute": ("ben", True),
    "spring, less a minute": ("ben", True),
    "by days": ("anna", True),
    "by days, perhaps 28": ("ben", False),
    "busy": ("ben", True),
}

# Across boroughs


def across(*boroughs: str) -> list[EpisodeRow]:
    """Three episodes in 28 days, sent by these."""
    starts = ("2024-06-01 10:00", "2024-06-10 10:00", "2024-06-20 10:00")
    return [absence("anna", start, borough=borough) for start, borough in zip(starts, boroughs, strict=True)]


ACROSS = {
    "one in each of three": across("bolton", "bury", "wigan"),
    "two and one": across("bury", "bury", "wigan"),
    "three in one": across("bury", "bury", "bury"),
    "three in one and one": [*across("bury", "bury", "bury"), absence("anna", "2024-06-15 10:00", borough="wigan")],
}

ALL = {**PAIRS, **SURE, "group": GROUP, **CLUSTERS, **ACROSS}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        opened.load(of_cases(ALL))
        opened.build(*TABLES, "patterns.across_boroughs")
        yield opened


def of_kind(warehouse: SmallWarehouse, kind: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Hits of a kind by the case they are in, each with the name of its child."""
    hits: dict[str, list[dict[str, Any]]] = {}
    query = f"""
        select hit.*, child_id from patterns.hit_{kind} as hit
        inner join patterns.episode using (child_number, episode_number)
        inner join (select pseudonym_number, child_id from staging.child) using (pseudonym_number)
        order by hit_at, child_id
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
    (row,) = warehouse.rows(query, child="4 of 59 days: ben")
    assert (row["partner_key"], row["pairings"], row["same_area"]) == ("4 of 59 days: anna", 4, 4)
    assert (row["starts"], row["partner_starts"], row["children_there"]) == (4, 59, 2)
    assert row["expected"] == pytest.approx(4 * 59 / 180)
    exactly = poisson.sf(3, 4 * 59 / 180)
    assert exactly < row["pairs_by_chance"] < 1.1 * exactly


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


def test_what_is_a_cluster(warehouse: SmallWarehouse) -> None:
    hits = of_kind(warehouse, "setting_cluster", CLUSTERS)
    assert {name: (of_case[0]["child"], of_case[0]["is_certain"]) for name, of_case in hits.items()} == CLUSTERED


def test_what_makes_a_cluster_is_taken_from_the_borough(warehouse: SmallWarehouse) -> None:
    starts = "select starts, threshold from patterns.setting_start where borough = 'wigan' order by starts"
    counts = warehouse.rows(starts)
    (threshold,) = {row["threshold"] for row in counts}
    below = [row["starts"] for row in counts if row["starts"] < threshold]
    up_to = [row["starts"] for row in counts if row["starts"] <= threshold]
    assert len(below) < 0.95 * len(counts) <= len(up_to)
    assert threshold > 3
    clusters = warehouse.rows("select * from patterns.setting_cluster where borough = 'wigan'")
    assert [(row["setting_key"], row["threshold"], row["children"]) for row in clusters] == [
        ("wigan: busy: home".replace(": ", ":", 1), threshold, 2)
    ]


def test_a_run_of_clusters_is_one_row(warehouse: SmallWarehouse) -> None:
    query = "select * from patterns.setting_cluster where setting_key = 'bolton:three by two: home'"
    (row,) = warehouse.rows(query)
    assert (row["first_at"], row["last_at"]) == (utc("2024-06-20 09:00"), utc("2024-06-20 09:00"))
    assert row["window_after"] == utc("2024-05-23 09:00")
    assert (row["starts"], row["children"], row["most_starts"], row["threshold"]) == (3, 2, 3, 3)


def test_the_evidence_of_a_cluster_is_the_childs_own(warehouse: SmallWarehouse) -> None:
    query = """
        select started_at from patterns.evidence_setting_cluster as listed
        inner join patterns.episode as episode
            on listed.child_number = episode.child_number and evidence_number = episode.episode_number
        inner join (select pseudonym_number, child_id from staging.child) using (pseudonym_number)
        where child_id = 'three by two: anna' order by started_at
    """
    assert warehouse.values(query) == [utc("2024-06-01 09:00"), utc("2024-06-20 09:00")]


def test_a_child_who_repeats_across_boroughs(warehouse: SmallWarehouse) -> None:
    rows = {
        row["child_key"].split(": ")[0]: row
        for row in warehouse.rows("select * from patterns.across_boroughs where rule_id = 'R3-28'")
    }
    assert {name: row["is_seen_alone"] for name, row in rows.items() if name in ACROSS} == {
        "one in each of three": False,
        "two and one": False,
        "three in one and one": True,
    }
    assert rows["two and one"]["sent"] == [{"borough": "bury", "episodes": 2}, {"borough": "wigan", "episodes": 1}]
    assert [rows["one in each of three"][name] for name in ("episodes", "boroughs", "most_in_one_borough")] == [3, 3, 1]


# What must not change anything

HITS = """
    select child_id, hit.* exclude (child_number, episode_number) from patterns.hit_{kind} as hit
    inner join patterns.episode using (child_number, episode_number)
    inner join (select pseudonym_number, child_id from staging.child) using (pseudonym_number)
"""
EVIDENCE = """
    select child_id, listed.rule_number, episode.started_at from patterns.evidence_{kind} as listed
    inner join patterns.episode as episode
        on listed.child_number = episode.child_number and listed.evidence_number = episode.episode_number
    inner join (select pseudonym_number, child_id from staging.child) using (pseudonym_number)
"""
SAID = (
    *(query.format(kind=kind) for query in (HITS, EVIDENCE) for kind in ("co_missing", "setting_cluster")),
    "select * from patterns.co_missing_partner",
    "select * from patterns.co_missing_group",
    "select * from patterns.setting_cluster",
)


def told(warehouse: SmallWarehouse, names: Mapping[str, str] | None = None) -> list[list[str]]:
    """All that is said, with boroughs given back their names."""
    return [sorted(str(_renamed(list(row.values()), names or {})) for row in warehouse.rows(query)) for query in SAID]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return sorted((_renamed(one, names) for one in value), key=str)
    if isinstance(value, str):
        borough, colon, rest = value.partition(":")
        return names.get(borough, borough) + colon + rest
    return value


@pytest.fixture(scope="module")
def as_sent(warehouse: SmallWarehouse) -> list[list[str]]:
    return told(warehouse)


@pytest.mark.parametrize("change", ["shuffled and split", "delivered twice", "boroughs renamed"])
def test_what_does_not_depend_on_how_it_is_sent(as_sent: list[list[str]], change: str) -> None:
    rows = list(of_cases(ALL).rows)
    other_names = {"bolton": "wigan", "wigan": "bury", "bury": "bolton"}
    shuffled = Random(4).sample(rows, len(rows))  # noqa: S311 - an order, not a secret
    deliveries = {
        "shuffled and split": [
            delivery(*shuffled[::2], received=RECEIVED, name="a"),
            delivery(*shuffled[1::2], received=RECEIVED, name="b"),
        ],
        "delivered twice": [
            delivery(*rows, received=RECEIVED),
            delivery(*rows, received=RECEIVED.replace(":00", ":01"), name="again"),
        ],
        "boroughs renamed": [
            delivery(*(replace(row, borough=other_names[row.borough]) for row in rows), received=RECEIVED)
        ],
    }
    with small_warehouse() as opened:
        opened.load(*deliveries[change])
        opened.build(*TABLES)
        back = {new: old for old, new in other_names.items()} if change == "boroughs renamed" else {}
        assert told(opened, back) == as_sent
