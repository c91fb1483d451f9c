"""Everything once, from files to pages, compared with what the generator planted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest

from pipelines.home import CONTRACTS, Home
from pipelines.intake.read import read_table
from pipelines.intake.receipt import read_receipts
from pipelines.intake.sources import header_test
from pipelines.synthetic.demonstration import Demonstration
from tests.integration.home import Ran, fill, mfh, outside_stores, rows

Whole = tuple[Home, Demonstration, Ran]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Two years of a small region, run once."""
    home, made = fill(
        tmp_path_factory.mktemp("whole"), scale=0.12, first=date(2021, 4, 1), last=date(2023, 3, 1), linked=True
    )
    return home, made, mfh(home, "run")


def truth(made: Demonstration, name: str) -> pl.DataFrame:
    return pl.read_parquet(made.truth / f"{name}.parquet")


def area_slugs(home: Home) -> pl.DataFrame:
    return rows(home, "select area_code as delivered_by, slug as borough from reference.area")


def resolved(home: Home, made: Demonstration) -> pl.DataFrame:
    """True delivered episodes beside the resolved episode that holds their row."""
    true = truth(made, "episodes").filter("delivered").join(area_slugs(home), on="delivered_by")
    held = rows(
        home,
        """
        select row_.borough, row_.episode_id, episode.episode_key as resolved_key, episode.status as resolved_status,
            episode.started_at as resolved_start, episode.started_precision
        from core.episode_row as row_
        inner join core.missing_episode as episode on row_.episode_key = episode.episode_key
        where row_.source <> 'ssda903_missing'
        """,
    )
    return true.join(held, on=["borough", "episode_id"], how="left")


def test_run_ends_with_the_path_of_the_pages(whole: Whole) -> None:
    home, _, ran = whole
    assert ran.code == 0, ran.err
    assert ran.out.strip().splitlines()[-1] == str(home.site / "index.html")
    assert (home.site / "index.html").stat().st_size > 0


def test_every_row_of_every_file_is_accounted_for(whole: Whole) -> None:
    home, made, _ = whole
    deliveries = rows(home, "select * from intake.delivery")
    assert (
        deliveries["rows_read"]
        == deliveries["rows_accepted"] + deliveries["rows_quarantined"] + deliveries["rows_duplicate"]
    ).all()
    copies = truth(made, "planted").filter(pl.col("case") == "duplicate_delivery").height
    assert deliveries.height == len(made.files) - copies
    read = {f"{r['borough']}/{r['file_name']}": r["rows_read"] for r in deliveries.to_dicts()}
    assert read.items() <= dict(made.files).items()


def test_the_planted_wrong_rows_are_quarantined_under_their_rule_and_no_other_row_is(whole: Whole) -> None:
    home, made, _ = whole
    planted = truth(made, "planted").filter(pl.col("effect") == "quarantined")
    found = rows(
        home,
        """
        select delivery.borough, replace(delivery.file_name, 'copy-of-', '') as file, wrong.row_number, wrong.rule_id
        from intake.quarantined_row as wrong
        inner join intake.delivery as delivery on wrong.delivery_id = delivery.delivery_id
        """,
    )
    row, rule = ["borough", "file", "row_number"], ["borough", "file", "row_number", "rule_id"]
    assert planted.height > 0
    assert set(planted.select(rule).rows()) <= set(found.select(rule).rows())
    assert set(planted.select(row).rows()) == set(found.select(row).rows())


def test_what_was_planted_between_files_is_reported_row_by_row_and_nothing_else_is(whole: Whole) -> None:
    home, made, _ = whole
    planted = truth(made, "planted").filter(pl.col("effect") == "reported")
    found = rows(
        home,
        """
        select delivery.borough, replace(delivery.file_name, 'copy-of-', '') as file, finding.row_number,
            finding.rule_id
        from quality.cross_file_finding as finding
        inner join intake.delivery as delivery on finding.delivery_id = delivery.delivery_id
        """,
    )
    row = ["borough", "file", "row_number", "rule_id"]
    compared = rows(home, "select rule_id from rules.cross_file_rule").to_series()
    across = planted.filter(pl.col("rule_id").is_in(compared.implode()))
    assert across["rule_id"].n_unique() >= 5
    found = found.filter(pl.col("rule_id").is_in(across["rule_id"].unique().implode()))
    assert set(found.select(row).rows()) == set(across.select(row).rows())


