"""A guest of the public gallery and the actions of a guest."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor

SMALL_WINDOW = {"width": 900, "height": 600}
# Resolves after the browser has painted.
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextmanager
def looking(browser: Browser, site: RunningSite, **options: Any) -> Iterator[Visitor]:
    """Yield a guest with an empty profile in the shared browser; `options` are those of the context."""
    with browser.new_context(**{"locale": "en-GB", "viewport": SMALL_WINDOW, **options}) as context:
        yield Visitor(context.new_page(), site.url, (site.url, site.s3_url))


def short_pages(page: Page, size: int) -> None:
    """Make the API return pages of `size` jobs, so that a small gallery has many pages."""
    page.route(
        "**/v1/gallery?*",
        lambda route: route.continue_(url=re.sub(r"limit=\d+", f"limit={size}", route.request.url)),
    )


def only_newest(page: Page, count: int) -> None:
    """Make the API return only the newest `count` jobs, each time after the page was painted without the answer."""

    def answer(route: Route) -> None:
        newest = route.fetch().json()["items"][:count]
        page.locator(".gallery-wall").wait_for()
        page.evaluate(PAINTED)
        route.fulfill(json={"items": newest, "next": None})

    page.route("**/v1/gallery?*", answer)


def tiles(page: Page) -> Locator:
    return page.get_by_role("list", name="Pictures").locator("[data-job]")


def scroll_down(page: Page, until: str) -> None:
    """Turn the wheel until the address matches."""
    page.mouse.move(400, 400)
    for _ in range(40):
        if re.search(until, page.url):
            return
        page.mouse.wheel(0, 250)
        page.evaluate(PAINTED)
    raise AssertionError(f"the address stayed {page.url}")


def see(picture: Locator) -> str:
    """Wait until a picture is loaded. Returns its address."""
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    picture.page.wait_for_function("(node) => node.naturalWidth > 0", arg=picture.element_handle())
    return str(picture.evaluate("(node) => node.currentSrc"))


def top_of(tile: Locator) -> float:
    return float(tile.evaluate("(node) => node.getBoundingClientRect().top"))


def topmost_of(page: Page) -> tuple[str, float]:
    """Return the id of the first job in the window and its distance from the window's top in pixels."""
    found = tiles(page).evaluate_all(
        "(nodes) => nodes.find((node) => node.getBoundingClientRect().bottom > 0).dataset.job"
    )
    return str(found), top_of(page.locator(f'[data-job="{found}"]'))
