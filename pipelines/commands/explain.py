"""`mfh explain`: the rule, the source and the episodes behind one flag."""

from __future__ import annotations

import click

from pipelines.commands.inputs import current_warehouse
from pipelines.errors import CommandError
from pipelines.home import Home
from pipelines.warehouse.connection import query_frame


def explain_flag(home: Home, flag_id: str) -> None:
    """Print why a flag was raised, with local times. An analyst's command: it shows one child's episodes."""
    with current_warehouse(home) as connection:
        flags = query_frame(
            connection,
            """
            select
                flag.flag_id, flag.rule_id, flag.rule_version, flag.child_id, flag.summary, rule.title, rule.meaning,
                rule.caveat, rule.source,
                strftime(utc_to_london(flag.raised_at), '%-d %B %Y %H:%M') as raised,
                strftime(utc_to_london(flag.last_hit_at), '%-d %B %Y %H:%M') as last_hit
            from patterns.flag as flag
            inner join rules.pattern as rule on flag.rule_id = rule.rule_id
            where flag.flag_id = $flag_id
            """,
            flag_id=flag_id,
        ).to_dicts()
        if not flags:
            msg = f"There is no flag {flag_id}; flags are listed on the borough pages and in patterns.flag."
            raise CommandError(msg)
        episodes = query_frame(
            connection,
            """
            select
                episode.borough, episode.episode_key, episode.source_rows,
                strftime(utc_to_london(episode.started_at), '%-d %b %Y %H:%M') as started,
                coalesce(strftime(utc_to_london(episode.ended_at), '%-d %b %Y %H:%M'), 'still open') as ended,
                episode.started_precision,
                coalesce(max(interview.held), 'none recorded') as interview,
                min(link.hours_from_return) as hours_from_return
            from patterns.flag_episode as evidence
            inner join core.missing_episode as episode on evidence.episode_key = episode.episode_key
            left join core.episode_interview as link on episode.episode_key = link.episode_key
            left join core.return_interview as interview on link.interview_key = interview.interview_key
            where evidence.flag_id = $flag_id
            group by all
            order by min(evidence.started_at)
            """,
            flag_id=flag_id,
        ).to_dicts()
    flag = flags[0]
    lines = [
        f"{flag['flag_id']}: {flag['title']} (rule {flag['rule_id']} version {flag['rule_version']})",
        f"Child {flag['child_id']}",
        f"Why: {flag['summary']}.",
        f"Raised {flag['raised']}; last completed {flag['last_hit']} (local time).",
        f"Meaning: {flag['meaning']}",
        f"Caveat: {flag['caveat']}",
        f"Source: {flag['source']}",
        "Contributing episodes:",
    ]
    for e in episodes:
        hours = e["hours_from_return"]
        when = f", {hours:.1f} hours after the return" if hours is not None else ""
        merged = f", merged from {e['source_rows']} rows" if e["source_rows"] > 1 else ""
        lines.append(
            f"  {e['started']} to {e['ended']} ({e['borough']}, known to the {e['started_precision']}{merged}); "
            f"interview held: {e['interview']}{when}; episode {e['episode_key']}"
        )
    lines.append("A flag is a prompt to look, not a finding.")
    click.echo("\n".join(lines))
