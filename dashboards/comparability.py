"""Which comparability notes concern a figure: what a borough's system makes of a question before anything is counted.

A note names the measures it concerns; a figure gets the notes of the measures it is made from, in the areas it shows.
Notes are worded in `data_contracts/sources/`, and which borough's rows they concern is found in `sql/`. Nothing here
reads a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dashboards.words import listed
from pipelines.region import Region

# In a note's measures: whatever is counted, this note concerns it.
ALL_MEASURES = "*"
# A month that a note holds for, and the one after.
_RETURNS_FOLLOW = timedelta(days=61)
Period = tuple[date, date]


@dataclass(frozen=True)
class Note:
    """One note as it concerns one borough, in the months whose rows were recorded in this way (None: in all).

    `note_id` is the layout's id, a full stop, and the note's own.
    """

    area_code: str
    note_id: str
    text: str
    measures: tuple[str, ...]
    first_month: date | None = None
    last_month: date | None = None

    def touches(self, period: Period) -> bool:
        """Whether rows recorded in this way can be in a period; a return can follow the month of its start."""
        first, last = period
        starts_in_time = self.first_month is None or self.first_month <= last
        return starts_in_time and (self.last_month is None or first <= self.last_month + _RETURNS_FOLLOW)


@dataclass(frozen=True)
class SharedNote:
    """One note with every borough it concerns, in the order of the reference file."""

    note_ids: tuple[str, ...]
    text: str
    measures: tuple[str, ...]
    boroughs: tuple[str, ...]


@dataclass(frozen=True)
class Concerning:
    """The notes that concern one figure, as sentences, and the boroughs they name. Made by `Comparability` alone."""

    sentences: tuple[str, ...]
    boroughs: tuple[str, ...]


class Comparability:
    """Every note of a region, to be asked which of them concern a figure."""

    def __init__(self, notes: Iterable[Note], region: Region) -> None:
        """Take the notes of boroughs; those of areas outside the region are left aside."""
        names = {area.code: area.name for area in region.boroughs}
        self._region = region
        self._notes = tuple(sorted({note for note in notes if note.area_code in names}, key=_order))
        self._names = names

    def concerning(self, measures: Collection[str], areas: Collection[str], period: Period | None = None) -> Concerning:
        """Choose the notes of a figure.

        Args:
            measures: what is counted in it, numerators and denominators alike; without any, no note concerns it.
            areas: codes of the areas it shows. The region is made of all boroughs, so all their notes concern it.
            period: first and last day that it looks at; without one, every month that was delivered.
        """
        everyone = self._region.area.code in areas
        chosen = [
            note
            for note in self._notes
            if _concerns(note, measures)
            and (everyone or note.area_code in set(areas))
            and (period is None or note.touches(period))
        ]
        shared = self._shared(chosen)
        named = {name for one in shared for name in one.boroughs}
        return Concerning(
            sentences=tuple(f"{self._subject(one)}: {one.text}" for one in shared),
            boroughs=tuple(name for name in self._names.values() if name in named),
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
        )

    def _subject(self, shared: SharedNote) -> str:
        if len(shared.boroughs) == len(self._names) > 1:
            return f"All boroughs of {self._region.area.name}"
        return listed(shared.boroughs)


def _concerns(note: Note, measures: Collection[str]) -> bool:
    return bool(measures) and (ALL_MEASURES in note.measures or not set(measures).isdisjoint(note.measures))


def _order(note: Note) -> tuple[str, str, str, tuple[str, ...], str]:
    return note.note_id, note.text, note.area_code, note.measures, str(note.first_month)
