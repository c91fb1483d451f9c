"""Public pages: all text, attributes, tables and charts of an HTML file, each judged by the figure that it stands in.

A figure is known by `data-figure-id` and may show what its own file holds. Elements and attributes that our templates
do not use are findings, as are comments, scripts of any other kind and whatever a reader does not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from pipelines.disclosure.scan.chart import ChartReader
from pipelines.disclosure.scan.findings import Finding
from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values

_ELEMENTS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "p",
        "header",
        "nav",
        "main",
        "div",
        "section",
        "h1",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "figure",
        "figcaption",
        "details",
        "summary",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
        "footer",
        "strong",
        "span",
        "br",
        "code",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "lang",
        "charset",
        "name",
        "content",
        "http-equiv",
        "rel",
        "href",
        "src",
        "defer",
        "class",
        "role",
        "id",
        "tabindex",
        "aria-label",
        "aria-labelledby",
        "aria-current",
        "data-figure-id",
        "data-chart",
        "style",
        "scope",
        "download",
        "type",
        "open",
    ]
)
_VOID = frozenset({"meta", "link", "br"})
# What a person reads or hears; the rest are names and places.
_SPOKEN = frozenset({"aria-label", "content"})
_ELSEWHERE = re.compile(r"^(?:[a-z]+:|//)")
_STYLE = re.compile(r"min-height: (\d+)px")
_NO_VALUES = Values()


class PageReader(HTMLParser):
    """Reads one page; `findings` holds what is wrong with it."""

    def __init__(
        self, name: str, figures: Mapping[str, Values], page: Values, reader: TextReader, charts: ChartReader
    ) -> None:
        """Take what may stand on the page.

        Args:
            name: path of the page in the folder.
            figures: the numbers of each figure.
            page: the numbers that headlines may hold, which stand outside figures.
            reader: judges texts.
            charts: judges charts.
        """
        super().__init__(convert_charrefs=True)
        self.findings: list[Finding] = []
        self._name = name
        self._figures = figures
        self._page = page
        self._text = reader
        self._charts = charts
        self._figure = ""
        self._open: list[str] = []
        self._script: list[str] | None = None
        self._height: str | None = None
        self._rows: list[str] = []
        self._is_row_name = False
        self._row = ""
        self._is_card = False
        self._has_figures = False

    def read(self, text: str, areas: tuple[str, ...]) -> list[Finding]:
        """Judge a page.

        Args:
            text: the page.
            areas: names of areas in the order in which tables list them.
        """
        self._areas = areas
        self._has_figures = "data-figure-id" in text
        self.feed(text)
        self.close()
        if self.rawdata.strip():
            self._find("element")
        return self.findings

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge an element's name and attributes."""
        given = {name: value or "" for name, value in attrs}
        if tag not in _ELEMENTS:
            self._find("element")
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "figure":
            self._enter(given.get("data-figure-id", ""))
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._row = ""
        self._is_row_name = tag == "th" and given.get("scope") == "row"
        self._is_card = (tag, given.get("class")) == ("p", "value")
        if tag == "script":
            self._start_script(given)
        for rule in self._attribute_faults(given):
            self._find(rule)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge an element that is closed at once."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element; a chart is read when its script ends."""
        if tag in self._open:
            while self._open and self._open.pop() != tag:
                pass
        if tag == "script":
            self._end_script()
        if tag == "table" and self._rows != sorted(self._rows, key=self._areas.index):
            self._find("order")
        if tag == "figure":
            self._figure = ""
        if tag == "tr":
            self._row = ""
        self._is_row_name = self._is_card = False

    def handle_data(self, data: str) -> None:
        """Judge a piece of text."""
        if self._script is not None:
            self._script.append(data)
            return
        if self._is_row_name:
            self._row = data.strip()
            self._rows += [self._row] if self._row in self._areas else []
        if self._open and self._open[-1] == "th" and not self._is_row_name:
            for rule in self._text.name_faults(data):
                self._find(rule)
        for rule in self._text.faults(data, self._values, constants=not self._has_figures):
            self._find(rule)

    def handle_comment(self, data: str) -> None:
        """No page of ours has a comment."""
        del data
        self._find("comment")

    def handle_pi(self, data: str) -> None:
        """No page of ours has an instruction to a program."""
        del data
        self._find("comment")

    def unknown_decl(self, data: str) -> None:
        """No page of ours has a section of raw characters."""
        del data
        self._find("comment")

    def handle_decl(self, decl: str) -> None:
        """Every page begins with the same declaration."""
        if decl.lower() != "doctype html":
            self._find("comment")

    @property
    def _values(self) -> Values:
        if not self._figure:
            return self._page if self._is_card else _NO_VALUES
        return self._figures.get(self._figure, _NO_VALUES).of_row(self._row)

    def _enter(self, figure: str) -> None:
        self._figure = figure or "(no id)"
        self._height = None
        if figure not in self._figures:
            self._find("figure")

    def _attribute_faults(self, given: Mapping[str, str]) -> Iterator[str]:
        for name, value in given.items():
            if name not in _ATTRIBUTES:
                yield "element"
            if name == "style":
                sized = _STYLE.fullmatch(value)
                self._height = sized.group(1) if sized else None
                yield from () if sized and given.get("class") == "chart" else ("hidden",)
                continue
            if name in {"href", "src"} and _ELSEWHERE.match(value):
                yield "element"
            if name in {"tabindex", "charset"} and value in {"0", "-1", "utf-8"}:
                continue
            own = self._values if name in _SPOKEN else _NO_VALUES
            yield from self._text.faults(value, own)

    def _start_script(self, given: Mapping[str, str]) -> None:
        self._script = []
        is_chart = given.get("type") == "application/json" and "data-chart" in given and bool(self._figure)
        is_ours = given.keys() == {"src", "defer"} and "assets/" in given["src"]
        self._is_chart = is_chart
        if not (is_chart or is_ours):
            self._find("script")

    def _end_script(self) -> None:
        text = "".join(self._script or ())
        self._script = None
        if not text.strip():
            return
        if not self._is_chart:
            self._find("script")
            return
        for path, rule in self._charts.faults(text, self._values):
            self.findings.append(Finding(self._name, f"{self._figure}: {path or 'chart'}", rule))
        if self._height != str(self._charts.height(text)):
            self._find("axis")

    def _find(self, rule: str) -> None:
        line, column = self.getpos()
        where = f"{self._figure}, line {line}:{column}" if self._figure else f"line {line}:{column}"
        self.findings.append(Finding(self._name, where, rule))
