"""The scan of a public folder: every file of it is read by its kind, and a kind that is not known is a finding.

Tables are read first, since a figure on a page may show what its own table holds. Fails closed: what cannot be read
cannot be published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from pipelines.disclosure.evidence import AUDIT, CELLS, POLICY
from pipelines.disclosure.scan.allowed import Allowed
from pipelines.disclosure.scan.chart import ChartReader
from pipelines.disclosure.scan.documents import DocumentReader
from pipelines.disclosure.scan.findings import Finding
from pipelines.disclosure.scan.page import PageReader
from pipelines.disclosure.scan.tables import TableReader, cell_faults
from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values
from pipelines.disclosure.scan.workbook import WorkbookReader

Reader = Callable[[Path], list[Finding]]
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
        found = [finding for path in paths for finding in self._name_faults(path)]
        tables = [path for path in paths if path.suffix == ".csv"]
        found += [finding for path in tables for finding in self._guarded(self._table, path)]
        readers = self._readers()
        for path in paths:
            if path.is_symlink() or path.suffix not in {*readers, ".csv"}:
                found.append(Finding(self._name(path), "file", "file"))
            elif path.suffix in readers:
                found += self._guarded(readers[path.suffix], path)
        return found

    def page(self, path: Path) -> list[Finding]:
        """Read one page, with the figures whose tables have been read."""
        reader = PageReader(self._name(path), self._figures, self._allowed.headlines, self._text, self._charts)
        return reader.read(path.read_text(encoding="utf-8"), self._allowed.vocabulary.areas)

    def _readers(self) -> Mapping[str, Reader]:
        """What reads a kind of file; tables are read before."""
        whole = Values()
        for values in self._figures.values():
            whole.merge(values)
        # Documents name files by their checksums; nothing else that looks like one has a place anywhere.
        checked = TextReader(self._allowed.vocabulary, _checksums(self._root) | _checksums(self._allowed.contracts))
        documents = DocumentReader(self._root, checked, whole, self._allowed.policy)
        by_place: Mapping[str, Callable[[Path], list[tuple[str, str]]]] = {
            ".json": documents.json,
            ".yaml": documents.yaml,
            ".cff": documents.yaml,
            ".txt": documents.text,
            ".md": documents.text,
            ".png": documents.png,
            ".svg": documents.svg,
            ".xlsx": WorkbookReader(self._text, whole).faults,
        }
        return {kind: self._named(reader) for kind, reader in by_place.items()} | {".html": self.page}

    def _named(self, reader: Callable[[Path], list[tuple[str, str]]]) -> Reader:
        return lambda path: [Finding(self._name(path), place, rule) for place, rule in reader(path)]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _name_faults(self, path: Path) -> list[Finding]:
        """The names of a file and of its folders can tell as much as what is in it."""
        if path.name in _NAMED:
            return []
        parts = path.relative_to(self._root).with_suffix("").parts
        return [
            Finding(self._name(path), "its name", rule) for part in parts for rule in self._text.faults(part, Values())
        ]

    def _table(self, path: Path) -> list[Finding]:
        name, text = self._name(path), path.read_bytes().decode("utf-8")
        if path.name == CELLS:
            known = self._allowed
            return cell_faults(name, text, known.published, known.releases, known.base)
        reader = TableReader(self._allowed.vocabulary, self._text, self._allowed.charts, self._allowed.releases)
        found, self._figures[path.stem] = reader.read(name, text)
        return found

    def _guarded(self, reader: Reader, path: Path) -> list[Finding]:
        try:
            return reader(path)
        except Exception:  # noqa: BLE001 - whatever is wrong with it: what cannot be read cannot be published
            return [Finding(self._name(path), "file", "file")]


def _checksums(folder: Path) -> frozenset[str]:
    """SHA-256 of every file of a folder."""
    return frozenset(sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file())
