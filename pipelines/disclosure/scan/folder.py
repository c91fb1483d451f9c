"""The scan of a public folder: every file of it is read by its kind, and a kind that is not known is a finding.

Tables are read first, since a figure on a page may show what its own table holds. Fails closed: what cannot be read
cannot be published.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.disclosure.scan.allowed import Allowed
from pipelines.disclosure.scan.chart import ChartReader
from pipelines.disclosure.scan.documents import AUDIT, POLICY, DocumentReader
from pipelines.disclosure.scan.findings import Finding
from pipelines.disclosure.scan.page import PageReader
from pipelines.disclosure.scan.tables import CELLS, TableReader, cell_faults
from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values
from pipelines.disclosure.scan.workbook import WorkbookReader

_NAMED = frozenset({CELLS, AUDIT, POLICY})


def scan(folder: Path, allowed: Allowed) -> list[Finding]:
    """Read every file of a public folder and name every place that holds more than what is published.

    Args:
        folder: a public folder: the public part of the site, or a release.
        allowed: what is published; see `pipelines.disclosure.scan.allowed`.

    Returns:
        Findings in the order of files; none means that the folder may be published.
    """
    return _Folder(folder, allowed).read()


def scan_page(path: Path, allowed: Allowed) -> list[Finding]:
    """Read one page that stands outside the public folder, such as the entry page, and belongs to it."""
    return _Folder(path.parent, allowed).page(path)


class _Folder:
    """One folder while it is scanned."""

    def __init__(self, folder: Path, allowed: Allowed) -> None:
        self._root = folder
        self._allowed = allowed
        self._text = TextReader(allowed.vocabulary)
        self._charts = ChartReader(allowed.vocabulary, self._text)
        self._figures: dict[str, Values] = {}

    def read(self) -> list[Finding]:
        """Read every file."""
        paths = sorted(path for path in self._root.rglob("*") if not path.is_dir() or path.is_symlink())
        tables = [path for path in paths if path.suffix == ".csv" and path.is_file()]
        found = [finding for path in paths for finding in self._name_faults(path)]
        found += [finding for path in tables for finding in self._table(path)]
        documents = DocumentReader(self._root, self._text, self._whole(), self._allowed.policy)
        book = WorkbookReader(self._text, self._whole())
        readers: Mapping[str, Callable[[Path], list[tuple[str, str]]]] = {
            ".json": documents.json, ".yaml": documents.yaml, ".cff": documents.yaml, ".txt": documents.text,
            ".md": documents.text, ".png": documents.png, ".svg": documents.svg, ".xlsx": book.faults,
        }  # fmt: skip
        for path in paths:
            name = self._name(path)
            if path.is_symlink() or (path.suffix not in readers and path.suffix not in {".csv", ".html"}):
                found.append(Finding(name, "file", "file"))
            elif path.suffix == ".html":
                found += self.page(path)
            elif path.suffix in readers:
                found += [Finding(name, where, rule) for where, rule in self._guarded(readers[path.suffix], path)]
        return found

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _name_faults(self, path: Path) -> list[Finding]:
        """The name of a file can tell as much as what is in it."""
        if path.name in _NAMED:
            return []
        stem = path.name.removesuffix(path.suffix)
        return [Finding(self._name(path), "its name", rule) for rule in self._text.faults(stem, Values())]

    def _table(self, path: Path) -> list[Finding]:
        name = self._name(path)
        try:
            text = path.read_bytes().decode("utf-8")
            if path.name == CELLS:
                return cell_faults(name, text, self._allowed.published, self._allowed.base)
            reader = TableReader(self._allowed.vocabulary, self._text, self._allowed.charts, self._allowed.releases)
            found, self._figures[path.stem] = reader.read(name, text)
        except (UnicodeDecodeError, csv.Error):
            return [Finding(name, "file", "file")]
        return found

    def page(self, path: Path) -> list[Finding]:
        """Read one page, with the figures whose tables have been read."""
        name = self._name(path)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return [Finding(name, "file", "file")]
        reader = PageReader(name, self._figures, self._allowed.headlines, self._text, self._charts)
        return reader.read(text, self._allowed.vocabulary.areas)

    def _whole(self) -> Values:
        whole = Values()
        for values in self._figures.values():
            whole.merge(values)
        return whole

    @staticmethod
    def _guarded(reader: Callable[[Path], list[tuple[str, str]]], path: Path) -> list[tuple[str, str]]:
        try:
            return reader(path)
        except (UnicodeDecodeError, RecursionError):
            return [("file", "file")]
