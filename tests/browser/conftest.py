"""A site from a small warehouse, and Chromium to look at it with. No test here needs a run of the pipeline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from dashboards.site import build_site
from pipelines.home import CONTRACTS
from pipelines.warehouse.connection import connect
from tests.site_data import build_site_warehouse

# Nothing but the pages: no updates, no sync, no background requests of the browser's own.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built once."""
    home = tmp_path_factory.mktemp("home")
    build_site_warehouse(home / "current.duckdb")
    with connect(home / "current.duckdb", read_only=True) as connection:
        build_site(connection, home / "site", contracts=CONTRACTS)
    return home / "site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of this machine; skipped where there is none, unless it is required."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        message = "no Chromium on this machine (looked for chromium, chromium-browser, google-chrome)"
        if os.environ.get("MFH_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield opened
        opened.close()
