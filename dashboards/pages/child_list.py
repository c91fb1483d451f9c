"""The entries of a borough's list: for each child why now, since when, what has been tried, who else, and how sure.

Words what `leads` read, a few short sentences to each question. Nothing is looked up, judged or counted here that the
records of one child do not say; what the rules mean is in the rulebook.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dashboards.figures import Table
from dashboards.leads import Child, Cluster, Company, Doubt, Episode, Flag, Interview, LeadReader, Partner
from dashboards.rulebook import Pattern, Rulebook
from dashboards.words import clock, code_words, counted, detail_words, duration, full_date, listed, local, month, number
from pipelines.region import Region

LABEL = 8
_MOST_EPISODES = 12
_MOST_PARTNERS = 5


@dataclass(frozen=True)
class Say:
    """One thing said: what it is about, what is said, and what the lead is asked to look at."""

    text: str
    about: str = ""
    ask: str = ""


@dataclass(frozen=True)
class Answer:
    """One of the five questions and what the records answer."""

    question: str
    says: tuple[Say, ...]


@dataclass(frozen=True)
class FlagEntry:
    """One flag with the rule that raised it."""

    flag: Flag
    pattern: Pattern
    raised: str
    reading: str


@dataclass(frozen=True)
class ChildEntry:
    """One child on the list: the five answers, and behind them the episodes and the flags."""

    label: str
    child_id: str
    is_new: bool
    last: str
    titles: tuple[str, ...]
    context: tuple[str, ...]
    rule_ids: tuple[str, ...]
    answers: tuple[Answer, ...]
    flags: tuple[FlagEntry, ...]
    episodes: Table
    more_episodes: int


@dataclass(frozen=True)
class _Case:
    """Everything that the borough's lead may know of one child."""

    child: Child
    flags: Sequence[Flag]
    episodes: Sequence[Episode]
    interviews: Sequence[Interview]
    partners: Sequence[Partner]
    company: Sequence[Company]
    clusters: Sequence[Cluster]
    doubts: Sequence[Doubt]

    @property
    def own(self) -> list[Episode]:
        """The episodes that this borough sent a row of."""
        return [episode for episode in self.episodes if episode.is_own]


def child_entries(reader: LeadReader, rulebook: Rulebook, region: Region) -> tuple[ChildEntry, ...]:
    """Make the borough's list, in the order in which the reader gives the children."""
    flags, episodes, interviews = (_by_child(rows) for rows in (reader.flags(), reader.episodes(), reader.interviews()))
    partners, company, clusters, doubts = (
        _by_child(rows) for rows in (reader.partners(), reader.company(), reader.clusters(), reader.doubts())
    )
    elsewhere = f"another borough of {region.area.name}"
    return tuple(
        _entry(_Case(child, *(rows[child.child_key] for rows in
            (flags, episodes, interviews, partners, company, clusters, doubts))), rulebook, elsewhere)
        for child in reader.children()
    )  # fmt: skip


def raised_words(flag: Flag) -> str:
    """Say which day completed a pattern, or only the month where another borough's episode did."""
    if flag.raised_at is None:
        return f"{month(flag.raised_month)} (by an episode of another borough)"
    return full_date(local(flag.raised_at).date())


def reading_words(flag: Flag) -> str:
    """Say that a flag does not hold on every reading of days and of the repeated hour; blank where it always did."""
    if flag.is_certain:
        return ""
    if flag.certain_month is None:
        return "on one reading of the record only"
    return f"at first on one reading of the record only, on every reading since {month(flag.certain_month)}"


def _by_child(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    grouped: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.child_key].append(row)
    return grouped


