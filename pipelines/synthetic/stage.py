"""Where patterns across children are arranged: the drawn episodes, who has a part already, and what is added.

Belongs here: what every arranged pattern needs (which boroughs tell times exactly, who is free when, adding an episode
of a known child at a given time and place). Does not: any one pattern (`company`, `clusters`, `borders`).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.children import ADULT
from pipelines.synthetic.region import described
from pipelines.synthetic.settings import Settings, Span

PLACE = ("area_missing_from", "missing_from_setting", "home_number", "placement_distance_miles")
MARKS = ("truth_case", "case_id", "occasion")
MARGIN = timedelta(hours=12)  # between an added episode and any other of the child
RECENT = timedelta(days=150)  # before the end of the demonstration
LEAST_MINUTES = 20  # of an added episode
REPORTED_BY = 0.9  # of an absence: the latest that it is reported


class Stage:
    """The drawn episodes and the cases arranged in them; a child has a part in one case at most."""

    def __init__(self, rng: np.random.Generator, settings: Settings, span: Span, drawn: pl.DataFrame) -> None:
        """Begin with the episodes as drawn."""
        self.rng = rng
        self.settings = settings
        self.span = span
        self.plan: Mapping[str, Any] = settings.raw["arranged"]
        self.episodes = drawn.sort("child", "started_at").with_row_index("row")
        self.episodes = self.episodes.with_columns(pl.len().over("child").alias("total"))
        self._used: list[str] = []
        self._marks: list[pl.DataFrame] = []
        self._added: list[pl.DataFrame] = []
        self._cases: dict[str, int] = {}

    def wanted(self, plan: Mapping[str, Any], scale: float) -> int:
        """How many of a case to arrange: all at the region's own size, fewer in a smaller one, never none."""
        count = int(plan["count"])
        return min(ceil(count * scale), count)

    @property
    def recently(self) -> datetime:
        """From here on a case is one of the last months: half of all are, so that a lead has something to look at."""
        return datetime.combine(self.span.end, time(), tzinfo=UTC) - RECENT

    def sharp(self, column: str | None = None) -> list[str]:
        """Boroughs that send every file, always in the canonical layout and under regional pseudonyms.

        Args:
            column: An optional column that they must send too.
        """
        return [
            code
            for code, habit in self.settings.habits.items()
            if habit.layout == "canonical"
            and habit.absent_month is None
            and not habit.switches
            and habit.scope == "regional"
            and column not in habit.leave_out
        ]

    def unused(self) -> pl.Expr:
        """Children without a part yet."""
        return ~pl.col("child").is_in(self._used)

    def minor_on(self, instant: datetime) -> pl.Expr:
        """Children who are not of age at an instant, nor the day after."""
        return pl.col("born_on") > date(instant.year - ADULT, instant.month, 1) + timedelta(days=32)

    def free(self, children: pl.Series, busy: pl.DataFrame) -> pl.Series:
        """Those of the children without an episode of their own near any of the spans from `begin` to `end`."""
        theirs = self.episodes.filter(
            pl.col("child").is_in(children.implode())
            & (pl.col("started_at") < busy["end"].max())
            & (pl.col("returned_at") > busy["begin"].min())
        ).select("child", "started_at", "returned_at")
        taken = theirs.join(busy.select("begin", "end"), on=None, how="cross").filter(
            (pl.col("started_at") < pl.col("end") + MARGIN) & (pl.col("returned_at") > pl.col("begin") - MARGIN)
        )
        return children.filter(~children.is_in(taken["child"].unique().implode()))

    def name(self, case: str) -> str:
        """The next identifier of a case."""
        self._cases[case] = self._cases.get(case, 0) + 1
        return f"{case}-{self._cases[case]:02d}"

    def arrange(self, case: str, added: pl.DataFrame, own: pl.DataFrame | None = None) -> None:
        """Put a case in place.

        Args:
            case: Its name among the truth's cases.
            added: Episodes to add: complete rows of the children who have them, with `occasion`.
            own: `row` and `occasion` of drawn episodes of these children that belong to it too.
        """
        case_id = self.name(case)
        marks = [pl.lit(case).alias("truth_case"), pl.lit(case_id).alias("case_id"), pl.col("occasion").cast(pl.Int64)]
        self._added.append(added.with_columns(marks).pipe(_reported_in_time))
        self._used += added["child"].unique().to_list()
        if own is not None:
            self._marks.append(own.select("row", *marks))

    def result(self) -> pl.DataFrame:
        """All episodes, with `truth_case`, `case_id` and `occasion` (null where nothing was arranged)."""
        nothing = pl.DataFrame(schema={"row": pl.UInt32, **dict.fromkeys(MARKS[:2], pl.String), "occasion": pl.Int64})
        marks = pl.concat([nothing, *self._marks])
        whole = self.episodes.join(marks, on="row", how="left", maintain_order="left")
        columns = whole.columns
        added = [described(frame, self.settings).select(columns) for frame in self._added]
        return pl.concat([whole, *added]).drop("row", "total")


def at_times(people: pl.DataFrame, started: pl.Series, minutes: pl.Series) -> pl.DataFrame:
    """Rows of children with other times: a start, so many minutes missing, and back soon after."""
    lasted = pl.Series("lasted", minutes.clip(LEAST_MINUTES)).cast(pl.Int64)
    return (
        people.with_columns(started.alias("started_at"), lasted)
        .with_columns(
            (pl.col("started_at") + pl.duration(minutes="lasted")).alias("found_at"),
            (pl.col("started_at") + pl.duration(minutes=pl.col("lasted") + 20)).alias("returned_at"),
        )
        .drop("lasted")
    )


def _reported_in_time(rows: pl.DataFrame) -> pl.DataFrame:
    """A report comes before the child is found, also where the row was a longer absence."""
    latest = ((pl.col("found_at") - pl.col("started_at")).dt.total_minutes() * REPORTED_BY).cast(pl.Int64)
    return rows.with_columns(pl.min_horizontal("report_lag_minutes", latest).alias("report_lag_minutes"))
