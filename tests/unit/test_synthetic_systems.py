"""Changes of system, habits of files, files sent again, and placements of a small demonstration.

Belongs here: what the awkward files look like, byte for byte where that is the point, and that the truth knows of each.
Does not: what every file has in common (`test_synthetic`), or what intake makes of them (`tests/integration`).
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import polars as pl
import pytest
import yaml

from pipelines.synthetic import Demonstration
from pipelines.synthetic.placements import BREACHES
from tests.synthetic_files import CONTRACTS, EPISODE_ID, File, read, workbook_rows, write

CHILD_ID = {
    "liquidlogic": "DIM_PERSON_ID",
    "mosaic_workflow": "PERSON_ID",
    "mosaic_report": "PersonID",
    "eclipse": "SUBJECTID",
    "police_incident": "NOMINAL_ID",
}
TAKEN_OVER = ("mosaic_workflow", "mosaic_report", "eclipse", "police_incident")
Files = dict[str, File]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return write(tmp_path_factory.mktemp("systems"))


@pytest.fixture(scope="module")
def files(made: Demonstration) -> Files:
    """The files of the boroughs that are looked at here."""
    wanted = ("bury/", "oldham/", "salford/", "stockport/", "tameside/", "wigan/")
    return {name: read(made.landing / name) for name, _ in made.files if name.startswith(wanted)}


@pytest.fixture(scope="module")
def planted(made: Demonstration) -> pl.DataFrame:
    return pl.read_parquet(made.truth / "planted.parquet")


@pytest.fixture(scope="module")
def episodes(made: Demonstration) -> pl.DataFrame:
    local = pl.col("started_at", "found_at", "returned_at").dt.convert_time_zone("Europe/London")
    return pl.read_parquet(made.truth / "episodes.parquet").with_columns(local)


def of_kind(files: Files, kind: str) -> pl.DataFrame:
    """All rows of one layout."""
    parts = [file.frame.with_columns(file=pl.lit(name)) for name, file in files.items() if file.kind == kind]
    return pl.concat(parts, how="diagonal")


def mapping(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((CONTRACTS / "sources" / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def inputs(layout: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each column that a mapping reads, with what the mapping says of it."""
    for part in (layout, layout.get("also", {})):
        for column in part.get("columns", {}).values():
            names = column.get("from", column.get("derived_from", []))
            yield from ((name, column) for name in ([names] if isinstance(names, str) else names))


def fits(pattern: str, name: str) -> bool:
    return re.fullmatch(pattern.replace("*", r"\d+"), name) is not None


def whole_files(planted: pl.DataFrame, case: str) -> list[str]:
    """Files of which the truth says something as a whole."""
    found = planted.filter((pl.col("case") == case) & pl.col("row_number").is_null())
    return found.select(pl.concat_str("borough", "file", separator="/")).to_series().to_list()


class TestSystems:
    @pytest.mark.parametrize("name", [*TAKEN_OVER, "ssda903_episodes"])
    def test_headers_are_those_of_the_mapping(self, files: Files, name: str) -> None:
        layout = mapping(name)
        known = {column for column, _ in inputs(layout)} | {layout.get("rows_kept", {}).get("column", "")}
        # Codes of the placement module that no rule here needs.
        known |= {"LS", "CIN", "PLACE", "REASON_PLACE_CHANGE"} if name == "ssda903_episodes" else set()
        headers = {tuple(file.frame.columns) for file in files.values() if file.kind == name}
        assert headers
        for header in headers:
            assert all(any(fits(pattern, column) for column in header) for pattern in layout["recognised_by"])
            assert all(any(fits(pattern, column) for pattern in known) for column in header)

    @pytest.mark.parametrize("name", [*TAKEN_OVER, "ssda903_episodes"])
    def test_words_are_those_of_the_mapping(self, files: Files, name: str) -> None:
        rows = of_kind(files, name)
        looked_at = 0
        for pattern, column in inputs(mapping(name)):
            for found in (header for header in rows.columns if fits(pattern, header)):
                if isinstance(column.get("codes"), dict):
                    words = {str(word).casefold() for word in column["codes"]}
                    assert set(rows[found].drop_nulls().str.to_lowercase()) <= words, found
                    looked_at += 1
        assert looked_at >= 2

    def test_an_episode_stays_in_the_system_that_first_sent_it(self, files: Files) -> None:
        for borough in ("oldham", "stockport", "wigan"):
            own = {name: file for name, file in files.items() if name.startswith(borough)}
            sent = [
                set(of_kind(own, kind)[EPISODE_ID[kind]])
                for kind in {file.kind for file in own.values()} & set(EPISODE_ID)
            ]
            assert len(sent) > 1
            assert sum(map(len, sent)) == len(set.union(*sent))

    def test_children_keep_their_pseudonym_when_the_system_changes(self, files: Files, episodes: pl.DataFrame) -> None:
        true = dict(episodes.select("delivered_by", "episode_id", "delivered_child_id").rows_by_key("episode_id"))
        usual = set(of_kind(files, "liquidlogic")["DIM_PERSON_ID"])
        for kind in TAKEN_OVER:
            rows = of_kind(files, kind).select(EPISODE_ID[kind], CHILD_ID[kind])
            children = [(child, [known for _, known in true.get(number, [])]) for number, child in rows.iter_rows()]
            assert all(child in known for child, known in children if known)
            assert usual & {child for child, _ in children}, kind

    def test_only_few_rows_are_taken_over(self, files: Files) -> None:
        usual = of_kind(files, "liquidlogic").height
        assert 20 < sum(of_kind(files, kind).height for kind in TAKEN_OVER) < usual / 3

    def test_the_truth_names_the_files_of_the_other_systems(self, files: Files, planted: pl.DataFrame) -> None:
        named, beside = whole_files(planted, "system_changed"), whole_files(planted, "police_extract")
        assert not set(named) & set(beside)
        assert {*named, *beside} == {name for name, file in files.items() if file.kind in TAKEN_OVER}


