"""Which comparability notes concern a figure: what a system, a recording practice or a break makes of what is counted.

A note names the indicators or measures it concerns, the bases, the area and the days; a figure gets the notes of what
it is made from, in the areas and days it shows. Notes are worded in `data_contracts/`; which there are is found in
`sql/quality/note.sql`, and `sql/quality/figure_note.sql` says the same for each figure alone, which the tests hold
against the pages. Nothing here reads a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dashboards.words import listed
from pipelines.contracts.concerns import ALL_MEASURES
from pipelines.region import Region

BREAK, POPULATION = "break", "population"
# Kinds whose text is a sentence of its own, not about single boroughs.
_OF_SERIES = {BREAK: "Break in the series", POPULATION: "Population estimates"}
# A month that a note holds for, and the one after.
_RETURNS_FOLLOW = timedelta(days=61)
Period = tuple[date, date]


@dataclass(frozen=True)
class Note:
    """One note as it concerns one borough, from a day to a day (None: since ever, for ever).

    Of a layout, `note_id` is the layout's id, a full stop, and the note's own, and the days are the first of the months
    whose rows were recorded in this way. `bases` and `indicators`: none for all. `break_days` are those from which on
    a series is another one, drawn with `label`.
    """

    area_code: str
    note_id: str
    text: str
    measures: tuple[str, ...]
    first_day: date | None = None
    last_day: date | None = None
    kind: str = "layout"
    label: str = ""
    bases: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    break_days: tuple[date, ...] = ()

    def touches(self, period: Period) -> bool:
        """Whether what the note is about can be in a period; a return can follow the month of its start.

        The days of a break are exact.
        """
        first, last = period
        following = timedelta() if self.kind in _OF_SERIES else _RETURNS_FOLLOW
        starts_in_time = self.first_day is None or self.first_day <= last
        return starts_in_time and (self.last_day is None or first <= self.last_day + following)

    def lines(self) -> list[tuple[date, str]]:
        """The days on which a line is drawn, with what stands at it; of two days the way between begins and ends."""
        if len(self.break_days) == 1:
            return [(self.break_days[0], self.label)]
        words = ("begins", "ends")
        return [(day, f"{self.label} {word}") for day, word in zip(self.break_days, words, strict=False)]

    def concerns(self, measures: Collection[str], indicators: Collection[str], bases: Collection[str]) -> bool:
        """Whether the note is about what is counted; for what is no indicator, its measures decide."""
        if bases and self.bases and set(bases).isdisjoint(self.bases):
            return False
        if indicators and self.indicators:
            return not set(indicators).isdisjoint(self.indicators)
        return bool(measures) and (ALL_MEASURES in self.measures or not set(measures).isdisjoint(self.measures))


@dataclass(frozen=True)
class SharedNote:
    """One note with every borough it concerns, in the order of the reference file."""

    note_ids: tuple[str, ...]
    text: str
    measures: tuple[str, ...]
    boroughs: tuple[str, ...]
    kind: str = "layout"


@dataclass(frozen=True)
class Break:
    """A day from which on a series is another one, and the few words that stand at its line."""

    day: date
    label: str


@dataclass(frozen=True)
class Concerning:
    """The notes that concern one figure, as sentences, the boroughs they name, and the breaks among them.

    Made by `Comparability` alone.
    """

    sentences: tuple[str, ...]
    boroughs: tuple[str, ...]
    breaks: tuple[Break, ...] = ()


class Comparability:
    """Every note of a region, to be asked which of them concern a figure."""

    def __init__(self, notes: Iterable[Note], region: Region, span: Period | None = None) -> None:
        """Take the notes of boroughs; those of areas outside the region are left aside.

        Args:
            notes: in any order.
            region: whose boroughs they are about.
            span: first and last day of what is known; a figure without a period looks at all of it.
        """
        self._span = span
        names = {area.code: area.name for area in region.boroughs}
        self._region = region
        self._notes = tuple(sorted({note for note in notes if note.area_code in names}, key=_order))
        self._names = names

    def concerning(
        self,
        measures: Collection[str],
        areas: Collection[str],
        period: Period | None = None,
        *,
        indicators: Collection[str] = (),
        bases: Collection[str] = (),
    ) -> Concerning:
        """Choose the notes of a figure.

        Args:
            measures: what is counted in it, numerators and denominators alike; without any, no note concerns it.
            areas: codes of the areas it shows. The region is made of all boroughs, so all their notes concern it.
            period: first and last day that it looks at; without one, everything that is known.
            indicators: ids of the indicators it shows, if it shows indicators.
            bases: attribution bases of what it shows; none for both.
        """
        everyone = self._region.area.code in areas
        period = period or self._span
        chosen = [
            note
            for note in self._notes
            if note.concerns(measures, indicators, bases)
            and (everyone or note.area_code in set(areas))
            and (period is None or note.touches(period))
        ]
        shared = self._shared(chosen)
        named = {name for one in shared for name in one.boroughs}
        return Concerning(
            sentences=tuple(f"{self._subject(one)}: {one.text}" for one in shared),
            boroughs=tuple(name for name in self._names.values() if name in named),
            breaks=tuple(Break(day, label) for day, label in sorted({one for note in chosen for one in note.lines()})),
        )

    def all_notes(self) -> tuple[SharedNote, ...]:
        """Every note once, with its boroughs."""
        return self._shared(self._notes)

    def _shared(self, notes: Sequence[Note]) -> tuple[SharedNote, ...]:
        """Put boroughs with the same note together, in the order of boroughs."""
        texts = dict.fromkeys(note.text for note in notes)
        shared = [self._one(text, [note for note in notes if note.text == text]) for text in texts]
        places = {name: place for place, name in enumerate(self._names.values())}
        return tuple(sorted(shared, key=lambda one: [places[name] for name in one.boroughs]))

    def _one(self, text: str, notes: Sequence[Note]) -> SharedNote:
        areas = {note.area_code for note in notes}
        return SharedNote(
            note_ids=tuple(sorted({note.note_id for note in notes})),
            text=text,
            measures=tuple(sorted({measure for note in notes for measure in note.measures})),
            boroughs=tuple(name for code, name in self._names.items() if code in areas),
            kind=notes[0].kind,
        )

    def _subject(self, shared: SharedNote) -> str:
        if shared.kind in _OF_SERIES:
            everyone = len(shared.boroughs) in {1, len(self._names)}
            return _OF_SERIES[shared.kind] + ("" if everyone else f" ({listed(shared.boroughs)})")
        if len(shared.boroughs) == len(self._names) > 1:
            return f"All boroughs of {self._region.area.name}"
        return listed(shared.boroughs)


def _order(note: Note) -> tuple[str, str, str, tuple[str, ...], str, tuple[str, ...]]:
    return note.note_id, note.text, note.area_code, note.measures, str(note.first_day), note.bases
