"""The public gallery as a guest: its pages, its pictures, and failures to load them."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.support.api_user import gallery_of
from tests.support.gallery_guest import (
    PAINTED,
    looking,
    only_newest,
    scroll_down,
    see,
    short_pages,
    tiles,
    top_of,
    topmost_of,
)
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor

LARGEST_PAINT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
})"""


def test_every_page_of_the_gallery_has_an_address(guest: Visitor) -> None:
    page = guest.page
    short_pages(page, 6)
    page.goto(guest.url + "/create")
    page.get_by_role("link", name="Gallery").click()
    expect(tiles(page).nth(11)).to_be_attached()
    assert urlsplit(page.url).query == ""
    scroll_down(page, "after=")
    scroll_down(page, f"after=(?!{re.escape(parse_qs(urlsplit(page.url).query)['after'][0])})")
    # In one look: the page may still be scrolling.
    address, topmost = tiles(page).evaluate_all(
        "(nodes) => [location.href, nodes.find((node) => node.getBoundingClientRect().bottom > 0).dataset.job]"
    )

    page.go_back()
    expect(page).to_have_url(guest.url + "/create")

    page.goto(address)
    expect(tiles(page).first).to_be_attached()
    jobs = tiles(page).evaluate_all("(nodes) => nodes.map((node) => node.dataset.job)")
    assert topmost in jobs[:6]
    newer = page.get_by_role("link", name="Newer pictures")
    assert re.search(r"^/\?after=", newer.get_attribute("href") or "")
    newer.click()
    expect(tiles(page).nth(6)).to_have_attribute("data-job", jobs[0])
    page.get_by_role("link", name="Newer pictures").click()
    expect(page).to_have_url(guest.url + "/")
    expect(page.get_by_role("link", name="This frame is free")).to_be_visible()
    assert guest.complaints == []


def test_a_lost_address_leads_to_the_start(guest: Visitor) -> None:
    guest.expected = ["/v1/gallery"]
    guest.page.goto(guest.url + "/?after=nonsense")
    expect(guest.page.get_by_text("This page of the gallery no longer exists.")).to_be_visible()
    guest.page.get_by_role("link", name="Go to the newest pictures").click()
    expect(tiles(guest.page).first).to_be_attached()
    assert guest.complaints == []


