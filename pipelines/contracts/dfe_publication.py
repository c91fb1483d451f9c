"""How DfE counts, rounds and hides in its table of looked-after children who were missing or away.

Read strictly from `data_contracts/rules/dfe_publication.yaml`, which names the source of each rule. DfE's figures are
in `dfe_figures`; ours are counted in `sql/backtest/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.contracts.keys import Keys
from pipelines.home import CONTRACTS

HIDDEN = "c"
LOCAL_AUTHORITY = "local_authority"
FORMS = ("count", "percentage", "average")
_LEVELS = (LOCAL_AUTHORITY, "region", "country")
_TOTALS = ("looked_after", "children", "children_repeat", "incidents", "at_year_end")
_FILE = "rules/dfe_publication.yaml"
_KEYS = (
    *("version", "definitions", "indicators", "count_base", "decimals", "hidden", "average_of_none", "symbols"),
    *("earlier_symbols", "areas", "row_rules"),
)
_INDICATOR_KEYS = ("id", "status", "total", "per", "form", "title", "wording")


@dataclass(frozen=True)
class DfeIndicator:
    """One of DfE's figures: `total` (of rows with `status`, M or A), divided by `per` where it is no count."""

    indicator_id: str
    status: str
    total: str
    per: str
    form: str
    title: str
    wording: str


@dataclass(frozen=True)
class OtherArea:
    """An area beyond the region's boroughs for which DfE prints figures."""

    code: str
    level: str
    name: str


@dataclass(frozen=True)
class DfePublication:
    """The rules as data.

    `count_base` is by level, `decimals` by form; `symbols` and `row_rules` say in words what each of them means. Up to
    the year `earlier_until`, symbols were those of `earlier_symbols`, with today's beside them.
    """

    short_break_legal_statuses: tuple[str, ...]
    adult_at: int
    carried_in_counts: bool
    indicators: tuple[DfeIndicator, ...]
    count_base: Mapping[str, int]
    decimals: Mapping[str, int]
    hidden_from: int
    hidden_to: int
    average_of_none: str
    symbols: Mapping[str, str]
    earlier_until: int
    earlier_symbols: Mapping[str, str]
    areas: tuple[OtherArea, ...]
    row_rules: Mapping[str, str]

    def symbols_of(self, year: int) -> Mapping[str, str]:
        """The symbols that tables of a year have, with today's for each."""
        return self.earlier_symbols if year <= self.earlier_until else {symbol: symbol for symbol in self.symbols}

    def printed_count(self, count: int, level: str = LOCAL_AUTHORITY) -> str:
        """Write a count as DfE prints it for an area of a level."""
        if self._is_hidden(count):
            return HIDDEN
        return self._or_k(half_up(count, self.count_base[level]) * self.count_base[level], count)

    def printed_share(self, form: str, numerator: int, denominator: int) -> str:
        """Write a percentage or an average of true counts as DfE prints it."""
        if self._is_hidden(numerator) or self._is_hidden(denominator):
            return HIDDEN
        if denominator == 0:
            return self.average_of_none if form == "average" else "z"
        decimals = self.decimals[form]
        scale = 10**decimals * (100 if form == "percentage" else 1)
        rounded = half_up(numerator * scale, denominator)
        text = f"{rounded / 10**decimals:.{decimals}f}"
        # DfE's files hold numbers, in which 9.0 is 9.
        return self._or_k(rounded, numerator, text.rstrip("0").rstrip(".") if decimals else text)

    def _is_hidden(self, count: int) -> bool:
        return self.hidden_from <= count <= self.hidden_to

    @staticmethod
    def _or_k(rounded: int, true: int, text: str = "") -> str:
        return "k" if rounded == 0 and true else text or str(rounded)


def half_up(numerator: int, denominator: int) -> int:
    """Divide whole numbers (not negative) and round to the nearest whole one, a half up; exact."""
    return (2 * numerator + denominator) // (2 * denominator)


@cache
def load_dfe_publication(contracts: Path = CONTRACTS) -> DfePublication:
    """Read the rules.

    Raises:
        ContractError: the file is not as it must be.
    """
    keys = Keys.of_file(contracts / "rules" / "dfe_publication.yaml", _FILE)
    keys.only(_KEYS, _KEYS)
    definitions, hidden = keys.at("definitions"), keys.at("hidden")
    known = ("short_break_legal_statuses", "adult_at", "carried_in_counts")
    definitions.only(known, known)
    hidden.only(("from", "to"), ("from", "to"))
    earlier = keys.at("earlier_symbols")
    earlier.only(("until", "meaning"), ("until", "meaning"))
    return DfePublication(
        short_break_legal_statuses=definitions.texts("short_break_legal_statuses"),
        adult_at=definitions.whole("adult_at", 1),
        carried_in_counts=definitions.flag("carried_in_counts"),
        indicators=_indicators(keys),
        count_base=_wholes(keys, "count_base", _LEVELS, least=1),
        decimals=_wholes(keys, "decimals", FORMS[1:], least=0),
        hidden_from=hidden.whole("from", 1),
        hidden_to=hidden.whole("to", 1),
        average_of_none=keys.text("average_of_none"),
        symbols=_texts(keys.at("symbols")),
        earlier_until=earlier.whole("until", 1),
        earlier_symbols=_texts(earlier.at("meaning")),
        areas=tuple(_area(code, entry) for code, entry in keys.at("areas").each()),
        row_rules=_texts(keys.at("row_rules")),
    )


def _wholes(keys: Keys, name: str, expected: tuple[str, ...], *, least: int) -> dict[str, int]:
    numbers = keys.at(name)
    numbers.only(expected, expected)
    return {key: numbers.whole(key, least) for key in expected}


def _texts(keys: Keys) -> dict[str, str]:
    return {name: keys.text(name) for name in keys.raw}


def _indicators(keys: Keys) -> tuple[DfeIndicator, ...]:
    found = tuple(_indicator(entry) for entry in keys.entries("indicators"))
    for names in ([one.indicator_id for one in found], [one.wording for one in found]):
        for name in names:
            if names.count(name) > 1:
                keys.fail("indicators", f"'{name}' stands twice")
    return found


def _indicator(keys: Keys) -> DfeIndicator:
    keys.only(_INDICATOR_KEYS, _INDICATOR_KEYS)
    form, per = keys.one_of("form", FORMS), keys.text("per")
    if (form == "count") == bool(per):
        keys.fail("per", "a percentage or an average divides by something, and a count does not")
    return DfeIndicator(
        indicator_id=keys.text("id"),
        status=keys.one_of("status", ("", "M", "A")),
        total=keys.one_of("total", _TOTALS),
        per=keys.one_of("per", ("", *_TOTALS)),
        form=form,
        title=keys.text("title"),
        wording=keys.text("wording"),
    )


def _area(code: str, keys: Keys) -> OtherArea:
    keys.only(("level", "name"), ("level", "name"))
    return OtherArea(code, keys.one_of("level", _LEVELS[1:]), keys.text("name"))
