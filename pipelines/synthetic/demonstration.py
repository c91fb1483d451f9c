"""One call from a seed to landing folders full of deliveries and the truth behind them.

Belongs here: the order of the steps. Does not: any step itself.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.synthetic.clock import arrange
from pipelines.synthetic.deliveries import Delivery, episode_files, interview_files, police_files, return_files
from pipelines.synthetic.errors import plant_errors
from pipelines.synthetic.interviews import awkward_interviews, draw_interviews
from pipelines.synthetic.layouts import authority_return, canonical, contract_columns, interview_rows, only_here
from pipelines.synthetic.links import linked, write_links
from pipelines.synthetic.native import WITH_INTERVIEWS, liquidlogic, police_incident
from pipelines.synthetic.patterns import plant_patterns, to_find
from pipelines.synthetic.placements import draw_care
from pipelines.synthetic.police import police_records
from pipelines.synthetic.pseudonyms import authority_pseudonyms, demonstration_key, identify, share_pseudonyms
from pipelines.synthetic.records import record
from pipelines.synthetic.region import draw_region, numbered
from pipelines.synthetic.sent_again import send_again
from pipelines.synthetic.settings import Area, Habit, Settings, Span, load_settings
from pipelines.synthetic.truth import planted_rows, write_truth
from pipelines.synthetic.writing import write_delivery

FIRST_MONTH = date(2021, 4, 1)
LAST_MONTH = date(2026, 3, 1)


@dataclass(frozen=True)
class Demonstration:
    """What was written.

    Attributes:
        landing: The folder with one folder for each borough.
        files: Path below `landing` and number of data rows of each delivery, in order of path.
        truth: The folder with what is true and what was planted.
        links: The file that says which pseudonyms are one child.
        totals: Counts of the whole: files, rows, episodes, children, interviews, planted rows.
    """

    landing: Path
    files: tuple[tuple[str, int], ...]
    truth: Path
    links: Path
    totals: dict[str, int]


def write_demonstration(
    out: Path,
    *,
    seed: int,
    contracts: Path,
    first_month: date = FIRST_MONTH,
    last_month: date = LAST_MONTH,
    scale: float = 1.0,
    truth_dir: Path | None = None,
    links: Path | None = None,
) -> Demonstration:
    """Write synthetic deliveries for every borough of the region; the same arguments give the same bytes.

    Args:
        out: The landing folder; files go to `out/<borough slug>/`.
        seed: Which demonstration.
        contracts: The `data_contracts` folder.
        first_month: Any day of the first month.
        last_month: Any day of the last month.
        scale: Size against the real region; 1 is about 16,500 episodes a year.
        truth_dir: Where the truth goes; a folder `truth` beside `out` unless given.
        links: Where the decisions go that two pseudonyms are one child; unless given, `links.yaml` beside `out` where
            that is the landing folder of a home, else beside the truth.

    Returns:
        What was written.

    Raises:
        ValueError: The months are in the wrong order, or the scale is not positive.
        FileExistsError: Where the decisions should go are somebody's own.
    """
    span = Span(first_month.replace(day=1), last_month.replace(day=1))
    if span.months < 1 or scale <= 0:
        message = "a demonstration needs a last month at or after the first and a scale above 0"
        raise ValueError(message)
    settings = load_settings(contracts)
    region, interview, recording, planting, sharing, care, again, pattern, police = (
        np.random.default_rng([seed, step]) for step in range(9)
    )
    key = demonstration_key(seed)
    drawn = draw_region(region, settings, span, scale=scale)
    episodes = numbered(plant_patterns(pattern, settings, span, drawn, scale=scale))
    episodes = arrange(region, settings, span, episodes)
    episodes = share_pseudonyms(sharing, settings, identify(episodes, settings, key))
    main = episodes.filter("main_feed")
    interviews = awkward_interviews(interview, settings, draw_interviews(interview, settings, main))
    rows, told = police_records(police, settings, span, record(recording, settings, main), key)
    sent = _deliveries(
        _Source(
            rng=recording,
            care=care,
            settings=settings,
            span=span,
            key=key,
            columns={name: contract_columns(contracts, name) for name in ("missing_episode", "return_interview")},
            episodes=episodes,
            rows=rows,
            police=told,
            interviews=interviews,
        )
    )
    never_came = sent.never_came
    files = send_again(again, settings.raw["sent_again"], sent.files, sent.texts)
    # At a small scale a borough may have nothing to send for a period; nobody sends a file without rows.
    files = plant_errors(planting, settings, [file for file in files if file.frame.height])
    truth = truth_dir or out.parent / "truth"
    expected = to_find(episodes, rows, told, settings.areas)
    links = links or (out.parent if out.name == "landing" else truth) / "links.yaml"
    # First, because a file of somebody's own stops it.
    write_links(links, linked(expected))
    for file in files:
        write_delivery(out, file)
    about = {"seed": seed, "scale": scale, "first_month": f"{span.first:%Y-%m}", "last_month": f"{span.last:%Y-%m}"}
    planted = planted_rows(files, never_came)
    lost = [key for file in never_came for key in file.frame["_episode_key"]]
    totals = write_truth(
        truth,
        about,
        settings,
        episodes=episodes,
        interviews=interviews,
        planted=planted,
        expected=expected,
        files=files,
        lost=lost,
    )
    written = sorted((f"{file.area.slug}/{file.name}", file.frame.height) for file in files)
    return Demonstration(out, tuple(written), truth, links, totals)


@dataclass(frozen=True)
class _Source:
    """What a borough's files are made from."""

    rng: np.random.Generator
    care: np.random.Generator
    settings: Settings
    span: Span
    key: bytes
    columns: dict[str, tuple[str, ...]]
    episodes: pl.DataFrame
    rows: pl.DataFrame
    police: pl.DataFrame
    interviews: pl.DataFrame


