"""Writes the whole site beside the old one and swaps it in, so that a reader never meets half a site.

Decides which pages exist and where; what is on them is in `pages/`. Same tables, same bytes: no clock is read. Public
pages are scanned before they take their place; where one holds more than is published, the old ones stay.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from dashboards import words
from dashboards.comparability import Comparability
from dashboards.constants import constant_wording
from dashboards.figures import DataFile
from dashboards.intake import IntakeReader
from dashboards.pages.borough import borough_page
from dashboards.pages.deliveries import region_received
from dashboards.pages.public import public_page
from dashboards.pages.regional import regional_page
from dashboards.pages.variation import variation_page
from dashboards.published import PublicReader, Release, open_public
from dashboards.render import Renderer
from dashboards.restricted import RestrictedReader
from dashboards.rulebook import Rulebook, load_rulebook
from pipelines.disclosure.evidence import write_evidence
from pipelines.disclosure.policy_file import policy_path
from pipelines.disclosure.scan import (
    Allowed,
    Finding,
    PublicPagesRefused,
    allowed_from_warehouse,
    scan,
    scan_page,
)  # fmt: skip
from pipelines.region import Region, load_region

_STATIC = Path(__file__).parent / "static"
_PUBLIC, _ENTRY = "public", "index.html"
Progress = Callable[[str], None]


def build_site(
    connection: duckdb.DuckDBPyConnection, site: Path, *, contracts: Path, progress: Progress | None = None
) -> list[Path]:
    """Write every page, file and asset of the site, replacing the site that is there.

    Args:
        connection: the warehouse snapshot, read-only.
        site: the folder that holds the site afterwards.
        contracts: the folder of contracts, rules and reference files.
        progress: told the name of each part before it is built.

    Returns:
        Every file of the new site, sorted.

    Raises:
        PublicPagesRefused: a public page holds more than is published. The restricted pages have been replaced; the
            public ones are the earlier ones, or none.
    """
    say = progress or (lambda _: None)
    region = load_region(contracts)
    site.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{site.name}.", dir=site.parent))
    try:
        with open_public(connection) as public:
            rulebook = load_rulebook(contracts)
            builder = _Builder(fresh, region, rulebook, public.release(), policy=policy_path(contracts))
            say("assets")
            builder.assets()
            say("public pages")
            builder.public(public)
            restricted, books = RestrictedReader(connection), IntakeReader(connection)
            for borough in region.boroughs:
                say(borough.name)
                builder.borough(restricted, books, public, borough.slug)
            say(region.area.name)
            builder.regional(restricted, books)
            say("scan of the public pages")
            allowed = allowed_from_warehouse(connection, constant_wording(contracts), contracts)
            findings = _scan_public(fresh, allowed)
        if findings:
            _keep_public(site, fresh)
        fresh.chmod(0o755)
        _swap(fresh, site)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if findings:
        raise PublicPagesRefused(findings)
    return sorted(path for path in site.rglob("*") if path.is_file())


def write_public_pages(connection: duckdb.DuckDBPyConnection, folder: Path, *, contracts: Path) -> None:
    """Write the entry page and everything under `public/` into a folder that is there, and nothing else."""
    with open_public(connection) as public:
        builder = _Builder(
            folder, load_region(contracts), load_rulebook(contracts), public.release(), policy=policy_path(contracts)
        )
        builder.public(public)


def _scan_public(site: Path, allowed: Allowed) -> list[Finding]:
    """Scan everything that anyone may read: the public folder and the entry page."""
    return [*scan(site / _PUBLIC, allowed), *scan_page(site / _ENTRY, allowed)]


def _keep_public(old: Path, fresh: Path) -> None:
    """Put the public pages of the old site, if there are any, in the place of the fresh ones."""
    shutil.rmtree(fresh / _PUBLIC)
    (fresh / _ENTRY).unlink()
    if (old / _PUBLIC).is_dir() and (old / _ENTRY).is_file():
        shutil.copytree(old / _PUBLIC, fresh / _PUBLIC)
        shutil.copyfile(old / _ENTRY, fresh / _ENTRY)


class _Builder:
    """Writes pages into one folder."""

    def __init__(self, folder: Path, region: Region, rulebook: Rulebook, release: Release, *, policy: Path) -> None:
        self._folder = folder
        self._region = region
        self._rulebook = rulebook
        self._policy = policy
        self._renderer = Renderer(
            region=region,
            release=release,
            rulebook=rulebook,
            symbols=words.SYMBOLS,
            as_at=words.instant_words(release.as_at),
            data_to=words.day_words(release.data_to),
        )

    def assets(self) -> None:
        """Copy style, scripts and the installed package's plotly.js."""
        from plotly import offline

        assets = self._folder / "assets"
        assets.mkdir()
        for path in sorted(_STATIC.iterdir()):
            shutil.copyfile(path, assets / path.name)
        (assets / "plotly.min.js").write_text(offline.get_plotlyjs(), encoding="utf-8")

    def public(self, reader: PublicReader) -> None:
        """Write the entry page and everything under `public/`."""
        self._page("index.html", "index.html.j2", "Entry")
        page = public_page(reader, self._rulebook, self._region)
        files = [figure.data for figure in page.figures]
        self._page("public/index.html", "public.html.j2", "Regional statistics", files, page=page)
        variation = variation_page(reader, self._rulebook, self._region)
        files = [figure.data for figure in variation.figures]
        self._page("public/variation.html", "variation.html.j2", "More than chance?", files, page=variation)
        self._page("public/data-dictionary.html", "dictionary.html.j2", "Data dictionary")
        notes = Comparability(reader.notes(), self._region).all_notes()
        evidence = reader.evidence()
        self._page(
            "public/methodology.html",
            "methodology.html.j2",
            "Methodology notes",
            notes=notes,
            has_evidence=evidence is not None,
        )
        if evidence:
            write_evidence(self._folder / _PUBLIC, self._policy, *evidence)

    def borough(self, reader: RestrictedReader, books: IntakeReader, public: PublicReader, slug: str) -> None:
        """Write the restricted page of one borough."""
        borough = self._region.borough(slug)
        page = borough_page(reader, books, public, self._rulebook, region=self._region, borough=borough)
        files = [*(figure.data for figure in page.figures), *page.received.log.files]
        self._page(f"boroughs/{slug}/index.html", "borough.html.j2", borough.name, files, page=page, borough=borough)

    def regional(self, reader: RestrictedReader, books: IntakeReader) -> None:
        """Write the restricted pages of the region: findings and flags, and deliveries."""
        page = regional_page(reader, books, self._rulebook, self._region)
        files = [figure.data for figure in page.figures]
        received = region_received(books, self._region)
        self._page("region/index.html", "regional.html.j2", "Findings and flags", files, page=page, received=received)
        self._page("region/deliveries.html", "deliveries.html.j2", "Deliveries", received.log.files, received=received)

    def _page(self, path: str, template: str, title: str, files: Sequence[DataFile] = (), **values: Any) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        root = "../" * path.count("/")
        restricted = path.startswith(("boroughs/", "region/"))
        html = self._renderer.page(
            template,
            title=title,
            root=root,
            restricted=restricted,
            links=_links(path, root, title),
            here=path.rpartition("/")[2],
            **values,
        )
        target.write_text(html, encoding="utf-8")
        for file in files:
            data = target.parent / "data" / file.name
            data.parent.mkdir(exist_ok=True)
            data.write_text(file.text(), encoding="utf-8")


def _links(path: str, root: str, title: str) -> list[tuple[str, str]]:
    """The navigation: restricted pages are only linked from restricted pages and from the entry page."""
    if path.startswith(("boroughs/", "region/")):
        region = "" if path.startswith("region/") else f"{root}region/"
        return [
            ("Start", f"{root}index.html"),
            *([(title, "index.html")] if region else []),
            ("Findings and flags", f"{region}index.html"),
            ("Deliveries", f"{region}deliveries.html"),
            ("Public page", f"{root}public/index.html"),
            ("Methodology", f"{root}public/methodology.html"),
        ]
    public = "" if path.startswith("public/") else "public/"
    return [
        ("Start", f"{root}index.html"),
        ("Regional statistics", f"{public}index.html"),
        ("More than chance?", f"{public}variation.html"),
        ("Data dictionary", f"{public}data-dictionary.html"),
        ("Methodology", f"{public}methodology.html"),
    ]


def _swap(fresh: Path, site: Path) -> None:
    """Put the fresh folder in the place of the old one; if that fails, put the old one back."""
    old = site.parent / f".{site.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    try:
        fresh.rename(site)
    except OSError:
        if old.exists():
            old.rename(site)
        raise
    shutil.rmtree(old, ignore_errors=True)