class TestEclipse:
    def test_times_are_the_dates_of_the_truth(self, files: Files, episodes: pl.DataFrame) -> None:
        rows = of_kind(files, "eclipse").filter(pl.col("INSTANCESTATE") == "COMPLETE")
        oldham = episodes.filter(pl.col("delivered_by") == "E08000004")
        pairs = rows.join(oldham, left_on="INSTANCEID", right_on="episode_id")
        assert pairs.height == rows.height > 10
        for column, time in (("DATECHILDLASTSEEN2871", "started_at"), ("FOUNDREPORTDATE2880", "found_at")):
            assert (pairs[column] == pairs[time].dt.strftime("%d-%b-%y")).all()

    def test_an_incomplete_form_is_listed_and_comes_again_complete(self, files: Files, planted: pl.DataFrame) -> None:
        rows = of_kind(files, "eclipse")
        drafts = set(rows.filter(pl.col("INSTANCESTATE") != "COMPLETE")["INSTANCEID"])
        assert drafts
        assert drafts <= set(rows.filter(pl.col("INSTANCESTATE") == "COMPLETE")["INSTANCEID"])
        listed = planted.filter(pl.col("case") == "form_not_complete").select("borough", "file", "row_number")
        places = [files[f"{borough}/{file}"].row(number) for borough, file, number in listed.iter_rows()]
        assert {row["INSTANCEID"] for row in places} == drafts

    def test_absences_of_one_child_are_days_apart(self, files: Files, episodes: pl.DataFrame) -> None:
        sent = set(of_kind(files, "eclipse")["INSTANCEID"])
        oldham = episodes.filter(pl.col("delivered_by") == "E08000004").sort("child", "started_at")
        before = pl.col("started_at") - pl.col("returned_at").shift(1).over("child")
        gaps = oldham.with_columns(before.alias("gap")).filter(pl.col("episode_id").is_in(list(sent)))["gap"]
        assert gaps.drop_nulls().min() >= timedelta(hours=48)  # type: ignore[operator]


class TestMosaic:
    def test_a_letter_is_an_offer_and_no_letter_says_nothing(self, made: Demonstration, files: Files) -> None:
        rows = of_kind(files, "mosaic_workflow").unique("WORKFLOW_STEP_ID", keep="last", maintain_order=True)
        offers = pl.read_parquet(made.truth / "interviews.parquet").filter(pl.col("delivered_by") == "E08000010")
        pairs = rows.join(offers, left_on="WORKFLOW_STEP_ID", right_on="episode_ids")
        assert pairs.height > 3
        assert ((pairs["offered"] == "yes") | pairs["missinglettersent"].is_null()).all()
        assert pairs.filter(pl.col("offered") == "yes")["missinglettersent"].is_not_null().any()
        assert set(pairs["missingepisodediscussed"].drop_nulls()) == {"Yes", "No"}

    def test_the_report_layer_has_the_time_found_and_no_return(self, files: Files, episodes: pl.DataFrame) -> None:
        rows = of_kind(files, "mosaic_report").filter(~pl.col("DateFound").str.ends_with("00:00:00"))
        stockport = episodes.filter(pl.col("delivered_by") == "E08000007")
        pairs = rows.join(stockport, left_on="MFHID", right_on="episode_id")
        assert pairs.height > 5
        assert (pairs["DateFound"] == pairs["found_at"].dt.strftime("%Y-%m-%d %H:%M:%S")).all()