def test_every_true_episode_is_resolved_once_and_none_are_merged(whole: Whole) -> None:
    home, made, _ = whole
    pairs = resolved(home, made)
    assert pairs["resolved_key"].null_count() == 0
    assert pairs["resolved_key"].n_unique() == pairs.height == pairs["episode_key"].n_unique()
    assert (pairs["status"] == pairs["resolved_status"]).all()


def test_starts_known_to_the_minute_are_right_to_the_minute(whole: Whole) -> None:
    home, made, _ = whole
    planted = truth(made, "planted").filter(pl.col("case") == "clock_skipped")["episode_key"]
    exact = resolved(home, made).filter(
        (pl.col("started_precision") == "minute") & ~pl.col("episode_key").is_in(planted.implode())
    )
    apart = exact["started_at"].dt.replace_time_zone(None) - exact["resolved_start"]
    assert exact.height > 1000
    # The generator moves a start off midnight by a minute where midnight means "time not known".
    assert apart.dt.total_seconds().abs().max() <= 60


def test_incidents_and_children_by_borough_equal_the_truth(whole: Whole) -> None:
    home, made, _ = whole
    true = (
        truth(made, "episodes")
        .filter(pl.col("delivered") & (pl.col("status") == "missing"))
        .with_columns(pl.col("started_at").dt.convert_time_zone("Europe/London").dt.date().alias("day"))
        .filter(pl.col("day").is_between(date(2022, 4, 1), date(2023, 3, 31)))
        .group_by(area_code="area_missing_from")
        .agg(pl.len().alias("incidents"), pl.col("delivered_child_id").n_unique().alias("children"))
    )
    counted = rows(
        home,
        """
        select area_code, numerator::bigint as numerator, indicator_id from statistics.indicator
        where basis = 'A' and period_type = 'year_to_march' and period_start = date '2022-04-01'
            and breakdown = 'total' and indicator_id in ('I01', 'I02')
        """,
    ).pivot(on="indicator_id", index="area_code", values="numerator")
    pairs = counted.join(true, on="area_code")
    assert pairs.height == 10
    assert pairs["I01"].to_list() == pairs["incidents"].to_list()
    assert pairs["I02"].to_list() == pairs["children"].to_list()


def found(home: Home, made: Demonstration, case: str) -> pl.DataFrame:
    """The records of one planted pattern, each with the resolved episode and child that hold it."""
    held = rows(
        home,
        """
        select row_.borough, row_.episode_id, row_.episode_key as resolved_key, row_.recorded_by as resolved_by,
            row_.joined_by, episode.child_key, episode.source_rows, child.child_number
        from core.episode_row as row_
        inner join core.missing_episode as episode on row_.episode_key = episode.episode_key
        inner join patterns.child as child on episode.child_key = child.child_key
        where row_.source <> 'ssda903_missing'
        """,
    )
    records = truth(made, "to_find").filter(pl.col("case") == case)
    assert not records.is_empty()
    pairs = records.join(held, on=["borough", "episode_id"], how="left", validate="1:1")
    assert pairs["resolved_key"].null_count() == 0
    return pairs


def flags_of(home: Home, children: pl.DataFrame, rule_id: str) -> pl.DataFrame:
    """Flags of a rule for planted children, and the children without one (flag_id null)."""
    raised = rows(
        home,
        "select flag_id, child_key, boroughs, only_region_sees, is_certain from patterns.flag"
        " where rule_id = $rule_id and is_current_rule",
        rule_id=rule_id,
    )
    return children.select("case_id", "child", "child_key").unique().join(raised, on="child_key", how="left")


def test_the_polices_and_the_authoritys_record_of_an_absence_are_one_episode(whole: Whole) -> None:
    home, made, _ = whole
    both = found(home, made, "two_records")
    assert both["episode_key"].n_unique() == both["resolved_key"].n_unique() == both["case_id"].n_unique() > 20
    assert (both["recorded_by"] == both["resolved_by"]).all()
    assert (both["source_rows"] == 2).all()
    assert (both.group_by("child", "borough").agg(pl.col("child_key").n_unique())["child_key"] == 1).all()
    late = both.filter((pl.col("recorded_by") == "police") & (pl.col("joined_by") == "police_match"))
    beside = both.filter((pl.col("recorded_by") == "police") & (pl.col("joined_by") == "overlap"))
    assert min(late.height, beside.height) > 5
    assert late.height + beside.height == both.height / 2