def _entry(case: _Case, rulebook: Rulebook, elsewhere: str) -> ChildEntry:
    entries = tuple(
        FlagEntry(flag, rulebook.pattern(flag.rule_id, flag.rule_version), raised_words(flag), reading_words(flag))
        for flag in case.flags
    )
    listing = [entry for entry in entries if entry.flag.on_list]
    label = case.child.child_id[:LABEL]
    return ChildEntry(
        label=label,
        child_id=case.child.child_id,
        is_new=case.child.is_new,
        last=_start(case.episodes[0]) if case.episodes else month(case.child.last_month),
        titles=tuple(dict.fromkeys(entry.pattern.title for entry in listing)),
        context=tuple(dict.fromkeys(entry.pattern.title for entry in entries if not entry.flag.on_list)),
        rule_ids=tuple(dict.fromkeys(flag.rule_id for flag in case.flags)),
        answers=(
            Answer("Why now", _why_now(case, listing)),
            Answer("Since when", _since_when(listing)),
            Answer("What has been tried", _tried(case)),
            Answer("Who else", _who_else(case, listing, elsewhere)),
            Answer("How sure we are", _how_sure(case)),
        ),
        flags=entries,
        episodes=_episode_table(case.episodes[:_MOST_EPISODES], label, {entry.flag.rule_id for entry in listing}),
        more_episodes=max(0, len(case.episodes) - _MOST_EPISODES),
    )


# Why now ---------------------------------------------------------------------------------------------------------


def _why_now(case: _Case, listing: Sequence[FlagEntry]) -> tuple[Say, ...]:
    by_rule: dict[str, list[FlagEntry]] = defaultdict(list)
    for entry in listing:
        by_rule[entry.flag.rule_id].append(entry)
    return (*(_why(entries) for entries in by_rule.values()), *_last_episode(case.episodes))


def _why(entries: Sequence[FlagEntry]) -> Say:
    """The newest flag of one rule; earlier ones that still count are mentioned."""
    flag, pattern = entries[0].flag, entries[0].pattern
    text = flag.summary + (f"; {detail_words(flag.detail)}" if flag.detail else "") + "."
    if len(entries) > 1:
        text += f" {counted(len(entries) - 1, 'earlier flag')} of the same pattern still {_verb(len(entries) - 1)}."
    own = "" if pattern.is_regional else " This borough's own threshold."
    new = " New." if flag.is_new else ""
    return Say(text + own + new, pattern.title, pattern.lead)


def _verb(count: int) -> str:
    return "counts" if count == 1 else "count"


def _last_episode(episodes: Sequence[Episode]) -> tuple[Say, ...]:
    if not episodes:
        return ()
    last = episodes[0]
    if not last.is_own:
        return (Say(f"{_start(last)}. No more is shown of it here.", "Last episode"),)
    return (Say(f"{_start(last)}; {_lasted(last)}.", "Last episode"),)


def _lasted(episode: Episode) -> str:
    return f"it lasted {duration(episode.hours)}" if episode.hours is not None else _length(episode)


# Since when ------------------------------------------------------------------------------------------------------


def _since_when(listing: Sequence[FlagEntry]) -> tuple[Say, ...]:
    oldest, newest = min(listing, key=_completed), max(listing, key=_completed)
    says = [_since(oldest, "The oldest of these flags")]
    if _completed(newest) > _completed(oldest):
        says.append(_since(newest, "The newest"))
    late = sum(entry.flag.arrival == "retrospective" for entry in listing)
    if late:
        verb = "was" if late == 1 else "were"
        says.append(Say(f"{number(late)} of these flags {verb} raised retrospectively, after more had become known."))
    return tuple(says)


def _since(entry: FlagEntry, subject: str) -> Say:
    told = f" {entry.flag.raised_words}" if entry.flag.raised_words else ""
    return Say(f"{subject}, {entry.pattern.title}: complete since {entry.raised}.{told}")


def _completed(entry: FlagEntry) -> date:
    flag = entry.flag
    return local(flag.raised_at).date() if flag.raised_at else flag.raised_month


# What has been tried ---------------------------------------------------------------------------------------------


def _tried(case: _Case) -> tuple[Say, ...]:
    return (*_returns(case.own), *_heard(case.interviews))


