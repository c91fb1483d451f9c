"""Which notes concern which figure: in SQL, on both sides of every boundary, and never a true count in a public one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.region import load_region
from pipelines.warehouse.graph import build_table, load_tables
from tests.builders.rows import Delivery, EpisodeRow
from tests.builders.warehouse import SmallWarehouse, small_warehouse

BOLTON, BURY = (borough.code for borough in load_region().boroughs[:2])
REGION = load_region().area.code
_EPISODES = ("statistics.indicator", "quality.figure_note", "quality.reconciliation")


def episode(name: str, started: str, **more: Any) -> EpisodeRow:
    return EpisodeRow(**{"episode_id": name, "started": started, "found": f"{started[:11]}23:00", "child": name} | more)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    """Bolton sends the authority's records of 2018 to 2020 without a break, Bury police records too, with a gap."""
    months = [f"{year}-{month:02d}" for year in (2018, 2019, 2020) for month in range(1, 13)]
    own = [episode(f"a{month}", f"{month}-05 20:00") for month in months]
    gap = {"2019-03", "2019-04", "2019-09"}
    other = [episode(f"b{month}", f"{month}-05 20:00", borough="bury") for month in months if month not in gap]
    police = [
        episode("p1", "2019-05-10 20:00", borough="bury", system="Niche"),
        episode("p2", "2019-05-05 20:30", borough="bury", system="Niche", child="b2019-05"),  # the authority's, too
    ]
    with small_warehouse() as small:
        small.load(Delivery(rows=[*own, *other, *police], received="2021-02-25 10:00"))
        small.build(*_EPISODES)
        yield small


def concerned(
    small: SmallWarehouse, note_id: str, period_type: str = "month", area: str = BOLTON, **where: str
) -> list[str]:
    """First days of the periods whose figures of an indicator (I01, basis A) a note concerns."""
    told = {"indicator": "I01", "basis": "A"} | where
    return small.values(
        """
        select distinct period_start::varchar as start from quality.figure_note
        where note_id = $note and indicator_id = $indicator and basis = $basis and period_type = $type
            and area_code = $area
        order by start
        """,
        note=note_id,
        type=period_type,
        area=area,
        **told,
    )


def test_a_break_concerns_the_year_before_and_the_year_after_and_no_month_more(warehouse: SmallWarehouse) -> None:
    months = concerned(warehouse, "police-records-2019")
    assert (months[0], months[-1], len(months)) == ("2018-07-01", "2020-07-01", 25)
    years = concerned(warehouse, "police-records-2019", "year_to_march")
    assert years == ["2018-04-01", "2019-04-01"]  # the year to March 2021 is not over


def test_a_break_concerns_its_bases_and_indicators_and_the_region_too(warehouse: SmallWarehouse) -> None:
    assert concerned(warehouse, "police-records-2019", basis="B")
    assert concerned(warehouse, "police-records-2019", area=REGION)
    assert concerned(warehouse, "dfe-first-collection-2015", basis="B") == ["2018-01-01"] + [
        f"2018-{month:02d}-01" for month in range(2, 13)
    ] + [f"2019-{month:02d}-01" for month in range(1, 4)]
    assert concerned(warehouse, "dfe-first-collection-2015", basis="A") == []
    assert concerned(warehouse, "dfe-placement-other-2024", basis="B") == []  # not an indicator that is published yet
    assert concerned(warehouse, "police-records-2027") == []


def test_the_absent_category_reaches_twelve_months_beyond_its_end(warehouse: SmallWarehouse) -> None:
    assert concerned(warehouse, "police-absent-2013") == ["2018-01-01"]


def test_a_figure_that_looks_back_carries_the_notes_of_what_it_looks_at(warehouse: SmallWarehouse) -> None:
    plain, looking_back = (concerned(warehouse, "police-records-2019", indicator=name) for name in ("I01", "I06"))
    assert (plain[-1], looking_back[-1]) == ("2020-07-01", "2020-12-01")


def test_runs_of_months_not_received_are_told_apart(warehouse: SmallWarehouse) -> None:
    texts = warehouse.values(
        "select text from quality.note where note_id = 'months-episode' and area_code = $area order by first_day",
        area=BURY,
    )
    assert [text.partition(",")[0] for text in texts[:2]] == [
        "no missing episodes were received for March 2019 to April 2019",
        "no missing episodes were received for September 2019",
    ]
    assert concerned(warehouse, "months-episode", area=BURY)[0] == "2019-03-01"
    assert "2019-04-01" in concerned(warehouse, "months-episode", "year_to_march", REGION)
    assert "2019-03-01" not in concerned(warehouse, "months-episode", area=BOLTON)