def test_children_who_go_missing_together_are_found_as_pairs_and_groups(whole: Whole) -> None:
    home, made, _ = whole
    together = found(home, made, "co_missing")
    planted = (
        together.join(together, on=["case_id", "occasion"], suffix="_other")
        .filter(pl.col("child_number") < pl.col("child_number_other"))
        .group_by("child_number", partner_number="child_number_other")
        .agg(pl.len().alias("times"))
    )
    pairs = rows(
        home,
        "select child_number, partner_number, pairings from patterns.co_missing_pair where is_beyond_chance",
    )
    matched = planted.join(pairs, on=["child_number", "partner_number"], how="left")
    assert matched.height >= planted.height > 10
    assert (matched["pairings"] >= matched["times"]).all()
    assert matched["pairings"].null_count() == 0
    groups = rows(home, "select child_key, group_id, group_boroughs from patterns.co_missing_group")
    recent = together.filter(pl.col("started_at").max().over("case_id") > pl.datetime(2022, 11, 1, time_zone="UTC"))
    grouped = recent.join(groups, on="child_key", how="left").group_by("case_id")
    each = grouped.agg(pl.col("group_id").n_unique(), pl.col("group_id").null_count().alias("without"))
    assert each.height >= 5
    assert each.select("group_id", "without").unique().rows() == [(1, 0)]
    assert flags_of(home, together, "RCO").select("flag_id", "is_certain").null_count().row(0) == (0, 0)


def test_what_no_borough_sees_alone_is_flagged_for_the_region(whole: Whole) -> None:
    home, made, _ = whole
    for case, boroughs in (("across_boroughs", 3), ("linked_pseudonyms", 2)):
        planted = found(home, made, case)
        raised = flags_of(home, planted, "R3-28")
        assert raised["flag_id"].null_count() == 0
        assert raised.height == planted["child"].n_unique() > 5
        assert raised["only_region_sees"].all()
        assert (raised["boroughs"].list.len() == boroughs).all()
        listed = rows(home, "select flag_id from patterns.across_boroughs where not is_seen_alone").to_series()
        assert set(raised["flag_id"]) <= set(listed)


def test_an_unusual_month_of_a_setting_is_a_cluster(whole: Whole) -> None:
    home, made, _ = whole
    planted = found(home, made, "setting_cluster")
    starts = rows(home, "select episode_key as resolved_key, setting_key from patterns.episode")
    months = (
        planted.join(starts, on="resolved_key")
        .group_by("case_id")
        .agg(
            pl.col("setting_key").unique(),
            pl.len().alias("planted"),
            pl.col("child").n_unique(),
            pl.col("started_at").max().dt.replace_time_zone(None),
        )
        .explode("setting_key")
    )
    clusters = rows(home, "select setting_key, first_at, last_at, starts, children from patterns.setting_cluster")
    seen = months.join(clusters, on="setting_key").filter(pl.col("started_at").is_between("first_at", "last_at"))
    assert seen.height == months.height == planted["case_id"].n_unique()
    assert (seen["starts"] >= seen["planted"]).all()
    assert (seen["children"] >= seen["child"]).all()
    flagged = flags_of(home, planted, "RPLACE").drop_nulls("flag_id")
    assert flagged["case_id"].n_unique() == months.height


def test_a_month_that_was_never_sent_is_not_a_zero(whole: Whole) -> None:
    home, made, _ = whole
    (never_sent,) = json.loads((made.truth / "truth.json").read_text())["undelivered"]
    figures = rows(
        home,
        """
        select period_type, numerator, symbol from statistics.indicator
        inner join reference.area using (area_code)
        where slug = $borough and basis = 'A' and indicator_id = 'I01' and breakdown = 'total'
            and $month::date between period_start and period_end
        """,
        borough=never_sent["borough"],
        month=f"{never_sent['month']}-01",
    )
    by_period = {figure["period_type"]: figure for figure in figures.to_dicts()}
    assert (by_period["month"]["numerator"], by_period["month"]["symbol"]) == (None, "x")
    assert by_period["year_to_march"]["symbol"] == "u"
    assert by_period["year_to_march"]["numerator"] > 0


def test_every_published_count_is_a_multiple_of_five_near_the_truth(whole: Whole) -> None:
    home, _, _ = whole
    pairs = rows(
        home,
        """
        select published.count as shown, published.within, counted.count as true_count
        from published.count_cell as published
        inner join statistics.count_cell as counted on published.cell_id = counted.cell_id
        where published.count is not null
        """,
    )
    assert pairs.height > 500
    assert (pairs["shown"] % 5 == 0).all()
    assert ((pairs["shown"] - pairs["true_count"]).abs() <= pairs["within"]).all()


