"""What a child's entry says, sentence by sentence. Every record here is invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, cast

import pytest

from dashboards.leads import Child, Cluster, Company, Doubt, Episode, Flag, Interview, LeadReader, Partner
from dashboards.pages.child_list import ChildEntry, child_entries, reading_words
from dashboards.rulebook import load_rulebook
from pipelines.home import CONTRACTS
from pipelines.region import load_region

CHILD = "ab" * 32
REGION = load_region()
RULES = load_rulebook(CONTRACTS)
ELSEWHERE = f"another borough of {REGION.area.name}"


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour)  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse


FLAG = Flag(
    flag_id="R3-28-1", rule_id="R3-28", rule_version=1, on_list=True, child_key=CHILD, child_id=CHILD,
    summary="3 missing episodes; 3 or more within 28 days", episodes=3, raised_at=at(9), raised_month=date(2026, 3, 1),
    last_month=date(2026, 3, 1), is_current=True, is_new=False, is_certain=True, certain_month=date(2026, 3, 1),
    detail=None, only_region_sees=False,
    most_in_one_borough=3, arrival="on time", raised_words="Raised on 10 March 2026, when it arrived.",
)  # fmt: skip
OWN = Episode(
    child_key=CHILD, rule_ids=["R3-28"], status="missing", is_own=True, month=date(2026, 3, 1), started_at=at(9),
    started_precision="minute", hours=5.5, returned_at=at(9, 18), returned_precision="minute", source_rows=1,
    recorded_by=["police"], due="yes", offered="yes", accepted="no", held="no", within_72_hours="no", overtaken="no",
    hours_from_return=None, is_before_return=False, is_after_next=False, is_shared=False,
)  # fmt: skip
FOREIGN = Episode(
    CHILD, ["R3-28"], "missing", False, date(2026, 2, 1), *(None,) * 17
)  # fmt: skip
HEARD = Interview(CHILD, True, "yes", "yes", "yes", ["bullying"], [], ["none_disclosed"], ["safety_plan"])


class Told:
    """Stands in for the reader: gives the rows of one child."""

    def __init__(self, **rows: list[Any]) -> None:
        self._rows = rows

    def children(self) -> list[Child]:
        return [Child(CHILD, CHILD, True, any(flag.is_new for flag in self._rows["flags"]), date(2026, 3, 1))]

    def __getattr__(self, name: str) -> Any:
        return lambda: self._rows.get(name, [])


def entry(**rows: list[Any]) -> ChildEntry:
    given: dict[str, list[Any]] = {"flags": [FLAG], "episodes": [OWN], **rows}
    (made,) = child_entries(cast("LeadReader", Told(**given)), RULES, REGION)
    return made


def said(made: ChildEntry, question: str) -> list[str]:
    (answer,) = [answer for answer in made.answers if answer.question == question]
    return [f"{say.about}: {say.text}" if say.about else say.text for say in answer.says]


def test_why_now_names_the_pattern_what_to_look_at_and_the_last_episode() -> None:
    made = entry(flags=[replace(FLAG, is_new=True), replace(FLAG, flag_id="R2Y-1", rule_id="R2Y", on_list=False)])
    assert said(made, "Why now") == [
        "3 in 28 days: 3 missing episodes; 3 or more within 28 days. New.",
        "Last episode: 9\u00a0Mar\u00a02026,\u00a012:00; it lasted 5 h 30 min.",
    ]
    assert made.answers[0].says[0].ask == RULES.pattern("R3-28").lead
    assert (made.titles, made.context, made.is_new) == (("3 in 28 days",), ("Repeat (2 in a year)",), True)


@pytest.mark.parametrize(
    ("rule_id", "detail", "words"),
    [
        ("RLONG", "48 hours or more", "; the first of them 48 hours or more."),
        (
            "RLONG",
            "more than 7 days, end not recorded",
            "; the first of them more than 7 days, and no end is recorded.",
        ),
        ("RESC", "gaps", "; the gaps between episodes grew shorter and shorter."),
        ("R3-90X", "cce", "; flagged for criminal exploitation."),
        ("R3-90X", "undated flag", "; a flag for exploitation has no date, so it may have been set later."),
        ("RCO", "found together", "; found together."),
    ],
)
def test_why_now_says_what_the_pattern_adds(rule_id: str, detail: str, words: str) -> None:
    made = entry(flags=[replace(FLAG, rule_id=rule_id, detail=detail)])
    assert said(made, "Why now")[0].endswith(words)


def test_several_flags_of_one_pattern_are_said_once() -> None:
    made = entry(flags=[FLAG, replace(FLAG, flag_id="R3-28-0", raised_at=at(1))])
    assert len(said(made, "Why now")) == 2
    assert "1 earlier flag of the same pattern still counts." in said(made, "Why now")[0]


def test_a_boroughs_own_threshold_is_called_so() -> None:
    own = next(pattern for pattern in RULES.patterns if not pattern.is_regional)
    made = entry(flags=[replace(FLAG, rule_id=own.rule_id)])
    assert "This borough's own threshold." in said(made, "Why now")[0]


def test_since_when_tells_the_oldest_and_the_newest_and_what_came_retrospectively() -> None:
    late = replace(
        FLAG, flag_id="R3-90-1", rule_id="R3-90", raised_at=None, raised_month=date(2026, 2, 1),
        arrival="retrospective", raised_words="Raised on 12 March 2026, retrospectively: an episode first came then.",
    )  # fmt: skip
    assert said(entry(flags=[FLAG, late]), "Since when") == [
        (
            "The oldest of these flags, 3 in 90 days: complete since February 2026 (by an episode of another borough). "
            "Raised on 12 March 2026, retrospectively: an episode first came then."
        ),
        "The newest, 3 in 28 days: complete since 9 March 2026. Raised on 10 March 2026, when it arrived.",
        "1 of these flags was raised retrospectively, after more had become known.",
    ]


def test_what_has_been_tried_counts_only_what_is_known() -> None:
    episodes = [
        OWN,
        replace(OWN, offered="yes", accepted="yes", held="yes", within_72_hours="yes"),
        replace(OWN, offered="not_measurable", held="not_measurable", accepted="not_measurable", overtaken="yes"),
        replace(OWN, due="no", offered="no"),
        replace(OWN, due=None, offered=None, accepted=None, held=None, within_72_hours=None, overtaken=None),
        FOREIGN,
    ]
    tried = said(entry(episodes=episodes), "What has been tried")
    assert tried[0] == (
        "Interviews: Of 4 returns behind these flags, the 72 hours are over for 3. An interview was offered after 2, "
        "accepted after 1 and held after 1, within 72 hours after 1. It cannot be told whether one was offered after "
        "1, accepted after 1 and held after 1."
    )
    assert tried[1] == (
        "After 1 return the child went missing again within 72 hours, before anyone had held an interview."
    )
    assert tried[2] == (
        "No interview of this borough is recorded as held, so nothing that the child may have said is known."
    )


def test_what_the_child_said_and_what_was_done_are_in_plain_words() -> None:
    other = Interview(CHILD, False, *(None,) * 7)
    second = Interview(
        CHILD, True, "no", "not_measurable", "no", ["bullying", "placement_unhappy"], ["a_new_code"],
        ["substance_use"], ["no_further_action"],
    )  # fmt: skip
    third = Interview(CHILD, True, "not_measurable", "no", "not_measurable", [], [], [], [])
    tried = said(entry(interviews=[HEARD, second, third, other]), "What has been tried")[1:]
    assert tried == [
        (
            "What the child said: The child ran from bullying (2 times) and being unhappy in the placement; was drawn "
            "by a new code; told of alcohol or drugs."
        ),
        (
            "Of 3 interviews held, the child's own account was written down in 1 (not recorded for 1); somebody "
            "independent of the child's care held 1 (not recorded for 1)."
        ),
        "What was done: No further action and a safety plan. Nothing is recorded after 1 of them.",
        "1 interview was held by another borough; ask there what came of it.",
    ]


def test_who_else_tells_chance_from_more_than_chance() -> None:
    more = Partner(CHILD, "c" * 64, 4, "same setting", 2, date(2026, 3, 1), True, 0.2, 5)
    hidden = replace(more, partner_id=None, pairings=3, kind="found together", found_together=3)
    chance = replace(more, pairings=7, kind="same area", is_beyond_chance=False, expected=6.0, children_there=529)
    assert said(entry(partners=[more, hidden, chance, chance]), "Who else") == [
        (
            "Child cccccccc: missing from the same setting at the same time 4 times, found together twice, last in "
            "March 2026. That is more often than chance explains."
        ),
        (
            f"A child of {ELSEWHERE}: missing at the same time 3 times, found together 3 times, last in March 2026. "
            "That is more often than chance explains."
        ),
        (
            "2 other children were missing at the same time up to 7 times, no more often than chance explains where "
            "529 children of the same borough go missing."
        ),
    ]


def test_who_else_tells_of_groups_settings_and_other_boroughs() -> None:
    unseen = replace(FLAG, only_region_sees=True, most_in_one_borough=2)
    cluster = Cluster(CHILD, None, 9, 4, 6, date(2026, 2, 1), date(2026, 3, 1))
    told = said(
        entry(flags=[unseen], episodes=[OWN, OWN, FOREIGN], company=[Company(CHILD, 5, 3)],
              clusters=[cluster, replace(cluster, setting_id="s" * 16, last_month=date(2026, 2, 1))]),
        "Who else",
    )  # fmt: skip
    assert told == [
        f"Group: This child is one of 5 who go missing with one another, 2 of them of {ELSEWHERE}.",
        f"Other boroughs: 1 of the 3 episodes behind these flags was recorded only in {ELSEWHERE}.",
        "3 in 28 days: No borough alone sees enough episodes for it; this borough's own are 2.",
        (
            f"A setting of {ELSEWHERE}: 9 episodes of 4 children began there around February 2026 to March 2026; 6 "
            "within the rule's days are unusual for this borough."
        ),
        (
            "Setting ssssssss: 9 episodes of 4 children began there around February 2026; 6 within the rule's days are "
            "unusual for this borough."
        ),
    ]
    assert said(entry(), "Who else")[0].startswith("No other child is known")


def test_how_sure_we_are_names_each_doubt_and_says_when_there_is_none() -> None:
    doubts = [Doubt(CHILD, "day_only", 1), Doubt(CHILD, "merged", 2), Doubt(CHILD, "not_matched", 1)]
    assert said(entry(doubts=doubts), "How sure we are") == [
        "Of 1 episode only the day is known, not the time.",
        "2 episodes were each put together from several records; if these were not one absence, there are more.",
        "The child's code is this borough's own, so episodes in other boroughs would not be seen.",
    ]
    assert said(entry(), "How sure we are")[0].startswith("None of the usual doubts was found")


@pytest.mark.parametrize(
    ("episode", "words"),
    [
        (replace(OWN, held="yes", within_72_hours="yes", hours_from_return=20.0), "held 20 h after the return"),
        (replace(OWN, held="yes", within_72_hours="no"), "held, not within 72 hours"),
        (replace(OWN, held="yes", within_72_hours="not_measurable"), "held, hours not known"),
        (
            replace(OWN, held="yes", within_72_hours="no", hours_from_return=-3.0, is_before_return=True),
            "held, not within 72 hours; dated before the return",
        ),
        (
            replace(OWN, held="yes", within_72_hours="yes", is_after_next=True, is_shared=True),
            "held, within 72 hours; after the next episode began; one for several episodes",
        ),
        (replace(OWN, overtaken="yes"), "offered, not held; missing again within 72 hours"),
        (replace(OWN, accepted="yes"), "accepted, not held"),
        (replace(OWN, offered="no"), "none recorded"),
        (replace(OWN, offered="not_measurable"), "offer cannot be told, not held"),
        (replace(OWN, held="not_measurable"), "cannot be told"),
        (replace(OWN, due=None), "not due"),
        (FOREIGN, "not shown"),
    ],
)
def test_the_interview_after_an_episode_in_words(episode: Episode, words: str) -> None:
    assert entry(episodes=[episode]).episodes.rows[0][3] == words


def test_an_episode_says_who_recorded_it_and_how_many_records_it_had() -> None:
    both = replace(OWN, source_rows=3, recorded_by=["authority", "police"])
    made = entry(episodes=[both] * 14)
    assert made.episodes.rows[0][4] == "authority and police, 3 records"
    assert (len(made.episodes.rows), made.more_episodes) == (12, 2)


@pytest.mark.parametrize(
    ("is_certain", "certain_month", "words"),
    [
        (True, date(2026, 3, 1), ""),
        (False, None, "on one reading of the record only"),
        (False, date(2026, 4, 1), "at first on one reading of the record only, on every reading since April 2026"),
    ],
)
def test_a_flag_says_since_when_it_holds_on_every_reading(
    is_certain: bool, certain_month: date | None, words: str
) -> None:
    assert reading_words(replace(FLAG, is_certain=is_certain, certain_month=certain_month)) == words
