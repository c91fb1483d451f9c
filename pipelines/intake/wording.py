"""A borough's own wording on top of the systems' layouts: `layouts` in `data_contracts/boroughs/<slug>/source.yaml`.

    layouts:
      mosaic:
        renamed: {missinglettersent: RHI_LETTER_DATE}    # our name for the column: theirs
        codes: {status: {gone missing: missing}}         # their word: our code
        scope: regional                                  # the child's number is one across the region ...
        numbers_of: nhs                                  # ... because it is another body's

A borough can change no more than these; the layouts themselves are read in `layout_files`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS
from pipelines.intake.identifier_exceptions import KEY as EXCEPTIONS
from pipelines.intake.layout import ColumnMap, Part, Pseudonymise, Source
from pipelines.intake.layout_files import SCOPES, code_lists_by_column, read_layouts

_SHORT = 6


@cache
def layouts_of(borough_slug: str | None = None, contracts: Path = CONTRACTS) -> tuple[Source, ...]:
    """Return all native layouts, in a borough's own wording where it has one.

    Raises:
        ContractError: a file is not as it must be, or names a layout, column or code that does not exist.
    """
    layouts = read_layouts(contracts)
    name = f"boroughs/{borough_slug}/source.yaml"
    if borough_slug is None or not (contracts / name).is_file():
        return layouts
    keys = Keys.of_file(contracts / name, name)
    keys.only({"layouts", EXCEPTIONS})
    worded = {layout.name: layout for layout in layouts}
    for layout_id, wording in keys.at("layouts").each():
        variants = [layout for layout in layouts if layout.id == layout_id]
        if not variants:
            known = ", ".join(dict.fromkeys(layout.id for layout in layouts))
            wording.fail("", f"there is no such layout; the layouts are {known}")
        worded |= _laid_over(variants, wording, borough_slug, contracts)
    return tuple(worded.values())


def _laid_over(variants: Sequence[Source], keys: Keys, borough_slug: str, contracts: Path) -> dict[str, Source]:
    """Lay one borough's wording over the variants of a layout, each taking what speaks of its own columns."""
    keys.only({"renamed", "codes", "scope", "numbers_of"})
    renamed, codes = keys.at("renamed"), keys.at("codes")
    for name in renamed.raw:
        if not any(_has(source, name) for source in variants):
            known = ", ".join(dict.fromkeys(column for source in variants for column in source.inputs))
            renamed.fail(name, f"the layout has no such column; its columns are {known}")
    for column in codes.raw:
        if not any(part.is_read(column) for source in variants for part in source.parts):
            codes.fail(column, "the layout fills no such column from a cell")
    # The version tells the wording by its content, so nobody has to remember to count it up.
    digest = hashlib.sha256(json.dumps(keys.raw, sort_keys=True).encode()).hexdigest()[:_SHORT]
    mark = f"{borough_slug}.{digest}"
    worded = {}
    for source in variants:
        mine = [column for column in codes.raw if any(part.is_read(column) for part in source.parts)]
        lists = code_lists_by_column(codes.only_these(mine), source, contracts)
        names = {name.casefold(): renamed.text(name) for name in renamed.raw if _has(source, name)}
        steps = _steps(source.pseudonymise, keys) if source.pseudonymise else None
        if names or lists or steps != source.pseudonymise:
            main, *also = (_worded_part(part, lists, steps) for part in source.parts)
            worded[source.name] = replace(
                source,
                version=f"{source.version}+{mark}",
                their_names=names,
                main=main,
                also=also[0] if also else None,
                pseudonymise=steps,
            )
    return worded


def _has(source: Source, name: str) -> bool:
    """Whether the layout has a column of this name, if only to take a date of birth from it."""
    births = source.pseudonymise.birth_columns if source.pseudonymise else ()
    return source.reads(name) or name.casefold() in {birth.casefold() for birth in births}


def _steps(steps: Pseudonymise, keys: Keys) -> Pseudonymise:
    scope = keys.one_of("scope", SCOPES) if "scope" in keys.raw else steps.scope
    numbers_of = keys.text("numbers_of", steps.numbers_of)
    if scope == "regional" and not numbers_of:
        keys.fail("scope", "a system's own numbers mean another child in each borough; say whose they are (numbers_of)")
    return replace(steps, scope=scope, numbers_of=numbers_of)


def _worded_part(part: Part, lists: Mapping[str, Mapping[str, str | None]], steps: Pseudonymise | None) -> Part:
    columns = dict(part.columns)
    for name, codes in lists.items():
        if part.is_read(name):
            columns[name] = replace(columns[name], codes={**(columns[name].codes or {}), **codes})
    if steps:
        columns["pseudonym_scope"] = ColumnMap(constant=steps.scope)
    return replace(part, columns=columns)
