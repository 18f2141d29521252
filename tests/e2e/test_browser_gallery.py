"""The public wall and the page of a published picture, as a guest meets them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from api_user import ApiUser
from chromium import chromium
from playwright.sync_api import Browser, Locator, Page, Route, expect
from running_site import RunningSite
from visitor import Visitor

THINGS = ("a lighthouse", "a birch forest", "an old castle", "a small boat", "a red house")
SMALL_WINDOW = {"width": 900, "height": 600}
MOVED = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""
LARGEST_PAINT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
})"""


@pytest.fixture(scope="module")
def published(site: RunningSite) -> Iterator[dict[str, Any]]:
    """A painter whose jobs hang in the gallery: many small ones, on top one of three pictures and one large one."""
    with ApiUser(site.url) as owner:
        for number in range(12):
            width, height = ((64, 64), (96, 64), (64, 96))[number % 3]
            owner.submit(f"{THINGS[number % 5]}, study {number}", width=width, height=height)
        several = owner.submit(
            "three views of a harbour at dawn, mist over the water and gulls", n=3, negative_prompt="fog"
        )
        large = owner.submit("a wide valley", width=640, height=360, style="oil")
        jobs = owner.finished(limit_s=180)
        assert {job["state"] for job in jobs} == {"succeeded"}
        for job in reversed(jobs):
            assert owner.call("PUT", f"/v1/jobs/{job['id']}/publication").status_code == 200
        yield {"owner": owner, "several": owner.job(several["id"]), "large": owner.job(large["id"])}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextmanager
def looking(browser: Browser, site: RunningSite, **options: Any) -> Iterator[Visitor]:
    """A guest with an empty profile in the browser of all these tests; `options` are those of the context."""
    with browser.new_context(**{"locale": "en-GB", "viewport": SMALL_WINDOW, **options}) as context:
        yield Visitor(context.new_page(), site.url, (site.url, site.s3_url))


@pytest.fixture
def guest(browser: Browser, site: RunningSite, published: dict[str, Any]) -> Iterator[Visitor]:
    with looking(browser, site) as person:
        yield person


def short_pages(page: Page, size: int) -> None:
    """Let the API answer pages of so few jobs that a small gallery has many."""
    page.route(
        "**/v1/gallery?*",
        lambda route: route.continue_(url=re.sub(r"limit=\d+", f"limit={size}", route.request.url)),
    )


def tiles(page: Page) -> Locator:
    return page.get_by_role("list", name="Pictures").locator("[data-job]")


def scroll_down(page: Page, until: str) -> None:
    """Turn the wheel until the address matches."""
    page.mouse.move(400, 400)
    for _ in range(40):
        if re.search(until, page.url):
            return
        page.mouse.wheel(0, 250)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    raise AssertionError(f"the address stayed {page.url}")


def see(picture: Locator) -> str:
    """Wait until a picture is really there; its address."""
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    picture.page.wait_for_function("(node) => node.naturalWidth > 0", arg=picture.element_handle())
    return str(picture.evaluate("(node) => node.currentSrc"))


def top_of(tile: Locator) -> float:
    return float(tile.evaluate("(node) => node.getBoundingClientRect().top"))


def topmost_of(page: Page) -> tuple[str, float]:
    """The job whose tile is the first in the window, and how far under the window's top that begins."""
    found = tiles(page).evaluate_all(
        "(nodes) => nodes.find((node) => node.getBoundingClientRect().bottom > 0).dataset.job"
    )
    return str(found), top_of(page.locator(f'[data-job="{found}"]'))


def test_every_page_of_the_wall_has_an_address(guest: Visitor) -> None:
    page = guest.page
    short_pages(page, 6)
    page.goto(guest.url + "/create")
    page.get_by_role("link", name="Gallery").click()
    expect(tiles(page).nth(11)).to_be_attached()
    assert urlsplit(page.url).query == ""
    scroll_down(page, "after=")
    scroll_down(page, f"after=(?!{re.escape(parse_qs(urlsplit(page.url).query)['after'][0])})")
    address = page.url
    topmost, _ = topmost_of(page)

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
    expect(guest.page.get_by_text("This place on the wall cannot be found.")).to_be_visible()
    guest.page.get_by_role("link", name="To the newest pictures").click()
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
    assert abs(top_of(tile) - before) <= 2

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


