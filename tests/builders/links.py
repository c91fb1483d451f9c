"""Links between pseudonyms, written the way a test wants to read them: (borough, child), decided and ended in UTC."""

from __future__ import annotations

from datetime import datetime

from pipelines.intake.links import Decision, Link, Pseudonym


def link(
    link_id: str, *pseudonyms: tuple[str, str], decided: str = "2026-06-01 09:00", ended: str | None = None
) -> Link:
    """One link, decided when deliveries of `tests.builders.rows` arrive unless said otherwise."""
    return Link(
        link_id,
        tuple(Pseudonym(borough, child) for borough, child in pseudonyms),
        _decision(decided),
        _decision(ended) if ended else None,
    )


def _decision(at: str) -> Decision:
    return Decision(datetime.fromisoformat(at), "regional analyst", "one child by both services' records")
