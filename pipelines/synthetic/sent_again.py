"""Files that tell again what was told before: a whole closed year, and a few corrected rows.

Belongs here: later deliveries of rows that stand in an earlier file. Does not: byte-for-byte copies (`errors`), or the
rows that the next regular file repeats (`deliveries`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.deliveries import Delivery, file_name
from pipelines.synthetic.draws import chosen
from pipelines.synthetic.layouts import ISO, as_at, stamped

FIRST_DAYS = 2  # of a month: a start moved back from there would move into another month


def send_again(
    rng: np.random.Generator, planned: Mapping[str, Any], files: Sequence[Delivery], texts: Mapping[str, pl.DataFrame]
) -> list[Delivery]:
    """Add a borough's later files; the rows that a correction puts right are made wrong in the first file.

    Args:
        rng: Source of chance (which rows are corrected).
        planned: For each borough code `closed_year` (file, days) or `correction` (file, days, rows).
        files: Files of canonical episodes, without errors.
        texts: All rows of each borough, by its code, in the canonical layout.

    Returns:
        The files in the same order, and the added ones after them.
    """
    kept, added = list(files), []
    for code, what in planned.items():
        mine = [place for place, file in enumerate(kept) if file.area.code == code and file.layout == "canonical"]
        for name, plan in what.items():
            if plan["file"] < len(mine):
                place = mine[plan["file"]]
                if name == "closed_year":
                    added.append(_closed_year(kept[place], texts[code], plan["days"]))
                else:
                    kept[place], correction = _corrected(rng, kept[place], texts[code], plan)
                    added.append(correction)
    return kept + added


def _later(file: Delivery, text: pl.DataFrame, days: int, *, word: str, case: str) -> Delivery:
    """The rows of a file as they are known some days later, in a file of their own."""
    extracted = file.period.extracted + timedelta(days=days)
    rows = text.filter(pl.col("episode_id").is_in(file.frame["episode_id"].implode()))
    frame = stamped(as_at(rows, extracted), extracted).with_columns(pl.lit(case).alias("_cases"))
    name = file_name(file.layout, f"{file.period.label}-{word}", file.container)
    return replace(file, name=name, frame=frame, period=replace(file.period, extracted=extracted, known=extracted))


def _closed_year(file: Delivery, text: pl.DataFrame, days: int) -> Delivery:
    again = _later(file, text, days, word="revised", case="")
    return replace(again, cases=("closed_year_sent_again", *file.cases))


def _corrected(
    rng: np.random.Generator, file: Delivery, text: pl.DataFrame, plan: Mapping[str, Any]
) -> tuple[Delivery, Delivery]:
    """A file some of whose starts are a day early, and the small file that puts them right."""
    started = pl.col("started_at").str.to_datetime(ISO, strict=False)
    plain = (pl.col("_cases") == "") & pl.col("_alone") & (started.dt.day() > FIRST_DAYS)
    wrong = chosen(rng, file.frame.filter(plain)["episode_id"], int(plan["rows"])).implode()
    is_wrong = pl.col("episode_id").is_in(wrong)
    frame = file.frame.with_columns(
        pl.when(is_wrong)
        .then(started.dt.offset_by("-1d").dt.strftime(ISO))
        .otherwise("started_at")
        .alias("started_at"),
        pl.when(is_wrong).then(pl.lit("corrected_later")).otherwise("_cases").alias("_cases"),
    )
    right = _later(file.with_frame(frame.filter(is_wrong)), text, plan["days"], word="corrections", case="correction")
    return file.with_frame(frame), replace(right, cases=("correction_file", *file.cases))
