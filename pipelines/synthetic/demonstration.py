"""One call from a seed to landing folders full of deliveries and the truth behind them.

Belongs here: the order of the steps. Does not: any step itself.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.synthetic.clock import arrange
from pipelines.synthetic.deliveries import Delivery, episode_files, interview_files, return_files
from pipelines.synthetic.errors import plant_errors
from pipelines.synthetic.interviews import awkward_interviews, draw_interviews
from pipelines.synthetic.layouts import (
    authority_return,
    canonical,
    contract_columns,
    interview_rows,
    liquidlogic,
)
from pipelines.synthetic.pseudonyms import authority_pseudonyms, demonstration_key, identify
from pipelines.synthetic.records import record
from pipelines.synthetic.region import draw_region
from pipelines.synthetic.settings import Area, Settings, Span, load_settings
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
        totals: Counts of the whole: files, rows, episodes, children, interviews, planted rows.
    """

    landing: Path
    files: tuple[tuple[str, int], ...]
    truth: Path
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

    Returns:
        What was written.

    Raises:
        ValueError: The months are in the wrong order, or the scale is not positive.
    """
    span = Span(first_month.replace(day=1), last_month.replace(day=1))
    if span.months < 1 or scale <= 0:
        message = "a demonstration needs a last month at or after the first and a scale above 0"
        raise ValueError(message)
    settings = load_settings(contracts)
    region, interview, recording, planting = (np.random.default_rng([seed, step]) for step in range(4))
    key = demonstration_key(seed)
    episodes = arrange(region, settings, span, draw_region(region, settings, span, scale=scale))
    episodes = identify(episodes, settings, key)
    main = episodes.filter("main_feed")
    interviews = awkward_interviews(interview, settings, draw_interviews(interview, settings, main))
    rows = record(recording, settings, main)
    files, never_came = _deliveries(
        recording,
        settings,
        span,
        contracts=contracts,
        key=key,
        episodes=episodes,
        rows=rows,
        interviews=interviews,
    )
    # At a small scale a borough may have nothing to send for a period; nobody sends a file without rows.
    files = plant_errors(planting, settings, [file for file in files if file.frame.height])
    for file in files:
        write_delivery(out, file)
    truth = truth_dir or out.parent / "truth"
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
        files=files,
        lost=lost,
    )
    written = sorted((f"{file.area.slug}/{file.name}", file.frame.height) for file in files)
    return Demonstration(out, tuple(written), truth, totals)


def _deliveries(
    rng: np.random.Generator,
    settings: Settings,
    span: Span,
    *,
    contracts: Path,
    key: bytes,
    episodes: pl.DataFrame,
    rows: pl.DataFrame,
    interviews: pl.DataFrame,
) -> tuple[list[Delivery], list[Delivery]]:
    """All deliveries of all boroughs, and those that were due and never came."""
    episode_columns = contract_columns(contracts, "missing_episode")
    interview_columns = contract_columns(contracts, "return_interview")
    files: list[Delivery] = []
    never_came: list[Delivery] = []
    for area in settings.areas:
        habit = settings.habits[area.code]
        here = pl.col("delivered_by") == area.code
        own_rows, own_interviews = rows.filter(here), interviews.filter(here)
        if habit.layout == "liquidlogic":
            text = liquidlogic(own_rows, own_interviews, habit)
        else:
            text = canonical(own_rows, episode_columns, habit)
        main, unsent = episode_files(rng, area, habit, text, span)
        files += main
        never_came += unsent
        if habit.interviews.rows == "offered":
            own_interviews = own_interviews.filter(pl.col("offered") == "yes")
        files += interview_files(area, habit, interview_rows(own_interviews, interview_columns), span)
        files += _return_of(area, settings, span, key, episodes)
    return files, never_came


def _return_of(area: Area, settings: Settings, span: Span, key: bytes, episodes: pl.DataFrame) -> list[Delivery]:
    """The SSDA903 extracts of a borough that sends them beside its main feed."""
    habit = settings.habits[area.code]
    own = episodes.filter(pl.col("in_return") & (pl.col("responsible_authority") == area.code))
    named = authority_pseudonyms(own, habit.scope, area.code, key)
    return return_files(area, habit, authority_return(named), span)
