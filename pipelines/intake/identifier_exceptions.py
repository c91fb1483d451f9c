"""Columns that a borough and the region agreed only look like identifiers.

Read from `identifier_exceptions` in a borough's `source.yaml`. An exception silences one rule in one column. It says
why and who agreed, and can end. What a header calls an identifier of a person is never excepted: renaming the column
takes a minute and leaves no doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS
from pipelines.intake.identifiers import Policy, header_rules, load_policy

KEY = "identifier_exceptions"
_NEEDED = ("column", "rule", "reason", "agreed_by")


class IdentifierExceptionError(Exception):
    """An exception that cannot hold; the message says which, why and what to do."""


@dataclass(frozen=True)
class IdentifierException:
    """One rule that does not hold for one column of a borough's files, to the end of the day `until`."""

    column: str
    rule: str
    reason: str
    agreed_by: str
    until: date | None = None


def load_exceptions(borough_slug: str, contracts: Path = CONTRACTS) -> tuple[IdentifierException, ...]:
    """Read a borough's exceptions; none where it has no file or lists none.

    Raises:
        IdentifierExceptionError: one lacks its reason or who agreed, names no rule, or one that is never excepted.
    """
    path = contracts / "boroughs" / borough_slug / "source.yaml"
    if not path.is_file():
        return ()
    raw = read_yaml(path) or {}
    listed = raw.get(KEY) or []
    where = f"boroughs/{borough_slug}/source.yaml, {KEY}"
    if not isinstance(listed, list):
        msg = f"{where}: this is not a list; write one entry with a dash for each column and rule."
        raise IdentifierExceptionError(msg)
    policy = load_policy(contracts)
    return tuple(_exception(entry, policy, f"{where}, entry {number}") for number, entry in enumerate(listed, 1))


def excepted_on(exceptions: Iterable[IdentifierException], on: date) -> frozenset[tuple[str, str]]:
    """Return what holds on a day as `find_identifiers` takes it: header in lower case, rule id."""
    return frozenset((e.column.casefold(), e.rule) for e in exceptions if e.until is None or on <= e.until)


def _exception(entry: Any, policy: Policy, where: str) -> IdentifierException:
    fields = entry if isinstance(entry, dict) else {}
    blank = [name for name in _NEEDED if not str(fields.get(name) or "").strip()]
    if blank:
        missing = f"{' and '.join(blank)} {'is' if len(blank) == 1 else 'are'} missing"
        msg = f"{where}: {missing}; an exception says all of {', '.join(_NEEDED)}."
        raise IdentifierExceptionError(msg)
    unknown = sorted(set(map(str, fields)) - {*_NEEDED, "until"})
    if unknown:
        msg = f"{where}: {', '.join(unknown)} means nothing here; only {', '.join(_NEEDED)} and until do."
        raise IdentifierExceptionError(msg)
    column, rule = str(fields["column"]).strip(), str(fields["rule"]).strip()
    _refuse_what_never_holds(column, rule, policy, where)
    until = fields.get("until")
    if until is not None and type(until) is not date:
        msg = f"{where}: until is not a date; write it as 2027-03-31."
        raise IdentifierExceptionError(msg)
    return IdentifierException(column, rule, str(fields["reason"]).strip(), str(fields["agreed_by"]).strip(), until)


def _refuse_what_never_holds(column: str, rule: str, policy: Policy, where: str) -> None:
    if rule not in policy.messages:
        msg = f"{where}: there is no rule {rule}; the rules are {', '.join(sorted(policy.messages))}."
        raise IdentifierExceptionError(msg)
    if rule in policy.never_at_all:
        msg = f"{where}: {rule} has no exceptions; a file without pseudonyms is never taken."
        raise IdentifierExceptionError(msg)
    if rule in policy.never_by_header and rule in header_rules(column, policy):
        msg = (
            f"{where}: the header {column} itself says that the column {policy.messages[rule]}, "
            "which has no exceptions; have the column taken out or, if it holds something else, renamed."
        )
        raise IdentifierExceptionError(msg)