def test_back_from_a_picture_leads_to_the_same_place(guest: Visitor) -> None:
    page = guest.page
    short_pages(page, 6)
    page.goto(guest.url)
    expect(tiles(page).nth(11)).to_be_attached()
    scroll_down(page, "after=")
    count = tiles(page).count()
    tile = tiles(page).nth(10)
    link = tile.get_by_role("link")
    link.focus()
    before, address = top_of(tile), page.url
    link.press("Enter")
    expect(page.locator(".picture-page h1")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(address)
    expect(link).to_be_focused()
    assert tiles(page).count() >= count
    after = top_of(tile)
    assert abs(after - before) <= 2, (
        f"tile at {before} px before and at {after} px after Back, scrollY {page.evaluate('scrollY')}"
    )

    topmost, before = topmost_of(page)
    page.reload()
    page.wait_for_function(
        """([job, top]) => {
          const tile = document.querySelector(`[data-job="${job}"]`);
          return tile !== null && Math.abs(tile.getBoundingClientRect().top - top) <= 2;
        }""",
        arg=[topmost, before],
    )
    assert guest.complaints == []


def test_neighbours_are_linked_after_a_visit_to_the_gallery(guest: Visitor, published: dict[str, Any]) -> None:
    page = guest.page
    short_pages(page, 3)
    page.goto(guest.url)
    expect(tiles(page).nth(2)).to_be_attached()
    prompts = tiles(page).evaluate_all("(nodes) => nodes.map((node) => node.querySelector('.placard').textContent)")
    tiles(page).first.get_by_role("link").click()
    around = page.get_by_role("navigation", name="Picture navigation")
    heading = page.locator(".picture-page h1")
    expect(heading).to_have_text(prompts[0])
    expect(around.get_by_role("link", name="Previous")).to_have_count(0)
    around.get_by_role("link", name="Next").click()
    expect(heading).to_have_text(prompts[1])
    around.get_by_role("link", name="Next").click()
    expect(heading).to_have_text(prompts[2])
    around.get_by_role("link", name="Previous").click()
    expect(heading).to_have_text(prompts[1])
    page.go_back()
    expect(tiles(page).nth(1).get_by_role("link")).to_be_focused()

    page.goto(f"{guest.url}/gallery/{published['large']['id']}")
    expect(heading).to_have_text("a wide valley")
    # Its size was free, so its unused shape is not shown.
    expect(page.locator(".recipe dt")).to_have_text(["Kind", "Style", "Quality", "Size", "Steps", "Guidance", "Seed"])
    expect(around.get_by_role("link")).to_have_text(["All pictures"])
    assert guest.complaints == []


def test_after_some_pages_the_gallery_asks_before_loading_more(guest: Visitor) -> None:
    page = guest.page
    short_pages(page, 2)
    page.set_viewport_size({"width": 900, "height": 2400})
    page.goto(guest.url)
    more = page.get_by_role("button", name="Show more")
    expect(tiles(page)).to_have_count(12)
    more.focus()
    more.press("Enter")
    expect(tiles(page).nth(12).get_by_role("link")).to_be_focused()
    assert guest.complaints == []


@pytest.mark.parametrize("width", [360, 1280, *repeats(3840)])
def test_nothing_shifts_while_the_gallery_is_scrolled(
    browser: Browser, site: RunningSite, published: dict[str, Any], width: int, record_property: Any
) -> None:
    with looking(browser, site, viewport={"width": width, "height": 900}) as person:
        page = person.page
        if width < 3840:  # where eight pictures are more than the window holds, as a whole page is everywhere
            short_pages(page, 8)
        page.goto(person.url)
        see(tiles(page).first.locator("img"))
        record_property("largest_contentful_paint_ms", page.evaluate(LARGEST_PAINT))
        for _ in range(12):
            page.mouse.wheel(0, 400)
            page.evaluate(PAINTED)
        see(tiles(page).last.locator("img"))
        moved = person.moved()
        record_property("cumulative_layout_shift", moved)
        assert moved < 0.05
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert person.complaints == []


@pytest.mark.parametrize("width", [360, 1280, *repeats(3840)])
def test_nothing_shifts_when_few_pictures_replace_the_placeholders(
    browser: Browser, site: RunningSite, published: dict[str, Any], width: int
) -> None:
    moved = {}
    for count in (0, 1, 3):
        with looking(browser, site, viewport={"width": width, "height": 900}) as person:
            only_newest(person.page, count)
            person.page.goto(person.url)
            expect(tiles(person.page)).to_have_count(count)
            person.see_complete()
            moved[count] = person.moved()
            assert person.complaints == []
    assert {count: value for count, value in moved.items() if value >= 0.05} == {}


def test_visible_pictures_load_first_and_in_a_fitting_size(
    browser: Browser, site: RunningSite, published: dict[str, Any]
) -> None:
    large = published["large"]["id"]
    endings = {}
    for density in (1, 3):
        window = {"width": 700, "height": 700}
        with looking(browser, site, viewport=window, device_scale_factor=density) as person:
            person.page.goto(person.url)
            picture = person.page.locator(f'[data-job="{large}"] img')
            endings[density] = urlsplit(see(picture)).path.rsplit(".", 1)[-1]
            assert re.search(r" 512w, .* 640w$", picture.get_attribute("srcset") or "")
            first = tiles(person.page).first.locator("img")
            assert (first.get_attribute("loading"), first.get_attribute("fetchpriority")) == ("eager", "high")
            last = tiles(person.page).last.locator("img")
            assert (last.get_attribute("loading"), last.get_attribute("decoding")) == ("lazy", "async")
            assert person.complaints == []
    assert endings == {1: "webp", 3: "png"}


def test_a_job_of_several_pictures_has_one_tile(guest: Visitor, published: dict[str, Any]) -> None:
    job = published["several"]
    guest.page.goto(guest.url)
    tile = guest.page.locator(f'[data-job="{job["id"]}"]')
    expect(tile).to_have_count(1)
    expect(tile.get_by_role("link", name=f"{job['prompt']}: 3 pictures")).to_be_visible()
    expect(tile.locator(".badge")).to_have_text("3 pictures")
    assert guest.complaints == []


def change_list(guest: Visitor, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change each image of the gallery's list on its way; the storage's refusals are expected."""

    def answer(route: Route) -> None:
        page = route.fetch().json()
        for item in page["items"]:
            item["images"] = [image | change(image) for image in item["images"]]
            for image in item["images"]:
                guest.expected += [urlsplit(image[name]).path for name in ("url", "thumbnail_url")]
        route.fulfill(json=page)

    guest.page.route("**/v1/gallery?*", answer)


def without_signature(image: dict[str, Any]) -> dict[str, Any]:
    """Return presigned URLs with an invalid signature."""
    return {
        name: re.sub("X-Amz-Signature=[0-9a-f]+", f"X-Amz-Signature={'0' * 64}", image[name])
        for name in ("url", "thumbnail_url")
    }


def test_refused_urls_are_renewed_unnoticed(guest: Visitor) -> None:
    page = guest.page
    change_list(guest, without_signature)
    page.goto(guest.url)
    for number in (0, 12):
        picture = tiles(page).nth(number).locator("img")
        assert "X-Amz-Signature=" not in see(picture)
        assert urlsplit(picture.get_attribute("src") or "").path.startswith("/i/")
    expect(page.locator(".picture-lost")).to_have_count(0)
    assert guest.complaints == []


def test_pictures_load_in_a_tab_that_was_open_for_hours(guest: Visitor) -> None:
    """Pictures that were never scrolled to request no expired URL, and are loaded."""
    gallery_of(guest.url, 24)
    page = guest.page
    page.clock.install()
    change_list(guest, without_signature)
    page.set_viewport_size({"width": 360, "height": 400})  # one column: the last picture is far below
    page.route("**/i/**", lambda route: route.fallback())
    page.goto(guest.url)
    see(tiles(page).first.locator("img"))
    last = tiles(page).nth(23).locator("img")  # of the first page
    late = last.evaluate("(node) => !node.complete || node.naturalWidth === 0")
    refused: list[str] = []
    page.clock.fast_forward("03:00:00")
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    assert "X-Amz-Signature=" not in see(last)
    assert (late, refused) == (True, [])
    assert guest.complaints == []


def test_a_failing_link_is_reported_and_retried_with_the_network(guest: Visitor) -> None:
    page = guest.page
    change_list(guest, without_signature)
    page.route("**/i/**", lambda route: route.fulfill(status=403, body=""))
    page.on("request", lambda request: guest.expected.append(urlsplit(request.url).path))
    page.goto(guest.url)
    tile = tiles(page).first
    expect(tile).to_contain_text("This picture cannot be loaded right now.")
    page.unroute("**/i/**")
    page.evaluate("dispatchEvent(new Event('online'))")
    see(tile.locator("img"))
    expect(tile.locator(".picture-lost")).to_have_count(0)
    assert guest.complaints == []


def test_a_refused_first_page_is_not_busy(guest: Visitor) -> None:
    page = guest.page
    page.route("**/v1/gallery?*", lambda route: route.fulfill(status=400, json={"status": 400}))
    guest.expected = ["/v1/gallery"]
    page.goto(guest.url)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".gallery-wall")).not_to_have_attribute("aria-busy", "true")
    assert guest.complaints == []


def test_a_gallery_that_cannot_be_fetched_says_so_and_recovers(guest: Visitor) -> None:
    page = guest.page
    page.route("**/v1/gallery?*", lambda route: route.abort())
    page.goto(guest.url)
    expect(page.get_by_role("alert")).to_contain_text("Easel cannot be reached.")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("Easel cannot be reached.")
    page.unroute("**/v1/gallery?*")
    page.evaluate("dispatchEvent(new Event('online'))")
    see(tiles(page).first.locator("img"))
    expect(page.get_by_role("alert")).to_have_count(0)
    assert [complaint for complaint in guest.complaints if "ERR_FAILED" not in complaint] == []


def test_a_new_installation_shows_its_first_pictures_without_a_reload(guest: Visitor) -> None:
    page = guest.page
    shown = 0

    def first_ones(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={"items": answer["items"][:shown], "next": None})

    page.clock.install()
    page.route("**/v1/gallery?*", first_ones)
    page.goto(guest.url)
    expect(page.get_by_text("No pictures yet.")).to_be_visible()
    for shown in (1, 3):
        page.clock.fast_forward(5_000)
        expect(tiles(page)).to_have_count(shown)
        expect(page.get_by_text("No pictures yet.")).to_have_count(0)
    assert guest.complaints == []
