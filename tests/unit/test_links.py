"""Two pseudonyms of one child: reading what people decided, from when it counts, and what becomes one."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.home import PROJECT_ROOT, Home
from pipelines.intake.links import Link, LinksError, instants, link_entries, load_links, see_links
from tests.builders.links import link
from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, PlacementRow, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.intake_data import BOROUGH, OTHER_BOROUGH

ANNA, ALSO_ANNA = "0123456789abcdef" * 4, "1234567890" * 6 + "1234"  # the other has no letters: YAML sees a number
CELL = "Quixotewindmill"
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
END: dict[str, Any] = {"at": "2026-05-20T09:00:00Z", "by": "regional analyst", "reason": "two children after all"}
ENTRY: dict[str, Any] = {
    "id": "gm-1",
    "pseudonyms": [
        {"borough": BOROUGH.slug, "child_id": ANNA},
        {"borough": OTHER_BOROUGH.slug, "child_id": ALSO_ANNA},
    ],
    "reason": "moved and was given a new number",
    "decided_by": "regional analyst",
    "decided_at": "2026-05-01T14:30:00+01:00",
}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def written(home: Home, *entries: object) -> Path:
    home.links_file.write_text(yaml.safe_dump({"links": list(entries)}, sort_keys=False), encoding="utf-8")
    return home.links_file


# Reading the file


def test_a_link_is_read_with_its_instant_in_utc(home: Home) -> None:
    (read,) = load_links(written(home, ENTRY | {"ended": END}))
    assert read.link_id == "gm-1"
    assert [(p.borough, p.child_id) for p in read.pseudonyms] == [(BOROUGH.slug, ANNA), (OTHER_BOROUGH.slug, ALSO_ANNA)]
    assert (read.decided.at, read.decided.by) == (datetime.fromisoformat("2026-05-01 13:30"), "regional analyst")
    assert read.ended is not None
    assert (read.ended.at, read.ended.reason) == (datetime.fromisoformat("2026-05-20 09:00"), END["reason"])
    assert instants([read]) == [read.decided.at, read.ended.at]


def test_a_pseudonym_without_letters_and_an_instant_without_quotes_are_text(home: Home) -> None:
    text = written(home, ENTRY).read_text().replace(f"'{ALSO_ANNA}'", ALSO_ANNA).replace("'2026", "2026")
    assert f" {ALSO_ANNA}\n" in text
    home.links_file.write_text(text.replace("+01:00'", "+01:00"), encoding="utf-8-sig")
    (read,) = load_links(home.links_file)
    assert read.pseudonyms[1].child_id == ALSO_ANNA
    assert read.decided.at == datetime.fromisoformat("2026-05-01 13:30")


def test_no_file_and_an_empty_list_are_no_links(home: Home) -> None:
    assert load_links(home.links_file) == ()
    assert load_links(written(home)) == ()


def test_the_readmes_example_is_a_file_of_links(home: Home) -> None:
    (example,) = re.findall(r"```yaml\n(links:\n.*?)```", (PROJECT_ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    home.links_file.write_text(example)
    assert [one.ended for one in load_links(home.links_file)] == [None]
    home.links_file.write_text(example.replace("# ended:", "ended:"))
    assert [one.ended is not None for one in load_links(home.links_file)] == [True]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in ENTRY.items() if name != key}


def pseudonym(**cells: Any) -> dict[str, Any]:
    return {"pseudonyms": [ENTRY["pseudonyms"][0], ENTRY["pseudonyms"][1] | cells]}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([CELL], "entry 1: this must be keys with values"),
        ([without("id")], "entry 1: id is missing"),
        ([ENTRY | {"id": ANNA}], "entry 1: id must be 1 to 40"),
        ([ENTRY | {"id": f"of {CELL}"}], "entry 1: id must be 1 to 40"),
        ([ENTRY, ENTRY | {"id": ""}], "entry 2: id must be 1 to 40"),
        ([ENTRY, ENTRY], "link gm-1: its id stands twice"),
        ([without("reason")], "reason is missing"),
        ([ENTRY | {"reason": " "}], "link gm-1: reason must be text and not blank"),
        ([ENTRY | {"reason": [CELL]}], "link gm-1: reason must be text"),
        ([ENTRY | {"decided_by": None}], "link gm-1: decided_by must be text"),
        ([without("decided_at")], "decided_at is missing"),
        ([ENTRY | {"decided_at": "2026-05-01T14:30:00"}], "link gm-1: decided_at must be an instant with its offset"),
        ([ENTRY | {"decided_at": "2026-05-01"}], "link gm-1: decided_at must be an instant"),
        ([ENTRY | {"decided_at": CELL}], "link gm-1: decided_at must be an instant"),
        ([ENTRY | {"decided_at": [CELL]}], "link gm-1: decided_at must be an instant"),
        ([ENTRY | {"decided_at": "0001-01-01T00:00:00+01:00"}], "link gm-1: decided_at must be an instant"),
        ([ENTRY | {CELL: "x"}], "entry 1: there is a key that means nothing here"),
        ([ENTRY | {"pseudonyms": CELL}], "link gm-1: pseudonyms must be a list of at least two"),
        ([ENTRY | {"pseudonyms": ENTRY["pseudonyms"][:1]}], "link gm-1: pseudonyms must be a list of at least two"),
        ([ENTRY | {"pseudonyms": ENTRY["pseudonyms"][:1] * 2}], "link gm-1: pseudonyms names one pseudonym twice"),
        ([ENTRY | {"pseudonyms": [ANNA, ALSO_ANNA]}], "link gm-1, pseudonym 1: this must be keys with values"),
        ([ENTRY | pseudonym(borough=CELL)], "link gm-1, pseudonym 2: borough must be one of"),
        ([ENTRY | pseudonym(borough=[CELL])], "link gm-1, pseudonym 2: borough must be one of"),
        ([ENTRY | pseudonym(child_id=ANNA[:8])], "link gm-1, pseudonym 2: child_id must be a whole pseudonym"),
        ([ENTRY | pseudonym(child_id=ANNA.upper())], "link gm-1, pseudonym 2: child_id must be a whole pseudonym"),
        ([ENTRY | pseudonym(child_id=f"{ANNA}\n")], "link gm-1, pseudonym 2: child_id must be a whole pseudonym"),
        ([ENTRY | pseudonym(name=CELL)], "link gm-1, pseudonym 2: there is a key that means nothing here"),
        ([ENTRY | {"ended": CELL}], "link gm-1, ended: this must be keys with values"),
        ([ENTRY | {"ended": END | {"by": ""}}], "link gm-1, ended: by must be text"),
        ([ENTRY | {"ended": {k: v for k, v in END.items() if k != "at"}}], "link gm-1, ended: at is missing"),
        ([ENTRY | {"ended": END | {"at": CELL}}], "link gm-1, ended: at must be an instant"),
        ([ENTRY | {"ended": END | {"at": "2026-05-01T13:30:00Z"}}], "link gm-1, ended: at must lie after decided_at"),
    ],
)
def test_a_mistake_is_named_by_link_and_key_without_a_value(home: Home, entries: Sequence[Any], says: str) -> None:
    with pytest.raises(LinksError) as error:
        load_links(written(home, *entries))
    assert str(error.value).startswith("links.yaml, ")
    assert says in str(error.value)
    assert not any(value in str(error.value) for value in (CELL, ANNA, ANNA.upper(), ALSO_ANNA, ANNA[:8]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"links: [\n{CELL}: *{CELL}\n", "links.yaml, line 2: this is not well-formed YAML"),
        (f"links:\n  - id: gm-1\n    reason: {CELL}\n    reason: {CELL}\n", "line 2: .* a key stands twice"),
        ("links:\n  - id: \x00\n", "links.yaml: this is not well-formed YAML"),
        ("", "must hold a list under `links`"),
        ("links:\n", "must hold a list under `links`"),
        (f"- {CELL}\n", "must hold a list under `links`"),
        (f"links: []\n{CELL}: 1\n", "nothing else"),
    ],
)
def test_a_file_of_another_shape_is_refused_without_quoting_it(home: Home, text: str, says: str) -> None:
    home.links_file.write_text(text)
    with pytest.raises(LinksError, match=says) as error:
        load_links(home.links_file)
    assert CELL not in str(error.value)
    assert error.value.__cause__ is None


def test_a_file_that_is_not_text_or_cannot_be_opened_is_refused(home: Home) -> None:
    home.links_file.write_bytes("links: []".encode("utf-16"))
    with pytest.raises(LinksError, match="not UTF-8"):
        load_links(home.links_file)
    home.links_file.unlink()
    home.links_file.mkdir()
    with pytest.raises(LinksError, match="cannot be read"):
        load_links(home.links_file)


# What earlier runs saw


def see(home: Home, *entries: object, now: datetime = NOW) -> list[dict[str, Any]]:
    """Let a run look at the file; what it has noted by then."""
    written(home, *entries)
    see_links(home, now)
    if not home.links_log.exists():
        return []
    return [json.loads(line) for line in home.links_log.read_text(encoding="utf-8").splitlines()]


def test_every_decision_is_noted_once_with_the_instant_at_which_a_run_saw_it(home: Home) -> None:
    assert see(home) == []
    assert [(e["link_id"], e["action"]) for e in see(home, ENTRY)] == [("gm-1", "linked")]
    second = ENTRY | {"id": "gm-2"}
    later = NOW + timedelta(hours=1)
    noted = see(home, second, ENTRY | {"ended": END, "reason": "better words"}, now=later)
    assert [(e["link_id"], e["action"], e["seen_at"]) for e in noted] == [
        ("gm-1", "linked", NOW.isoformat()),
        ("gm-2", "linked", later.isoformat()),
        ("gm-1", "ended", later.isoformat()),
    ]
    assert see(home, second, ENTRY | {"ended": END}) == noted


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "link gm-1: an earlier run used it and it is gone"),
        ([ENTRY], "link gm-1: an earlier run saw its end, which is gone"),
        ([ENTRY | {"ended": END, **pseudonym(child_id=ANNA[::-1])}], "link gm-1: .* with other pseudonyms"),
        ([ENTRY | {"ended": END, "decided_at": "2026-05-02T09:00:00Z"}], "link gm-1: .* another decided_at"),
        ([ENTRY | {"ended": END | {"at": "2026-05-20T09:00:01Z"}}], "link gm-1: .* another ended.at"),
    ],
)
def test_a_link_that_a_run_has_seen_is_ended_and_never_rewritten(home: Home, entries: list[Any], says: str) -> None:
    noted = see(home, ENTRY | {"ended": END})
    with pytest.raises(LinksError, match=says):
        see(home, *entries)
    assert see(home, ENTRY | {"ended": END}) == noted


def test_a_file_that_is_gone_is_not_no_links(home: Home) -> None:
    see(home, ENTRY)
    home.links_file.unlink()
    with pytest.raises(LinksError, match="gm-1: an earlier run used it and it is gone"):
        see_links(home, NOW)


def test_a_decision_of_the_future_is_a_slip_of_the_pen(home: Home) -> None:
    now = datetime(2026, 5, 1, 13, 30, tzinfo=UTC)
    assert len(see(home, ENTRY, now=now)) == 1
    home.links_log.unlink()
    with pytest.raises(LinksError, match="link gm-1: decided_at lies in the future"):
        see(home, ENTRY, now=now - timedelta(seconds=1))
    with pytest.raises(LinksError, match=r"link gm-1: ended\.at lies in the future"):
        see(home, ENTRY | {"ended": END}, now=now)
    assert not home.links_log.exists()


# What the tables make of it

BURY_ANNA, WIGAN_ANNA = ("bury", "anna"), ("wigan", "ann")


def row(borough: str, child: str, started: str = "2026-03-01 20:00", **cells: Any) -> EpisodeRow:
    found = (datetime.fromisoformat(started) + timedelta(hours=3)).isoformat(" ", "minutes")
    return EpisodeRow(
        episode_id=f"{borough} {child} {started}", borough=borough, child=child, started=started, found=found, **cells
    )


def keys(warehouse: SmallWarehouse, sent: Delivery, *links: Link, as_at: str | None = None) -> dict[Any, str]:
    """The child of every pseudonym, by (borough, child)."""
    warehouse.load(sent, links=links, as_at=as_at)
    warehouse.build("staging.child")
    return {(r["borough"], r["child_id"]): r["child_key"] for r in warehouse.rows("from staging.child")}


TWO = delivery(row(*BURY_ANNA), row(*WIGAN_ANNA, "2026-03-01 22:00", scope="borough"))
APART = {BURY_ANNA: "anna", WIGAN_ANNA: "wigan:ann"}
ONE = {BURY_ANNA: "anna", WIGAN_ANNA: "anna"}
DECIDED, ENDED = "2026-07-01 12:00:00", "2026-08-01 12:00:00"
BOTH = link("gm-1", BURY_ANNA, WIGAN_ANNA, decided=DECIDED, ended=ENDED)


@pytest.mark.parametrize(
    ("as_at", "expected"),
    [
        ("2026-07-01 11:59:59.999999", APART),
        (DECIDED, ONE),
        ("2026-08-01 11:59:59.999999", ONE),
        (ENDED, APART),
        (None, APART),
    ],
)
def test_a_link_counts_from_its_decision_until_its_end(
    warehouse: SmallWarehouse, as_at: str | None, expected: dict[Any, str]
) -> None:
    assert keys(warehouse, TWO, BOTH, as_at=as_at) == expected


def test_an_end_that_was_decided_later_is_not_known_yet() -> None:
    known = {at: link_entries([BOTH], datetime.fromisoformat(at)) for at in (DECIDED, ENDED)}
    assert {entry["ended_at"] for entry in known[DECIDED]} == {None}
    assert {entry["ended_at"] for entry in known[ENDED]} == {datetime.fromisoformat(ENDED)}
    assert link_entries([BOTH], datetime.fromisoformat(DECIDED) - timedelta(microseconds=1)) == []


def test_linked_rows_are_one_child_everywhere_and_keep_what_the_sender_said(warehouse: SmallWarehouse) -> None:
    heard = InterviewRow(
        interview_id="1", episode_ids=("x",), held="2026-03-03 10:00", borough="wigan", child="ann", scope="borough"
    )
    warehouse.load(delivery(*TWO.rows, heard), links=[link("gm-1", BURY_ANNA, WIGAN_ANNA)])
    warehouse.build("core.missing_episode", "core.return_interview")
    (merged,) = warehouse.rows("from core.missing_episode")
    assert (merged["child_key"], merged["source_rows"], merged["boroughs"]) == ("anna", 2, ["bury", "wigan"])
    assert merged["ended_at"] == datetime.fromisoformat("2026-03-02 01:00")
    assert warehouse.values("select child_key from core.return_interview") == ["anna"]
    staged = warehouse.rows("select borough, child_id, pseudonym_scope from staging.missing_episode order by borough")
    assert [tuple(r.values()) for r in staged] == [("bury", "anna", "regional"), ("wigan", "ann", "borough")]


def test_a_regional_pseudonym_brings_its_rows_in_every_borough(warehouse: SmallWarehouse) -> None:
    sent = delivery(*TWO.rows, row("bolton", "anna"), row("oldham", "ann", scope="borough"))
    linked = keys(warehouse, sent, link("gm-1", ("bolton", "anna"), WIGAN_ANNA))
    assert linked == ONE | {("bolton", "anna"): "anna", ("oldham", "ann"): "oldham:ann"}


def test_scope_is_said_by_episodes_then_interviews_then_placements(warehouse: SmallWarehouse) -> None:
    def heard(child: str, scope: str) -> InterviewRow:
        return InterviewRow(interview_id=f"{child} {scope}", episode_ids=(), child=child, scope=scope)

    sent = delivery(
        row("bolton", "mixed", scope="borough"),
        row("bolton", "mixed", "2026-04-01 10:00", scope="regional"),
        row("bolton", "episodes", scope="borough"),
        heard("episodes", "regional"),
        heard("heard", "regional"),
        heard("heard", "borough"),
        PlacementRow(started="2025-01-01", child="heard", scope="borough"),
        heard("heard here", "borough"),
        PlacementRow(started="2025-01-01", child="placed", scope="regional"),
        PlacementRow(started="2025-01-01", child="placed here", scope="borough"),
    )
    assert {child: key for (_, child), key in keys(warehouse, sent).items()} == {
        "mixed": "mixed",
        "episodes": "bolton:episodes",
        "heard": "heard",
        "heard here": "bolton:heard here",
        "placed": "placed",
        "placed here": "bolton:placed here",
    }


def test_the_label_is_the_smallest_key_that_was_delivered_whatever_the_order(warehouse: SmallWarehouse) -> None:
    sent = delivery(row("bury", "b"), row("bury", "c"), row("bury", "d"))
    never = link("1", ("bury", "a"), ("bury", "c"))
    through = link("2", ("bury", "d"), ("bury", "a"))
    apart = {("bury", "b"): "b", ("bury", "c"): "c", ("bury", "d"): "d"}
    assert keys(warehouse, sent, never) == apart
    assert keys(warehouse, sent, never, through) == apart | {("bury", "d"): "c"}
    assert keys(warehouse, sent, through, never) == apart | {("bury", "d"): "c"}
    ids = warehouse.rows("select child_id, link_ids from staging.child order by child_id")
    assert [tuple(r.values()) for r in ids] == [("b", []), ("c", ["1", "2"]), ("d", ["1", "2"])]


def test_any_set_of_links_makes_the_children_that_following_them_one_by_one_makes(warehouse: SmallWarehouse) -> None:
    draw = random.Random(4)  # noqa: S311 - invented links, always the same
    for links_drawn in (20, 60, 120):
        names = [("bury", f"{i:03}") for i in range(150)]
        links = [link(str(i), *draw.sample(names, draw.choice((2, 2, 3)))) for i in range(links_drawn)]
        child = {name: name[1] for name in names}
        for one in links * len(names):  # slow and obvious: again until nothing can change any more
            members = [(p.borough, p.child_id) for p in one.pseudonyms]
            smallest = min(child[name] for name in members)
            if any(child[name] != smallest for name in members):
                child |= dict.fromkeys(members, smallest)
        assert keys(warehouse, delivery(*(row(*name) for name in names)), *links) == child


CROWD = [("bury", f"{i:03}") for i in range(200)]


CHILD_DIFFERS = "select fails from quality.return_interview_child_differs"


def test_an_interview_under_the_other_pseudonym_is_about_the_same_child(warehouse: SmallWarehouse) -> None:
    absence = row("wigan", "ann", scope="borough")
    heard = InterviewRow(
        interview_id="1", episode_ids=(absence.episode_id,), held="2026-03-03 10:00", borough="wigan", child="new ann"
    )
    one_child = link("gm-1", ("wigan", "ann"), ("wigan", "new ann"))
    for links, fails in (([], True), ([one_child], False)):
        warehouse.load(delivery(absence, heard), links=links)
        warehouse.build("core.episode_interview", "quality.return_interview_child_differs")
        assert warehouse.values("select count(*) from core.episode_interview") == [0 if fails else 1]
        assert warehouse.values(CHILD_DIFFERS) == [fails]


@pytest.mark.parametrize(
    "links",
    [
        [link(str(i), *pair) for i, pair in enumerate(pairwise(CROWD))],
        [link(str(i), CROWD[100], other) for i, other in enumerate(CROWD) if i != 100],
        [link("all", *CROWD)],
    ],
    ids=["a chain", "a star", "one link"],
)
def test_two_hundred_pseudonyms_become_one_child_and_no_other(warehouse: SmallWarehouse, links: list[Link]) -> None:
    found = keys(warehouse, delivery(*(row(*name) for name in CROWD), row("bury", "other")), *links)
    assert {key for name, key in found.items() if name in CROWD} == {"000"}
    assert found["bury", "other"] == "other"


def test_a_withdrawn_or_later_delivery_names_no_child(warehouse: SmallWarehouse) -> None:
    later = Delivery([row("bury", "later")], "2026-06-02 09:00", "later")
    warehouse.load(TWO, later, links=[BOTH], as_at="2026-06-01 09:00")
    warehouse.build("staging.child")
    assert sorted(warehouse.values("select child_id from staging.child")) == ["ann", "anna"]
    taken_back = "insert into intake.withdrawal by name select delivery_id, received_at as withdrawn_at, '' as reason, "
    warehouse.connection.execute(f"{taken_back} '' as asked_by from intake.receipt where borough = 'wigan'")
    try:
        warehouse.build("staging.child")
        assert warehouse.values("select child_id from staging.child") == ["anna"]
    finally:
        warehouse.connection.execute("delete from intake.withdrawal")


# What a link does


def test_each_link_says_what_it_matched_and_what_does_not_fit(warehouse: SmallWarehouse) -> None:
    sent = delivery(
        *TWO.rows,
        InterviewRow(interview_id="1", episode_ids=(), borough="wigan", child="ann", scope="borough"),
        row("bury", "girl"), row("bury", "boy", sex="male"), row("bury", "unknown", sex="unknown"),
        row("bury", "14"), row("bury", "15", age=15), row("bury", "16", age=16), row("bury", "no age", age=None),
        row("bury", "16 a day later", "2026-03-02 20:00", age=16),
        row("bury", "apart", sex="male", age=17), row("bury", "not"),
    )  # fmt: skip
    links = [
        link("fits", BURY_ANNA, WIGAN_ANNA),
        link("sex", ("bury", "girl"), ("bury", "boy"), ("bury", "unknown")),
        link("age", ("bury", "14"), ("bury", "16")),
        link("one year", ("bury", "15"), ("bury", "16 a day later"), ("bury", "no age")),
        link("never", ("bury", "nobody"), ("bolton", "not")),
        link("ended", ("bury", "apart"), ("bury", "not"), decided="2026-05-01 09:00", ended="2026-05-02 09:00"),
    ]
    warehouse.load(sent, links=links)
    warehouse.build("quality.link_pseudonym")
    found = {
        (r["link_id"], r["child_id"]): (r["rows"], r["episodes"], r["is_delivered"], r["sex_differs"], r["age_differs"])
        for r in warehouse.rows("from quality.link_pseudonym")
    }
    fits = (1, 1, True, False, False)
    assert found == {
        ("fits", "anna"): fits,
        ("fits", "ann"): (2, 1, True, False, False),
        ("sex", "girl"): (1, 1, True, True, False),
        ("sex", "boy"): (1, 1, True, True, False),
        ("sex", "unknown"): fits,
        ("age", "14"): (1, 1, True, False, True),
        ("age", "16"): (1, 1, True, False, True),
        ("one year", "15"): fits,
        ("one year", "16 a day later"): fits,
        ("one year", "no age"): fits,
        ("never", "nobody"): (0, 0, False, False, False),
        ("never", "not"): (0, 0, False, False, False),
        ("ended", "apart"): fits,
        ("ended", "not"): fits,
    }