def test_pictures_beside_are_reached_by_who_comes_from_the_wall(guest: Visitor, published: dict[str, Any]) -> None:
    page = guest.page
    short_pages(page, 3)
    page.goto(guest.url)
    expect(tiles(page).nth(2)).to_be_attached()
    prompts = tiles(page).evaluate_all("(nodes) => nodes.map((node) => node.querySelector('.placard').textContent)")
    tiles(page).first.get_by_role("link").click()
    around = page.get_by_role("navigation", name="Around this picture")
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
    # Its size was free, so that the shape which it did not have is not told.
    expect(page.locator(".recipe dt")).to_have_text(["Kind", "Style", "Quality", "Size", "Steps", "Guidance", "Seed"])
    expect(around.get_by_role("link")).to_have_text(["All pictures"])
    assert guest.complaints == []


def test_after_a_while_the_wall_asks_before_it_goes_on(guest: Visitor) -> None:
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


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_nothing_moves_while_the_wall_is_walked(
    browser: Browser, site: RunningSite, published: dict[str, Any], width: int, record_property: Any
) -> None:
    with looking(browser, site, viewport={"width": width, "height": 900}) as person:
        page = person.page
        short_pages(page, 8)
        page.goto(person.url)
        see(tiles(page).first.locator("img"))
        record_property("largest_contentful_paint_ms", page.evaluate(LARGEST_PAINT))
        for _ in range(12):
            page.mouse.wheel(0, 400)
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        see(tiles(page).last.locator("img"))
        moved = page.evaluate(MOVED)
        record_property("cumulative_layout_shift", moved)
        assert moved < 0.05
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert person.complaints == []


