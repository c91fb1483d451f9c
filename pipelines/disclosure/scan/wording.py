"""The constant text of pages and contracts: a number is allowed there only between the words that it belongs to.

"within 72 hours" allows 72 before " hours" and after "within ", and nowhere else, so that the constants of texts do
not open a door to small counts. Where the texts come from is not known here; `dashboards.constants` collects them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

HOLE = "\0"  # stands in a text where something is filled in
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?%?")
# A word with a digit in it that is no plain number: I01, E47000001, early-3-in-28, ssda903.567.
WORD = re.compile(r"[A-Za-z_&#][\w.\-/#]*\d[\w.\-/#]*\w|[A-Za-z_&#][\w.\-/#]*\d|\d+[A-Za-z_][\w.\-/]*")
_AROUND = 14
_ENOUGH = 5  # letters around a number that make a place of it
_LETTERS = 2  # of a text that allows the numbers in it where it stands alone
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """Write all white space as one space, as a reader sees it."""
    return _SPACE.sub(" ", text)


class Wording:
    """Constant texts, to be asked whether a number stands where one of them has it."""

    def __init__(
        self, texts: Iterable[str], scalars: Iterable[str] = (), sizes: Mapping[str, Collection[float]] | None = None
    ) -> None:
        """Take what is constant.

        Args:
            texts: with `HOLE` where something is filled in.
            scalars: numbers that contracts hold alone.
            sizes: numbers that the drawing code states, by what they are the size of.
        """
        self._around: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._whole: set[str] = set()
        self._words: set[str] = set()
        self.scalars = frozenset(scalars)
        self.sizes: Mapping[str, Collection[float]] = sizes or {}
        for text in set(texts):
            # A heading begins with a capital letter where the text it quotes does not.
            self._take(plain(text))
            self._take(plain(text[:1].upper() + text[1:]))

    def has_word(self, word: str) -> bool:
        """Whether a word with a digit in it stands in a constant text."""
        return word in self._words

    def has_text(self, text: str) -> bool:
        """Whether a text is a constant one as a whole."""
        return plain(text).strip() in self._whole

    def has_number(self, text: str, start: int, end: int) -> bool:
        """Whether the number at a place of a text is one of a constant text, in its words.

        Args:
            text: as `plain` writes it.
            start: where the number begins.
            end: where it ends.
        """
        if text.strip() in self._whole:
            return True
        return any(
            text.endswith(before, 0, start) and text.startswith(after, end)
            for before, after in self._around.get(text[start:end], ())
        )

    def _take(self, text: str) -> None:
        self._words.update(WORD.findall(text))
        for part in text.split(HOLE):
            if HOLE not in text and sum(letter.isalpha() for letter in part) >= _LETTERS:
                self._whole.add(part.strip())
            for match in NUMBER.finditer(part):
                before, after = part[max(0, match.start() - _AROUND) : match.start()], part[match.end() :][:_AROUND]
                if sum(letter.isalpha() for letter in before + after) >= _ENOUGH:
                    self._around[match.group()].add((before, after))
