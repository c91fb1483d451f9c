"""Public files beside pages and tables: JSON and YAML documents, plain text, pictures.

A document may hold sizes and checksums of the files beside it, the release's own names and published numbers. Of a
picture only what is written in it can be judged: a PNG may carry no text, an SVG no text that a page could not.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from pipelines.disclosure.evidence import AUDIT, POLICY
from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values

Fault = tuple[str, str]
# Keys under which a report could say what is true of a cell, or what only an audit with true counts knows.
_OF_CELLS = frozenset({"lo", "hi", "low", "high", "lower", "upper", "true", "true_count", "count", "children", "value"})
_SIZES = frozenset({"bytes", "size"})
_ROWS = frozenset({"rows", "row_count"})
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_PARTS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"tRNS", b"bKGD"}
)
_PNG_TEXTS = frozenset({b"tEXt", b"iTXt", b"zTXt"})
_SVG_PARTS = frozenset(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "title",
        "desc",
        "defs",
        "clipPath",
        "use",
    ]
)
_TEXTS_OF_SVG = frozenset({"text", "tspan", "title", "desc"})


class DocumentReader:
    """Judges files that are neither pages nor tables."""

    def __init__(self, folder: Path, reader: TextReader, values: Values, policy: bytes) -> None:
        """Take what may be said.

        Args:
            folder: where the files that a document may measure are.
            reader: judges texts.
            values: every published number of the folder.
            policy: the disclosure policy, as this project holds it.
        """
        self._folder = folder
        self._text = reader
        self._values = values
        self._policy = policy

    def json(self, path: Path) -> list[Fault]:
        """Judge every key and scalar of a JSON document."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return [("document", "file")]
        return list(self._audit(content, "$") if path.name == AUDIT else self._walk(content, "$", {}))

    def yaml(self, path: Path) -> list[Fault]:
        """Judge a YAML document; the disclosure policy must be the project's own, to the byte or in content."""
        if path.name == POLICY and path.read_bytes() == self._policy:
            return []
        try:
            # By the loader in Python: the one in C ends the whole process where lists stand in lists without end.
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (ValueError, yaml.YAMLError):
            return [("document", "file")]
        if path.name == POLICY:
            return [] if content == yaml.safe_load(self._policy) else [("document", "policy")]
        return list(self._walk(content, "$", {}))

    def text(self, path: Path) -> list[Fault]:
        """Judge every line of a plain text."""
        lines = path.read_text(encoding="utf-8").splitlines()
        return [
            (f"line {number}", rule)
            for number, line in enumerate(lines, start=1)
            for rule in self._text.faults(line, self._values)
        ]

    def png(self, path: Path) -> list[Fault]:
        """Judge what is written in a PNG beside its pixels."""
        try:
            return list(self._png(path.read_bytes()))
        except (IndexError, ValueError, zlib.error):
            return [("picture", "file")]

    def svg(self, path: Path) -> list[Fault]:
        """Judge the parts and texts of an SVG. Where its lines lead cannot be judged."""
        raw = path.read_bytes()
        if b"<!--" in raw or b"<!ENTITY" in raw or b"<![CDATA[" in raw:
            return [("picture", "comment")]
        try:
            root = ET.fromstring(raw)  # noqa: S314 - our own file, and entities are refused above
        except ET.ParseError:
            return [("picture", "file")]
        return list(self._svg(root))

    def _walk(self, node: Any, path: str, siblings: dict[str, Any]) -> Iterator[Fault]:
        if isinstance(node, dict):
            for key, part in node.items():
                where = f"{path}.{key}"
                yield from ((where, rule) for rule in self._text.name_faults(str(key)))
                yield from ((where, rule) for rule in self._text.faults(str(key), Values()))
                if isinstance(part, int) and not isinstance(part, bool) and self._is_measured(str(key), part, node):
                    continue
                yield from self._walk(part, where, node)
        elif isinstance(node, list):
            for place, part in enumerate(node):
                yield from self._walk(part, f"{path}[{place}]", siblings)
        elif node is not None and not isinstance(node, bool):
            yield from ((path, rule) for rule in self._text.faults(str(node), self._values))

    def _is_measured(self, key: str, number: int, beside: dict[str, Any]) -> bool:
        """Whether a number is the size of a file that is named beside it."""
        names = (beside.get(name) for name in ("path", "file", "name"))
        named = next((name for name in names if isinstance(name, str)), None)
        if named is None or ".." in named:
            return False
        path = self._folder / named
        if not path.is_file():
            return False
        # A header and, in our files, no line feed inside a cell.
        true = path.stat().st_size if key in _SIZES else path.read_bytes().count(b"\n") - 1 if key in _ROWS else None
        return true == number

    def _audit(self, node: Any, path: str) -> Iterator[Fault]:
        """The report of the audit says what anybody can work out, so its numbers pass; what is true it may not say."""
        if isinstance(node, dict):
            for key, part in node.items():
                if key in _OF_CELLS:
                    yield f"{path}.{key}", "hidden"
                yield from self._audit(str(key), path)
                yield from self._audit(part, f"{path}.{key}")
        elif isinstance(node, list):
            for place, part in enumerate(node):
                yield from self._audit(part, f"{path}[{place}]")
        elif isinstance(node, str):
            yield from ((path, rule) for rule in self._text.faults(node, self._values) if rule == "pseudonym")

    def _png(self, raw: bytes) -> Iterator[Fault]:
        if not raw.startswith(_PNG):
            yield "picture", "file"
            return
        place = len(_PNG)
        kind = b""
        while place < len(raw):
            length, kind = int.from_bytes(raw[place : place + 4], "big"), raw[place + 4 : place + 8]
            content = raw[place + 8 : place + 8 + length]
            place += length + 12
            is_software = kind in _PNG_TEXTS and content.split(b"\0", 1)[0] == b"Software"
            if kind not in _PNG_PARTS and not is_software:
                yield f"part {kind.decode('latin-1')}", "metadata"
            if kind == b"IEND":
                break
        if kind != b"IEND" or place != len(raw):
            yield "after the end", "hidden"

    def _svg(self, node: ET.Element) -> Iterator[Fault]:
        name = node.tag.rpartition("}")[2]
        if name not in _SVG_PARTS:
            yield name, "element"
        for attribute, value in node.attrib.items():
            bare = attribute.rpartition("}")[2]
            if bare.startswith(("data-", "on", "aria-")) or bare in {"href", "display", "visibility"}:
                yield f"{name} {bare}", "hidden"
            elif bare in {"id", "class"}:
                yield from ((f"{name} {bare}", rule) for rule in self._text.faults(value, Values()))
        for text in (node.text, node.tail):
            if text and text.strip():
                rules = self._text.faults(text, self._values) if name in _TEXTS_OF_SVG else ("hidden",)
                yield from ((name, rule) for rule in rules)
        for part in node:
            yield from self._svg(part)
