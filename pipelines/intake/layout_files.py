"""Reading layouts from `data_contracts/sources/*.yaml`.

Strict: a key we do not know, a code the contract does not list or a name that no column has is a `ContractError` that
names the file and the key, because a typing error here would otherwise lose data without a word. What one borough
says on top is read in `wording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from pipelines.contracts.concerns import ALL_MEASURES
from pipelines.contracts.contract import TEMPORAL, Contract, load_contracts
from pipelines.contracts.indicators import load_indicators
from pipelines.contracts.keys import Keys
from pipelines.contracts.rules import SEVERITIES
from pipelines.home import CONTRACTS
from pipelines.intake.code_lists import AREAS, area_codes, code_list, require_code
from pipelines.intake.layout import (
    ColumnMap,
    OldCodes,
    OldName,
    Part,
    Pseudonymise,
    RowFilter,
    Source,
    SourceNote,
    Years,
)
from pipelines.intake.typed import FORMS, DateReading
from pipelines.region import load_region

# Values of a mapping that stand for the sender's code and for what the pseudonym's scope is.
BOROUGH, SCOPE = "@borough", "@scope"
SCOPES = ("regional", "borough")

_NEEDED = ("id", "title", "version", "dataset", "recognised_by", "columns")
_KNOWN = (*_NEEDED, "variant", "dates", "rows_kept", "pseudonymise", "not_supplied", "also", "years", "notes")


@cache
def read_layouts(contracts: Path = CONTRACTS) -> tuple[Source, ...]:
    """Read all native layouts, in file order.

    Raises:
        ContractError: a file is not as it must be, or two of them cannot stand beside each other.
    """
    layouts: dict[str, Source] = {}
    texts: dict[str, str] = {}
    for path in sorted((contracts / "sources").glob("*.yaml")):
        keys = Keys.of_file(path, f"sources/{path.name}")
        layout = _LayoutFile(keys, contracts).source()
        if layout.name in layouts:
            keys.fail("id", f"another file is the layout {layout.name}, too; set `variant` in both")
        for note in layout.notes:
            if texts.setdefault(note.note_id, note.text) != note.text:
                keys.fail("notes", f"{note.note_id} says something else in another variant")
        layouts[layout.name] = layout
    return tuple(layouts.values())


class _LayoutFile:
    """One file of `sources/`."""

    def __init__(self, keys: Keys, contracts: Path) -> None:
        keys.only(_KNOWN, _NEEDED)
        self._keys, self._contracts = keys, contracts
        self._id = keys.text("id")
        self._datasets = load_contracts(contracts)
        measures = _measures(contracts)
        self._notes = tuple(self._note(name, note, measures) for name, note in keys.at("notes").each())

    def source(self) -> Source:
        keys = self._keys
        steps = self._pseudonymise() if "pseudonymise" in keys.raw else None
        scope = steps.scope if steps else "borough"
        variant, version = keys.text("variant"), keys.text("version")
        dates = self._dates()
        source = Source(
            id=self._id,
            variant=variant,
            title=keys.text("title"),
            version=f"{variant}-{version}" if variant else version,
            recognised_by=keys.texts("recognised_by"),
            main=self._part(keys, scope),
            also=self._also(scope) if "also" in keys.raw else None,
            reading=DateReading(self._forms(dates), dates.flag("midnight_is_unknown_time")),
            midnight_note_id=self._note_id(dates),
            rows_kept=self._rows_kept() if "rows_kept" in keys.raw else None,
            not_supplied=keys.texts("not_supplied"),
            notes=self._notes,
            pseudonymise=steps,
        )
        self._check_names(source)
        return self._with_years(source)

    def _dates(self) -> Keys:
        dates = self._keys.at("dates")
        dates.only({"forms", "midnight_is_unknown_time", "note"})
        if "note" in dates.raw and not dates.flag("midnight_is_unknown_time"):
            dates.fail("note", "the note is about midnight; set midnight_is_unknown_time or take the note out")
        return dates

    @staticmethod
    def _forms(dates: Keys) -> tuple[str, ...]:
        forms = dates.texts("forms") or FORMS
        for form in forms:
            if form not in FORMS:
                dates.fail("forms", f"there is no form {form}; the forms are {', '.join(FORMS)}")
        return forms

    def _also(self, scope: str) -> Part:
        keys = self._keys.at("also")
        keys.only({"dataset", "columns", "where_any_filled"}, ("dataset", "columns"))
        return self._part(keys, scope)

    def _part(self, keys: Keys, scope: str) -> Part:
        contract = self._datasets[keys.one_of("dataset", self._datasets)]
        reader = _Columns(contract, self._contracts, self._note_id, scope)
        columns = {name: reader.column(name, column) for name, column in keys.at("columns").each()}
        for name in contract.required:
            if name not in columns:
                keys.fail("columns", f"{name} is not filled, and every row of {contract.dataset} needs it")
        return Part(contract.dataset, columns, keys.texts("where_any_filled"), contract.of_type(*TEMPORAL))

    def _rows_kept(self) -> RowFilter:
        keys = self._keys.at("rows_kept")
        needed = ("column", "is", "rule_id", "severity", "message")
        keys.only(needed, needed)
        rule_id, message = keys.text("rule_id"), keys.text("message")
        if not rule_id.startswith(f"{self._id}."):
            keys.fail("rule_id", f"this must begin with `{self._id}.`")
        _require_sentence(keys, "message")
        accepted = tuple(word.casefold() for word in keys.texts("is"))
        return RowFilter(keys.text("column"), accepted, rule_id, keys.one_of("severity", SEVERITIES), message)

    def _pseudonymise(self) -> Pseudonymise:
        keys = self._keys.at("pseudonymise")
        keys.only({"child", "date_of_birth"}, ("child", "date_of_birth"))
        child, birth = keys.at("child"), keys.at("date_of_birth")
        child.only({"column", "scope", "numbers_of"}, ("column", "scope"))
        birth.only({"columns", "becomes", "at", "on_or_after_start_becomes"}, ("columns", "becomes", "at"))
        if child.text("scope") == "regional" and not child.text("numbers_of"):
            child.fail("numbers_of", "numbers that are one across the region belong to somebody; say to whom")
        return Pseudonymise(
            child=child.text("column"),
            scope=child.one_of("scope", SCOPES),
            numbers_of=child.text("numbers_of"),
            birth_columns=birth.texts("columns"),
            age_column=birth.text("becomes"),
            age_at=birth.texts("at"),
            age_not_born=birth.text("on_or_after_start_becomes") or None,
        )

    def _check_names(self, source: Source) -> None:
        """Refuse names that must be among the columns the layout reads and are not, which only the whole can tell."""
        steps = source.pseudonymise
        stated: list[tuple[str, Iterable[str]]] = [("recognised_by", source.recognised_by)]
        if source.also:
            stated.append(("also.where_any_filled", source.also.where_any_filled))
        if steps:
            stated.append(("pseudonymise.child.column", (steps.child,)))
            stated.append(("pseudonymise.date_of_birth.becomes", (steps.age_column,)))
            stated.append(("pseudonymise.date_of_birth.at", steps.age_at))
        for key, names in stated:
            for name in names:
                if not source.reads(name):
                    self._keys.fail(key, f"no column is filled from {name}; those that are: {', '.join(source.inputs)}")
        for name in source.not_supplied:
            if not any(name in part.columns for part in source.parts):
                self._keys.fail("not_supplied", f"{name} is not among the columns of this layout")

    def _with_years(self, source: Source) -> Source:
        names: list[OldName] = []
        codes: list[OldCodes] = []
        for keys in self._keys.entries("years"):
            years = _years(keys)
            if "column" in keys.raw:
                names.append(OldName(years, keys.text("column"), keys.text("was")))
                if not source.reads(names[-1].column):
                    keys.fail("column", f"no column is filled from {names[-1].column}; give the name it has now")
            if "codes" in keys.raw:
                codes.append(OldCodes(years, code_lists_by_column(keys.at("codes"), source, self._contracts)))
        stated = [(old.column.casefold(), old.years) for old in names]
        stated += [(f"codes of {column}", old.years) for old in codes for column in old.codes]
        for i, (what, years) in enumerate(stated):
            if any(what == other and years.overlaps(others) for other, others in stated[:i]):
                self._keys.fail("years", f"two entries speak of {what} in the same years")
        return replace(source, old_names=tuple(names), old_codes=tuple(codes))

    def _note(self, name: str, keys: Keys, measures: frozenset[str]) -> SourceNote:
        keys.only({"text", "measures"}, ("text", "measures"))
        _require_sentence(keys, "text")
        for measure in keys.texts("measures"):
            if measure not in measures:
                keys.fail("measures", f"there is no measure {measure} in rules/indicators.yaml")
        return SourceNote(f"{self._id}.{name}", keys.text("text"), keys.texts("measures"))

    def _note_id(self, keys: Keys) -> str | None:
        if "note" not in keys.raw:
            return None
        note_id = f"{self._id}.{keys.text('note')}"
        if note_id not in {note.note_id for note in self._notes}:
            keys.fail("note", f"there is no note {keys.text('note')}; write it under `notes`")
        return note_id


class _Columns:
    """The columns of one part."""

    _KNOWN = ("from", "constant", "otherwise", "codes", "filled", "when", "derived_from", "prefix", "note")
    _WAYS = ("from", "constant", "derived_from")

    def __init__(self, contract: Contract, contracts: Path, note_id: Callable[[Keys], str | None], scope: str) -> None:
        self._contract, self._contracts, self._note_id, self._scope = contract, contracts, note_id, scope

    def column(self, name: str, keys: Keys) -> ColumnMap:
        if name not in self._contract.columns:
            keys.fail("", f"the contract {self._contract.dataset} has no column {name}")
        keys.only(self._KNOWN)
        if sum(way in keys.raw for way in self._WAYS) != 1:
            keys.fail("", f"say exactly one of {', '.join(self._WAYS)}")
        for key in ("otherwise", "codes", "filled", "when"):
            if key in keys.raw and "from" not in keys.raw:
                keys.fail(key, "this needs `from`")
        return ColumnMap(
            sources=keys.texts("from"),
            constant=self._value(name, keys, "constant"),
            otherwise=self._value(name, keys, "otherwise"),
            codes=self._codes(name, keys) if "codes" in keys.raw else None,
            filled=self._value(name, keys, "filled"),
            when=self._when(keys.at("when")) if "when" in keys.raw else None,
            derived_from=keys.texts("derived_from"),
            prefix=keys.text("prefix"),
            note_id=self._note_id(keys),
        )

    def _value(self, name: str, keys: Keys, key: str) -> str | None:
        if key not in keys.raw:
            return None
        value = keys.text(key)
        if value == SCOPE:
            return self._scope
        if value != BOROUGH:
            require_code(self._contract, name, value, keys, key)
        return value

    def _codes(self, name: str, keys: Keys) -> Mapping[str, str | None]:
        if keys.raw["codes"] == AREAS:
            return area_codes(load_region(self._contracts))
        return code_list(self._contract, name, keys.at("codes"))

    @staticmethod
    def _when(keys: Keys) -> tuple[str, tuple[str, ...]]:
        keys.only({"column", "is"}, ("column", "is"))
        return keys.text("column"), tuple(word.casefold() for word in keys.texts("is"))


def code_lists_by_column(keys: Keys, source: Source, contracts: Path) -> dict[str, Mapping[str, str | None]]:
    """Read code lists by the canonical column they are for; each must be filled from a cell in the layout."""
    datasets = load_contracts(contracts)
    found = {}
    for column, codes in keys.each():
        parts = [part for part in source.parts if part.is_read(column)]
        if not parts:
            keys.fail(column, "the layout fills no such column from a cell")
        found[column] = code_list(datasets[parts[0].dataset], column, codes)
    return found


def _years(keys: Keys) -> Years:
    keys.only({"from", "to", "column", "was", "codes"}, ("from",))
    if ("column" in keys.raw) != ("was" in keys.raw) or not {"column", "codes"} & keys.raw.keys():
        keys.fail("", "say `column` and `was` for a renamed column, `codes` for words that meant something else")
    years = Years(keys.year("from"), keys.year("to") if "to" in keys.raw else None)
    if years.last is not None and years.last < years.first:
        keys.fail("to", "this is before `from`")
    return years


def _require_sentence(keys: Keys, name: str) -> None:
    if not keys.text(name).endswith("."):
        keys.fail(name, "this must be a sentence with a full stop")


def _measures(contracts: Path) -> frozenset[str]:
    return frozenset(load_indicators(contracts).measures) | {ALL_MEASURES}