def _returns(own: Sequence[Episode]) -> tuple[Say, ...]:
    """Which interviews followed the returns behind the flags, and about which nobody can tell."""
    ended = [episode for episode in own if episode.due is not None]
    if not ended:
        return (Say("No return is recorded behind these flags, so no interview is due yet."),)
    due = [episode for episode in ended if episode.due == "yes"]
    yes = {name: sum(getattr(one, name) == "yes" for one in ended) for name in _STEPS}
    text = (
        f"Of {counted(len(ended), 'return')} behind these flags, the 72 hours are over for {number(len(due))}. An "
        f"interview was offered after {number(yes['offered'])}, accepted after {number(yes['accepted'])} and held "
        f"after {number(yes['held'])}, within 72 hours after {number(yes['within_72_hours'])}."
    )
    unclear = [
        f"{words} after {number(count)}"
        for name, words in _STEPS.items()
        if (count := sum(getattr(one, name) == "not_measurable" for one in ended))
    ]
    if unclear:
        text += f" It cannot be told whether one was {listed(unclear)}."
    return (Say(text, "Interviews"), *_overtaken(ended))


_STEPS = {"offered": "offered", "accepted": "accepted", "held": "held", "within_72_hours": "held within 72 hours"}


def _overtaken(ended: Sequence[Episode]) -> tuple[Say, ...]:
    count = sum(episode.overtaken == "yes" for episode in ended)
    if not count:
        return ()
    after = counted(count, "return")
    return (Say(f"After {after} the child went missing again within 72 hours, before anyone had held an interview."),)


def _heard(interviews: Sequence[Interview]) -> tuple[Say, ...]:
    own = [interview for interview in interviews if interview.is_own]
    others = len(interviews) - len(own)
    said: list[Say] = []
    if own:
        said += [*_account(own), *_done(own)]
    else:
        said.append(
            Say("No interview of this borough is recorded as held, so nothing that the child may have said is known.")
        )
    if others:
        verb = "was" if others == 1 else "were"
        said.append(Say(f"{counted(others, 'interview')} {verb} held by another borough; ask there what came of it."))
    return tuple(said)


def _account(own: Sequence[Interview]) -> list[Say]:
    """What the child said, whether it was written down, and to whom."""
    parts = [
        f"{lead_in} {words}"
        for lead_in, words in (
            ("ran from", _named(own, lambda one: one.push_factors)),
            ("was drawn by", _named(own, lambda one: one.pull_factors)),
            ("told of", _named(own, _harms)),
        )
        if words
    ]
    said = f"The child {'; '.join(parts)}." if parts else "What the child said is not recorded."
    kept = (
        f"Of {counted(len(own), 'interview')} held, the child's own account was written down in "
        f"{_tally(own, lambda one: one.account_recorded)}; somebody independent of the child's care held "
        f"{_tally(own, lambda one: one.independent)}."
    )
    return [Say(said, "What the child said"), Say(kept)]


def _harms(interview: Interview) -> list[str]:
    return [code for code in interview.harms_disclosed or [] if code != "none_disclosed"]


def _tally(own: Sequence[Interview], read: Callable[[Interview], str | None]) -> str:
    yes, unclear = (sum(read(one) == answer for one in own) for answer in ("yes", "not_measurable"))
    return number(yes) + (f" (not recorded for {number(unclear)})" if unclear else "")


def _done(own: Sequence[Interview]) -> list[Say]:
    done = _named(own, lambda one: one.actions)
    if not done:
        return [Say("It is not recorded whether anything was done after the interviews.", "What was done")]
    blank = sum(not one.actions for one in own)
    more = f" Nothing is recorded after {number(blank)} of them." if blank else ""
    return [Say(f"{done[:1].upper()}{done[1:]}.{more}", "What was done")]


def _named(own: Sequence[Interview], read: Callable[[Interview], list[str] | None]) -> str:
    """Codes in words, the most often named first, with how often where more than once."""
    tally = Counter(code for one in own for code in read(one) or [])
    ordered = sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))
    return listed([code_words(code) + (f" ({count} times)" if count > 1 else "") for code, count in ordered])


# Who else --------------------------------------------------------------------------------------------------------


