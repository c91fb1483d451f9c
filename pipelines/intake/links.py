"""Which pseudonyms are one child, as people decided (`<home>/links.yaml`).

A link names two or more pseudonyms, who decided and from which instant on. It is never deleted but ended, so that an
earlier instant gives the tables of that time; `see_links` refuses a file that has forgotten what a run has already
seen. Half of the links would make wrong children, so one mistake in the file makes the whole of it unusable. What
follows from the links that count is worked out in `sql/staging/child.sql`. No value leaves this module in a message:
a mistake is named by the id of its link and the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import yaml

from pipelines.home import CONTRACTS, Home
from pipelines.intake.store import write_text
from pipelines.region import load_region

_KEYS, _OPTIONAL = ("id", "pseudonyms", "reason", "decided_by", "decided_at"), ("ended",)
_PSEUDONYM_KEYS = ("borough", "child_id")
_END_KEYS = ("at", "by", "reason")
# Short and plain, so that an id can stand in a message and is never itself a pseudonym.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_CHILD_ID = re.compile(r"[0-9a-f]{64}")
_BLANK = ("", "~", "null")
_LINKED, _ENDED = "linked", "ended"


class LinksError(Exception):
    """The file of links cannot be used; the message says which link and key, without its values."""


@dataclass(frozen=True, order=True)
class Pseudonym:
    """What one borough calls a child."""

    borough: str
    child_id: str


@dataclass(frozen=True)
class Decision:
    """Who decided, when (UTC, without zone) and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Link:
    """Pseudonyms that are one child from a decision on, until it is ended (that instant no longer counts)."""

    link_id: str
    pseudonyms: tuple[Pseudonym, ...]
    decided: Decision
    ended: Decision | None = None


def load_links(path: Path, contracts: Path = CONTRACTS) -> tuple[Link, ...]:
    """Read the file of links; none where there is no file.

    Raises:
        LinksError: it holds any mistake.
    """
    if not path.exists():
        return ()
    raw = _read(path)
    entries = raw.get("links") if isinstance(raw, dict) and raw.keys() == {"links"} else None
    if not isinstance(entries, list):
        msg = "links.yaml must hold a list under `links` (`links: []` where there are none) and nothing else"
        raise LinksError(msg)
    boroughs = load_region(contracts).slugs
    links = tuple(_link(entry, place, boroughs) for place, entry in enumerate(entries, start=1))
    ids = [link.link_id for link in links]
    for link_id in ids:
        if ids.count(link_id) > 1:
            _fail(f"link {link_id}", "its id stands twice")
    return links


def instants(links: Sequence[Link]) -> list[datetime]:
    """When something was decided about links."""
    return [decision.at for link in links for decision in (link.decided, link.ended) if decision]


def link_entries(links: Sequence[Link], as_at: datetime) -> list[dict[str, Any]]:
    """One row per pseudonym of the links decided by an instant; an end that was decided later is not known yet."""
    return [
        {
            "link_id": link.link_id,
            "borough": pseudonym.borough,
            "child_id": pseudonym.child_id,
            "decided_at": link.decided.at,
            "decided_by": link.decided.by,
            "reason": link.decided.reason,
            "ended_at": ended.at if ended else None,
            "ended_by": ended.by if ended else None,
            "end_reason": ended.reason if ended else None,
        }
        for link in links
        if link.decided.at <= as_at
        for ended in (link.ended if link.ended and link.ended.at <= as_at else None,)
        for pseudonym in link.pseudonyms
    ]


def see_links(home: Home, now: datetime, contracts: Path = CONTRACTS) -> None:
    """Read the file as it is now, refuse it where it contradicts what a run saw before, and note what is new in it.

    Args:
        home: run-time home.
        now: the clock at the door. A decision that lies after it is a slip of the pen, and would move every table to
            that instant.
        contracts: folder of contracts, for the boroughs.

    Raises:
        LinksError: the file holds a mistake, a decision of the future, or no longer holds what it held.
    """
    links = load_links(home.links_file, contracts)
    for link in links:
        _require_past(link, now.astimezone(UTC).replace(tzinfo=None))
    log = home.links_log.read_text(encoding="utf-8") if home.links_log.exists() else ""
    seen = [json.loads(line) for line in log.splitlines()]
    decisions = {(event["link_id"], event["action"]): event for link in links for event in _events(link)}
    for event in seen:
        _require_unchanged(event, decisions.pop((event["link_id"], event["action"]), None))
    if decisions:
        added = [{"seen_at": now.isoformat()} | event for event in decisions.values()]
        write_text(home.links_log, log + "".join(json.dumps(event, sort_keys=True) + "\n" for event in added))


def _events(link: Link) -> list[dict[str, Any]]:
    """The decisions about a link, as the log keeps them."""
    pseudonyms = [[pseudonym.borough, pseudonym.child_id] for pseudonym in sorted(link.pseudonyms)]
    return [
        {
            "link_id": link.link_id,
            "action": action,
            "at": decision.at.isoformat(),
            "by": decision.by,
            "reason": decision.reason,
            "pseudonyms": pseudonyms,
        }
        for action, decision in ((_LINKED, link.decided), (_ENDED, link.ended))
        if decision
    ]