def test_the_audit_passed_and_is_kept(whole: Whole) -> None:
    home, _, _ = whole
    (release_id,) = rows(home, "select release_id from published.parameter").to_series()
    audit = json.loads((home.root / "audit" / f"{release_id}.json").read_text())
    assert audit["passed"]
    assert len(audit["possible_values"]) > 100
    assert all(low < high or low == 0 for low, high in audit["possible_values"].values())


def test_public_pages_hold_no_pseudonym(whole: Whole) -> None:
    home, _, _ = whole
    pages = [path for path in (home.site / "public").rglob("*") if path.is_file() and path.suffix in {".html", ".csv"}]
    assert pages
    for page in pages:
        assert not re.search(r"[0-9a-f]{32}", page.read_text(encoding="utf-8")), page.name


def test_a_flag_can_be_explained(whole: Whole) -> None:
    home, _, _ = whole
    (flag_id,) = rows(home, "select flag_id from patterns.flag where rule_id = 'R3-28' order by flag_id limit 1").row(0)
    told = mfh(home, "explain", flag_id)
    assert told.code == 0
    assert "3 or more within 28 days" in told.out
    assert "A flag is a prompt to look" in told.out
    unknown = mfh(home, "explain", "R3-28-0000000000000000")
    assert unknown.code == 2
    assert len(unknown.err.strip().splitlines()) == 1


def test_a_figure_can_be_cited(whole: Whole) -> None:
    home, _, _ = whole
    cited = mfh(home, "cite", "I01.A.E47000001.year_to_march.2022-04-01.total.Total")
    assert cited.code == 0, cited.err
    assert "Missing incidents, Greater Manchester, 1 April 2022 to 31 March 2023" in cited.out
    assert "Synthetic demonstration data" in cited.out


def test_status_shows_the_grid(whole: Whole) -> None:
    home, _, _ = whole
    report = json.loads(mfh(home, "status", "--json").out)
    assert {month["borough"] for month in report["months"]} == set(
        rows(home, "select distinct borough from quality.borough_month").to_series()
    )
    assert report["refused"] == []


def distinctive_cells(home: Home) -> Iterator[str]:
    """Cells that can only come from a delivery: pseudonyms, identifiers and clock times."""
    for path in sorted(home.landing.glob("*/*")):
        frame = read_table(path.name, path.read_bytes(), header_test(CONTRACTS, path.parent.name)).frame
        for name in frame.columns:
            values = frame[name].drop_nulls().unique()
            yield from values.filter(values.str.contains(r"^[0-9a-f]{64}$|^[A-Z]+-?\d{5,}$|\d\d:\d\d")).head(50)


def test_attack_23_no_cell_value_is_anywhere_outside_the_stores_of_children(whole: Whole) -> None:
    home, _, ran = whole
    # Codes of areas have the form of an identifier, and are published.
    cells = set(distinctive_cells(home)) - set(rows(home, "select area_code from reference.area").to_series())
    assert len(cells) > 1000
    written = [("console", ran.out + ran.err), *outside_stores(home)]
    kinds = {name.partition("/")[0] for name, _ in written}
    assert {"console", "dagster", "receipts", "quarantine", "site", "audit", "ledger"} <= kinds
    assert any(name.endswith(".db") for name, _ in written)
    # The as-at instant is the only clock time that a page may say.
    said = said_of_itself(home)
    long = [cell for cell in cells if len(cell) >= len("2021-04-01T00:00")]
    for name, text in written:
        words = set(re.split(r"[\s,;\"'()\[\]{}<>\\]+", text))
        assert not [cell for cell in cells & words if cell not in said], name
        assert not pl.Series([text]).str.contains_any(long).any(), name


def said_of_itself(home: Home) -> str:
    """What pages say of the release: its instant and the last day of the data."""
    return " ".join(str(value) for value in rows(home, "select as_at, data_to from published.parameter").row(0))


def site_digest(home: Home) -> dict[str, str]:
    files = sorted(path for path in home.site.rglob("*") if path.is_file())
    return {str(path.relative_to(home.site)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_second_run_gives_the_same_bytes(whole: Whole) -> None:
    home, _, _ = whole
    before = site_digest(home)
    again = mfh(home, "run")
    assert again.code == 0, again.err
    assert site_digest(home) == before
    assert len(list(home.ledger.iterdir())) == 1


def test_the_receipts_say_that_the_data_are_synthetic(whole: Whole) -> None:
    home, _, _ = whole
    assert all(receipt.synthetic for receipt in read_receipts(home))
    for page in home.site.rglob("*.html"):
        assert "Synthetic demonstration data" in page.read_text(encoding="utf-8"), page
