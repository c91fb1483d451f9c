"""Files of a public folder that are neither pages nor tables: what each kind may hold; other kinds may not be there."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path

import pytest

from dashboards.constants import constant_wording
from pipelines.disclosure.scan import (
    RULES,
    Allowed,
    Finding,
    PublicPagesRefused,
    ScanInputError,
    allowed_from_folder,
    allowed_from_warehouse,
    scan,
)
from pipelines.home import CONTRACTS
from tests.builders.public_site import RELEASE, published_warehouse, write_cells

HASH = "3f" * 32


@pytest.fixture(scope="module")
def allowed() -> Allowed:
    with published_warehouse() as connection:
        return allowed_from_warehouse(connection, constant_wording())


def rules(folder: Path, allowed: Allowed) -> set[str]:
    return {finding.rule for finding in scan(folder, allowed)}


def test_an_empty_folder_has_nothing_to_find(tmp_path: Path, allowed: Allowed) -> None:
    assert scan(tmp_path, allowed) == []


@pytest.mark.parametrize("name", ["rows.parquet", "warehouse.duckdb", "Makefile", "notes.docx", ".hidden", "a.html~"])
def test_a_kind_of_file_that_is_not_known_is_refused(tmp_path: Path, allowed: Allowed, name: str) -> None:
    (tmp_path / name).write_text("Bolton", encoding="utf-8")
    assert rules(tmp_path, allowed) == {"file"}


def test_a_link_is_refused(tmp_path: Path, allowed: Allowed) -> None:
    target = tmp_path.parent / "elsewhere.txt"
    target.write_text("Bolton", encoding="utf-8")
    (tmp_path / "a.txt").symlink_to(target)
    assert rules(tmp_path, allowed) == {"file"}


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, allowed: Allowed) -> None:
    for name in ("a.csv", "b.html", "c.json", "d.txt"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    assert {finding.file for finding in scan(tmp_path, allowed) if finding.rule == "file"} == {
        "a.csv", "b.html", "c.json", "d.txt"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        (None, {"release": RELEASE, "title": "Children missing", "temporal": "2024-04-01"}),
        ("number", {"children": 12345}),
        ("number", {"note": ["of them 12345"]}),
        ("number", {"bytes": 12345}),
        ("date", {"first": "2025-05-12"}),
        ("pseudonym", {"a": {"b": [HASH]}}),
        ("pseudonym", {HASH: 1}),
        ("extremum", {"longest_hours": "Bolton"}),
    ],
)
def test_every_key_and_scalar_of_a_document_is_read(
    tmp_path: Path, allowed: Allowed, rule: str | None, content: object
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert rules(tmp_path, allowed) >= ({rule} if rule else set())
    assert bool(rules(tmp_path, allowed)) == bool(rule)


def test_a_document_may_say_how_large_the_files_beside_it_are(tmp_path: Path, allowed: Allowed) -> None:
    (tmp_path / "a.txt").write_text("Bolton\nBury\n", encoding="utf-8")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps([{"path": "a.txt", "bytes": 12, "rows": 1}]), encoding="utf-8")
    assert scan(tmp_path, allowed) == []
    manifest.write_text(json.dumps([{"path": "a.txt", "bytes": 40, "rows": 1}]), encoding="utf-8")
    assert rules(tmp_path, allowed) == {"number"}


def test_a_document_may_name_the_checksums_of_the_files_beside_it_and_no_other(
    tmp_path: Path, allowed: Allowed
) -> None:
    (tmp_path / "a.txt").write_text("Bolton\n", encoding="utf-8")
    own = hashlib.sha256(b"Bolton\n").hexdigest()
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"path": "a.txt", "sha256": own}), encoding="utf-8")
    assert scan(tmp_path, allowed) == []
    manifest.write_text(json.dumps({"path": "a.txt", "sha256": HASH}), encoding="utf-8")
    assert rules(tmp_path, allowed) == {"pseudonym"}


def test_the_policy_must_be_the_projects_own(tmp_path: Path, allowed: Allowed) -> None:
    policy = tmp_path / "disclosure-policy.yaml"
    own = (CONTRACTS / "rules" / "disclosure.yaml").read_text(encoding="utf-8")
    policy.write_text(own, encoding="utf-8")
    assert scan(tmp_path, allowed) == []
    policy.write_text(own.replace("base: 5", "base: 3"), encoding="utf-8")
    assert rules(tmp_path, allowed) == {"policy"}


def test_the_report_of_the_audit_says_nothing_that_is_true_of_a_cell(tmp_path: Path, allowed: Allowed) -> None:
    report = tmp_path / "disclosure-audit.json"
    report.write_text(json.dumps({"passed": True, "cells": 1815, "refused": []}), encoding="utf-8")
    assert scan(tmp_path, allowed) == []
    report.write_text(json.dumps({"refused": [{"cell_id": "incidents|A", "lo": 3, "hi": 3}]}), encoding="utf-8")
    assert rules(tmp_path, allowed) == {"hidden"}


def png(*parts: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    written = b"\x89PNG\r\n\x1a\n"
    for kind, content in parts:
        check = struct.pack(">I", zlib.crc32(kind + content))
        written += struct.pack(">I", len(content)) + kind + content + check
    return written + tail


HEAD, END = (b"IHDR", bytes(13)), (b"IEND", b"")


@pytest.mark.parametrize(
    ("rule", "picture"),
    [
        (None, png(HEAD, (b"tEXt", b"Software\0Chromium"), (b"IDAT", b"x"), END)),
        ("metadata", png(HEAD, (b"tEXt", b"Comment\0three children"), END)),
        ("metadata", png(HEAD, (b"zTXt", b"Author\0x"), END)),
        ("metadata", png(HEAD, (b"eXIf", b"x"), END)),
        ("hidden", png(HEAD, END, tail=b"child_id,3")),
        ("hidden", png(HEAD)),
        ("file", b"GIF89a"),
    ],
)
def test_a_picture_carries_no_text(tmp_path: Path, allowed: Allowed, rule: str | None, picture: bytes) -> None:
    (tmp_path / "chart.png").write_bytes(picture)
    assert rules(tmp_path, allowed) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        (None, '<text x="1">Bolton</text><path d="M0 0L9 9"/>'),
        ("number", "<text>12345 children</text>"),
        ("hidden", '<path d="M0 0" data-count="3"/>'),
        ("hidden", "<g>Bolton</g>"),
        ("element", "<metadata>Bolton</metadata>"),
        ("element", "<script>Bolton</script>"),
        ("comment", "<!-- three -->"),
        ("file", "<g>"),
    ],
)
def test_texts_and_parts_of_a_drawing_are_read(tmp_path: Path, allowed: Allowed, rule: str | None, inside: str) -> None:
    (tmp_path / "chart.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>', encoding="utf-8")
    assert rules(tmp_path, allowed) >= ({rule} if rule else set())
    assert bool(rules(tmp_path, allowed)) == bool(rule)


def test_a_folder_without_its_cells_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(ScanInputError, match=r"cells\.csv"):
        allowed_from_folder(tmp_path, constant_wording())
    (tmp_path / "cells.csv").write_text("release,cell_id\none,two\n", encoding="utf-8")
    with pytest.raises(ScanInputError, match=r"cells\.csv"):
        allowed_from_folder(tmp_path, constant_wording())


@pytest.mark.parametrize(
    ("rule", "column", "value"),
    [
        ("derived", "count", "7"),
        ("derived", "cell_id", "incidents|A"),
        ("symbol", "symbol", "low"),
        ("derived", "release_id", "site-ba9876543210"),
        ("derived", "release_id", HASH),
        ("derived", "method", "3"),
        ("derived", "within", "333"),
        ("derived", "period_end", "2024-05-12"),
    ],
)
def test_a_cell_is_named_marked_and_rounded_as_it_must_be(
    tmp_path: Path, allowed: Allowed, rule: str, column: str, value: str
) -> None:
    write_cells(tmp_path)
    path = tmp_path / "cells.csv"
    assert scan(tmp_path, allowed) == []
    header, first, *rest = path.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {column: value}
    path.write_text("\n".join([header, ",".join(cells.values()), *rest, ""]), encoding="utf-8")
    assert rule in rules(tmp_path, allowed)


def test_every_rule_has_a_sentence_and_a_refusal_tells_the_first_places() -> None:
    findings = [Finding("index.html", f"line {line}:0", rule) for line, rule in enumerate(RULES)]
    said = str(PublicPagesRefused(findings))
    assert f"{len(findings)} places" in said
    assert "index.html, line 0:0" in said
    assert f"and {len(findings) - 10} more" in said
