"""Synthetic deliveries: the same seed gives the same bytes, files keep to the contracts, cases stand where truth says.

Belongs here: what can be read off the files and the truth of a small demonstration. Does not: calibration, which
needs the whole size (`test_synthetic_calibration`).
"""

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.synthetic import Demonstration
from pipelines.synthetic.truth import CASES, REPORTED
from tests.synthetic_files import CONTRACTS, EPISODE_ID, SCALE, File, read, workbook_rows, write

# How a delivered text stands for a time, by the kind of file.
CLOCK = {
    "canonical": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$",
    "liquidlogic": r"^\d{4}-\d\d-\d\d \d\d:\d\d:00$",
    "ssda903_missing": r"^\d\d/\d\d/\d{4}$",
}
Row = Mapping[str, str | None]
Files = dict[str, File]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return write(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def files(small: Demonstration) -> Files:
    return {name: read(small.landing / name) for name, _ in small.files}


@pytest.fixture(scope="module")
def planted(small: Demonstration) -> pl.DataFrame:
    return pl.read_parquet(small.truth / "planted.parquet")


@pytest.fixture(scope="module")
def episodes(small: Demonstration) -> pl.DataFrame:
    return pl.read_parquet(small.truth / "episodes.parquet")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def contract(dataset: str) -> list[dict[str, Any]]:
    text = (CONTRACTS / "deliveries" / f"{dataset}.odcs.yaml").read_text(encoding="utf-8")
    properties: list[dict[str, Any]] = yaml.safe_load(text)["schema"][0]["properties"]
    return properties


def source(name: str) -> dict[str, Any]:
    mapping: dict[str, Any] = yaml.safe_load((CONTRACTS / "sources" / f"{name}.yaml").read_text(encoding="utf-8"))
    return mapping


def accepted(file: File, planted: pl.DataFrame, name: str) -> pl.DataFrame:
    """The rows of a file that no rule should refuse; what is true of a file is true of its copy."""
    of_file = (pl.concat_str("borough", "file", separator="/") == name.replace("/copy-of-", "/")) & (
        pl.col("effect") == "quarantined"
    )
    refused = planted.filter(of_file)["row_number"].unique()
    return file.frame.with_row_index("row_number", offset=file.first_row).filter(
        ~pl.col("row_number").is_in(refused.implode())
    )


class TestBytes:
    def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
        self, small: Demonstration, tmp_path: Path
    ) -> None:
        again, other = write(tmp_path / "again"), write(tmp_path / "other", seed=11)
        assert digests(again.landing.parent) == digests(small.landing.parent)
        assert digests(other.landing) != digests(small.landing)

    def test_gzip_holds_no_time_of_writing(self, small: Demonstration) -> None:
        packed = [small.landing / name for name, _ in small.files if name.endswith(".csv.gz")]
        assert packed
        assert all(path.read_bytes()[4:8] == b"\0\0\0\0" for path in packed)
        assert gzip.decompress(packed[0].read_bytes()).startswith(b"episode_id")

    def test_scale_sets_the_number_of_episodes(self, small: Demonstration, tmp_path: Path) -> None:
        larger = write(tmp_path, scale=3 * SCALE)
        assert larger.totals["episodes"] == pytest.approx(3 * small.totals["episodes"], rel=0.35)

    def test_months_limit_the_span(self, tmp_path: Path) -> None:
        short = write(tmp_path, first_month=date(2023, 9, 1), last_month=date(2024, 2, 1))
        local = pl.col("started_at").dt.convert_time_zone("Europe/London").dt.date()
        days = pl.read_parquet(short.truth / "episodes.parquet").select(local)["started_at"]
        assert days.min() >= date(2023, 9, 1)  # type: ignore[operator]
        assert days.max() < date(2024, 3, 1)  # type: ignore[operator]

    def test_wrong_order_of_months_is_said_plainly(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="last month"):
            write(tmp_path, first_month=date(2024, 2, 1), last_month=date(2024, 1, 1))