def test_whose_records_were_delivered_is_said_of_each_borough(warehouse: SmallWarehouse) -> None:
    said = warehouse.rows(
        "select area_code, note_id, first_day::varchar as first from quality.note where kind = 'source'"
    )
    assert {(row["area_code"], row["note_id"], row["first"]) for row in said} == {
        (BOLTON, "source-authority", None),
        (BURY, "source-both", "2019-05-01"),
    }


def test_police_and_authority_are_reconciled(warehouse: SmallWarehouse) -> None:
    (row,) = warehouse.rows(
        """
        select episodes, police_only, authority_only, by_both from quality.reconciliation
        where area_code = $area and period_type = 'month' and period_start = date '2019-05-01'
        """,
        area=BURY,
    )
    assert row == {"episodes": 2, "police_only": 1, "authority_only": 0, "by_both": 1}
    wrong = "select 1 from quality.reconciliation where episodes <> police_only + authority_only + by_both"
    assert warehouse.values(wrong) == []
    (text,) = warehouse.values("select text from quality.note where kind = 'reconciliation'")
    assert text == (
        "of the episodes of the year to March 2020, the police and the authority both recorded 1, the police alone 1, "
        "the authority alone 9."
    )


@pytest.mark.parametrize(("share", "noted"), [(0.05, False), (0.0501, True)])
def test_a_field_is_noted_above_the_limit_and_not_at_it(
    warehouse: SmallWarehouse, share: float, *, noted: bool
) -> None:
    changed = "update statistics.indicator set value = $share where breakdown_value = 'looked after'"
    warehouse.connection.execute(changed, {"share": share})
    build_table(warehouse.connection, next(table for table in load_tables() if table.qualified == "quality.note"))
    found = warehouse.values("select 1 from quality.note where note_id = 'field-looked-after'")
    assert bool(found) is noted


def test_what_rests_on_true_counts_is_not_public(warehouse: SmallWarehouse) -> None:
    kinds = warehouse.rows("select kind, bool_or(is_public) as shown from quality.note group by kind")
    assert {row["kind"] for row in kinds if not row["shown"]} <= {"field", "reconciliation"}
    assert not {"field", "reconciliation"} & {row["kind"] for row in kinds if row["shown"]}


@pytest.mark.parametrize(("published", "said"), [(0.05, []), (0.2, ["E08000001"])])
def test_a_public_note_on_a_field_rests_on_the_published_share(
    warehouse: SmallWarehouse, published: float, said: list[str]
) -> None:
    """The true shares of the fixture are all higher than the published one given here."""
    warehouse.connection.execute(
        "create schema if not exists published;"
        "create or replace table published.indicator as select * from statistics.indicator"
        " where indicator_id = 'I35' and basis = 'A' and breakdown_value = 'ethnicity'"
        " and period_type = 'year_to_march' and period_start = date '2019-04-01' and area_code = 'E08000001'"
    )
    warehouse.connection.execute("update published.indicator set value = $share", {"share": published})
    tables = {table.qualified: table for table in load_tables()}
    for name in ("published.comparability_note", "published.note"):
        build_table(warehouse.connection, tables[name])
    assert warehouse.values("select area_code from published.note where kind = 'field'") == said
    texts = warehouse.values("select text from published.note where kind = 'field'")
    assert all(text.endswith("(20% of the episodes of the year to March 2020).") for text in texts)
    assert warehouse.values("select 1 from published.note where kind = 'reconciliation'") == []


def test_looked_after_children_are_summed_for_the_region_where_every_borough_is_printed(
    warehouse: SmallWarehouse,
) -> None:
    warehouse.build("reference.looked_after")
    rows = warehouse.rows(
        "select year(year_to) as year, in_year, on_31_march from reference.looked_after where area_code = $area"
        " order by year",
        area=REGION,
    )
    assert [row["on_31_march"] for row in rows] == [5982, 6082, 6030, 6099, 6232]  # as the domain notes add them up
    assert [row["in_year"] for row in rows] == [None, None, None, None, 8276]
    england = "select in_year from reference.looked_after where area_code = 'E92000001' and year(year_to) = 2024"
    assert warehouse.values(england) == [116_420]
