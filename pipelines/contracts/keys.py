"""A YAML file of configuration, read strictly: each key is known, stands once and has a value of its kind.

What a key means belongs with its reader. Every error is a `ContractError` that names the file and the key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import yaml

from pipelines.contracts.contract import ContractError
from pipelines.contracts.yaml_text import read_yaml

_FIRST_YEAR, _LAST_YEAR = 2000, 2999


class Keys:
    """A mapping of a YAML file, which knows where it stands and refuses what it does not know."""

    def __init__(self, raw: object, file: str, key: str = "") -> None:
        """Keep a mapping whose keys are text, and its place: a file and a path of keys."""
        self._file, self._key = file, key
        self.raw: dict[str, Any] = {}
        if not isinstance(raw, dict):
            self.fail("", "this must be keys with values")
        for name, value in raw.items():
            if not isinstance(name, str):
                self.fail("", f"write the key {name} in quotes; YAML reads it as something else than text")
            self.raw[name] = value

    @classmethod
    def of_file(cls, path: Path, name: str) -> Keys:
        """Read a file; `name` is how errors call it."""
        try:
            return cls(read_yaml(path, keys_once=True), name)
        except yaml.MarkedYAMLError as error:
            place = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            msg = f"{name}{place}: this is not the YAML we need: {error.problem}."
            raise ContractError(msg) from error

    def fail(self, name: str, problem: str) -> NoReturn:
        """Say what is wrong with a key (blank: with the mapping itself).

        Raises:
            ContractError: always.
        """
        place = ", ".join(part for part in (self._file, self._path(name)) if part)
        msg = f"{place}: {problem}."
        raise ContractError(msg)

    def only(self, known: Iterable[str], needed: Iterable[str] = ()) -> None:
        """Refuse keys that mean nothing here, and the lack of one that is needed."""
        known = sorted(known)
        for name in self.raw:
            if name not in known:
                self.fail(name, f"this key means nothing here; known are {', '.join(known)}")
        for name in needed:
            if name not in self.raw:
                self.fail(name, "this key is missing")

    def text(self, name: str, otherwise: str = "") -> str:
        """Return a text."""
        value = self.raw.get(name, otherwise)
        if not isinstance(value, str):
            self.fail(name, "this must be text; put it in quotes")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; a single text is a list of one."""
        value = self.raw.get(name, [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            self.fail(name, "this must be text, or a list of texts; put yes, no and numbers in quotes")
        return tuple(listed)

    def one_of(self, name: str, choices: Collection[str]) -> str:
        """Return a text that is one of some choices."""
        value = self.text(name)
        if value not in choices:
            self.fail(name, f"this must be one of {', '.join(choices)}")
        return value

    def flag(self, name: str) -> bool:
        """Return whether something is so; not unless it is said."""
        value = self.raw.get(name, False)
        if not isinstance(value, bool):
            self.fail(name, "this must be true or false")
        return value

    def whole(self, name: str, least: int = 0) -> int:
        """Return a whole number of at least `least`."""
        value = self.raw.get(name)
        if not _is_whole(value) or value < least:
            self.fail(name, f"this must be a whole number, at least {least}")
        return int(value)

    def wholes(self, name: str, least: int = 0) -> tuple[int, ...]:
        """Return a list of whole numbers of at least `least`, each larger than the one before."""
        value = self.raw.get(name)
        if not isinstance(value, list) or not value or not all(_is_whole(item) and item >= least for item in value):
            self.fail(name, f"this must be a list of whole numbers, each at least {least}")
        if any(after <= before for before, after in pairwise(value)):
            self.fail(name, "each number of this list must be larger than the one before")
        return tuple(value)

    def number(self, name: str) -> float:
        """Return a number above 0."""
        value = self.raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
            self.fail(name, "this must be a number above 0")
        return float(value)

    def day(self, name: str) -> date:
        """Return a day."""
        value = self.raw.get(name)
        if not isinstance(value, date) or isinstance(value, datetime):
            self.fail(name, "this must be a day, such as 2024-04-01")
        return value

    def year(self, name: str) -> int:
        """Return a year."""
        value = self.raw.get(name)
        if not isinstance(value, int) or not _FIRST_YEAR <= value <= _LAST_YEAR:
            self.fail(name, "this must be a year, such as 2018 for the year to March 2018")
        return value

    def at(self, name: str) -> Keys:
        """Return the mapping below a key; an empty one where there is none."""
        return Keys(self.raw.get(name, {}), self._file, self._path(name))

    def each(self) -> list[tuple[str, Keys]]:
        """Return every key with the mapping below it."""
        return [(name, self.at(name)) for name in self.raw]

    def only_these(self, names: Collection[str]) -> Keys:
        """Return the same mapping with some of its keys."""
        return Keys({name: value for name, value in self.raw.items() if name in names}, self._file, self._key)

    def entries(self, name: str) -> list[Keys]:
        """Return the mappings of a list."""
        value = self.raw.get(name, [])
        if not isinstance(value, list):
            self.fail(name, "this must be a list, one entry with a dash each")
        return [Keys(item, self._file, f"{self._path(name)}, entry {i}") for i, item in enumerate(value, 1)]

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self._key, name) if part)


def _is_whole(value: object) -> TypeGuard[int]:
    """Whether YAML gave a whole number; to Python, true and false are numbers as well."""
    return isinstance(value, int) and not isinstance(value, bool)
