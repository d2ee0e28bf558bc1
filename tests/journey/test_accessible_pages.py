"""Every page can be used by everybody: WCAG 2.2 up to AA as axe-core checks it, narrow screens, large enough targets.

The pages are those of the samples; no stack is needed, but the browser is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import samples
from messages.language import languages

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
SIZES = {"phone": (320, 700), "desktop": (1280, 900)}
SMALLEST_TARGET = 24
"""CSS pixels each way (WCAG 2.2, 2.5.8)."""
TARGETS = "button, select, textarea, summary, input:not([type=hidden]):not([tabindex='-1'])"
each_page = pytest.mark.parametrize("kind", samples.ALL_PAGES)


def spoken(kind: str) -> Iterator[tuple[str, str]]:
    """A sample in every language that its readers have: tag and document."""
    show, context = samples.ALL_PAGES[kind]
    if kind in samples.STAFF_PAGES:
        yield "en", show(context, "nonce")
        return
    for language in languages():
        yield language.tag, show(replace(context, language=language.tag), "nonce")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A tab of a narrow window."""
    opened = browser.new_page(viewport={"width": 320, "height": 700})
    yield opened
    opened.close()


def found(page: Page) -> list[str]:
    """What axe finds: the rule and the elements."""
    violations: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{broken['id']}: {node['html']} ({node['failureSummary']})"
        for broken in violations
        for node in broken["nodes"]
    ]


@each_page
def test_axe_finds_nothing_in_light_and_dark_on_phone_and_desktop(page: Page, kind: str) -> None:
    for tag, html in spoken(kind):
        if tag not in {"en", "ar"}:
            continue
        page.set_content(html)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                assert found(page) == [], f"{tag}, {size}, {scheme}"


@each_page
def test_nothing_is_wider_than_a_narrow_phone_and_every_target_is_large_enough(page: Page, kind: str) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    for tag, html in spoken(kind):
        page.set_content(html)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, tag
        for target in page.locator(TARGETS).all():
            box = target.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= SMALLEST_TARGET, f"{tag}: {target}"
            assert box["x"] >= 0, f"{tag}: {target}"
            assert box["x"] + box["width"] <= 320, f"{tag}: {target}"


def test_axe_would_find_what_is_wrong(page: Page) -> None:
    """The rules are on: text that is too pale, a field without a label, a target that is too small."""
    page.set_viewport_size({"width": 320, "height": 700})
    page.emulate_media(color_scheme="light")
    html = samples.ALL_PAGES["survey_page"][0](samples.survey_page(), "nonce")
    wrong = """<main><p style="color: #bbb; background: #fff">Pale</p><input type="text">
        <button style="all: unset; width: 9px; height: 9px">a</button>
        <button style="all: unset; width: 9px; height: 9px">b</button></main>"""
    page.set_content(html.replace("</body>", f"{wrong}</body>"))
    rules = {line.partition(":")[0] for line in found(page)}
    assert {"color-contrast", "label", "target-size", "landmark-no-duplicate-main"} <= rules