def _who_else(case: _Case, listing: Sequence[FlagEntry], elsewhere: str) -> tuple[Say, ...]:
    beyond = [partner for partner in case.partners if partner.is_beyond_chance]
    says = (
        *(_partner(partner, elsewhere) for partner in beyond[:_MOST_PARTNERS]),
        *_more_partners(len(beyond) - _MOST_PARTNERS),
        *_by_chance([partner for partner in case.partners if not partner.is_beyond_chance]),
        *(_group(company, elsewhere) for company in case.company),
        *_other_boroughs(case, listing, elsewhere),
        *(_cluster(cluster, elsewhere) for cluster in case.clusters),
    )
    return says or (
        Say(
            "No other child is known to have been missing with this child repeatedly, and no other borough is involved."
        ),
    )


def _partner(partner: Partner, elsewhere: str) -> Say:
    who = f"Child {partner.partner_id[:LABEL]}" if partner.partner_id else f"A child of {elsewhere}"
    together = f", found together {_times(partner.found_together)}" if partner.found_together else ""
    where = "" if partner.kind == "found together" else f" {detail_words(partner.kind)}"
    text = (
        f"missing{where} at the same time {_times(partner.pairings)}{together}, last in {month(partner.last_month)}. "
    )
    return Say(f"{text}That is more often than chance explains.", who)


def _by_chance(partners: Sequence[Partner]) -> tuple[Say, ...]:
    """Those of whom nothing follows: many children of one place are missing at the same time by chance."""
    if not partners:
        return ()
    most = max(partners, key=lambda partner: partner.pairings)
    others = counted(len(partners), "other child was", "other children were")
    often = f"{_times(most.pairings)}" if len(partners) == 1 else f"up to {_times(most.pairings)}"
    where = {"same setting": " of the same setting", "same area": " of the same borough"}.get(most.kind, "")
    there = f" where {number(most.children_there)} children{where} go missing" if most.children_there else ""
    return (Say(f"{others} missing at the same time {often}, no more often than chance explains{there}."),)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _more_partners(count: int) -> tuple[Say, ...]:
    return (Say(f"{counted(count, 'more child', 'more children')} not shown."),) if count > 0 else ()


def _group(company: Company, elsewhere: str) -> Say:
    others = company.children - company.own_children
    there = f", {number(others)} of them of {elsewhere}" if others else ""
    return Say(f"This child is one of {number(company.children)} who go missing with one another{there}.", "Group")


def _other_boroughs(case: _Case, listing: Sequence[FlagEntry], elsewhere: str) -> tuple[Say, ...]:
    others = len(case.episodes) - len(case.own)
    if not others:
        return ()
    verb = "was" if others == 1 else "were"
    says = [
        Say(
            f"{number(others)} of the {number(len(case.episodes))} episodes behind these flags {verb} recorded only in "
            f"{elsewhere}.",
            "Other boroughs",
        )
    ]
    unseen = {entry.flag.rule_id: entry for entry in listing if entry.flag.only_region_sees}
    for rule_id, entry in unseen.items():
        own = sum(rule_id in episode.rule_ids for episode in case.own)
        says.append(
            Say(
                f"No borough alone sees enough episodes for it; this borough's own are {number(own)}.",
                entry.pattern.title,
            )
        )
    return tuple(says)


def _cluster(cluster: Cluster, elsewhere: str) -> Say:
    where = f"Setting {cluster.setting_id[:LABEL]}" if cluster.setting_id else f"A setting of {elsewhere}"
    when = " to ".join(dict.fromkeys((month(cluster.first_month), month(cluster.last_month))))
    return Say(
        f"{counted(cluster.starts, 'episode')} of {counted(cluster.children, 'child', 'children')} began there around "
        f"{when}; {number(cluster.threshold)} within the rule's days are unusual for this borough.",
        where,
    )


# How sure we are -------------------------------------------------------------------------------------------------


def _how_sure(case: _Case) -> tuple[Say, ...]:
    says = tuple(Say(_doubt(doubt)) for doubt in case.doubts)
    return says or (
        Say(
            "None of the usual doubts was found: times are known to the minute, each episode has an end and one "
            "record, and no month is missing. What nobody recorded cannot be seen here."
        ),
    )


