"""The invented region: every true episode with its child, place, authority and circumstances, as one table.

Belongs here: putting the groups of children together, placements, and what is true of a child or an episode.
Does not: what a borough records of it (`records`), or return interviews (`interviews`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.authorities import share_out, thin
from pipelines.synthetic.children import (
    ADULT,
    Bools,
    Floats,
    Ints,
    Moments,
    absences,
    apart,
    draw_moments,
)
from pipelines.synthetic.draws import pick, shares, yes_no
from pipelines.synthetic.settings import LookedAfter, Settings, Span

LONDON = "Europe/London"
RAISED = 0.08  # of absences: the risk grade goes up while the child is missing
AWAY_SPARE = 1.19  # away absences drawn for each one wanted: some fall into other absences and are dropped


@dataclass(frozen=True)
class Placed:
    """Episodes of one group with the placement in force at each start.

    Attributes:
        moments: The episodes.
        in_care: Whether the child was looked after at the start, shape (episodes,).
        responsible: Code index of the responsible authority, shape (episodes,).
        area: Code index of the area missing from, shape (episodes,).
        setting: Kind of setting, shape (episodes,).
        home: Number of the setting among those of its kind and area, -1 for none, shape (episodes,).
        miles: Miles from home to placement, NaN where not placed, shape (episodes,).
        away: Away from placement without authorisation, shape (episodes,).
    """

    moments: Moments
    in_care: Bools
    responsible: Ints
    area: Ints
    setting: Ints
    home: Ints
    miles: Floats
    away: Bools

    def keep(self, mask: Bools) -> "Placed":
        """The episodes where `mask` holds."""
        rest = {
            name: getattr(self, name)[mask]
            for name in ("in_care", "responsible", "area", "setting", "home", "miles", "away")
        }
        return Placed(self.moments.keep(mask), **rest)


class Places:
    """The codes and kinds that placements are drawn from, as arrays with fixed order."""

    def __init__(self, settings: Settings) -> None:
        """Read the codes of the region, of the authorities outside it, and the kinds of setting."""
        raw = settings.raw["placement"]
        outside: Mapping[str, float] = settings.raw["outside"]
        self.codes = (*settings.codes, *outside)
        self.inside = len(settings.codes)
        self.children = shares([area.children for area in settings.areas])
        self.hosting = shares([settings.looked_after[code].hosted for code in settings.codes])
        self.outside = shares(list(outside.values()))
        self.settings = ("home", *raw["setting"])
        self.setting_shares = shares(list(raw["setting"].values()))
        self.homes = np.array([raw["settings_per_area"].get(kind, 0) for kind in self.settings])
        self.locations = shares([raw["location"][name] for name in ("inside", "region", "outside")])
        self.miles = np.array([raw["distance_miles"][name] for name in ("inside", "region", "outside")])
        self.raw = raw


def draw_region(rng: np.random.Generator, settings: Settings, span: Span, *, scale: float) -> pl.DataFrame:
    """Draw every true episode of the region's demonstration.

    Args:
        rng: Source of chance.
        settings: What to draw from.
        span: The months covered.
        scale: Multiplier of children and totals; 1 is the real region's size.

    Returns:
        One row for each episode of a child under 18, with instants in UTC, in no order and without a key
        (`numbered`); `born_on` stays until no more episodes are added.
    """
    world = _World(settings, Places(settings), _Years(span), scale)
    years = world.years
    own = _own(rng, world)
    guests = _guests(rng, world)
    early = np.bincount(years.of(own.moments.start[~own.in_care]), minlength=years.count)
    others = _others(rng, world, early)
    frames = [
        _frame(rng, world, group, name) for name, group in (("own", own), ("placed_in", guests), ("other", others))
    ]
    rows = described(pl.concat(frames), settings)
    # The span is one of local days; in summer a local day begins an hour before the UTC one.
    return rows.filter((pl.col("started_local").dt.date() < span.end) & (pl.col("age_at_start") < ADULT))


def described(episodes: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Say what follows from when and where each episode begins: who delivers it, the local start, the age."""
    inside = pl.col("area_missing_from").is_in(list(settings.codes))
    local = pl.col("started_at").dt.convert_time_zone(LONDON).dt.replace_time_zone(None)
    return episodes.with_columns(
        pl.when(inside).then("area_missing_from").otherwise("responsible_authority").alias("delivered_by"),
        local.alias("started_local"),
        completed_years(local.dt.date()).alias("age_at_start"),
    )