class TestFiles:
    def test_every_borough_of_the_region_delivers_and_files_are_few(self, small: Demonstration) -> None:
        areas = pl.read_csv(CONTRACTS / "reference" / "area.csv").filter(pl.col("area_type") == "borough")
        assert {name.split("/")[0] for name, _ in small.files} == set(areas["slug"])
        assert len(small.files) <= 300

    def test_every_file_says_that_it_is_synthetic(self, files: Files) -> None:
        assert all("synthetic-demonstration" in name for name in files)
        marked = [file.frame["source_system"] for file in files.values() if "source_system" in file.frame.columns]
        assert marked
        assert all((column == "synthetic-demonstration").all() for column in marked)

    def test_row_counts_are_those_reported(self, small: Demonstration, files: Files) -> None:
        assert {name: file.frame.height for name, file in files.items()} == dict(small.files)

    @pytest.mark.parametrize("dataset", ["missing_episode", "return_interview"])
    def test_canonical_headers_keep_to_the_contract(self, files: Files, planted: pl.DataFrame, dataset: str) -> None:
        order = [row["name"] for row in contract(dataset)]
        required = {row["name"] for row in contract(dataset) if row.get("required")}
        wanted = "canonical" if dataset == "missing_episode" else "return_interview"
        added = planted.filter(pl.col("case") == "unknown_column").select(
            pl.concat_str("borough", "file", separator="/")
        )
        headers = {name: file.frame.columns for name, file in files.items() if file.kind == wanted}
        assert headers
        for name, header in headers.items():
            known = [column for column in order if column in header]
            assert header[: len(known)] == known
            assert (len(header) == len(known) + 1) == (name in set(added.to_series()))
            assert required <= set(header)

    @pytest.mark.parametrize("name", ["liquidlogic", "ssda903_missing"])
    def test_native_headers_keep_to_the_mapping(self, files: Files, name: str) -> None:
        mapping = source(name)
        columns = {
            **mapping["columns"],
            **{f"also {key}": row for key, row in mapping.get("also", {}).get("columns", {}).items()},
        }
        known = {row["from"] for row in columns.values() if "from" in row} | set(mapping["recognised_by"])
        headers = [set(file.frame.columns) for file in files.values() if file.kind == name]
        assert headers
        assert all(set(mapping["recognised_by"]) <= header <= known for header in headers)

    def test_native_codes_are_in_the_mapping(self, files: Files, planted: pl.DataFrame) -> None:
        for name, file in files.items():
            if file.kind in {"liquidlogic", "ssda903_missing"}:
                rows = accepted(file, planted, name)
                for row in source(file.kind)["columns"].values():
                    if isinstance(row.get("codes"), dict) and row["from"] in rows.columns:
                        known = {str(code).casefold() for code in row["codes"]}
                        assert set(rows[row["from"]].drop_nulls().str.to_lowercase()) <= known, row

    @pytest.mark.parametrize("dataset", ["missing_episode", "return_interview"])
    def test_canonical_values_keep_to_the_contract(self, files: Files, planted: pl.DataFrame, dataset: str) -> None:
        wanted = "canonical" if dataset == "missing_episode" else "return_interview"
        parts = [accepted(file, planted, name) for name, file in files.items() if file.kind == wanted]
        rows = pl.concat(parts, how="diagonal")
        for row in contract(dataset):
            check_column(rows[row["name"]], row)

    def test_native_times_are_in_a_known_format(self, files: Files, planted: pl.DataFrame) -> None:
        for name, file in files.items():
            if file.kind in {"liquidlogic", "ssda903_missing"}:
                rows = accepted(file, planted, name)
                times = [column for column in rows.columns if column.endswith(("DTTM", "_AT", "MIS_START", "MIS_END"))]
                assert all(rows[column].drop_nulls().str.contains(CLOCK[file.kind]).all() for column in times), name

    def test_nothing_is_known_before_it_was_extracted(self, files: Files, planted: pl.DataFrame) -> None:
        for name, file in files.items():
            if file.kind in {"canonical", "return_interview"}:
                rows = accepted(file, planted, name)
                times = [row for row in rows.columns if row.endswith(("_at", "_date")) and row != "extracted_at"]
                assert all((rows[column] <= rows["extracted_at"]).fill_null(value=True).all() for column in times), name

    def test_numbers_are_numbers_in_a_workbook(self, small: Demonstration, files: Files) -> None:
        books = [name for name, file in files.items() if name.endswith(".xlsx") and file.kind == "canonical"]
        assert books
        for name in books:
            file = files[name]
            rows = workbook_rows(small.landing / name)[file.first_row - 1 :]
            left = len(rows[0]) - len(file.frame.columns)
            place = left + file.frame.columns.index("age_at_start")
            assert all(isinstance(row[place], int) for row in rows), name


