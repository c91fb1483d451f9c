"""Which codes, years and days may stand anywhere in a public file: the coordinates of the publication, and its names.

Numbers of figures are in `values`, constant texts in `wording`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from pipelines.disclosure.scan.derive import Coordinates, Published
from pipelines.disclosure.scan.wording import Wording
from pipelines.region import Region

# Names of the figures that are made once a year for one indicator.
_YEARLY = re.compile(r"funnel-(?P<indicator>i\d\d)(?:-[a-z-]+?)?(?:-(?P<year>\d{4}))?")
_ENDS = re.compile(r"-(?:heading|chart)$|\.csv$")


@dataclass(frozen=True)
class Vocabulary:
    """Coordinates and declared names.

    Attributes:
        published: the cells, whose coordinates may be named.
        wording: constant texts.
        region: areas, by code and name.
        declared: texts that the release says of itself: ids, the as-at instant, the last day of the data.
        own_days: days that the release says of itself.
    """

    published: Published
    wording: Wording
    region: Region
    declared: frozenset[str] = frozenset()
    own_days: frozenset[date] = field(default=frozenset())

    @property
    def boroughs(self) -> int:
        """How many boroughs there are."""
        return len(self.region.boroughs)

    @cached_property
    def areas(self) -> tuple[str, ...]:
        """Names of areas in the order of the reference file, the region last."""
        return tuple(area.name for area in (*self.region.boroughs, self.region.area))

    @cached_property
    def area_codes(self) -> tuple[str, ...]:
        """Codes of areas in the same order."""
        return tuple(area.code for area in (*self.region.boroughs, self.region.area))

    @cached_property
    def days(self) -> frozenset[date]:
        """First and last days of published periods, and the days that the release says of itself."""
        starts = {date.fromisoformat(cell_id.split("|")[4]) for cell_id in self.published.cells}
        return frozenset(starts | {cell.period_end for cell in self.published.cells.values()}) | self.own_days

    @cached_property
    def years(self) -> frozenset[int]:
        """Years of published periods and of populations."""
        return frozenset({day.year for day in self.days} | {year for _, _, year in self.published.populations})

    def has_word(self, word: str) -> bool:
        """Whether a word with a digit in it is a code, a name of a figure or a word of a constant text."""
        bare = word.rsplit("/", 1)[-1].lstrip("#")
        return (
            self.wording.has_word(word)
            or bare in self.area_codes
            or bare in self._indicators
            or self._is_figure_name(_ENDS.sub("", bare))
            or self.is_figure_id(bare)
        )

    def is_figure_id(self, text: str) -> bool:
        """Whether a text is the id of a figure that published counts give; ids hold coordinates and nothing else."""
        return Coordinates.of(text) is not None and self.published.figure(text) is not None

    def without_declared(self, text: str) -> str:
        """Blank out names of groups, units, and what the release says of itself; all else stays where it is."""
        return self._declared.sub(lambda match: "\u00a7" * len(match.group()), text)

    def _is_figure_name(self, name: str) -> bool:
        if self.wording.has_word(name):
            return True
        found = _YEARLY.fullmatch(name)
        if not found or found["indicator"].upper() not in self._indicators:
            return False
        return not found["year"] or int(found["year"]) in self.years

    @cached_property
    def _indicators(self) -> Collection[str]:
        return {one.indicator_id for one in self.published.catalogue.indicators}

    @cached_property
    def _declared(self) -> re.Pattern[str]:
        catalogue = self.published.catalogue
        named = {value for values in catalogue.breakdowns.values() for value in values}
        units = {one.unit for one in catalogue.indicators}
        # A group that is called by a number alone, such as children with 1 incident, must not allow that number.
        terms = {text for text in named | units | self.declared if _is_term(text)}
        either = "|".join(re.escape(text) for text in sorted(terms, key=lambda one: (-len(one), one)))
        return re.compile(rf"(?<![\w.,])(?:{either})(?![\w%])" if either else r"(?!)", re.IGNORECASE)


def _is_term(text: str) -> bool:
    return any(map(str.isdigit, text)) and sum(map(str.isalpha, text)) > 1