def test_what_is_seen_first_comes_first_and_as_small_as_it_may(
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


def test_a_job_of_several_pictures_has_one_place_on_the_wall(guest: Visitor, published: dict[str, Any]) -> None:
    job = published["several"]
    guest.page.goto(guest.url)
    tile = guest.page.locator(f'[data-job="{job["id"]}"]')
    expect(tile).to_have_count(1)
    expect(tile.get_by_role("link", name=f"{job['prompt']}, 3 pictures")).to_be_visible()
    expect(tile.locator(".badge")).to_have_text("3 pictures")
    assert guest.complaints == []


def test_a_picture_page_tells_all_and_leads_on(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["several"]
    page.goto(f"{guest.url}/gallery/{job['id']}#1")
    expect(page.get_by_role("heading", level=1)).to_have_text(job["prompt"])
    expect(page).to_have_title("three views of a harbour at dawn, mist over the water and… · Easel")
    expect(page.get_by_role("list", name="Pictures from these words").get_by_role("link")).to_have_count(3)
    expect(page.get_by_role("link", name="Picture 2 of 3")).to_have_attribute("aria-current", "true")
    recipe = page.locator(".recipe")
    expect(recipe).to_contain_text("Left outfog")
    expect(recipe).to_contain_text("ShapeSquareSize64 × 64")
    expect(recipe).to_contain_text(str(job["images"][1]["seed"]))
    see(page.locator(".picture-frame img"))

    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("#2$"))
    expect(recipe).to_contain_text(str(job["images"][2]["seed"]))
    page.get_by_role("link", name="Picture 1 of 3").click()
    expect(page).to_have_url(re.compile("#0$"))
    expect(page.locator("#announcer")).to_have_text("Picture 1 of 3")

    first = job["images"][0]
    expect(page.get_by_label("Lasting link")).to_have_value(f"{guest.url}{first['link']}")
    expect(page.get_by_role("link", name="Download")).to_have_attribute("href", f"{first['link']}?download=1")
    expect(page.get_by_role("link", name="Use as start picture")).to_have_attribute(
        "href", f"/create?start={first['id']}"
    )
    prompt = page.get_by_role("link", name="Use this prompt")
    expect(prompt).to_have_attribute("href", re.compile(f"/create\\?prompt={re.escape(quote(job['prompt']))}"))
    page.get_by_role("button", name="Use these settings").click()
    expect(page).to_have_url(f"{guest.url}/create")
    expect(page.get_by_label("Your picture in words")).to_have_value(job["prompt"])
    expect(page.get_by_label("Seed", exact=True)).to_have_value(str(job["settings"]["seed"]))
    assert guest.complaints == []


def test_the_lasting_link_is_copied(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["large"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{guest.url}/gallery/{job['id']}")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{guest.url}{job['images'][0]['link']}"
    assert guest.complaints == []


def test_the_full_size_view(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["several"]
    page.goto(f"{guest.url}/gallery/{job['id']}")
    opener = page.get_by_role("button", name="Open in full size")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Full size")
    expect(dialog.get_by_role("status")).to_have_text("Picture 1 of 3 · 64 × 64")
    picture = dialog.locator("img")
    see(picture)
    assert picture.evaluate("(node) => node.clientWidth") > 64
    dialog.get_by_role("button", name="Real pixels").click()
    expect(picture).to_have_js_property("clientWidth", 64)
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("status")).to_have_text("Picture 3 of 3 · 64 × 64")
    expect(picture).to_have_js_property("clientWidth", 64)
    dialog.get_by_role("button", name="Previous picture").click()
    expect(dialog.get_by_role("status")).to_have_text("Picture 2 of 3 · 64 × 64")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    expect(page).to_have_url(re.compile("#1$"))
    assert guest.complaints == []


def test_a_large_picture_is_moved_in_its_real_pixels(guest: Visitor, published: dict[str, Any]) -> None:
    page = guest.page
    page.goto(f"{guest.url}/gallery/{published['large']['id']}")
    page.get_by_role("button", name="Open in full size").click()
    dialog = page.get_by_role("dialog", name="Full size")
    see(dialog.locator("img"))
    page.set_viewport_size({"width": 400, "height": 600})
    dialog.locator("img").click()
    expect(dialog.get_by_role("button", name="Real pixels")).to_have_attribute("aria-pressed", "true")
    expect(dialog.locator("img")).to_have_js_property("clientWidth", 640)
    board = dialog.get_by_role("group", name="The picture")
    assert board.evaluate("(node) => node.scrollWidth > node.clientWidth && node.scrollLeft > 0")
    assert guest.complaints == []


def test_a_report_is_sent_and_thanked_for(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["large"]
    guest.expected = [f"/v1/gallery/{job['id']}/reports"]
    page.goto(f"{guest.url}/gallery/{job['id']}")
    page.get_by_role("button", name="Report this picture").click()
    dialog = page.get_by_role("dialog", name="What is wrong with it?")
    send = dialog.get_by_role("button", name="Send the report")
    send.click()
    expect(dialog.get_by_text("Please choose a reason.")).to_be_visible()
    dialog.get_by_role("radio", name="Something else").check()
    dialog.get_by_label("Anything we should know").fill("It is upside down.")

    refusal = {"status": 422, "code": "invalid", "errors": [{"field": "detail", "message": "is not polite"}]}
    page.route("**/reports", lambda route: route.fulfill(status=422, json=refusal))
    send.click()
    expect(dialog.get_by_text("Is not polite.")).to_be_visible()
    page.unroute("**/reports")
    with page.expect_request("**/reports") as sent:
        send.click()
    assert sent.value.post_data_json == {"reason": "other", "detail": "It is upside down."}
    thanks = page.get_by_role("dialog", name="Thank you")
    expect(thanks.get_by_text("Your report has reached us")).to_be_visible()
    expect(thanks.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Report this picture")).to_be_focused()
    assert guest.complaints == []


def test_a_picture_that_was_taken_back_is_missed_kindly(guest: Visitor, published: dict[str, Any]) -> None:
    owner: ApiUser = published["owner"]
    job = owner.submit("a picture that will go")
    owner.finished(limit_s=120)
    path = f"/v1/jobs/{job['id']}/publication"
    assert owner.call("PUT", path).status_code == 200
    page = guest.page
    page.goto(f"{guest.url}/gallery/{job['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("a picture that will go")
    assert owner.call("DELETE", path).status_code == 200
    guest.expected = [f"/v1/gallery/{job['id']}", "/v1/gallery/nothing"]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("This picture no longer hangs here")
    page.goto(f"{guest.url}/gallery/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("This picture no longer hangs here")
    page.locator("main").get_by_role("link", name="All pictures").last.click()
    expect(tiles(page).first).to_be_attached()
    assert guest.complaints == []


def change_list(guest: Visitor, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let each image of the gallery's list be changed on its way; the storage's refusals of it are no complaint."""

    def answer(route: Route) -> None:
        page = route.fetch().json()
        for item in page["items"]:
            item["images"] = [image | change(image) for image in item["images"]]
            for image in item["images"]:
                guest.expected += [urlsplit(image[name]).path for name in ("url", "thumbnail_url")]
        route.fulfill(json=page)

    guest.page.route("**/v1/gallery?*", answer)


def without_signature(image: dict[str, Any]) -> dict[str, Any]:
    """Its presigned URLs as the storage refuses them."""
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


def test_pictures_of_a_tab_that_was_open_for_hours_come_when_they_are_wanted(guest: Visitor) -> None:
    """Those that were never scrolled to ask for no URL that has run out, and come all the same."""
    page = guest.page
    page.clock.install()
    change_list(guest, without_signature)
    page.set_viewport_size({"width": 900, "height": 400})
    page.route("**/i/**", lambda route: route.fallback())
    page.goto(guest.url)
    see(tiles(page).first.locator("img"))
    last = tiles(page).last.locator("img")
    late = last.evaluate("(node) => !node.complete || node.naturalWidth === 0")
    refused: list[str] = []
    page.clock.fast_forward("03:00:00")
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    assert "X-Amz-Signature=" not in see(last)
    assert (late, refused) == (True, [])
    assert guest.complaints == []


def test_when_the_link_fails_too_it_is_said_and_tried_again_with_the_network(guest: Visitor) -> None:
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


def test_a_wall_that_cannot_be_fetched_says_so_and_comes_back_by_itself(guest: Visitor) -> None:
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


def test_a_new_installation_shows_its_first_pictures_by_themselves(guest: Visitor) -> None:
    page = guest.page
    shown = 0

    def first_ones(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={"items": answer["items"][:shown], "next": None})

    page.clock.install()
    page.route("**/v1/gallery?*", first_ones)
    page.goto(guest.url)
    expect(page.get_by_text("Nothing hangs here yet.")).to_be_visible()
    for shown in (1, 3):
        page.clock.fast_forward(5_000)
        expect(tiles(page)).to_have_count(shown)
        expect(page.get_by_text("Nothing hangs here yet.")).to_have_count(0)
    assert guest.complaints == []


def test_the_gallery_in_russian(browser: Browser, site: RunningSite, published: dict[str, Any]) -> None:
    with looking(browser, site, locale="ru-RU") as person:
        page = person.page
        page.goto(f"{person.url}/gallery/{published['several']['id']}")
        expect(page.get_by_role("link", name="Взять эти слова")).to_be_visible()
        expect(page.locator(".recipe")).to_contain_text("Исключеноfog")
        page.get_by_role("button", name="Пожаловаться на картину").click()
        expect(page.get_by_role("dialog", name="Что с ней не так?")).to_be_visible()
        assert person.complaints == []
