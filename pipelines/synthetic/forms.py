"""How a file spells its cells: other forms of dates, serial numbers, other names of columns.

Belongs here: from the texts of a layout to the texts or numbers of one file. Does not: containers (`writing`,
`workbook`), or which file has which form (`demonstration.yaml`).
"""

import re

import polars as pl

from pipelines.synthetic.settings import Form

# The exact spellings that the layouts write, longest first, and whether each has a time.
SPELLINGS = (
    ("%Y-%m-%d %H:%M:%S", True),
    ("%d/%m/%Y %H:%M:%S", True),
    ("%Y-%m-%dT%H:%M", True),
    ("%Y-%m-%d", False),
    ("%d/%m/%Y", False),
)
TEXTS = {"day_first": ("%d/%m/%Y", " %H:%M"), "month_name": ("%d-%b-%y", " %H:%M")}
TEMPORAL = re.compile(r"(_at|_date|_DTTM|_DATE|_AT|MIS_START|MIS_END|DECOM|DEC|MFHStart|DateFound|ewDate|ExtractedAt)$")
SERIAL_EPOCH = pl.datetime(1899, 12, 30)
MICROSECONDS_A_DAY = 86_400_000_000


def spelled(frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Texts of a file in its own spelling of dates and names; times in cells become serial numbers, as text."""
    if form == Form():
        return frame
    names = [name for name in frame.columns if is_temporal(name)]
    if form.dates != "layout":
        frame = frame.with_columns(_as_text(name, *TEXTS[form.dates]) for name in names)
    if form.times != "text":
        frame = frame.with_columns(_as_serial(name) for name in names)
    added = [pl.lit(text).alias(name) for name, text in form.added.items()]
    return frame.rename(dict(form.renamed), strict=False).with_columns(added)


def is_temporal(name: str) -> bool:
    """Whether a column of any layout holds dates or times."""
    return TEMPORAL.search(name) is not None and not name.startswith("AGE")


def _moment(name: str, *, timed: bool) -> pl.Expr:
    """The cells that have a time (or have none), read; null for all others, such as a date that does not exist."""
    formats = [form for form, with_time in SPELLINGS if with_time == timed]
    return pl.coalesce(pl.col(name).str.to_datetime(form, strict=False, exact=True) for form in formats)


def _as_text(name: str, day: str, time: str) -> pl.Expr:
    dates = _moment(name, timed=False).dt.strftime(day)
    return pl.coalesce(_moment(name, timed=True).dt.strftime(day + time), dates, name).alias(name)


def _as_serial(name: str) -> pl.Expr:
    """Days since Excel's epoch, with the part of a day; what is no date stays as it is."""
    moment = pl.coalesce(_moment(name, timed=True), _moment(name, timed=False))
    days = (moment - SERIAL_EPOCH).dt.total_microseconds() / MICROSECONDS_A_DAY
    whole = pl.when(days == days.floor()).then(days.cast(pl.Int64).cast(pl.String))
    return pl.coalesce(whole, days.round(9).cast(pl.String), name).alias(name)
