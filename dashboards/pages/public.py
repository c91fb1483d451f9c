"""The public page: the inquiry's questions in their order, answered from published figures only.

Which figures answer which question, and in which words, is here; how a kind of figure is made is in `desk`. Takes a
`PublicReader`, never a warehouse connection.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.comparability import Concerning
from dashboards.figures import Figure
from dashboards.pages.desk import CHILDREN_AND_INCIDENTS, Desk, Reading
from dashboards.pages.section import CHILDREN_NOTE, Card, Section
from dashboards.published import PublicReader
from dashboards.rulebook import Rulebook
from dashboards.words import Measure, listed, shown
from pipelines.region import Region

_OFFERED: Reading = ("I27", "")
_HELD: Reading = ("I28", "")
_WITHIN: Reading = ("I29", "")
_DECLINED: Reading = ("I30", "")
# The headlines: reading, basis, and what the number is of.
_CARDS: tuple[tuple[Reading, str, str], ...] = (
    (("I02", ""), "A", "children went missing"),
    (("I01", ""), "A", "missing incidents"),
    (_OFFERED, "B", "of returns: an interview was offered"),
    (_WITHIN, "B", "of returns: an interview was held within 72 hours"),
)

_ELIGIBLE_NOTE = (
    "An episode is eligible once the child is back, is under 18, and 72 hours have passed before the end of the "
    "borough's data."
)
_CLOCK_NOTE = (
    "The 72 hours are elapsed time from the return, nights and weekends included; where the return was not recorded, "
    "from being found. An interview known only by its date counts as within 72 hours only where every time of that day "
    "would."
)
_WINDOW_NOTE = "A window is elapsed time. Where the data before the period are not loaded, the figure is marked [z]."

_AGES = [(age, age[:1].upper() + age[1:]) for age in ("under 10", "10 to 11", "12 to 14", "15 to 17", "unknown")]
_AGE_WORDS = {
    "under 10": "children under 10",
    "10 to 11": "children aged 10 to 11",
    "12 to 14": "children aged 12 to 14",
    "15 to 17": "children aged 15 to 17",
    "unknown": "children of unknown age",
}
_SEXES = [("female", "Girls"), ("male", "Boys"), ("other", "Other"), ("unknown", "Not recorded")]
_SEX_WORDS = {
    "female": "girls",
    "male": "boys",
    "other": "children of another sex",
    "unknown": "children whose sex was not recorded",
}
_CARE = [("yes", "Looked after"), ("no", "Not looked after"), ("unknown", "Not known")]
_CARE_WORDS = {
    "yes": "children looked after by a council",
    "no": "children not looked after by a council",
    "unknown": "children for whom it was not recorded",
}


@dataclass(frozen=True)
class PublicPage:
    """What the template of the public page is filled with."""

    cards: tuple[Card, ...]
    card_notes: Concerning
    sections: tuple[Section, ...]
    period: str

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return tuple(figure for section in self.sections for figure in section.figures)


def public_page(reader: PublicReader, rulebook: Rulebook, region: Region) -> PublicPage:
    """Put the public page together."""
    desk = Desk(reader, rulebook, region)
    return PublicPage(
        cards=tuple(_card(desk, reading, basis, label) for reading, basis, label in _CARDS),
        card_notes=desk.comparability_of([reading for reading, _, _ in _CARDS]),
        sections=(_heard(desk), _early(desk), _who(desk), _changed(desk)),
        period=desk.year_words,
    )


def _card(desk: Desk, reading: Reading, basis: str, label: str) -> Card:
    point = desk.headline(reading, basis)
    value = shown(point.value, point.symbol, desk.measure(reading)) if point else shown(None, "x", Measure("count"))
    return Card(label, value, f"{desk.region.area.name}, {desk.year_words}")


def _heard(desk: Desk) -> Section:
    after = "after {value} of missing episodes in {area}"
    eligible = (_ELIGIBLE_NOTE,)
    lead = (
        "When a child who was missing returns, the council must offer a return interview with someone independent, and "
        "it should be carried out within 72 hours. These figures follow every return from the offer to the "
        "conversation. A borough that records offers poorly looks worse here than it may be; a return without a record "
        "counts as one without an interview."
    )
    offered = f"in {{period}}, a return interview was offered {after}"
    held = f"in {{period}}, a return interview was held {after}"
    within = f"in {{period}}, a return interview was held within 72 hours of the return {after}"
    declined = f"in {{period}}, a return interview was declined {after}"
    quarter = desk.over_time(
        "heard-by-quarter",
        {_OFFERED: "Offered", _HELD: "Held", _WITHIN: "Within 72 h", _DECLINED: "Declined"},
        "B",
        "quarter",
        said=_HELD,
        phrase=f"a return interview was held {after}",
        notes=(_ELIGIBLE_NOTE, _CLOCK_NOTE),
    )
    return Section(
        "heard",
        "Are children heard after they come back?",
        (lead,),
        (
            desk.by_area("heard-offered", _OFFERED, "B", offered, notes=eligible),
            desk.by_area("heard-held", _HELD, "B", held, notes=eligible),
            desk.by_area(
                "heard-72-hours",
                _WITHIN,
                "B",
                within,
                notes=(_ELIGIBLE_NOTE, _CLOCK_NOTE),
            ),
            desk.by_area("heard-declined", _DECLINED, "B", declined, notes=eligible),
            quarter,
        ),
    )


def _early(desk: Desk) -> Section:
    rules = {28: ("I10", ""), 90: ("I09", "")}
    named = listed([f"{days} days (a rule of {desk.source(reading)})" for days, reading in rules.items()])
    lead = (
        "The deliveries do not say when a professional first saw a risk, so this publication cannot answer the "
        "question in full. It can show how many children reached a point at which some local rules ask for a response: "
        f"three missing episodes within {named}."
    )
    return Section(
        "early",
        "How early is risk identified?",
        (lead,),
        tuple(
            desk.by_area(
                f"early-3-in-{days}",
                reading,
                "A",
                "in {period}, {value} of the children who went missing in {area} did so three times "
                f"within {days} days",
                notes=(CHILDREN_NOTE, _WINDOW_NOTE),
            )
            for days, reading in rules.items()
        ),
    )


def _who(desk: Desk) -> Section:
    lead = (
        "An incident is one missing episode; a child may have several. Reports of one absence are merged first, so "
        "that a child reported on each night of one absence is not counted as having gone missing again and again."
    )
    counts = desk.areas_compared(
        "who-counts",
        CHILDREN_AND_INCIDENTS,
        phrase="in {period}, {one} children went missing in {area}, in {other} incidents",
        axis="Number",
        notes=(CHILDREN_NOTE, "The chart shows boroughs only; the region is in the table."),
    )
    rate = desk.by_area(
        "who-rate",
        ("I05", ""),
        "A",
        "in {period}, {value} of every 10,000 children aged 0 to 17 in {area} went missing at least once",
        notes=(CHILDREN_NOTE, desk.population_note()),
    )
    by_month = desk.over_time(
        "who-by-month",
        {("I01", ""): "Incidents"},
        "A",
        "month",
        said=("I01", ""),
        phrase="there were {value} missing incidents in {area}",
    )
    per_child = desk.by_area(
        "who-incidents-per-child",
        ("I03", ""),
        "A",
        "in {period}, a child who went missing in {area} did so {value} times on average",
        notes=(CHILDREN_NOTE,),
    )
    return Section(
        "who",
        "Who keeps going missing, and from where?",
        (lead,),
        (
            counts,
            rate,
            by_month,
            _repeat(desk),
            per_child,
            desk.by_group("who-age", "by age at the start of the episode", "age_band", _AGES, _AGE_WORDS),
            desk.by_group("who-sex", "by sex", "sex", _SEXES, _SEX_WORDS),
            desk.by_group(
                "who-looked-after", "by whether the child was looked after", "looked_after", _CARE, _CARE_WORDS
            ),
            _looked_after(desk),
        ),
    )


def _repeat(desk: Desk) -> Figure:
    readings = (
        "Children: those missing more than once in the year, of all children missing. Their incidents: the share of "
        "all incidents that are theirs. Second or later: incidents that follow another of the same child within 365 "
        "days, of all incidents."
    )
    return desk.areas_compared(
        "who-repeat",
        {("I08", ""): "Children", ("I07", ""): "Their incidents", ("I06", ""): "Second or later"},
        phrase=(
            "in {period}, {one} of the children who went missing in {area} did so more than once; they account for "
            "{other} of all incidents"
        ),
        axis="Share",
        notes=(
            readings,
            'The last two are the published meanings of "repeat"; they give different shares of the same incidents.',
            CHILDREN_NOTE,
        ),
    )


def _looked_after(desk: Desk) -> Figure:
    placed = (
        "Looked after by any council: on this basis a borough's figure includes children whom other councils placed "
        "there."
    )
    return desk.areas_compared(
        "who-looked-after-by-area",
        {("I14", ""): "Of children", ("I14", "of incidents"): "Of incidents"},
        phrase=(
            "in {period}, looked-after children were {one} of the children who went missing in {area}, and {other} of "
            "the incidents were theirs"
        ),
        axis="Looked-after share",
        notes=(placed, CHILDREN_NOTE),
    )


def _changed(desk: Desk) -> Section:
    lead = (
        "Only years that the boroughs delivered to this pipeline can be compared here; earlier years are not in it. A "
        "change may be one of children's lives, of recording, or of what was delivered: a year received in part is "
        "marked [u]."
    )
    counts = desk.over_time(
        "changed-counts",
        CHILDREN_AND_INCIDENTS,
        "A",
        "year_to_march",
        said=("I01", ""),
        phrase="there were {value} missing incidents in {area}",
        notes=(CHILDREN_NOTE,),
    )
    held = desk.over_time(
        "changed-held",
        {_HELD: "Held"},
        "B",
        "year_to_march",
        said=_HELD,
        phrase="a return interview was held after {value} of missing episodes in {area}",
        notes=(_ELIGIBLE_NOTE,),
    )
    held_by_borough = desk.first_and_latest(
        "changed-held-by-borough",
        _HELD,
        "B",
        "the share of episodes followed by a return interview",
        notes=(_ELIGIBLE_NOTE,),
    )
    repeat = desk.over_time(
        "changed-repeat",
        {("I08", ""): "More than once"},
        "A",
        "year_to_march",
        said=("I08", ""),
        phrase="{value} of the children who went missing in {area} did so more than once",
        notes=(CHILDREN_NOTE,),
    )
    rate_by_borough = desk.first_and_latest(
        "changed-rate-by-borough",
        ("I05", ""),
        "A",
        "the rate of children missing",
        notes=(CHILDREN_NOTE, desk.population_note()),
    )
    return Section("changed", "What has changed?", (lead,), (counts, held, held_by_borough, repeat, rate_by_borough))
