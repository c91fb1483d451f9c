"""The whole site from a small warehouse: complete, the same each time, its public pages blind to what is restricted."""

from __future__ import annotations

import csv
import hashlib
import html
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import median

import duckdb
import pytest

from dashboards.leads import LeadReader, read_versions
from dashboards.pages.section import version_table
from dashboards.points import Query
from dashboards.published import PUBLIC_TABLES, open_public
from dashboards.region_view import RegionReader
from dashboards.rulebook import load_rulebook
from dashboards.site import build_site
from pipelines.disclosure.scan import PublicPagesRefused
from pipelines.home import CONTRACTS
from pipelines.region import load_region
from pipelines.warehouse.connection import connect
from pipelines.warehouse.graph import build_table, load_tables
from tests.site_data import (
    DATED,
    DATES_NOTE,
    OFFERED_NOTE,
    PAIRED,
    PARTNER,
    REFUSED,
    SENTINEL,
    SILENT,
)  # fmt: skip


@pytest.fixture
def warehouse(small_home: Path) -> Path:
    return small_home / "current.duckdb"


@pytest.fixture
def site(small_home: Path) -> Path:
    return small_home / "site"


@pytest.fixture
def connection(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(warehouse, read_only=True) as opened:
        yield opened


class Page(HTMLParser):
    """What the tests look at in a page: figures, headings, tables, links and text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.figures: list[dict[str, int]] = []
        self.headings: list[int] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.unscoped = 0
        self.path = path
        self._figure: dict[str, int] | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "figure":
            self._figure = {"named": int("data-figure-id" in given)}
            self.figures.append(self._figure)
        if self._figure is not None:
            seen = (tag, given.get("class", ""), given.get("role", ""))
            for name, found in (
                ("finding", seen[:2] == ("p", "finding")),
                ("chart", given.get("role") == "img" and len(given.get("aria-label", "")) > 20),
                ("table", tag == "table"),
                ("caption", tag == "caption"),
                ("file", tag == "a" and given.get("href", "").endswith(".csv")),
                ("notes", seen[:2] == ("ul", "notes")),
            ):
                self._figure[name] = self._figure.get(name, 0) + int(found)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "href" in given:
            self.links.append(given["href"])
        if "src" in given:
            self.links.append(given["src"])
        if "id" in given:
            self.ids.append(given["id"])
        self.unscoped += tag == "th" and "scope" not in given

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self._figure = None


def pages(site: Path) -> list[Page]:
    return [Page(path) for path in sorted(site.rglob("*.html"))]


def digest(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_page_is_there(site: Path) -> None:
    slugs = load_region().slugs
    expected = {
        "index.html",
        "region/index.html",
        "region/deliveries.html",
        *(f"boroughs/{slug}/index.html" for slug in slugs),
    }
    expected |= {f"public/{name}.html" for name in ("index", "variation", "data-dictionary", "methodology")}
    assert {str(page.path.relative_to(site)) for page in pages(site)} == expected


def test_the_same_tables_give_the_same_bytes_and_replace_an_old_site_whole(
    connection: duckdb.DuckDBPyConnection, site: Path, tmp_path: Path
) -> None:
    old = tmp_path / "site" / "left-over.html"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    files = build_site(connection, tmp_path / "site", contracts=CONTRACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert digest(tmp_path / "site") == digest(site)
    assert files == sorted(files)
    assert len(files) == len(digest(site))


def test_a_failed_build_leaves_the_old_site(tmp_path: Path) -> None:
    old = tmp_path / "site" / "index.html"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    with duckdb.connect() as empty, pytest.raises(duckdb.CatalogException):
        build_site(empty, tmp_path / "site", contracts=CONTRACTS)
    assert old.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.fixture
def leaking(warehouse: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in which one published figure is not what the published counts give."""
    changed = tmp_path / "leaking.duckdb"
    shutil.copyfile(warehouse, changed)
    with duckdb.connect(str(changed)) as opened:
        opened.execute("update published.indicator set numerator = numerator + 3 where indicator_id = 'I28'")
    with connect(changed, read_only=True) as opened:
        yield opened


def test_pages_that_hold_more_than_is_published_do_not_take_their_place(
    leaking: duckdb.DuckDBPyConnection, site: Path, tmp_path: Path
) -> None:
    """The public pages are the earlier ones, the restricted ones the new ones, and the run says what was found."""
    old = tmp_path / "site"
    shutil.copytree(site, old)
    (old / "boroughs" / "bury" / "index.html").write_text("old", encoding="utf-8")
    (old / "public" / "index.html").write_text("earlier", encoding="utf-8")
    with pytest.raises(
        PublicPagesRefused, match=r"data/changed-held.*\.csv, line 2, numerator: not derived"
    ) as refused:
        build_site(leaking, old, contracts=CONTRACTS)
    assert {finding.rule for finding in refused.value.findings} >= {"derived"}
    assert (old / "public" / "index.html").read_text(encoding="utf-8") == "earlier"
    assert (old / "index.html").read_bytes() == (site / "index.html").read_bytes()
    assert (old / "boroughs/bury/index.html").read_bytes() == (site / "boroughs/bury/index.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["leaking.duckdb", "site"]


def test_without_earlier_public_pages_there_are_none(leaking: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(PublicPagesRefused):
        build_site(leaking, tmp_path / "site", contracts=CONTRACTS)
    assert {path.name for path in (tmp_path / "site").iterdir()} == {"assets", "boroughs", "region"}


def test_every_figure_has_finding_chart_table_file_and_notes(site: Path) -> None:
    figures = [(page, figure) for page in pages(site) for figure in page.figures]
    assert len(figures) > 60
    incomplete = [(page.path, figure) for page, figure in figures if not all(figure.values())]
    assert incomplete == []


def test_every_link_leads_somewhere(site: Path) -> None:
    known = {page.path: page.ids for page in pages(site)}
    for page in pages(site):
        for link in page.links:
            target, _, fragment = link.partition("#")
            path = (page.path.parent / target).resolve() if target else page.path
            assert path.is_file(), f"{page.path}: {link}"
            assert not fragment or fragment in known[path], f"{page.path}: {link}"


def test_pages_are_well_formed_for_readers_of_every_kind(site: Path) -> None:
    for page in pages(site):
        text = page.path.read_text(encoding="utf-8")
        assert text.startswith('<!doctype html>\n<html lang="en-GB">')
        assert page.headings.count(1) == 1, page.path
        assert all(after - before <= 1 for before, after in pairwise(page.headings)), page.path
        assert len(page.ids) == len(set(page.ids)), page.path
        assert page.unscoped == 0
        assert "Synthetic demonstration data" in text
        assert "http://" not in text
        assert "https://" not in text


def test_restricted_pages_are_marked_and_public_ones_are_not_restricted(site: Path) -> None:
    for page in pages(site):
        text = page.path.read_text(encoding="utf-8")
        restricted = page.path.relative_to(site).parts[0] in {"boroughs", "region"}
        assert ('class="marking"' in text) == restricted


def test_public_files_hold_no_pseudonym_and_no_day_of_an_episode(site: Path) -> None:
    for path in [site / "index.html", *sorted((site / "public").rglob("*.*"))]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b[0-9a-f]{32,}\b", text), path
        assert SENTINEL not in text
        days = set(re.findall(r"\b20\d\d-\d\d-(\d\d)\b", text))
        # Only the first and the last days of periods.
        assert days <= {"01", "28", "29", "30", "31"}, path


def test_public_files_do_not_depend_on_true_counts(warehouse: Path, site: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(warehouse, changed)
    with duckdb.connect(str(changed)) as opened:
        opened.execute("update statistics.indicator set numerator = numerator + 3, value = value * 1.7, symbol = 'u'")
        opened.execute("update statistics.count_cell set count = count + 3, children = children + 1")
        opened.execute("delete from core.missing_episode where hash(episode_key) % 3 = 0")
        opened.execute("delete from patterns.flag where hash(flag_id) % 3 = 0")
    with connect(changed, read_only=True) as opened:
        build_site(opened, tmp_path / "site", contracts=CONTRACTS)
    assert digest(tmp_path / "site" / "public") == digest(site / "public")
    assert (tmp_path / "site" / "index.html").read_bytes() == (site / "index.html").read_bytes()
    assert digest(tmp_path / "site" / "boroughs") != digest(site / "boroughs")


def test_a_warehouse_without_an_accepted_row_still_makes_a_site(warehouse: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.duckdb"
    shutil.copyfile(warehouse, empty)
    with duckdb.connect(str(empty)) as opened:
        tables = opened.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        for (table,) in tables:
            if not table.startswith(("reference.", "rules.", "run.")) and table != "published.parameter":
                opened.execute(f"delete from {table}")  # noqa: S608 - names from the catalogue
        opened.execute("update published.parameter set data_to = null, synthetic = false")
    with connect(empty, read_only=True) as opened:
        build_site(opened, tmp_path / "site", contracts=CONTRACTS)
    text = (tmp_path / "site" / "public" / "index.html").read_text(encoding="utf-8")
    assert "no complete year yet" in text
    assert "Synthetic demonstration data" not in text


def test_a_warehouse_from_before_funnels_makes_a_site_without_them(warehouse: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.duckdb"
    shutil.copyfile(warehouse, before)
    with duckdb.connect(str(before)) as opened:
        for table in ("published.funnel", "published.control_chart", "statistics.control_chart"):
            opened.execute(f"drop table {table}")
        opened.execute("drop table statistics.bootstrap_interval")
    with connect(before, read_only=True) as opened:
        build_site(opened, tmp_path / "site", contracts=CONTRACTS)
    assert "no complete period yet" in (tmp_path / "site" / "public" / "variation.html").read_text(encoding="utf-8")


def test_every_year_has_its_funnels_and_the_region_its_months(
    connection: duckdb.DuckDBPyConnection, site: Path
) -> None:
    text = (site / "public" / "variation.html").read_text(encoding="utf-8")
    years = connection.execute(
        "select distinct year(period_end) from published.indicator where period_type = 'year_to_march'"
    ).fetchall()
    charted = load_rulebook(CONTRACTS).funnel.charted
    expected = {f"funnel-{one.indicator_id.lower()}-{year}" for one in charted for (year,) in years}
    expected.add("incidents-control-chart")
    assert set(re.findall(r'data-figure-id="([^"]+)"', text)) == expected
    for name in expected - {"incidents-control-chart"}:
        rows = list(csv.DictReader((site / f"public/data/{name}.csv").read_text(encoding="utf-8").splitlines()))
        assert [row["area_code"] for row in rows] == [borough.code for borough in load_region().boroughs]
    assert "This is no ranking" in text
    assert "may truly lie on its other side" in text


def test_a_boroughs_months_are_its_own_true_counts(connection: duckdb.DuckDBPyConnection, site: Path) -> None:
    borough = load_region().boroughs[0]
    path = site / "boroughs" / borough.slug / "data" / "incidents-control-chart.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert {row["area_code"] for row in rows} == {borough.code}
    true = connection.execute(
        "select value from statistics.indicator where indicator_id = 'I01' and basis = 'A' and area_code = $code "
        "and period_type = 'month' and breakdown = 'total' and symbol = '' order by period_start",
        {"code": borough.code},
    ).fetchall()
    assert [int(row["numerator"]) for row in rows if row["numerator"]] == [int(value) for (value,) in true]


def test_public_counts_are_multiples_of_the_base(site: Path) -> None:
    for path in sorted((site / "public" / "data").glob("*.csv")):
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            assert row["figure_id"]
            for name in ("numerator", "denominator"):
                if row[name] and not (name == "denominator" and row["population_year"]):
                    assert int(row[name]) % 5 == 0


def test_a_borough_that_sent_no_interviews_has_gaps_not_zeros(site: Path) -> None:
    rows = list(csv.DictReader((site / "public/data/heard-held.csv").read_text(encoding="utf-8").splitlines()))
    silent = load_region().borough(SILENT)
    (row,) = [row for row in rows if row["area_code"] == silent.code]
    assert (row["value"], row["symbol"]) == ("x", "x")
    assert f"{silent.name} [x]" in (site / "public/index.html").read_text(encoding="utf-8")


def test_the_public_reader_can_read_nothing_else(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    tables = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    with open_public(connection) as reader:
        assert reader.points(Query("I28", "B", "year_to_march"))
        inside = reader._connection
        for (table,) in tables:
            if table not in PUBLIC_TABLES:
                with pytest.raises(duckdb.CatalogException):
                    inside.execute(f"select * from {table}")  # noqa: S608 - names from the catalogue
        for way_out in (
            f"attach '{warehouse}' as other (read_only)",
            f"select * from read_blob('{warehouse}')",  # noqa: S608 - our own path
            "set enable_external_access = true",
            "select * from tables",  # a Python variable of this test
        ):
            with pytest.raises(duckdb.Error):
                inside.execute(way_out)


def test_a_borough_sees_only_its_own_children(connection: duckdb.DuckDBPyConnection, site: Path) -> None:
    for slug in load_region().slugs:
        text = (site / "boroughs" / slug / "index.html").read_text(encoding="utf-8")
        own = {
            child
            for (child,) in connection.execute(
                "select distinct child_id from core.missing_episode where list_contains(boroughs, $slug)",
                {"slug": slug},
            ).fetchall()
        }
        assert set(re.findall(r"\b[0-9a-f]{64}\b", text)) <= own


def test_another_boroughs_episode_shows_its_month_only(connection: duckdb.DuckDBPyConnection) -> None:
    """A child known to two boroughs: each sees the other's episodes without day, length or interview."""
    readers = [LeadReader(connection, slug) for slug in load_region().slugs]
    foreign = [item for reader in readers for item in reader.episodes() if not item.is_own]
    raised = [flag for reader in readers for flag in reader.flags() if flag.raised_at is None]
    assert foreign
    assert raised
    told = {"child_key", "rule_ids", "status", "is_own", "month"}
    for item in foreign:
        assert item.month.day == 1
        assert {name: value for name, value in vars(item).items() if value is not None}.keys() <= told


def test_the_page_says_that_another_borough_sent_an_episode(site: Path) -> None:
    text = (site / "boroughs" / load_region().slugs[0] / "index.html").read_text(encoding="utf-8")
    assert SENTINEL in text
    assert "another borough</th><td>not shown</td><td>not shown</td><td>not shown</td><td>another borough</td>" in text
    assert "(by an episode of another borough)" in text
    assert re.search(r"\d+ of the \d+ episodes behind these flags were recorded only in another borough of", text)


def test_how_a_flag_came_never_names_another_borough(connection: duckdb.DuckDBPyConnection) -> None:
    names = {area.slug: area.name for area in load_region().boroughs}
    told = connection.execute("select borough, raised_words from leads.flag").fetchall()
    assert any(f"delivery of {names[slug]}" in words for slug, words in told)
    assert any("delivery of another borough" in words for _, words in told)
    assert not [words for slug, words in told for other, name in names.items() if other != slug and name in words]


def test_every_child_on_a_borough_page_has_five_answers_in_order(site: Path) -> None:
    text = (site / "boroughs/manchester/index.html").read_text(encoding="utf-8")
    entries = text.split('<details class="child">')[1:]
    assert len(entries) > 1
    for entry in entries:
        answers = re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*<p>(.+?)</p>", entry.split("</dl>")[0], re.DOTALL)
        questions = [question for question, _ in answers]
        assert questions == ["Why now", "Since when", "What has been tried", "Who else", "How sure we are"]
        assert all(len(answer) > 20 for _, answer in answers)


def test_a_partner_of_another_borough_is_only_said_to_be_there(site: Path) -> None:
    region = load_region()
    home, other = region.boroughs[2], region.boroughs[3]
    text = (site / "boroughs" / home.slug / "index.html").read_text(encoding="utf-8")
    entry = next(part for part in text.split('<details class="child">') if f'"who">{PAIRED}' in part)
    assert f"A child of another borough of {region.area.name}:</strong> missing from the same borough" in entry
    assert "at the same time 6 times" in entry
    assert "more often than chance explains" in entry
    assert f"one of 2 who go missing with one another, 1 of them of another borough of {region.area.name}" in entry
    assert PARTNER not in text
    assert other.name not in entry
    regional = (site / "region/index.html").read_text(encoding="utf-8")
    assert f"<td>{home.name} and {other.name}</td>" in regional
    assert f"{PAIRED}, {PARTNER}" in regional


def test_a_child_whose_repeats_no_borough_sees_alone_is_on_the_regions_page(
    connection: duckdb.DuckDBPyConnection, site: Path
) -> None:
    across = RegionReader(connection, load_region().area.code).across()
    assert across
    table = (site / "region/index.html").read_text(encoding="utf-8").split("none of which sees it alone")[2]
    for child in across:
        assert len(child.sent) > 1
        assert f">{child.child_key[:8]}</th>" in table.split("</table>")[0]


def test_the_waiting_list_holds_nobody_who_was_heard(connection: duckdb.DuckDBPyConnection) -> None:
    """Against the cascade: recent returns of the borough's own rows without an interview known to be held."""
    for slug in load_region().slugs:
        expected = connection.execute(
            """
            select count(*)
            from core.interview_cascade as cascade
            inner join core.missing_episode as episode using (episode_key)
            inner join quality.data_cut as data_cut on data_cut.borough = $slug
            where
                list_contains(episode.boroughs, $slug) and cascade.held <> 'yes'
                and cascade.returned_at between data_cut.data_to - interval 28 days + interval 1 microsecond
                and data_cut.data_to
            """,
            {"slug": slug},
        ).fetchall()
        assert [(len(LeadReader(connection, slug).waiting()),)] == expected


def test_a_borough_page_shows_its_own_threshold_and_no_other_does(site: Path) -> None:
    own = {slug for slug in load_region().slugs if (CONTRACTS / "boroughs" / slug / "patterns.yaml").exists()}
    assert own
    for slug in load_region().slugs:
        text = (site / "boroughs" / slug / "index.html").read_text(encoding="utf-8")
        assert ("own threshold</caption>" in text) == (slug in own)
        assert len(re.findall(r'<dt id="rule-', text)) == 21 + (slug in own)


def test_two_versions_stand_side_by_side_and_a_flag_that_went_says_why(warehouse: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(warehouse, changed)
    tables = {table.qualified: table for table in load_tables()}
    with duckdb.connect(str(changed)) as opened:
        opened.execute(
            "update rules.pattern set rule_id = 'R3-28', version = 2, is_current = false where rule_id = 'R3-30'"
        )
        opened.execute(
            "update patterns.flag set rule_id = 'R3-28', rule_version = 2, is_current_rule = false "
            "where rule_id = 'R3-30'"
        )
        opened.execute(
            "update history.flag set gone_as_at = $at, gone_words = 'Not shown since 1 May 2026: a test.' "
            "where flag_id = (select min(flag_id) from history.flag where borough = 'bury')",
            {"at": datetime(2026, 5, 1, 9)},  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse
        )
        for name in ("leads.version", "leads.gone"):
            build_table(opened, tables[name])
        versions = read_versions(opened, None)
        (gone,) = LeadReader(opened, "bury").gone(30)
        assert LeadReader(opened, "bolton").gone(30) == []
    now = {(one.rule_version, one.is_current_rule): one for one in versions if one.rule_id == "R3-28"}
    assert set(now) == {(1, True), (2, False)}
    assert now[2, False].children >= now[1, True].children > 0
    assert gone.gone_words == "Not shown since 1 May 2026: a test."
    assert gone.child_id is not None
    first = load_rulebook(CONTRACTS)
    old = replace(first.pattern("R3-30"), rule_id="R3-28", version=2, is_current=False)
    table = version_table(versions, replace(first, patterns=(*first.patterns, old)), "Children now")
    assert table is not None
    assert [row[:3] for row in table.rows] == [
        ("R3-28, version 1", "yes", "at least 3 episodes; within 28 days"),
        ("R3-28, version 2", "no", "at least 3 episodes; within 30 days"),
    ]


def test_what_each_rule_finds_is_what_the_flags_say(connection: duckdb.DuckDBPyConnection) -> None:
    """Against the flags and episodes, child by child, for one rule."""
    rows = connection.execute(
        """
        select flag.child_key, min(flag.raised_at) as raised_at
        from patterns.flag as flag
        cross join rules.lead_list as list
        where
            flag.rule_id = 'R3-28'
            and flag.raised_at > (select max(data_to) from quality.data_cut) - to_days(list.summary_days)
        group by flag.child_key
        """
    ).fetchall()
    before = sorted(
        connection.execute(
            "select count(*) from patterns.episode inner join patterns.child using (child_number) "
            "where child_key = $child and started_at < $at",
            {"child": child, "at": raised_at},
        ).fetchall()[0][0]
        for child, raised_at in rows
    )
    reader = RegionReader(connection, load_region().area.code)
    (summary,) = [one for one in reader.summaries() if one.rule_id == "R3-28"]
    assert summary.children == len(rows) > 5
    assert summary.median_episodes_before == median(before)
    assert 0 < summary.heard <= summary.children


def test_the_regions_curves_are_the_estimates(connection: duckdb.DuckDBPyConnection, site: Path) -> None:
    rows = csv.DictReader((site / "region/data/gone-again.csv").read_text(encoding="utf-8").splitlines())
    drawn = {(row["looked_after"], row["days"]): row for row in rows}
    year = drawn["Total", "28"]["period_start"]
    ((share, lower, upper),) = connection.execute(
        "select share, lower_95, upper_95 from recurrence.gone_again "
        "where basis = 'A' and area_code = $area and breakdown = 'total' and days = 28 and period_start = $year",
        {"area": load_region().area.code, "year": year},
    ).fetchall()
    assert [float(drawn["Total", "28"][name]) for name in ("value", "lower_95", "upper_95")] == pytest.approx(
        [share, lower, upper], abs=1e-4
    )


def test_how_children_were_heard_adds_up(site: Path) -> None:
    rows = list(csv.DictReader((site / "region/data/voice.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["question"] for row in rows} == {"independent", "account_recorded", "something_done"}
    for row in rows:
        assert int(row["yes"]) + int(row["no"]) + int(row["not_measurable"]) == int(row["interviews"]) > 0
    early = csv.DictReader((site / "region/data/early-identification.csv").read_text(encoding="utf-8").splitlines())
    for row in early:
        at = sum(int(row[name]) for name in row if name.startswith("at_"))
        assert at == int(row["recognised"])
        assert at + int(row["not_yet"]) + int(row["cannot_be_told"]) == int(row["children"])


def test_the_methodology_lists_every_pattern_with_its_version(site: Path) -> None:
    text = (site / "public/methodology.html").read_text(encoding="utf-8")
    rules = load_rulebook(CONTRACTS).patterns
    assert len({rule.rule_id for rule in rules if rule.is_regional}) == 21
    for rule in rules:
        assert f"<code>{rule.rule_id}</code> version {rule.version}" in text


def test_every_figure_that_uses_a_noted_measure_carries_the_note(site: Path) -> None:
    """By its file: a figure of interviews offered has the note on offers; a figure of another measure has not."""
    text = (site / "public" / "index.html").read_text(encoding="utf-8")
    offers = f"Bury and Wigan: {OFFERED_NOTE}"
    dates = f"{load_region().borough(DATED).name}: {DATES_NOTE}"
    figures = {part.split('"', 1)[0]: part.split("</figure>", 1)[0] for part in text.split('<figure id="')[1:]}
    for figure_id, figure in figures.items():
        rows = csv.DictReader((site / f"public/data/{figure_id}.csv").read_text(encoding="utf-8").splitlines())
        used = {row["indicator_id"] for row in rows}
        assert (offers in figure) == ("I27" in used), figure_id
        assert (dates in figure) == bool(used), figure_id
    assert any(offers in figure for figure in figures.values())


def test_a_boroughs_page_carries_its_own_notes_and_those_of_the_regions_line(site: Path) -> None:
    bury = (site / "boroughs/bury/index.html").read_text(encoding="utf-8")
    assert f"Bury: {OFFERED_NOTE}" in bury
    assert f"Bury and Wigan: {OFFERED_NOTE}" not in bury
    bolton = (site / "boroughs/bolton/index.html").read_text(encoding="utf-8")
    assert OFFERED_NOTE not in bolton
    beside_region = bolton.split('<figure id="incident-rate"')[1].split("</figure>")[0]
    assert DATES_NOTE in beside_region
    assert DATES_NOTE not in bolton.split('<figure id="incidents-and-children"')[1].split("</figure>")[0]


def test_the_methodology_lists_every_note_with_its_boroughs(site: Path) -> None:
    text = (site / "public/methodology.html").read_text(encoding="utf-8")
    assert f'<th scope="row">Bury and Wigan</th><td>{OFFERED_NOTE}</td><td>Offered</td>' in text
    assert f"<td>{DATES_NOTE}</td><td>All figures</td>" in text


def test_a_warehouse_from_before_the_notes_still_makes_a_site(warehouse: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.duckdb"
    shutil.copyfile(warehouse, earlier)
    later = (
        "published.comparability_note", "quality.comparability_note", "published.note", "quality.note",
        "published.figure_note", "quality.figure_note", "quality.cross_file_finding",
        "quality.cross_file_outcome", "intake.rule_outcome", "intake.delivery_month",
    )  # fmt: skip
    with duckdb.connect(str(earlier)) as opened:
        for table in later:
            opened.execute(f"drop table {table}")
    with connect(earlier, read_only=True) as opened:
        build_site(opened, tmp_path / "site", contracts=CONTRACTS)
    assert "No delivery in this release" in (tmp_path / "site/public/methodology.html").read_text(encoding="utf-8")
    borough = (tmp_path / "site/boroughs/bury/index.html").read_text(encoding="utf-8")
    assert 'class="comparability"' not in borough
    assert "What became of each rule has not been recorded" in borough
    assert not (tmp_path / "site/region/data/delivery-months.csv").exists()


def test_the_log_of_deliveries_says_what_became_of_each(site: Path) -> None:
    page = (site / "region/deliveries.html").read_text(encoding="utf-8")
    assert "\u2298 withdrawn: Sent for the wrong year." in page
    assert "✕ refused: This file holds a direct identifier." in page
    assert "every row is accounted for. 1 file was refused and 1 was withdrawn." in page
    files = list(csv.DictReader((site / "region/data/deliveries.csv").read_text(encoding="utf-8").splitlines()))
    for row in files:
        parts = (row["rows_accepted"], row["rows_quarantined"], row["rows_duplicate"])
        assert int(row["rows_read"]) == sum(map(int, parts))
    assert {row["status"] for row in files} == {"accepted", "rejected", "superseded_in_part", "withdrawn"}
    months = csv.DictReader((site / "region/data/delivery-months.csv").read_text(encoding="utf-8").splitlines())
    fed = {row["delivery_id"] for row in months if int(row["rows_live"])}
    assert fed <= {row["delivery_id"] for row in files if row["status"] == "accepted"}


def test_a_boroughs_page_and_files_list_its_own_deliveries_only(site: Path) -> None:
    for slug in load_region().slugs:
        folder = site / "boroughs" / slug / "data"
        for name in ("deliveries.csv", "delivery-months.csv"):
            rows = csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines())
            assert {row["borough"] for row in rows} == {slug}


def test_a_hostile_file_name_is_written_so_that_it_can_be_seen(site: Path) -> None:
    for path in (site / "region/deliveries.html", site / f"boroughs/{REFUSED}/index.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert "[U+202E]gpj.csv" in text


def test_rules_that_could_not_be_checked_are_never_passed(site: Path) -> None:
    text = (site / "boroughs/bolton/index.html").read_text(encoding="utf-8")
    table = text.split("rules on missing episodes (SSDA903)</caption>")[1].split("</table>")[0]
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in table.split("<tr>")[1:]]
    rows = {cells[0]: cells for cells in found}
    codes = [code for code in rows if code.isdecimal()]
    assert codes == [
        "564", "565", "566", "567", "570", "571", "574", "575", "576", "577", "578", "580", "581", "586", "1004", "1005"
    ]  # fmt: skip
    assert rows["567"][2].startswith("✕ failed: 1 row")
    assert rows["574"][2] == "✓ passed"
    assert rows["1005"][2] == "\u2013 not applicable: no file of the layout ssda903_missing was delivered"
    assert rows["571"][2] == "\u2013 not applicable: The file is not one year&#39;s return."
    assert rows["575"][2].startswith("\u2013 not applicable: No placement data was delivered.")


def test_findings_name_rows_and_columns(site: Path) -> None:
    text = (site / "boroughs/bolton/index.html").read_text(encoding="utf-8")
    assert "F found_at</td><td>1</td><td>3</td>" in text
    assert "<td>20</td><td>5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 …</td>" in text


def test_the_expected_day_is_said_with_the_next_date(site: Path) -> None:
    text = (site / "region/deliveries.html").read_text(encoding="utf-8")
    assert "A month&#39;s records are expected by the 20th of the next month." in text
    assert "April 2026 is expected by 20 May 2026." in text


def figure_blocks(page: Path) -> list[tuple[str, str]]:
    """Name and HTML of each figure of a page, as text without entities."""
    found = re.findall(r'<figure id="([^"]+)".*?</figure>', page.read_text(encoding="utf-8"), re.DOTALL)
    whole = re.findall(r'<figure id="[^"]+".*?</figure>', page.read_text(encoding="utf-8"), re.DOTALL)
    return list(zip(found, map(html.unescape, whole), strict=True))


NOTES_OF = """
select distinct text from {table}
where
    indicator_id = $indicator_id and variant = $variant and basis = $basis and area_code = $area_code
    and period_type = $period_type and period_start = $period_start::date
"""


def coordinates_of(figure_id: str) -> dict[str, str]:
    """What the id of a figure says; not every file states it in columns of its own."""
    indicator, basis, area, period_type, start, breakdown, value = figure_id.split(".")
    return {
        "indicator_id": indicator,
        "variant": value.replace("_", " ") if breakdown == "variant" else "",
        "basis": basis,
        "area_code": area,
        "period_type": period_type,
        "period_start": start,
    }


def test_every_figure_that_has_a_note_shows_it_beside_its_chart_and_in_its_file(
    site: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """What SQL says of each figure, and what the pages choose on their own, must agree."""
    region = load_region()
    own = {f"boroughs/{borough.slug}": borough.code for borough in region.boroughs}
    checked = 0
    for page in sorted(site.rglob("index.html")):
        place = page.parent.relative_to(site).as_posix()
        for name, text in figure_blocks(page):
            rows = list(csv.DictReader((page.parent / "data" / f"{name}.csv").open(encoding="utf-8", newline="")))
            assert all("notes" in row for row in rows), (place, name)
            for row in rows:
                if "figure_id" not in row:
                    assert all(sentence in text for sentence in row["notes"].split(" | ")), (place, name)
                    continue
                public = place == "public" or (place in own and row["area_code"] != own[place])
                table = "published.figure_note" if public else "quality.figure_note"
                told = coordinates_of(row["figure_id"])
                coordinates = {key: told[key] for key in re.findall(r"\$(\w+)", NOTES_OF)}
                for (note,) in connection.execute(NOTES_OF.format(table=table), coordinates).fetchall():
                    assert note in text, (place, name, note)
                    assert note in row["notes"], (place, name, note)
                    checked += 1
    assert checked > 1000


def test_a_boroughs_page_shows_no_restricted_note_of_another(site: Path, connection: duckdb.DuckDBPyConnection) -> None:
    restricted = connection.execute("select area_code, text from quality.note where not is_public").fetchall()
    assert restricted
    for borough in load_region().boroughs:
        own = {text for code, text in restricted if code == borough.code}
        others = {
            f"{other.name}: {text}"
            for other in load_region().boroughs
            for code, text in restricted
            if code == other.code != borough.code and text not in own
        }
        page = html.unescape((site / "boroughs" / borough.slug / "index.html").read_text(encoding="utf-8"))
        assert not [text for text in others if text in page]
    public = html.unescape((site / "public" / "index.html").read_text(encoding="utf-8"))
    assert not [text for _, text in restricted if text in public]
