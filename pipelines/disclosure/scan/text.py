"""Reads a piece of text of a public file and names the rules that it breaks.

Every number, date, code and mark in it must be one that is published for the figure, a coordinate, or a constant of
the text. What is around the text (an element, a cell, a chart) is read by the callers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from pipelines.disclosure.scan.values import Values
from pipelines.disclosure.scan.vocabulary import Vocabulary
from pipelines.disclosure.scan.wording import NUMBER, WORD, plain

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_SHORT = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec"
_NAMES = _MONTHS.split("|")
_TOKEN = re.compile(
    rf"(?P<day>\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTHS}|{_SHORT}),? \d{{4}})"
    r"|(?P<iso>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\+\d\d:\d\d)?)?)(?![\w-])"
    r"|(?P<slashed>\d{1,2}/\d{1,2}/\d{2,4})"
    r"|(?P<time>(?<![\d:])\d{1,2}:\d\d(?::\d\d)?)"
    rf"|(?<![A-Za-z])(?:{_MONTHS}|{_SHORT}|mid)[ -](?P<year>\d{{4}})(?!\d)"
    rf"|(?P<word>{WORD.pattern})"
    rf"|(?P<number>{NUMBER.pattern})"
)
_DAY = re.compile(r"(\d{1,2})\D* ([A-Z][a-z]{2})[a-z]*,? (\d{4})")
_HASH = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,}(?![0-9A-Za-z])")
# What a restricted page calls a child: the first characters of its code. No word and no number looks like that.
_SHORT_HASH = re.compile(r"(?<![0-9A-Za-z.-])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,31}(?![0-9A-Za-z])")
_MARK = re.compile(r"(?<!\w)\[([A-Za-z]{1,4})\]")
_FEWER = re.compile(r"[<≤]\s*\d")
_MARKS = frozenset("cxzu")
_OTHER_MARKS = frozenset({"low", "k", "*", "~", ":", "..", "<5", "[low]", "[k]", "n/a", "NA", "N/A"})
_EXTREME = r"min|max|minimum|maximum|longest|shortest|earliest|oldest|youngest|highest|lowest|largest|smallest"
_EXTREME_NAME = re.compile(rf"(?:^|[_\W])(?:{_EXTREME})(?:[_\W]|$)", re.IGNORECASE)
_EXTREME_BEFORE = re.compile(r"(?i)\b(?:longest|shortest|maximum|minimum|oldest|youngest|earliest)\b[^.;|]{0,40}$")
# Numbers that count the publication's own parts: how many boroughs, periods or notes a sentence is about.
_COUNTED_AFTER = re.compile(
    r" (?:boroughs?|periods? ha|more signs?|complete months?|notes\b|months stands|differs?\b|stood out)"
)
_MOST_NOTES = 99


@dataclass(frozen=True)
class _Place:
    """One number, date or code in a text."""

    text: str
    start: int
    end: int

    @property
    def token(self) -> str:
        return self.text[self.start : self.end]


class TextReader:
    """Judges texts by what is published and by the constant words of pages and contracts."""

    def __init__(self, vocabulary: Vocabulary, checksums: Collection[str] = ()) -> None:
        """Take what may be said anywhere, and the checksums that are no pseudonyms: those of files that are there."""
        self._known = vocabulary
        self._checksums = checksums

    def faults(self, raw: str, values: Values, *, constants: bool = False) -> Iterator[str]:
        """Name the rules that a text breaks, each as often as it does.

        Args:
            raw: the text as a reader sees it.
            values: the numbers of the figure, table or page that it belongs to.
            constants: whether numbers that contracts hold alone may stand alone: on pages without figures.
        """
        if not raw or raw.isspace():
            return
        text = plain(raw)
        if not text.isascii() and any(unicodedata.category(one)[0] == "N" for one in text if not one.isascii()):
            yield "number"
        yield from self._marks(text, constants=constants)
        rest = self._known.without_declared(text)
        if any(found.group() not in self._checksums for found in _HASH.finditer(rest)) or _SHORT_HASH.search(rest):
            yield "pseudonym"
            return
        rest = _HASH.sub(lambda match: "\u00a7" * len(match.group()), rest)
        for match in _TOKEN.finditer(rest):
            kind = match.lastgroup or "number"
            place = _Place(text, *match.span(kind))
            rule = self._fault(kind, place, values)
            if rule and not (constants and kind == "number" and place.token in self._known.wording.scalars):
                yield rule

    def name_faults(self, name: str) -> Iterator[str]:
        """Name the rules that a heading of a column or a key breaks."""
        if _EXTREME_NAME.search(name):
            yield "extremum"

    def _marks(self, text: str, *, constants: bool) -> Iterator[str]:
        is_code = constants and self._known.wording.has_text(text)
        if (text.strip() in _OTHER_MARKS and not is_code) or any(mark not in _MARKS for mark in _MARK.findall(text)):
            yield "symbol"
        for match in _FEWER.finditer(text):
            if not self._known.wording.has_number(text, match.end() - 1, match.end()):
                yield "symbol"

    def _fault(self, kind: str, place: _Place, values: Values) -> str | None:
        if self._known.wording.has_number(place.text, place.start, place.end):
            return None
        if kind == "number":
            return self._number_fault(place, values)
        if kind == "word":
            return None if self._known.has_word(place.token) else "number"
        if kind == "year":
            return None if int(place.token) in self._known.years else "date"
        day = {"day": _day, "iso": _iso}.get(kind, _none)(place.token)
        return None if day in self._known.days else "date"

    def _number_fault(self, place: _Place, values: Values) -> str | None:
        written = place.token.replace(",", "")
        after = _COUNTED_AFTER.match(place.text, place.end)
        if after and written.isdigit():
            most = _MOST_NOTES if "notes" in after.group() else max(values.most_counted, self._known.boroughs)
            return None if int(written) <= most else "number"
        if written not in values.texts:
            return "number"
        return "extremum" if _EXTREME_BEFORE.search(place.text, 0, place.start) else None


def _none(_: str) -> date | None:
    """A time, or a day written as no page of ours writes it, is none that is declared."""
    return None


def _day(words: str) -> date | None:
    found = _DAY.match(words)
    if not found:
        return None
    month = next(place for place, name in enumerate(_NAMES, start=1) if name.startswith(found.group(2)))
    return _real(int(found.group(3)), month, int(found.group(1)))


def _iso(words: str) -> date | None:
    # A day with a time is finer than any day that is declared.
    return _real(*map(int, words.split("-"))) if len(words) == len("2026-04-01") else None


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
