"""The pages as a reader meets them: opened from a folder, on a wide and on a narrow screen, by eye and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from dashboards.feedback import feedback_page

pytestmark = pytest.mark.browser

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
# One page of each kind; the ten borough pages share one template.
KINDS = (
    "index.html",
    "public/index.html",
    "public/variation.html",
    "public/data-dictionary.html",
    "public/methodology.html",
    "boroughs/bolton/index.html",
    "region/index.html",
    "region/deliveries.html",
)
WITH_CHARTS = ("public/index.html", "public/variation.html", "boroughs/bolton/index.html", "region/index.html")


class Watched:
    """A browser page that remembers what went wrong and what it asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport=WIDE)
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport=NARROW)
    yield Watched(context.new_page())
    context.close()


def wait_for_charts(page: Page) -> None:
    page.wait_for_selector("html[data-charts='drawn']", state="attached")


# Each page is opened once and looked at in several ways: a page with charts takes a second to draw.
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_on_a_wide_screen(watched: Watched, site: Path, kind: str) -> None:
    page = watched.open(site / kind)
    skip_link_leads_to_the_content(page)
    outline_is_in_order(page)
    if kind in WITH_CHARTS:
        every_figure_is_drawn(page)
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith((site.as_uri(), "data:", "blob:"))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_on_a_narrow_screen_never_scrolls_sideways(narrow: Watched, site: Path, kind: str) -> None:
    page = narrow.open(site / kind)
    if kind in WITH_CHARTS:
        wait_for_charts(page)
    page.eval_on_selector_all("details", "all => all.slice(0, 40).forEach(e => { e.open = true; })")
    width, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= seen
    assert narrow.complaints == []


def every_figure_is_drawn(page: Page) -> None:
    wait_for_charts(page)
    figures = page.locator("figure[data-figure-id]")
    assert figures.count() > 0
    assert figures.filter(has_not=page.locator(".chart svg.main-svg")).count() == 0
    assert page.locator(".modebar").count() == 0
    widths = page.eval_on_selector_all(".chart .plot-container", "all => all.map(e => e.getBoundingClientRect().width)")
    assert all(width > 200 for width in widths)
    names = page.eval_on_selector_all(".chart", "all => all.map(e => [e.getAttribute('role'), e.ariaLabel])")
    assert all(role == "img" and len(name) > 40 for role, name in names)


def skip_link_leads_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def outline_is_in_order(page: Page) -> None:
    for landmark in ("header", "nav", "main", "footer"):
        assert page.locator(landmark).count() >= 1, landmark
    levels = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_list_can_be_narrowed_by_pattern_and_by_code(watched: Watched, site: Path) -> None:
    page = watched.open(site / "boroughs/bolton/index.html")
    children = page.locator("#children > li")
    everyone = children.count()
    assert everyone > 1
    page.get_by_label("Pattern", exact=True).select_option("R3-28")
    seen = page.locator("#children > li:visible")
    assert 0 < seen.count() < everyone
    assert all("R3-28" in (item.get_attribute("data-rules") or "") for item in seen.all())
    page.get_by_label("Pattern", exact=True).select_option("")
    page.get_by_label("Code or word").fill(children.first.locator(".who").inner_text())
    assert page.locator("#children > li:visible").count() == 1
    assert page.locator("#filter-count").inner_text() == f"1 of {everyone} shown"


def test_a_child_opens_to_five_answers_and_a_rule_to_its_meaning(watched: Watched, site: Path) -> None:
    page = watched.open(site / "boroughs/bolton/index.html")
    child = page.locator("#children > li").first
    assert child.locator(".answers").is_hidden()
    child.locator("summary").click()
    assert child.locator(".answers dt").all_inner_texts() == [
        "Why now", "Since when", "What has been tried", "Who else", "How sure we are"
    ]  # fmt: skip
    link = child.locator(".flags a").first
    link.click()
    assert page.locator(link.get_attribute("href") or "").first.is_visible()


def test_a_borough_page_can_be_read_without_scripts(browser: Browser, site: Path) -> None:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "boroughs/bolton/index.html").as_uri())
    assert page.locator("#children > li").first.is_visible()
    assert page.locator("#filter").is_hidden()
    assert page.get_by_text("The chart needs JavaScript").first.is_visible()
    context.close()


def test_the_way_from_the_entry_page_to_a_figures_file(watched: Watched, site: Path) -> None:
    page = watched.open(site / "index.html")
    page.get_by_role("link", name="Regional statistics").first.click()
    page.wait_for_selector("h1")
    first = page.get_by_role("link", name="Download the figures (CSV)").first
    target = (site / "public" / (first.get_attribute("href") or "")).resolve()
    assert target.read_text(encoding="utf-8").startswith("figure_id,")


def test_tables_are_open_on_paper(watched: Watched, site: Path) -> None:
    page = watched.open(site / "public/index.html")
    wait_for_charts(page)
    assert page.locator("figure details[open]").count() == 0
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("figure details:not([open]), .comparability details:not([open])").count() == 0


@pytest.fixture
def feedback(tmp_path: Path) -> Path:
    """A page of `mfh check --html` about a file whose names are not tame."""
    name = "<script>alert(1)</script>" + "\u202e" + "x" * 300
    findings = [
        {
            "rule_id": "ssda903.567", "severity": "critical", "row_number": row, "column_letter": "F",
            "column_name": name, "message": "The end lies before the start; correct the one that is wrong.",
        }
        for row in range(2, 300, 2)
    ]  # fmt: skip
    report = {
        "file": name, "borough": "bolton", "dataset": "missing_episode", "source": "canonical", "rows_read": 300,
        "rows_accepted": 151, "refused": False, "findings": findings,
        "not_applicable": [{"rule_id": "ssda903.575", "reason": "No placement data was delivered."}],
    }  # fmt: skip
    path = tmp_path / "feedback.html"
    path.write_text(feedback_page(report), encoding="utf-8")
    return path


def test_feedback_is_one_file_that_asks_for_nothing(watched: Watched, feedback: Path) -> None:
    page = watched.open(feedback)
    assert page.locator(".verdict").inner_text() == "This file can be sent, but 149 of its 300 rows would be set aside."
    levels = page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert watched.requests == [feedback.as_uri()]
    assert watched.complaints == []


def test_feedback_fits_a_narrow_screen_and_paper(narrow: Watched, feedback: Path) -> None:
    page = narrow.open(feedback)
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        width, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width <= seen
    assert narrow.complaints == []


def test_a_rule_opens_to_the_files_that_break_it(watched: Watched, site: Path) -> None:
    page = watched.open(site / "boroughs/bolton/index.html")
    rule = page.locator("details.rule").filter(has_text="ssda903.567")
    assert rule.locator("table").is_hidden()
    rule.locator("summary").click()
    assert rule.locator("table").is_visible()
    assert "F found_at" in rule.inner_text()


def test_the_log_of_deliveries_leads_to_its_file(watched: Watched, site: Path) -> None:
    page = watched.open(site / "region/index.html")
    page.get_by_role("link", name="Deliveries", exact=True).click()
    page.wait_for_selector("h1")
    link = page.get_by_role("link", name="every file received (CSV)")
    target = (site / "region" / (link.get_attribute("href") or "")).resolve()
    assert target.read_text(encoding="utf-8").startswith("delivery_id,")