def check_column(column: pl.Series, rule: dict[str, Any]) -> None:
    """Check a delivered column against its contract: presence, codes, pattern, range and time format."""
    values, name = column.drop_nulls(), rule["name"]
    assert not rule.get("required") or len(values) == len(column), name
    for quality in rule.get("quality", []):
        if quality.get("metric") == "invalidValues":
            assert set(values) <= set(quality["arguments"]["validValues"]), name
    options = rule.get("logicalTypeOptions", {})
    if "pattern" in options:
        assert values.str.contains(options["pattern"]).all(), name
    if "maximum" in options:
        assert values.cast(pl.Float64).is_between(options["minimum"], options["maximum"]).all(), name
    if rule["logicalType"] == "timestamp":
        assert values.str.contains(CLOCK["canonical"]).all(), name


class TestTruth:
    def test_a_child_is_never_missing_twice_at_once(self, episodes: pl.DataFrame) -> None:
        ordered = episodes.sort("child", "started_at")
        again = ordered.select((pl.col("started_at").shift(-1).over("child") > pl.col("returned_at")).alias("apart"))
        assert again["apart"].drop_nulls().all()
        assert (episodes["found_at"] > episodes["started_at"]).all()
        assert (episodes["returned_at"] >= episodes["found_at"]).all()
        assert episodes["age_at_start"].is_between(0, 17).all()

    def test_every_delivered_episode_is_in_its_boroughs_main_feed(self, episodes: pl.DataFrame, files: Files) -> None:
        slugs = dict(pl.read_csv(CONTRACTS / "reference" / "area.csv").select("area_code", "slug").iter_rows())
        sent: dict[str, set[str]] = {}
        for name, file in files.items():
            if file.kind in EPISODE_ID:
                whole = file.frame
                if file.kind == "eclipse":  # a form that is not complete is no episode yet
                    whole = whole.filter(pl.col("INSTANCESTATE") == "COMPLETE")
                sent.setdefault(name.split("/")[0], set()).update(whole[EPISODE_ID[file.kind]])
        for code, identifier, delivered in episodes.select("delivered_by", "episode_id", "delivered").iter_rows():
            assert (identifier in sent[slugs[code]]) == delivered

    def test_times_are_local_clock_times_of_the_truth(
        self, episodes: pl.DataFrame, files: Files, planted: pl.DataFrame
    ) -> None:
        local = pl.col("started_at").dt.convert_time_zone("Europe/London").dt.strftime("%Y-%m-%dT%H:%M")
        true = dict(episodes.select("episode_id", "delivered_child_id", local).rows_by_key("episode_id"))
        wrong = planted.filter(pl.col("case") == "corrected_later")
        corrected = set(wrong.select(pl.concat_str("borough", "file", separator="/"), "row_number").iter_rows())
        compared = 0
        for name, file in files.items():
            if file.kind == "canonical":
                rows = file.frame.with_row_index("row", offset=file.first_row)
                for identifier, child, started, row in rows.select(
                    "episode_id", "child_id", "started_at", "row"
                ).iter_rows():
                    known = {text for pseudonym, text in true.get(identifier, []) if pseudonym == child}
                    if known and "T" in started and not started.startswith("2099"):
                        compared += 1
                        assert (started in known) == ((name, row) not in corrected)
        assert compared > 1500

    def test_pseudonyms_are_keyed_digests_and_regional_ones_are_shared(self, episodes: pl.DataFrame) -> None:
        assert episodes["delivered_child_id"].str.contains("^[0-9a-f]{64}$").all()
        own = episodes.filter(~pl.col("shared_pseudonym"))
        regional = own.filter(pl.col("pseudonym_scope") == "regional")
        assert (regional["child_id"] == regional["delivered_child_id"]).all()
        local = episodes.filter(pl.col("pseudonym_scope") == "borough")
        assert (local["child_id"] != local["delivered_child_id"]).all()
        assert local.group_by("delivered_child_id").agg(pl.col("delivered_by").n_unique())["delivered_by"].max() == 1