@dataclass(frozen=True)
class _Sent:
    """Files of all boroughs, those that were due and never came, and canonical rows by borough."""

    files: list[Delivery]
    never_came: list[Delivery]
    texts: dict[str, pl.DataFrame]


def _deliveries(source: _Source) -> _Sent:
    """All regular deliveries of all boroughs."""
    sent = _Sent([], [], {})
    for area in source.settings.areas:
        habit = source.settings.habits[area.code]
        here = pl.col("delivered_by") == area.code
        rows, interviews = source.rows.filter(here), source.interviews.filter(here)
        texts = _texts(source, habit, rows, interviews)
        episodes = episode_files(source.rng, area, habit, texts, source.span)
        sent.texts[area.code] = texts[habit.layout]
        sent.files.extend(episodes.files)
        sent.never_came.extend(episodes.never_came)
        # Whoever sends the police's records has to send the interviews beside them.
        of_police = rows.filter(episodes.layout == "police_incident")["episode_id"].implode()
        beside = interviews.filter(pl.col("episode_ids").is_in(of_police))
        if habit.interviews.rows == "offered":
            interviews = interviews.filter(pl.col("offered") == "yes")
        for some, cadence in ((interviews, habit.interviews.cadence), (beside, habit.cadence)):
            text = interview_rows(some, source.columns["return_interview"])
            sent.files.extend(interview_files(area, habit, text, source.span, cadence if some.height else None))
        own = police_incident(source.police.filter(here), source.settings.areas)
        sent.files.extend(police_files(area, habit, own, source.span))
        sent.files.extend(_return_of(source, area, habit))
    return sent


def _texts(source: _Source, habit: Habit, rows: pl.DataFrame, interviews: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """A borough's rows in its usual layout and in those that take over, in this order."""
    if habit.layout == "liquidlogic":
        texts = {habit.layout: liquidlogic(rows, interviews, habit)}
    else:
        texts = {habit.layout: canonical(rows, source.columns["missing_episode"], habit)}
    for switch in habit.switches:
        if switch.layout == "police_incident":
            texts[switch.layout] = police_incident(rows, source.settings.areas)
        else:
            texts[switch.layout] = WITH_INTERVIEWS[switch.layout](rows, interviews)
    return texts


def _return_of(source: _Source, area: Area, habit: Habit) -> list[Delivery]:
    """The SSDA903 extracts of a borough that sends them beside its main feed."""
    of_area = pl.col("responsible_authority") == area.code
    own = authority_pseudonyms(
        source.episodes.filter(of_area & pl.col("return_due")), habit.scope, area.code, source.key
    )
    told = own.filter("in_return")
    files = []
    if area.code in source.settings.raw["placement_returns"]:
        # A night recorded as an absence of its own never ends in the records, which would contradict care.
        nightly = source.rows.filter(pl.col("cases").str.contains("nightly_reports"))["child"].implode()
        known = own.filter(~pl.col("child").is_in(nightly))
        care = draw_care(source.care, source.settings, source.span, known, area.code)
        others = told.filter(pl.col("child").is_in(nightly)).with_columns(only_here().alias("cases"))
        told = pl.concat([care.missing, others], how="diagonal").sort("started_at", "episode_key")
        files += return_files(area, habit, "ssda903_episodes", care.placements, source.span)
    return return_files(area, habit, "ssda903_missing", authority_return(told), source.span) + files