# What a reason for doubt says, of one and of several.
_DOUBTS = {
    "flag_on_one_reading": (
        "1 of these flags holds only if unclear days or times are read in the usual way.",
        "{} of these flags hold only if unclear days or times are read in the usual way.",
    ),
    "day_only": (
        "Of 1 episode only the day is known, not the time.",
        "Of {} episodes only the day is known, not the time.",
    ),
    "open": ("1 episode has no recorded end.", "{} episodes have no recorded end."),
    "merged": (
        "1 episode was put together from several records; if these were not one absence, there are more.",
        "{} episodes were each put together from several records; if these were not one absence, there are more.",
    ),
    "age_unknown": (
        "In 1 episode the age is not recorded; the child may have been 18.",
        "In {} episodes the age is not recorded; the child may have been 18.",
    ),
    "interview_unclear": (
        "After 1 return it cannot be told whether an interview was held.",
        "After {} returns it cannot be told whether an interview was held.",
    ),
    "month_missing": (
        "1 month that these flags look at was not received, so there may be more episodes.",
        "{} months that these flags look at were not received, so there may be more episodes.",
    ),
    "not_matched": (
        "The child's code is this borough's own, so episodes in other boroughs would not be seen.",
        "The child's code is this borough's own, so episodes in other boroughs would not be seen.",
    ),
    "several_pseudonyms": (
        "The child has several codes here.",
        "The child has {} codes here, which a recorded decision says are one child.",
    ),
}


def _doubt(doubt: Doubt) -> str:
    one, several = _DOUBTS[doubt.reason]
    return one if doubt.extent == 1 else several.format(number(doubt.extent))


# Episodes --------------------------------------------------------------------------------------------------------


def _episode_table(episodes: Sequence[Episode], label: str, listing: Collection[str]) -> Table:
    return Table(
        caption=f"Episodes behind the flags of child {label}, newest first",
        headings=("Missing from", "Length", "Returned", "Return interview", "Recorded by", "Counts towards"),
        rows=tuple(
            (
                _start(episode),
                _length(episode) if episode.is_own else "not shown",
                clock(episode.returned_at, episode.returned_precision) if episode.is_own else "not shown",
                _interview(episode) if episode.is_own else "not shown",
                _recorded(episode) if episode.is_own else "another borough",
                ", ".join(rule_id for rule_id in episode.rule_ids if rule_id in listing),
            )
            for episode in episodes
        ),
        numeric=False,
    )


def _start(episode: Episode) -> str:
    when = clock(episode.started_at, episode.started_precision) if episode.is_own else month(episode.month)
    kind = "" if episode.status == "missing" else f" ({episode.status})"
    return f"{when}{kind}" if episode.is_own else f"{when}{kind}, another borough"


def _length(episode: Episode) -> str:
    if episode.hours is not None:
        return duration(episode.hours)
    return "still missing or end not recorded" if episode.returned_at is None else "not known to the minute"


def _interview(episode: Episode) -> str:
    if episode.due is None:
        return "not due"
    held = {"yes": _held(episode), "no": _not_held(episode)}.get(episode.held or "", "cannot be told")
    marks = [
        words
        for holds, words in (
            (episode.overtaken == "yes", "missing again within 72 hours"),
            (episode.is_before_return and episode.held == "yes", "dated before the return"),
            (episode.is_after_next and episode.held == "yes", "after the next episode began"),
            (episode.is_shared and episode.held == "yes", "one for several episodes"),
        )
        if holds
    ]
    return "; ".join([held, *marks])


def _held(episode: Episode) -> str:
    within = {"yes": "within 72 hours", "no": "not within 72 hours"}.get(
        episode.within_72_hours or "", "hours not known"
    )
    if episode.hours_from_return is None or episode.hours_from_return < 0:
        return f"held, {within}"
    return f"held {duration(episode.hours_from_return)} after the return"


def _not_held(episode: Episode) -> str:
    if episode.accepted == "yes":
        return "accepted, not held"
    if episode.offered == "yes":
        return "offered, not held"
    return "offer cannot be told, not held" if episode.offered == "not_measurable" else "none recorded"


def _recorded(episode: Episode) -> str:
    rows = f", {episode.source_rows} records" if (episode.source_rows or 1) > 1 else ""
    return listed(episode.recorded_by or ["not recorded"]) + rows
