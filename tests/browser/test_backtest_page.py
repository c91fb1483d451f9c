"""The page of the back-test in Chromium: every chart is drawn, one is shown at a time, and nothing is requested."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.pages.backtest import back_test_page
from pipelines.backtest.comparison import back_test
from pipelines.contracts.dfe_publication import load_dfe_publication
from pipelines.region import load_region
from tests.builders.returns import absence, placement, write_return

pytestmark = pytest.mark.browser


def test_the_picked_figure_is_shown_and_nothing_is_requested(browser: Browser, tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [absence("a", "01/05/2023", "02/05/2023")], [placement("a")])
    path = tmp_path / "backtest.html"
    path.write_text(back_test_page(back_test(tmp_path, 2024), load_dfe_publication(), load_region()), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-charts=drawn]")
    assert tab.locator(".picked svg.main-svg").count() >= 13
    assert tab.locator("#backtest-looked-after").is_visible()
    assert not tab.locator("#backtest-away-average").is_visible()
    tab.click("label[for=pick-backtest-away-average]")
    assert tab.locator("#backtest-away-average .main-svg").first.is_visible()
    assert not tab.locator("#backtest-looked-after").is_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.close()
    assert (asked, said) == ([path.as_uri()], [])