class TestPolice:
    def test_incidents_are_of_missing_children_and_start_when_last_seen(
        self, files: Files, episodes: pl.DataFrame
    ) -> None:
        rows = of_kind(files, "police_incident")
        oldham = episodes.filter(pl.col("delivered_by") == "E08000004")
        pairs = rows.join(oldham, left_on="INCIDENT_REF", right_on="episode_id")
        assert (pairs["status"] == "missing").all()
        start = pl.coalesce("LAST_SEEN_DTTM", "REPORTED_DTTM").str.slice(0, 10)
        assert pairs.height > 10
        assert (pairs.select(start == pl.col("started_at").dt.strftime("%d/%m/%Y")).to_series()).all()

    def test_interviews_come_in_a_file_of_their_own(self, files: Files) -> None:
        held = of_kind({name: file for name, file in files.items() if "oldham" in name}, "return_interview")
        incidents = of_kind(files, "police_incident")
        pairs = held.join(incidents, left_on="episode_ids", right_on="INCIDENT_REF")
        assert set(held["episode_ids"]) <= set(incidents["INCIDENT_REF"])
        assert pairs.height >= held.height > 10
        assert (pairs["child_id"] == pairs["NOMINAL_ID"]).all()
        assert set(held["pseudonym_scope"]) == {"borough"}

    def test_one_file_names_districts(self, made: Demonstration, planted: pl.DataFrame) -> None:
        (name,) = whole_files(planted, "police_district")
        header = (made.landing / name).read_text(encoding="utf-8").splitlines()[0].split(",")
        assert "DISTRICT" in header
        assert "MISSING_FROM_LA" not in header


def raw(made: Demonstration, name: str) -> bytes:
    return (made.landing / name).read_bytes()


class TestForms:
    """What the truth says of a file can be seen in its bytes."""

    def test_every_form_has_a_file(self, planted: pl.DataFrame) -> None:
        forms = {"semicolons", "tabs", "separator_line", "utf_16", "windows_1252", "dates_day_first"}
        forms |= {"dates_month_name", "times_as_cells", "times_as_serials", "title_rows", "notes_sheet"}
        forms |= {"merged_header", "first_column_empty", "renamed_column", "unknown_column", "cumulative_file"}
        assert all(whole_files(planted, name) for name in forms)

    def test_encodings(self, made: Demonstration, planted: pl.DataFrame) -> None:
        for name in whole_files(planted, "utf_16"):
            assert raw(made, name).startswith(b"\xff\xfe")
            assert "\t" in raw(made, name).decode("utf-16")
        for name in whole_files(planted, "windows_1252"):
            with pytest.raises(UnicodeDecodeError):
                raw(made, name).decode()
            assert "\u2013" in raw(made, name).decode("cp1252").splitlines()[0]

    def test_delimiters(self, made: Demonstration, planted: pl.DataFrame) -> None:
        for name in whole_files(planted, "separator_line"):
            said, header = raw(made, name).decode().splitlines()[:2]
            assert said == "sep=;"
            assert header.count(";") > 10
        for name in whole_files(planted, "semicolons"):
            assert raw(made, name).count(b";") > raw(made, name).count(b",")

    def test_dates_as_text(self, made: Demonstration, planted: pl.DataFrame) -> None:
        for case, pattern in (
            ("dates_day_first", rb"\d\d/\d\d/20\d\d"),
            ("dates_month_name", rb"\d\d-[A-Z][a-z]{2}-\d\d"),
        ):
            for name in whole_files(planted, case):
                assert re.search(pattern, raw(made, name))
                assert not re.search(rb"20\d\d-\d\d-\d\d", raw(made, name))

    def test_dates_as_cells_and_serials(self, made: Demonstration, planted: pl.DataFrame) -> None:
        for case, kinds in (("times_as_cells", datetime), ("times_as_serials", int | float)):
            for name in whole_files(planted, case):
                rows = workbook_rows(made.landing / name)
                place = next(i for i, cell in enumerate(rows[0]) if cell in {"started_at", "MFHStart"})
                times = [row[place] for row in rows[1:] if row[place] is not None]
                assert times
                # A date that does not exist was never a date in a spreadsheet either.
                assert all(isinstance(time, kinds) or str(time).startswith("31/02/") for time in times)

    def test_what_stands_around_a_table(self, made: Demonstration, planted: pl.DataFrame) -> None:
        for name in whole_files(planted, "title_rows"):
            rows = workbook_rows(made.landing / name)
            assert rows[0][0] == "Missing from home and care"
            assert not any(rows[2])
            assert rows[3][0] in {"episode_id", "INSTANCEID"}
        for name in whole_files(planted, "first_column_empty"):
            assert all(row[0] is None and row[1] is not None for row in workbook_rows(made.landing / name))
        for name in whole_files(planted, "notes_sheet"):
            assert openpyxl.load_workbook(made.landing / name).sheetnames == ["Extract", "Notes"]

    def test_a_header_of_two_rows(self, made: Demonstration, planted: pl.DataFrame) -> None:
        (name,) = whole_files(planted, "merged_header")
        upper, lower, first = workbook_rows(made.landing / name)[:3]
        assert (upper[0], lower[0]) == ("episode_id", None)
        assert {"Times", "Child"} <= set(upper)
        assert {"started_at", "returned_at", "age_at_start"} <= set(lower)
        assert re.fullmatch(r"MFE-\d+", first[0])

    def test_a_column_was_called_otherwise_in_the_first_year(self, made: Demonstration, planted: pl.DataFrame) -> None:
        (name,) = whole_files(planted, "renamed_column")
        borough = name.split("/")[0]
        wording = yaml.safe_load((CONTRACTS / "boroughs" / borough / "source.yaml").read_text(encoding="utf-8"))
        assert wording["layouts"]["liquidlogic"]["renamed"]["GENDER"] in raw(made, name).decode().splitlines()[0]
        later = [other for other in (made.landing / borough).glob("FACT_*") if other.name != Path(name).name]
        assert later
        assert all("GENDER" in other.read_text(encoding="utf-8").splitlines()[0] for other in later)


