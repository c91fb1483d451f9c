"""Breaks in series, read strictly from `data_contracts/rules/series_breaks.yaml`.

Which figures a break concerns, by period, is worked out in `sql/quality/note.sql`; it is drawn by `dashboards.charts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.contracts.concerns import ALL, bases_of, indicators_of, measures_behind
from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS
from pipelines.region import load_region

_NAME = "rules/series_breaks.yaml"
_NEEDED = {"id", "label", "text", "from", "indicators", "bases", "areas", "source"}
_KNOWN = _NEEDED | {"to", "planned", "drawn"}
# A label stands at a line on a narrow screen.
_LONGEST_LABEL = 40
_SCHEMA: dict[str, pl.DataType] = {
    "break_id": pl.String(),
    "label": pl.String(),
    "text": pl.String(),
    "from_day": pl.Date(),
    "to_day": pl.Date(),
    "is_planned": pl.Boolean(),
    "is_drawn": pl.Boolean(),
    "indicators": pl.List(pl.String()),
    "measures": pl.List(pl.String()),
    "bases": pl.List(pl.String()),
    "areas": pl.List(pl.String()),
    "source": pl.String(),
    "months_beside": pl.Int32(),
}


@dataclass(frozen=True)
class SeriesBreak:
    """One break: from `first` on another way of counting or recording holds; with `last`, until then.

    `indicators` are ids, none for all; `areas` are codes of boroughs.
    """

    break_id: str
    label: str
    text: str
    first: date
    last: date | None
    is_planned: bool
    is_drawn: bool
    indicators: tuple[str, ...]
    bases: tuple[str, ...]
    areas: tuple[str, ...]
    source: str
    months_beside: int


def load_series_breaks(contracts: Path = CONTRACTS) -> tuple[SeriesBreak, ...]:
    """Read the breaks in the order of the file.

    Raises:
        ContractError: the file is not as it must be.
    """
    keys = Keys.of_file(contracts / "rules" / "series_breaks.yaml", _NAME)
    keys.only({"version", "months_beside", "breaks"}, {"version", "months_beside", "breaks"})
    keys.whole("version", least=1)
    beside = keys.whole("months_beside", least=1)
    breaks = tuple(_break(entry, beside, contracts) for entry in keys.entries("breaks"))
    ids = [one.break_id for one in breaks]
    for break_id in ids:
        if ids.count(break_id) > 1:
            keys.fail("breaks", f"the id {break_id} stands twice")
    return breaks


def series_break_frame(contracts: Path = CONTRACTS) -> pl.DataFrame:
    """Make the rows of `rules.series_break`, one a break; `measures` is `*` for all indicators."""
    rows = [
        (
            one.break_id,
            one.label,
            one.text,
            one.first,
            one.last,
            one.is_planned,
            one.is_drawn,
            list(one.indicators),
            measures_behind(one.indicators, contracts),
            list(one.bases),
            list(one.areas),
            one.source,
            one.months_beside,
        )
        for one in load_series_breaks(contracts)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _break(keys: Keys, beside: int, contracts: Path) -> SeriesBreak:
    keys.only(_KNOWN, _NEEDED)
    first, last = keys.day("from"), keys.day("to") if "to" in keys.raw else None
    if last is not None and last < first:
        keys.fail("to", "this lies before `from`")
    for name in ("id", "label", "text", "source"):
        if not keys.text(name).strip():
            keys.fail(name, "this must not be blank")
    if len(keys.text("label")) > _LONGEST_LABEL:
        keys.fail("label", f"a label has at most {_LONGEST_LABEL} characters; the rest belongs in `text`")
    return SeriesBreak(
        break_id=keys.text("id"),
        label=keys.text("label"),
        text=keys.text("text"),
        first=first,
        last=last,
        is_planned=keys.flag("planned"),
        is_drawn=keys.flag("drawn") if "drawn" in keys.raw else True,
        indicators=indicators_of(keys),
        bases=bases_of(keys),
        areas=_areas(keys, contracts),
        source=keys.text("source"),
        months_beside=beside,
    )


def _areas(keys: Keys, contracts: Path) -> tuple[str, ...]:
    region = load_region(contracts)
    slugs = keys.texts("areas")
    if slugs == (ALL,):
        return tuple(area.code for area in region.boroughs)
    unknown = sorted(set(slugs) - set(region.slugs))
    if unknown or not slugs:
        keys.fail("areas", f"this must be `all` or a list of boroughs: {', '.join(region.slugs)}")
    return tuple(region.borough(slug).code for slug in slugs)
