"""`mfh cite`: one published figure as a citation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import click

from pipelines.commands.inputs import current_warehouse
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.warehouse.connection import query_frame

_BASES = {"A": "area the child went missing from (basis A)", "B": "authority responsible for the child (basis B)"}
_SYMBOLS = {
    "c": "not shown: the published base is too small",
    "x": "not available: the data were not received, or too often do not hold the answer",
    "z": "not applicable: the earlier data that the definition needs are not loaded",
    "u": "part of the data were not received, or do not hold the answer",
}


_NOTES = """
select kind, note_id, text, concerns
from published.figure_note
where
    indicator_id = $indicator_id
    and variant = $variant
    and basis = $basis
    and area_code = $area_code
    and period_type = $period_type
    and period_start = $period_start
order by kind, note_id, text
"""
_COORDINATES = ("indicator_id", "variant", "basis", "area_code", "period_type", "period_start")
# What `--json` gives of a figure, beside its checksum and its notes.
_FIELDS = (
    "figure_id", "title", "area", "unit", *_COORDINATES, "period_end", "breakdown", "breakdown_value", "numerator",
    "denominator", "value", "lower_95", "upper_95", "symbol", "population_year", "vintage", "source", "release_id",
    "synthetic",
)  # fmt: skip


def cite_figure(home: Home, figure_id: str, *, as_json: bool = False) -> None:
    """Print the figure, its parts, its method, its notes and caveats, and a checksum over what was published."""
    with current_warehouse(home) as connection:
        found = query_frame(
            connection,
            """
            select figure.*, indicator.title, indicator.unit, indicator.source, area.name as area,
                strftime(figure.period_start, '%-d %B %Y') as first_day,
                strftime(figure.period_end, '%-d %B %Y') as last_day,
                parameter.policy_version, parameter.base, parameter.synthetic, population.vintage
            from published.indicator as figure
            inner join rules.indicator as indicator
                on figure.indicator_id = indicator.indicator_id and figure.variant = indicator.variant
            inner join reference.area as area on figure.area_code = area.area_code
            cross join published.parameter as parameter
            left join reference.population_vintage as population
                on figure.population_year = population.mid_year and population.is_used
            where figure.figure_id = $figure_id
            """,
            figure_id=figure_id,
        ).to_dicts()
        coordinates = {name: found[0][name] for name in _COORDINATES} if found else {}
        notes = query_frame(connection, _NOTES, **coordinates).to_dicts() if found else []
    if not found:
        msg = f"There is no published figure {figure_id}; ids stand in the CSV files of the public page."
        raise CommandError(msg)
    figure = found[0]
    if as_json:
        told = {name: figure[name] for name in _FIELDS} | {"sha256": _checksum(figure), "notes": notes}
        click.echo(json.dumps(told, indent=1, default=str))
    else:
        click.echo(_citation(figure, notes))


def _checksum(figure: dict[str, Any]) -> str:
    content = "|".join(
        str(figure[name]) for name in ("figure_id", "numerator", "denominator", "value", "symbol", "release_id")
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _citation(figure: dict[str, Any], notes: Sequence[dict[str, Any]]) -> str:
    value = "no figure" if figure["value"] is None else f"{figure['value']:.4g}"
    note = f"; {_SYMBOLS[figure['symbol']]}" if figure["symbol"] else ""
    part = "" if figure["breakdown"] == "total" else f", {figure['breakdown_value']}"
    period = f"{figure['first_day']} to {figure['last_day']}"
    population = (
        f" (population of mid-{figure['population_year']}, vintage {figure['vintage']})"
        if figure["population_year"]
        else ""
    )
    limits = "none" if figure["lower_95"] is None else f"{figure['lower_95']:.4g} to {figure['upper_95']:.4g}"
    protection = f"{figure['method'].replace('_', ' ')} of counts to base {figure['base']}"
    lines = [
        f"{figure['title']}, {figure['area']}, {period}{part}: {value} ({figure['unit']}){note}.",
        f"Numerator {figure['numerator']}, denominator {figure['denominator']}{population}",
        f"Basis: {_BASES[figure['basis']]}",
        f"Method: {protection}, policy {figure['policy_version']}; all else is derived from the rounded counts",
        f"95% interval: {limits}",
        f"Definition after: {figure['source']}",
        f"Release {figure['release_id']}; SHA-256 {_checksum(figure)}",
        *(f"Note ({', '.join(note['concerns'])}): {note['text']}" for note in notes),
    ]
    if figure["synthetic"]:
        lines.append("Synthetic demonstration data: not to be cited as fact.")
    return "\n".join(lines)