def completed_years(day: pl.Expr) -> pl.Expr:
    """Age on a day by the calendar: a rule that compares ages counts birthdays, not days."""
    # Texts of month and day, which sort as the days of a year do.
    not_yet = day.dt.strftime("%m-%d") < pl.col("born_on").dt.strftime("%m-%d")
    return (day.dt.year() - pl.col("born_on").dt.year() - not_yet).cast(pl.Int64)


def numbered(episodes: pl.DataFrame) -> pl.DataFrame:
    """Sort all episodes by start and give each its key; dates of birth end here."""
    return (
        episodes.drop("born_on")
        .sort("started_at", "child")
        .with_row_index("episode_key", offset=1)
        .with_columns(pl.format("T{}", pl.col("episode_key").cast(pl.String).str.zfill(6)).alias("episode_key"))
    )


class _Years:
    """Years to March inside the span, and the share of each that the span covers."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.days = span.days
        self.origin = datetime.combine(span.first, time(), tzinfo=UTC)
        month = np.arange(span.months) + span.first.year * 12 + span.first.month - 1
        number = (month - 3) // 12
        number -= number[0]
        first = [(_month_day(int(value)) - span.first.toordinal()) for value in month]
        self._year_of_day = np.repeat(number, np.diff([*first, span.days]))
        self.count = int(number[-1]) + 1
        self.share = np.bincount(number, minlength=self.count) / 12

    def of(self, day: Floats) -> Ints:
        """Year number of each day of the span."""
        return self._year_of_day[np.floor(day).astype(np.int64)]


def _month_day(month: int) -> int:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).toordinal()


@dataclass(frozen=True)
class _World:
    """What every group of children is drawn from."""

    settings: Settings
    places: Places
    years: _Years
    scale: float

    def wanted(self, name: str) -> Floats:
        """Wanted incidents of a group in each year of the span, shape (years,)."""
        per_year = float(self.settings.raw["yearly"][name])
        return per_year * self.years.share * self.scale


def _own(rng: np.random.Generator, world: _World) -> Placed:
    """Children looked after by the region's authorities, wherever they are placed."""
    places = world.places
    moments = _draw(rng, world, "own")
    children = moments.born.size
    first = _first_start(moments)
    wait = rng.exponential(places.raw["home_before_care_days"], children)
    cared_from = np.where(rng.random(children) < places.raw["from_home_first"], first + wait, -np.inf)
    in_care = moments.start >= cared_from[moments.child]
    authority, kept = _responsible(rng, world, moments, in_care)
    placed = _place(rng, places, moments, authority=authority, in_care=in_care, placed_in=False).keep(kept)
    return _with_away(rng, world, placed)


def _responsible(rng: np.random.Generator, world: _World, moments: Moments, in_care: Bools) -> tuple[Ints, Bools]:
    """Authority of each child, and which episodes stay once each authority's year is at its total."""
    settings, years, scale = world.settings, world.years, world.scale
    rows = [settings.looked_after[code] for code in settings.codes]
    incidents = np.outer([row.incidents for row in rows], years.share) * scale
    children = np.outer([row.children for row in rows], years.share) * scale
    known, child = np.unique(moments.child[in_care], return_inverse=True)
    year = years.of(moments.start)
    authority = rng.integers(0, len(rows), moments.born.size)
    authority[known] = share_out(child, year[in_care], children=children, incidents=incidents)
    kept = np.ones(moments.child.size, dtype=np.bool_)
    group = authority[moments.child] * years.count + year
    kept[in_care] = thin(rng, group[in_care], incidents.ravel())
    return authority, kept