class TestSentAgain:
    def test_a_closed_year_comes_again_as_it_is_known_then(self, files: Files, planted: pl.DataFrame) -> None:
        (name,) = whole_files(planted, "closed_year_sent_again")
        first, again = files[name.replace("-revised", "")].frame, files[name].frame
        # Wrong copies were put into either file under identifiers of their own.
        again = again.filter(~pl.col("episode_id").str.starts_with("MFE-9"))
        assert set(again["episode_id"]) <= set(first["episode_id"])
        assert again.height > 0.8 * first.height
        assert again["extracted_at"].min() > first["extracted_at"].max()  # type: ignore[operator]
        # All have been found by then; only a night recorded as an absence of its own never ends.
        nights = planted.filter((pl.col("case") == "nightly_reports") & (pl.col("borough") == "bury"))
        places = nights.select("file", "row_number").iter_rows()
        known = {files[f"bury/{file}"].row(row)["episode_id"] for file, row in places}
        assert set(again.filter(pl.col("found_at").is_null())["episode_id"]) <= known

    def test_corrections_put_right_what_the_first_file_had_wrong(
        self, files: Files, planted: pl.DataFrame, episodes: pl.DataFrame
    ) -> None:
        (name,) = whole_files(planted, "correction_file")
        first, right = files[name.replace("-corrections", "")].frame, files[name].frame
        pairs = right.join(first, on=["episode_id", "child_id"], suffix="_before")
        assert pairs.height == right.height == planted.filter(pl.col("case") == "corrected_later").height > 3
        starts = pairs.select(pl.col("started_at", "started_at_before").str.to_datetime("%Y-%m-%dT%H:%M"))
        assert (starts["started_at"] - starts["started_at_before"] == timedelta(days=1)).all()
        true = pairs.join(episodes, left_on=["episode_id", "child_id"], right_on=["episode_id", "delivered_child_id"])
        assert (true["started_at"] == true["started_at_right"].dt.strftime("%Y-%m-%dT%H:%M")).all()


def test_children_under_one_pseudonym_differ_in_age_and_never_overlap(
    planted: pl.DataFrame, episodes: pl.DataFrame
) -> None:
    pairs = (
        episodes.filter("shared_pseudonym").group_by("delivered_child_id").agg("child", "age_at_start", "started_at")
    )
    assert pairs.height >= 4
    for children, ages, starts in pairs.select("child", "age_at_start", "started_at").iter_rows():
        assert len(set(children)) == 2
        days = abs((starts[0] - starts[1]).days)
        # The older one's birth and the younger one's cannot be the same day.
        assert abs(ages[0] - ages[1]) > days / 365.25 + 1 or (ages[0] - ages[1]) * (starts[0] - starts[1]).days < 0
    assert planted.filter(pl.col("case") == "shared_pseudonym").height == 2 * pairs.height


