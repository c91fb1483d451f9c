"""The words for changes of flags, the order of the files that hold them, and what is doubtful about a flag."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import ContractError
from pipelines.contracts.flag_reasons import flag_reason_frame
from pipelines.contracts.patterns import KINDS
from pipelines.history.chain import EVENT, Entry, Header, HistoryError, append, paths, read_chain
from pipelines.history.explanation import PARAMETERS, doubts
from pipelines.home import SQL, Home

AT = datetime(2026, 4, 10, 9)  # noqa: DTZ001 - UTC without zone, as in the warehouse
HEADER = Header(rules=("R2Y 1",), links=("L1",), withdrawn=(), method="m", derived="d")
NOTHING = pl.DataFrame(schema=EVENT)


def test_every_code_that_the_queries_decide_on_has_words_and_no_other_has() -> None:
    stated = {(change, code) for change, code in flag_reason_frame().select("change", "code").iter_rows()}
    decided = {
        (change, code)
        for change in ("raised", "gone")
        for code in re.findall(r"then '([a-z_]+)'|else '([a-z_]+)'\s+end as because", _because(change))
        for code in filter(None, code)
    }
    assert decided == stated


def _because(change: str) -> str:
    """The expression that decides on a code."""
    text = (SQL / "filing" / f"{change}.sql").read_text(encoding="utf-8")
    (found,) = re.findall(r"case\n(?:(?!case\n)[\s\S])*?end as because", text)
    return str(found)


WORDS: dict[str, Any] = {
    "raised": [{"code": "late", "arrival": "late", "words": "Late."}],
    "gone": [{"code": "corrected", "words": "Corrected."}],
}
MISTAKES = {
    "a code that stands twice": ({"gone": WORDS["gone"] * 2}, "gone: the code corrected stands twice"),
    "an arrival nobody knows": (
        {"raised": [{"code": "late", "arrival": "early", "words": "Early."}]},
        "raised, entry 1.arrival: this must be one of first delivery, on time, late, retrospective, recomputed",
    ),
    "no words": ({"gone": [{"code": "corrected"}]}, "gone, entry 1.words: this key is missing"),
    "a list too many": ({"changed": []}, "changed: this key means nothing here"),
}


def written(folder: Path, words: dict[str, Any]) -> Path:
    (folder / "rules").mkdir()
    (folder / "rules" / "flag_reasons.yaml").write_text(yaml.safe_dump(words), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("change", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_words_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError, match=re.escape(f"rules/flag_reasons.yaml, {says}")):
        flag_reason_frame(written(tmp_path, WORDS | change))


def test_words_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = flag_reason_frame(written(tmp_path, WORDS)).rows()
    assert rows == [("raised", "late", "late", "Late."), ("gone", "corrected", None, "Corrected.")]


def test_what_is_filed_is_read_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    filed = [
        append(home, Entry(1, AT, HEADER), NOTHING),
        append(home, Entry(2, AT, HEADER), NOTHING),
        append(home, Entry(3, AT + timedelta(microseconds=1), HEADER), NOTHING),
    ]
    assert read_chain(home) == filed
    assert [Path(path).name for path in paths(filed)] == [
        "000001-20260410T090000.000000Z.parquet",
        "000002-20260410T090000.000000Z.parquet",
        "000003-20260410T090000.000001Z.parquet",
    ]


def test_an_instant_before_the_last_one_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    append(home, Entry(1, AT, HEADER), NOTHING)
    append(home, Entry(2, AT - timedelta(seconds=1), HEADER), NOTHING)
    with pytest.raises(HistoryError, match="The flag history is broken before"):
        read_chain(home)


@pytest.mark.parametrize("name", ["000001-20260410T090000.000000Z.parquet", "mine.parquet"])
def test_a_file_that_is_none_of_the_history_is_refused(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path)
    home.flags.mkdir()
    NOTHING.write_parquet(home.flags / name)
    with pytest.raises(HistoryError, match="is not a file of the flag history"):
        read_chain(home)


def test_every_parameter_of_every_kind_can_be_told_in_words() -> None:
    assert {name for kind in KINDS.values() for name in kind.parameters} == set(PARAMETERS)


EXACT = {
    "status": "missing",
    "started_precision": "minute",
    "start_is_uncertain": False,
    "ended_at": AT,
    "age_at_start": 14,
}
REGIONAL = [{"pseudonym_scope": "regional"}]
DOUBTS = {
    "nothing": ({}, REGIONAL, True, []),
    "a day": ({"started_precision": "date", "start_is_uncertain": True}, REGIONAL, True, ["known only by their day"]),
    "the repeated hour": ({"start_is_uncertain": True}, REGIONAL, True, ["in the hour that October repeats"]),
    "an open episode": ({"ended_at": None}, REGIONAL, True, ["without a recorded end"]),
    "an unknown age": ({"age_at_start": None}, REGIONAL, True, ["the child's age is not recorded"]),
    "an absence without an age": ({"status": "absent", "age_at_start": None}, REGIONAL, True, []),
    "one reading": ({}, REGIONAL, False, ["but not on every reading"]),
    "a flag that has gone": ({}, REGIONAL, None, []),
    "a borough's pseudonym": ({}, [{"pseudonym_scope": "borough"}], True, ["holds for one borough only"]),
}


@pytest.mark.parametrize(("cells", "pseudonyms", "is_certain", "says"), DOUBTS.values(), ids=DOUBTS)
def test_what_is_doubtful_is_said(
    cells: dict[str, Any], pseudonyms: list[dict[str, Any]], is_certain: bool | None, says: list[str]
) -> None:
    told = doubts({"is_certain": is_certain, "kind": "window"}, [EXACT, EXACT | cells], pseudonyms)
    assert len(told) == len(says)
    assert all(part in sentence for part, sentence in zip(says, told, strict=True))


def test_children_missing_together_may_be_chance() -> None:
    (told,) = doubts({"is_certain": False, "kind": "co_missing"}, [EXACT], REGIONAL)
    assert told.startswith("Chance may explain it")