def _require_past(link: Link, now: datetime) -> None:
    # The clock at the door is read to the second.
    if link.decided.at.replace(microsecond=0) > now:
        _fail(f"link {link.link_id}", "decided_at lies in the future; a link is written down when it has been decided")
    if link.ended and link.ended.at.replace(microsecond=0) > now:
        _fail(f"link {link.link_id}", "ended.at lies in the future; an end is written down when it has been decided")


def _require_unchanged(seen: Mapping[str, Any], now: Mapping[str, Any] | None) -> None:
    """Words may be put better later; what the tables of an earlier instant rest on may not change."""
    where = f"link {seen['link_id']}"
    if now is None and seen["action"] == _LINKED:
        _fail(where, "an earlier run used it and it is gone; write it down again and end it with `ended`")
    if now is None:
        _fail(where, "an earlier run saw its end, which is gone; write `ended` down again, and a new link if need be")
    if now["pseudonyms"] != seen["pseudonyms"]:
        _fail(where, "an earlier run used it with other pseudonyms; restore them, end it and write a new link")
    if now["at"] != seen["at"]:
        key = "decided_at" if seen["action"] == _LINKED else "ended.at"
        _fail(where, f"an earlier run saw another {key}; restore it, or earlier instants would give other tables")


class _PlainLoader(yaml.BaseLoader):
    """YAML in which everything is text, as it was written, and a key may stand once.

    The usual loader makes a number of a pseudonym that happens to have no letters, and takes the last of two keys.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if any(keys.count(key) > 1 for key in keys):
            raise yaml.MarkedYAMLError(problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def _read(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        msg = "links.yaml cannot be read; check its permissions"
        raise LinksError(msg) from error
    except UnicodeDecodeError as error:
        msg = "links.yaml is not UTF-8 text"
        raise LinksError(msg) from error
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a BaseLoader makes text, lists and mappings only
    except yaml.YAMLError as error:
        # What YAML says of a mistake may quote the file, so only the line is told; no cause is chained either.
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        msg = f"links.yaml{place}: this is not well-formed YAML, or a key stands twice"
        raise LinksError(msg) from None


def _fail(where: str, problem: str) -> NoReturn:
    msg = f"links.yaml, {where}: {problem}"
    raise LinksError(msg)


def _link(entry: object, place: int, boroughs: Collection[str]) -> Link:
    where = f"entry {place}"
    cells = _mapping(entry, where, _KEYS, _OPTIONAL)
    link_id = cells["id"]
    if not isinstance(link_id, str) or not _ID.fullmatch(link_id):
        _fail(where, "id must be 1 to 40 letters, digits, dots, hyphens and underscores, the first a letter or digit")
    where = f"link {link_id}"
    decided = Decision(
        _instant(cells, "decided_at", where), _text(cells, "decided_by", where), _text(cells, "reason", where)
    )
    return Link(
        link_id, _pseudonyms(cells["pseudonyms"], where, boroughs), decided, _ended(cells.get("ended"), where, decided)
    )


def _pseudonyms(listed: object, where: str, boroughs: Collection[str]) -> tuple[Pseudonym, ...]:
    if not isinstance(listed, list) or len(listed) < 2:  # noqa: PLR2004 - one pseudonym is one child anyway
        _fail(where, "pseudonyms must be a list of at least two")
    found = tuple(_pseudonym(item, f"{where}, pseudonym {i}", boroughs) for i, item in enumerate(listed, start=1))
    if len(set(found)) < len(found):
        _fail(where, "pseudonyms names one pseudonym twice")
    return found


def _pseudonym(item: object, where: str, boroughs: Collection[str]) -> Pseudonym:
    cells = _mapping(item, where, _PSEUDONYM_KEYS)
    if cells["borough"] not in boroughs:
        _fail(where, f"borough must be one of {', '.join(boroughs)}")
    if not isinstance(cells["child_id"], str) or not _CHILD_ID.fullmatch(cells["child_id"]):
        _fail(where, "child_id must be a whole pseudonym, 64 characters of 0-9 and a-f")
    return Pseudonym(cells["borough"], cells["child_id"])


def _ended(raw: object, where: str, decided: Decision) -> Decision | None:
    if raw is None:
        return None
    where = f"{where}, ended"
    cells = _mapping(raw, where, _END_KEYS)
    ended = Decision(_instant(cells, "at", where), _text(cells, "by", where), _text(cells, "reason", where))
    if ended.at <= decided.at:
        _fail(where, "at must lie after decided_at")
    return ended


def _mapping(raw: object, where: str, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(raw, dict):
        _fail(where, f"this must be keys with values: {', '.join(needed)}")
    for name in needed:
        if name not in raw:
            _fail(where, f"{name} is missing")
    if raw.keys() - {*needed, *optional}:
        # An unknown key is not told: where an indent is wrong it may be a value.
        _fail(where, f"there is a key that means nothing here; known are {', '.join((*needed, *optional))}")
    return raw


def _text(cells: Mapping[str, Any], name: str, where: str) -> str:
    value = cells[name]
    if not isinstance(value, str) or value.strip() in _BLANK:
        _fail(where, f"{name} must be text and not blank")
    return value.strip()


def _instant(cells: Mapping[str, Any], name: str, where: str) -> datetime:
    """Return an instant in UTC, without zone."""
    try:
        instant = datetime.fromisoformat(cells[name])
        if instant.tzinfo is not None:
            return instant.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, TypeError, OverflowError):
        pass
    _fail(where, f"{name} must be an instant with its offset from UTC, such as 2026-04-20T12:00:00Z")