def has(column: str, pattern: str) -> Callable[[Row], bool]:
    """A row whose column matches a pattern; an empty cell counts as empty text."""
    return lambda row: column in row and re.search(pattern, row[column] or "") is not None


def either(*checks: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return lambda row: any(check(row) for check in checks)


# What the row must look like at the place where the truth says that a case stands.
LOOKS: dict[str, Callable[[Row], bool]] = {
    "shared_pseudonym": lambda row: any(len(value or "") == 64 for value in row.values()),
    "end_before_start": either(has("found_at", "^2019-"), has("END_DTTM", "^2019-")),
    "start_far_future": either(has("started_at", "^2099-"), has("START_DTTM", "^2099-")),
    "date_only_time": either(
        has("started_at", r"^\d{4}-\d\d-\d\d$"),
        has("START_DTTM", " 00:00:00$"),
        has("START_DATE", " 00:00:00$"),
        has("MFHStart", " 00:00:00$"),
        has("LAST_SEEN_DTTM", r"^\d\d/\d\d/\d{4}$"),
    ),
    "clock_repeated": either(
        has("found_at", r"-10-\d\dT01:40$"),
        has("END_DTTM", r"-10-\d\d 01:55:00$"),
        has("END_DATE", r"-10-\d\d 01:55:00$"),
        has("DateFound", r"-10-\d\d 01:40:00$"),
        has("LOCATED_DTTM", r"/10/\d{4} 01:40:00$"),
    ),
    "clock_skipped": has("found_at", r"-03-\d\dT01:[345]\d$"),
    "authority_only": has("MISSING", "^A$"),
    "return_time_missing": either(
        has("returned_at", "^$"), has("END_DTTM", "^$"), has("END_DATE", "^$"), has("RETURNED_DTTM", "^$")
    ),
    "interview_of_several": has("episode_ids", ";"),
    "interview_of_unknown": has("episode_ids", "^MFE-999999$"),
    "interview_not_answered": either(
        has("offered", "^(unknown|not_applicable)$"),
        has("RETURN_INTERVIEW_OFFERED", "^(NA)?$"),
        has("missinglettersent", "^$"),
        has("ReturnInterviewOffered", "^(NA)?$"),
        has("HASARETURNHOMEINTERVIEWBEENOFFERED2891", "^(NA)?$"),
    ),
    "status_labels_changed": either(
        has("status", "^absent$"),
        has("risk_initial", "^very_low$"),
        has("FACT_MISSING_PERSON_ID", "."),
        has("CLASSIFICATION", "^No apparent risk$"),
    ),
    "demographics_unknown": either(
        has("ethnicity", "^(unknown)?$"),
        has("sen_or_disability", "^(unknown)?$"),
        has("ETHNICITY", "^(Unknown)?$"),
        has("DISABILITY", "^$"),
        has("Ethnicity", "^(Unknown)?$"),
    ),
    "age_eighteen": either(has("age_at_start", "^18$"), has("AGE_AT_START", "^18$")),
    "flag_without_date": either(
        has("cse_flag_date", "^$"),
        has("cce_flag_date", "^$"),
        has("CSE_MARKER_DATE", "^$"),
        has("CCE_MARKER_DATE", "^$"),
    ),
    "form_not_complete": has("INSTANCESTATE", "^DRAFT$"),
    "open_after_move": has("MIS_END", "^$"),
    "missing_past_care": has("MIS_END", "."),
    "placement_moved": has("RNE", "^P$"),
    "child_id_malformed": either(
        has("child_id", "^(A[0-9A-F]{63}|[0-9a-f]{40})$"), has("DIM_PERSON_ID", "^(A[0-9A-F]{63}|[0-9a-f]{40})$")
    ),
    "unreadable_date": lambda row: any((value or "").startswith("31/02/") for value in row.values()),
}


class TestPlanted:
    def test_every_case_is_there(self, planted: pl.DataFrame) -> None:
        assert set(planted["case"]) == set(CASES)

    def test_every_row_looks_as_its_case_says(self, planted: pl.DataFrame, files: Files) -> None:
        assert LOOKS.keys() <= CASES.keys()
        for (borough, file), rows in planted.drop_nulls("row_number").group_by("borough", "file"):
            for name, number in rows.select("case", "row_number").iter_rows():
                row = files[f"{borough}/{file}"].row(number)
                assert name not in LOOKS or LOOKS[name](row), (name, file, number)

    def test_rules_are_named_where_a_rule_must_refuse(self, planted: pl.DataFrame) -> None:
        expected = {
            "end_before_start": {"ssda903.567", "ssda903.567.returned"},
            "start_far_future": {"ssda903.570"},
            "age_eighteen": {"missing_episode.age_at_start.maximum"},
            "child_id_malformed": {"missing_episode.child_id.pattern"},
            "episode_id_twice": {"missing_episode.episode_id.unique"},
            "unreadable_date": {"missing_episode.started_at.type", "missing_episode.returned_at.type"},
            "form_not_complete": {"eclipse.form_not_complete"},
        }
        refused = planted.filter(pl.col("effect") == "quarantined")
        assert set(refused["case"]) == set(expected)
        for name, rules in expected.items():
            of_case = refused.filter(pl.col("case") == name)
            assert set(of_case["rule_id"]) <= rules
            assert 4 <= of_case.height <= 40

    def test_every_rule_has_an_effect_and_none_is_without_a_rule(self, planted: pl.DataFrame) -> None:
        assert (planted["rule_id"].is_null() == planted["effect"].is_null()).all()
        assert set(planted["effect"].drop_nulls()) == {"quarantined", "reported"}
        ruled = (
            planted.drop_nulls("rule_id").filter(pl.col("effect") != "quarantined").select("case", "rule_id").unique()
        )
        assert dict(ruled.iter_rows()) == REPORTED

    def test_nightly_reports_are_several_rows_of_one_episode(self, planted: pl.DataFrame) -> None:
        nights = planted.filter(pl.col("case") == "nightly_reports").sort("episode_key", "row_number")
        assert nights.group_by("episode_key", "borough").len()["len"].is_between(1, 5).all()
        assert nights.height > 3 * nights["episode_key"].n_unique() * 0.9

    def test_two_rows_share_a_repeated_identifier_and_differ(self, planted: pl.DataFrame, files: Files) -> None:
        twice = planted.filter(pl.col("case") == "episode_id_twice")
        for (borough, name), rows in twice.group_by("borough", "file"):
            file = files[f"{borough}/{name}"]
            frame = file.frame[[number - file.first_row for number in rows["row_number"]]]
            assert (frame.group_by(EPISODE_ID[file.kind]).len()["len"] == 2).all()
            assert frame.is_unique().all()

    def test_repeated_rows_are_the_same_throughout(self, planted: pl.DataFrame, files: Files) -> None:
        repeated = planted.filter(pl.col("case") == "duplicate_rows")
        for borough, name, number in repeated.select("borough", "file", "row_number").iter_rows():
            frame = files[f"{borough}/{name}"].frame
            assert frame.rows().count(frame.row(number - files[f"{borough}/{name}"].first_row)) >= 2

    def test_a_repeated_delivery_has_the_same_bytes(self, planted: pl.DataFrame, small: Demonstration) -> None:
        for borough, file in (
            planted.filter(pl.col("case") == "duplicate_delivery").select("borough", "file").iter_rows()
        ):
            folder = small.landing / borough
            assert (folder / file).read_bytes() == (folder / file.removeprefix("copy-of-")).read_bytes()

    def test_the_month_that_never_came_is_not_in_landing(
        self, planted: pl.DataFrame, small: Demonstration, episodes: pl.DataFrame
    ) -> None:
        borough, file = planted.filter(pl.col("case") == "absent_month").select("borough", "file").row(0)
        assert not (small.landing / borough / file).exists()
        assert episodes.filter(pl.col("main_feed") & ~pl.col("delivered")).height > 0
