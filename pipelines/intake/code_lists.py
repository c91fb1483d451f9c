"""Code lists of a mapping: a system's word to our code, checked against what the contract accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.contracts.contract import Contract
from pipelines.contracts.keys import Keys
from pipelines.contracts.rules import contract_rules
from pipelines.region import Region

# Instead of a list: names, slugs and codes of the region's boroughs.
AREAS = "@areas"


def code_list(contract: Contract, column: str, keys: Keys) -> Mapping[str, str | None]:
    """Read the words of one canonical column, in lower case; a word may stand for nothing (null)."""
    codes: dict[str, str | None] = {}
    for word, code in keys.raw.items():
        if word.casefold() in codes:
            keys.fail(word, "this word stands twice; capitals do not matter")
        if code is not None:
            require_code(contract, column, keys.text(word), keys, word)
        codes[word.casefold()] = code
    return codes


def require_code(contract: Contract, column: str, value: str, keys: Keys, key: str) -> None:
    """Refuse a value that the contract's own rules on the column would refuse in a row."""
    for rule in contract_rules(contract):
        if rule.column != column:
            continue
        if rule.kind == "codes" and value not in rule.arguments["codes"]:
            keys.fail(key, f"{value} is not a code of {column}; the codes are {', '.join(rule.arguments['codes'])}")
        if rule.kind == "pattern" and not re.search(rule.arguments["regex"], value):
            keys.fail(key, f"{value} does not have the form that the contract agrees for {column}")


def area_codes(region: Region) -> Mapping[str, str | None]:
    """Words for the region's boroughs, and for not knowing, as ONS codes."""
    words = {word: area.code for area in region.boroughs for word in (area.name, area.slug, area.code)}
    return {word.casefold(): code for word, code in words.items()} | {"unknown": "unknown"}