def _guests(rng: np.random.Generator, world: _World) -> Placed:
    """Children looked after by authorities outside the region and placed in it."""
    places = world.places
    moments = _draw(rng, world, "placed_in")
    year = world.years.of(moments.start)
    moments = moments.keep(thin(rng, year, world.wanted("placed_in_incidents")))
    authority = places.inside + rng.choice(places.outside.size, moments.born.size, p=places.outside)
    in_care = np.ones(moments.child.size, dtype=np.bool_)
    return _place(rng, places, moments, authority=authority, in_care=in_care, placed_in=True)


def _others(rng: np.random.Generator, world: _World, early: Ints) -> Placed:
    """Children who are not looked after; `early` counts those of looked-after children before care, by year."""
    places = world.places
    moments = _draw(rng, world, "other")
    year = world.years.of(moments.start)
    moments = moments.keep(thin(rng, year, world.wanted("other_incidents") - early))
    children, episodes = moments.born.size, moments.child.size
    lives_in = rng.choice(places.inside, children, p=places.children)
    visitor = rng.random(children) < places.raw["visitors"]
    authority = np.where(visitor, places.inside + rng.choice(places.outside.size, children, p=places.outside), lives_in)
    area = lives_in[moments.child]
    visiting = rng.random(episodes) < places.raw["visiting"]
    area = np.where(visiting, (area + rng.integers(1, places.inside, episodes)) % places.inside, area)
    return Placed(
        moments=moments,
        in_care=np.zeros(episodes, dtype=np.bool_),
        responsible=authority[moments.child],
        area=area,
        setting=np.zeros(episodes, dtype=np.int64),
        home=np.full(episodes, -1),
        miles=np.full(episodes, np.nan),
        away=np.zeros(episodes, dtype=np.bool_),
    )


def _draw(rng: np.random.Generator, world: _World, group: str) -> Moments:
    settings = world.settings
    return draw_moments(
        rng,
        settings.behaviour[group],
        days=world.years.days,
        scale=world.scale,
        first_age=settings.raw["first_age"]["other" if group == "other" else "looked_after"],
        raw=settings.raw,
    )


def _place(
    rng: np.random.Generator,
    places: Places,
    moments: Moments,
    *,
    authority: Ints,
    in_care: Bools,
    placed_in: bool,
) -> Placed:
    """The placement in force at each start: a child moves a few times, each time to a new draw."""
    slots = int(places.raw["moves_per_child"]) + 1
    children = moments.born.size
    stays = rng.exponential(places.raw["move_after_days"], (children, slots - 1))
    moved = _first_start(moments)[:, None] + np.cumsum(stays, axis=1)
    slot = (moments.start[:, None] >= moved[moments.child]).sum(axis=1)
    where = (moments.child, slot)
    size = (children, slots)
    location = np.ones(size, dtype=np.int64) if placed_in else rng.choice(3, size, p=places.locations)
    setting = 1 + rng.choice(places.setting_shares.size, size, p=places.setting_shares)
    area = _host(rng, places, authority, location, placed_in=placed_in)
    # A few settings in each area are missed from far more often than the rest (Hayden 2015: ten addresses, 28%).
    number = np.floor(places.homes[setting] * rng.random(size) ** 2.2).astype(np.int64)
    number = np.where(places.homes[setting] > 0, number, -1)
    band = 2 if placed_in else location
    miles = np.round(places.miles[band] * np.exp(0.6 * rng.standard_normal(size)), 1)
    own_area = authority[moments.child]
    return Placed(
        moments=moments,
        in_care=in_care,
        responsible=own_area,
        area=np.where(in_care, area[where], own_area),
        setting=np.where(in_care, setting[where], 0),
        home=np.where(in_care, number[where], -1),
        miles=np.where(in_care, miles[where], np.nan),
        away=np.zeros(in_care.size, dtype=np.bool_),
    )


