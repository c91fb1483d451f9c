"""`mfh explain`: why a flag was raised, since when, how sure it is, what was tried, who else; and why it has gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import duckdb

from pipelines.commands.inputs import current_warehouse
from pipelines.errors import CommandError
from pipelines.history.explanation import explanation
from pipelines.home import Home

_LONDON = ZoneInfo("Europe/London")
_VERDICTS = {"yes": "yes", "no": "no", "not_measurable": "cannot be told"}
_JOINED = {
    "lead": "the episode is named after it",
    "overlap": "merged because the times overlap",
    "day": "merged because it is of the same day",
    "police_match": "merged as police and authority recorded it at nearly the same time",
}


def explain_flag(home: Home, flag_id: str, *, as_json: bool) -> None:
    """Print everything behind a flag, with local times. An analyst's command: it shows one child's episodes."""
    with current_warehouse(home) as connection:
        try:
            found = explanation(connection, flag_id)
        except duckdb.CatalogException as error:
            msg = f"The warehouse of {home.root} was made by an earlier version; run `mfh run` again."
            raise CommandError(msg) from error
    if found is None:
        msg = f"There is no flag {flag_id} and never was; flags are listed on the borough pages and in history.flag."
        raise CommandError(msg)
    click.echo(json.dumps(found, indent=1, default=_as_text) if as_json else "\n".join(_lines(found)))


def _as_text(value: object) -> str:
    # Instants of the warehouse are UTC without zone; outside it the zone is said.
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else str(value)


def _lines(flag: dict[str, Any]) -> Iterator[str]:
    rule = flag["rule"]
    title = rule["title"] if rule else "the rule is no longer in the rules"
    yield f"{flag['flag_id']}: {title} (rule {flag['rule_id']} version {flag['rule_version']})"
    yield f"Child {flag['child_key']}, flagged for {flag['borough']}"
    for child_id in sorted({p["child_id"] for p in flag["pseudonyms"]}):
        known = ", ".join(p["borough"] for p in flag["pseudonyms"] if p["child_id"] == child_id)
        yield f"Known as {child_id} in {known}"
    yield from _state(flag)
    yield from _section("Why now", _why(flag))
    yield from _section("Since when", _since(flag))
    yield from _section("How sure", _sure(flag))
    yield from _section("What was tried", _tried(flag))
    yield from _section("Who else", _who_else(flag))
    yield from _section("The rule", _rule(flag))
    yield ""
    yield "A flag is a prompt to look, not a finding."


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield title
    for line in lines:
        yield f"  {line}"


def _state(flag: dict[str, Any]) -> Iterator[str]:
    if flag["gone_as_at"]:
        yield flag["gone_words"]
        if flag["replaced_by"]:
            yield f"{flag['replaced_by']} stands in its place."
    elif not flag["stands"]:
        yield "Not in force: this version of the rule is computed beside the one that is, for comparison."


def _why(flag: dict[str, Any]) -> Iterator[str]:
    if flag["summary"]:
        yield f"{flag['summary']}." + (f" ({flag['detail']})" if flag["detail"] else "")
    by_day = any(e["raises"] and e["started_precision"] == "date" for e in flag["episodes"])
    completed = _clock(flag["raised_at"], by_day=by_day)
    yield f"Pattern first complete {completed}, last {_clock(flag['last_hit_at'])} (local time)."
    if flag["rule"]:
        yield flag["rule"]["lead"]
    if flag["only_region_sees"]:
        yield "No borough's own episodes are enough for it: only the region sees it."


def _since(flag: dict[str, Any]) -> Iterator[str]:
    yield flag["raised_words"] or "Never shown."
    for other in flag["replaces"] or []:
        yield f"It stands in the place of {other}."
    if flag["known_since"] and flag["known_since"] < flag["first_as_at"]:
        yield f"This child has been flagged for it since {_clock(flag['known_since'], by_day=True)}."
    if flag["back_as_at"]:
        yield f"It had gone and is shown again since {_clock(flag['back_as_at'], by_day=True)}."
    if flag["gone_as_at"]:
        yield f"It stood last on {_clock(flag['last_as_at'], by_day=True)}."


def _sure(flag: dict[str, Any]) -> Iterator[str]:
    if flag["is_certain"]:
        yield "Certain: the pattern holds however the recorded times are read."
    elif flag["certain_since"]:
        yield f"Certain since {_clock(flag['certain_since'])}."
    yield from flag["doubts"]
    if flag["rule"]:
        yield flag["rule"]["caveat"]


def _tried(flag: dict[str, Any]) -> Iterator[str]:
    if not flag["is_computed"]:
        yield "The records behind it, as they are now:"
    for episode in flag["episodes"]:
        status = "" if episode["status"] == "missing" else f", {episode['status']}"
        mark = "  <- completes the pattern" if episode["raises"] else ""
        yield f"{episode['started']} to {episode['ended'] or 'not recorded'} ({episode['borough']}{status}){mark}"
        yield from (f"    {line}" for line in _behind(episode))
    if not flag["episodes"]:
        yield "No record behind it counts any longer."


def _behind(episode: dict[str, Any]) -> Iterator[str]:
    yield f"episode {episode['episode_key']}, first received {_clock(episode['first_received_at'])}"
    for row in episode["rows"]:
        joined = f"; {_JOINED[row['joined_by']]}" if len(episode["rows"]) > 1 else ""
        yield (
            f"record of {row['borough']} ({row['source']}), by the {row['recorded_by']}: {row['started']} to "
            f"{row['ended'] or 'not recorded'}{joined}"
        )
    if episode["due"] is None:
        return
    cascade = ("due", "offered", "accepted", "held", "within_72_hours", "overtaken")
    verdicts = ", ".join(f"{name.replace('_', ' ')}: {_VERDICTS[episode[name]]}" for name in cascade)
    yield f"return interview {verdicts}"
    if episode["first_held"]:
        yield f"first held {episode['first_held']}{_after(episode['hours_from_return'])}"
    for heard in episode["heard"]:
        said = ", ".join([*heard["push_factors"], *heard["pull_factors"], *heard["harms_disclosed"]])
        yield (
            f"interview of {heard['held']}: independent {_VERDICTS[heard['independent']]}, own account recorded "
            f"{_VERDICTS[heard['account_recorded']]}, something done {_VERDICTS[heard['something_done']]}"
            + (f"; said: {said}" if said else "")
        )


def _after(hours: float | None) -> str:
    """To the minute: rounded to hours it could contradict the verdict on 72 hours."""
    if hours is None:
        return ""
    whole, minutes = divmod(round(hours * 60), 60)
    return f" ({whole} h {minutes} min after the return)"


def _who_else(flag: dict[str, Any]) -> Iterator[str]:
    if flag["boroughs"]:
        yield f"Boroughs that sent its episodes: {', '.join(flag['boroughs'])}."
    for other in flag["together_with"]:
        chance = "more often than by chance" if other["is_beyond_chance"] else "which may be chance"
        yield (
            f"Missing {other['pairings']} times together ({other['kind']}, {chance}) with child {other['partner_key']} "
            f"of {', '.join(other['partner_boroughs'])}, {other['first']} to {other['last']}"
        )
    for setting in flag["settings"]:
        yield (
            f"{setting['own_episodes']} of its episodes from setting {setting['setting_key']}, where "
            f"{setting['starts']} episodes of {setting['children']} children started, {setting['first']} to "
            f"{setting['last']}"
        )
    for link in flag["links"]:
        yield (
            f"Link {link['link_id']} of {_clock(link['decided_at'], by_day=True)} by {link['decided_by']} "
            f"({link['reason']}): {link['child_id']} of {link['borough']}"
        )
    for other in flag["other_flags"]:
        yield f"The child is also flagged: {other['flag_id']}, {other['title']}, {other['raised']}"


def _rule(flag: dict[str, Any]) -> Iterator[str]:
    rule = flag["rule"]
    if rule:
        scope = "the whole region" if rule["scope"] == "region" else f"{rule['scope']} only"
        force = "in force" if rule["is_current"] else "no longer in force"
        yield rule["meaning"]
        yield f"Parameters: {rule['in_words']}. For {scope}; version {flag['rule_version']} is {force}."
        yield f"Source: {rule['source']}"
    for other in flag["other_versions"]:
        force = "in force" if other["is_current_rule"] else "not in force"
        yield f"Version {other['rule_version']} ({force}) flags the child too: {other['flag_id']}, {other['raised']}"


def _clock(instant: datetime, *, by_day: bool = False) -> str:
    """Local time, or the local day."""
    local = instant.replace(tzinfo=UTC).astimezone(_LONDON)
    day = f"{local.day} {local:%B %Y}"
    return day if by_day else f"{day} {local:%H:%M}"