def on(text: str | None) -> date:
    """A day of a return; what has no end ends at the end of time."""
    return datetime.strptime(text, "%d/%m/%Y").date() if text else date.max  # noqa: DTZ007 - a day, no time


@pytest.fixture(scope="module")
def newest(files: Files) -> dict[str, pl.DataFrame]:
    """Placements and missing periods of the two authorities, each as it was last told."""
    keys = {"ssda903_episodes": ["CHILD", "DECOM"], "ssda903_missing": ["CHILD", "MISSING", "MIS_START"]}
    frames = {}
    for kind, key in keys.items():
        own = {name: file for name, file in sorted(files.items()) if name.startswith(("bury", "tameside"))}
        frames[kind] = of_kind(own, kind).unique(key, keep="last", maintain_order=True)
    return frames


class TestCare:
    def test_placements_of_a_child_follow_each_other(self, newest: dict[str, pl.DataFrame]) -> None:
        children = newest["ssda903_episodes"].partition_by("CHILD")
        assert len(children) > 10
        for child in children:
            rows = sorted(child.iter_rows(named=True), key=lambda row: on(row["DECOM"]))
            assert [row["RNE"] for row in rows] == ["S", *["P"] * (len(rows) - 1)]
            for row, following in pairwise(rows):
                assert row["DEC"] == following["DECOM"]
                assert row["REC"] == "X1"
                assert row["REASON_PLACE_CHANGE"]
            assert (rows[-1]["REC"] is None) == (rows[-1]["DEC"] is None)
            assert rows[-1]["REC"] != "X1"

    def test_a_year_tells_only_what_had_happened_by_its_end(self, files: Files) -> None:
        told = {name: file for name, file in files.items() if file.kind.startswith("ssda903")}
        assert len(told) > 20
        for name, file in told.items():
            first, last = re.findall(r"(\d{4})-0[34]", name)
            for column in {"MIS_START", "MIS_END", "DECOM", "DEC"} & set(file.frame.columns):
                days = [on(text) for text in file.frame[column].drop_nulls()]
                assert all(day <= date(int(last), 3, 31) for day in days), (name, column)
                assert column in {"MIS_START", "DECOM"} or all(day >= date(int(first), 4, 1) for day in days), name

    def test_a_period_that_is_open_at_the_end_of_a_year_is_in_the_next_return(self, files: Files) -> None:
        found = 0
        for borough in ("bury", "tameside", "wigan"):
            years = [
                file.frame for name, file in sorted(files.items()) if name.startswith(f"{borough}/ssda903-missing")
            ]
            for this, following in pairwise(years):
                open_then = set(this.filter(pl.col("MIS_END").is_null()).select("CHILD", "MIS_START").iter_rows())
                found += len(open_then)
                assert open_then <= set(following.select("CHILD", "MIS_START").iter_rows())
        assert found

    def test_periods_contradict_care_where_the_truth_says_so_and_nowhere_else(
        self, newest: dict[str, pl.DataFrame], files: Files, planted: pl.DataFrame
    ) -> None:
        care = newest["ssda903_episodes"].partition_by("CHILD", as_dict=True)
        broken = {
            (row["CHILD"], row["MIS_START"], rule)
            for row in newest["ssda903_missing"].iter_rows(named=True)
            if (stays := care.get((row["CHILD"],))) is not None
            for rule in rules_broken(row, list(stays.iter_rows(named=True)))
        }
        listed = planted.filter(pl.col("case").is_in(list(BREACHES)))
        expected = set()
        for borough, name, number, rule in listed.select("borough", "file", "row_number", "rule_id").iter_rows():
            row = files[f"{borough}/{name}"].row(number)
            expected.add((row["CHILD"], row["MIS_START"], rule))
        assert set(listed["rule_id"]) == set(BREACHES.values())
        assert broken == expected


def rules_broken(row: dict[str, Any], stays: list[dict[str, Any]]) -> Iterator[str]:
    """The rules between a missing period and care that one period breaks, one day at a time."""
    start, end = on(row["MIS_START"]), on(row["MIS_END"])
    began, ended = min(on(stay["DECOM"]) for stay in stays), max(on(stay["DEC"]) for stay in stays)
    where = [on(stay["DEC"]) for stay in stays if on(stay["DECOM"]) <= start <= on(stay["DEC"])]
    if end == date.max and where and max(where) < date.max:
        yield "ssda903.575"
    if began <= start <= ended < end:
        yield "ssda903.577"
    if start > ended:
        yield "ssda903.578"
    if start < began:
        yield "ssda903.581"