def _host(rng: np.random.Generator, places: Places, authority: Ints, location: Ints, *, placed_in: bool) -> Ints:
    """Area of each placement: inside the authority, elsewhere in the region, or outside the region."""
    size = location.shape
    host = rng.choice(places.inside, size, p=places.hosting)
    if not placed_in:
        next_door = (host + 1 + rng.integers(0, places.inside - 1, size)) % places.inside
        host = np.where(host == authority[:, None], next_door, host)
        host = np.where(host == authority[:, None], (host + 1) % places.inside, host)
    far = places.inside + rng.choice(places.outside.size, size, p=places.outside)
    return np.where(location == 0, authority[:, None], np.where(location == 1, host, far))


def _with_away(rng: np.random.Generator, world: _World, placed: Placed) -> Placed:
    """Add absences whose whereabouts were known, in the authorities that record them."""
    settings, years, scale = world.settings, world.years, world.scale
    chosen: list[Ints] = []
    year = years.of(placed.moments.start)
    here = placed.in_care & ((placed.area == placed.responsible) | (placed.area >= len(settings.codes)))
    for number, code in enumerate(settings.codes):
        row = settings.looked_after[code]
        for of_year, share in enumerate(years.share):
            pool = np.flatnonzero(here & (placed.responsible == number) & (year == of_year))
            chosen.append(_away_sources(rng, placed.moments.child[pool], pool, row, share * scale))
    source = np.concatenate(chosen)
    start = placed.moments.start[source]
    start = np.floor(start + rng.uniform(1, 25, source.size)) + start % 1
    found, returned = absences(rng, start, settings.raw)
    inside = start < years.days
    both = np.concatenate([np.arange(year.size), source[inside]])
    everything = Placed(
        moments=Moments(
            placed.moments.child[both],
            np.concatenate([placed.moments.start, start[inside]]),
            np.concatenate([placed.moments.found, found[inside]]),
            np.concatenate([placed.moments.returned, returned[inside]]),
            placed.moments.born,
        ),
        in_care=placed.in_care[both],
        responsible=placed.responsible[both],
        area=placed.area[both],
        setting=placed.setting[both],
        home=placed.home[both],
        miles=placed.miles[both],
        away=np.arange(both.size) >= year.size,
    )
    moments = everything.moments
    return everything.keep(apart(moments.child, moments.start, moments.returned))


def _away_sources(rng: np.random.Generator, child: Ints, pool: Ints, row: LookedAfter, share: float) -> Ints:
    """Episodes near which one authority's away absences of a year happen: few children, many absences."""
    wanted = int(row.away_incidents * share * AWAY_SPARE)
    known = np.unique(child)
    if not wanted or not known.size:
        return np.empty(0, dtype=np.int64)
    who = rng.choice(known, size=min(max(round(row.away_children * share), 1), known.size), replace=False)
    theirs = np.isin(child, who)
    near = pool[theirs]
    each = near[np.unique(child[theirs], return_index=True)[1]]
    more = rng.choice(near, size=max(wanted - each.size, 0))
    return np.concatenate([each, more])[:wanted]


def _frame(rng: np.random.Generator, world: _World, group: Placed, name: str) -> pl.DataFrame:
    settings, places, years = world.settings, world.places, world.years
    moments = group.moments
    people = _people(rng, settings, moments, looked_after=name != "other")
    code = pl.Series(places.codes)
    kind = pl.Series(places.settings)
    frame = pl.DataFrame(
        {
            "child": pl.select(pl.format(f"{name}-{{}}", pl.Series(moments.child))).to_series(),
            "status": pl.Series(group.away).replace_strict({True: "away", False: "missing"}),
            "started_at": _instant(moments.start, years.origin),
            "found_at": _instant(moments.found, years.origin),
            "returned_at": _instant(moments.returned, years.origin),
            "born_on": _instant(np.floor(moments.born), years.origin).dt.date().gather(moments.child),
            "looked_after": group.in_care,
            "responsible_authority": code[group.responsible],
            "area_missing_from": code[group.area],
            "missing_from_setting": kind[group.setting],
            "home_number": group.home,
            "placement_distance_miles": pl.Series(group.miles).fill_nan(None),
        }
    )
    return pl.concat([frame, people[moments.child]], how="horizontal").with_columns(
        *_flag_dates(moments, people, years),
        *_circumstances(rng, settings, group),
        pl.lit(name).alias("group"),
    )


def _people(rng: np.random.Generator, settings: Settings, moments: Moments, *, looked_after: bool) -> pl.DataFrame:
    """What stays the same of each child: sex, ethnicity, need, flags; one row for each child number."""
    raw = settings.raw["people"]
    kind = "looked_after" if looked_after else "other"
    children = moments.born.size
    female = rng.random(children) < raw["female"][kind]
    episodes = np.bincount(moments.child, minlength=children)
    columns: dict[str, Any] = {
        "sex": pl.Series(female).replace_strict({True: "female", False: "male"}, return_dtype=pl.String),
        "ethnicity": pick(rng, raw["ethnicity"], children),
        "sen_or_disability": yes_no(rng.random(children) < raw["sen_or_disability"][kind]),
    }
    for name, flag in settings.flags.items():
        chance = np.where(female, flag.female, flag.male) * (flag.looked_after_times if looked_after else 1)
        # Those who go missing often are more often known to be exploited.
        set_at_all = rng.random(children) < np.minimum(chance * np.maximum(episodes, 1) ** 0.3, 0.6)
        lead = rng.laplace(0.0, flag.lead_days, children)
        columns[f"{name}_flag"] = set_at_all
        columns[f"{name}_lead"] = lead
        columns[f"{name}_dated"] = rng.random(children) >= flag.without_date
    return pl.DataFrame(columns)


def _flag_dates(moments: Moments, people: pl.DataFrame, years: _Years) -> list[pl.Series]:
    """The date each flag was set, beside every episode of its child; null without a flag."""
    first = np.nan_to_num(_first_start(moments), posinf=0.0)
    dates = []
    for name in ("cse", "cce"):
        set_on = _instant(np.floor(first + people[f"{name}_lead"].to_numpy()), years.origin).dt.date()
        nothing = pl.Series([None], dtype=pl.Date)
        known = set_on.zip_with(people[f"{name}_flag"], nothing.new_from_index(0, len(set_on)))
        dates.append(known.gather(moments.child).alias(f"{name}_set_on"))
    return dates


def _circumstances(rng: np.random.Generator, settings: Settings, group: Placed) -> list[pl.Series]:
    """Risk grades, who reported and found, harm: drawn for each episode."""
    raw = settings.raw
    count = group.in_care.size
    initial = pick(rng, raw["risk"], count)
    raised = pl.Series(rng.random(count) < RAISED)
    highest = initial.zip_with(~raised, initial.replace({"lowest": "low", "low": "medium", "medium": "high"}))
    reporter = {kind: pick(rng, raw["reported_by"][kind], count) for kind in ("looked_after", "other")}
    start = group.moments.start
    reported = start + np.minimum(rng.exponential(2.0 / 24, count), (group.moments.found - start) * 0.9)
    seen = rng.random(count) < raw["prevention_interview"]["share"]
    hours = rng.exponential(raw["prevention_interview"]["median_hours"] / np.log(2), count)
    return [
        initial.alias("risk_initial"),
        highest.alias("risk_highest"),
        reporter["looked_after"].zip_with(pl.Series(group.in_care), reporter["other"]).alias("reported_by"),
        pick(rng, raw["found_by"], count).alias("found_by"),
        yes_no(rng.random(count) < raw["harm"]).alias("harm"),
        pl.Series("report_lag_minutes", np.floor((reported - start) * 1440).astype(np.int64)),
        pl.Series("prevention_lag_minutes", np.where(seen, np.floor(hours * 60), np.nan)).fill_nan(None),
    ]


def _instant(day: Floats, origin: datetime) -> pl.Series:
    """Days since the origin as UTC instants, to the minute."""
    minutes = np.round(day * 1440).astype(np.int64) * 60_000_000 + int(origin.timestamp()) * 1_000_000
    return pl.Series(minutes).cast(pl.Datetime("us", "UTC"))


def _first_start(moments: Moments) -> Floats:
    """First start of each child in days, shape (children,); infinite for a child without episodes."""
    first = np.full(moments.born.size, np.inf)
    np.minimum.at(first, moments.child, moments.start)
    return first
