"""The page of a published picture: its content, its actions, the full-size view and reports."""

import re
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, expect

from tests.support.api_user import ApiUser
from tests.support.gallery_guest import looking, see, tiles
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, stop_clock


def test_a_picture_page_shows_everything_and_links_on(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["several"]
    page.goto(f"{guest.url}/gallery/{job['id']}#1")
    expect(page.get_by_role("heading", level=1)).to_have_text(job["prompt"])
    expect(page).to_have_title("three views of a harbour at dawn, mist over the water and… · Easel")
    expect(page.get_by_role("list", name="Pictures from this prompt").get_by_role("link")).to_have_count(3)
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
    expect(page.get_by_label("Permanent link")).to_have_value(f"{guest.url}{first['link']}")
    expect(page.get_by_role("link", name="Download")).to_have_attribute("href", f"{first['link']}?download=1")
    expect(page.get_by_role("link", name="Use as starting image")).to_have_attribute(
        "href", f"/create?start={first['id']}"
    )
    prompt = page.get_by_role("link", name="Use this prompt")
    expect(prompt).to_have_attribute("href", re.compile(f"/create\\?prompt={re.escape(quote(job['prompt']))}"))
    page.get_by_role("button", name="Use these settings").click()
    expect(page).to_have_url(f"{guest.url}/create")
    expect(page.get_by_label("Describe your picture")).to_have_value(job["prompt"])
    expect(page.get_by_label("Seed", exact=True)).to_have_value(str(job["settings"]["seed"]))
    assert guest.complaints == []


def test_the_permanent_link_is_copied(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["large"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{guest.url}/gallery/{job['id']}")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    stop_clock(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{guest.url}{job['images'][0]['link']}"
    assert guest.complaints == []


def test_the_full_size_view(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["several"]
    page.goto(f"{guest.url}/gallery/{job['id']}")
    opener = page.get_by_role("button", name="Open full size")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Full size")
    expect(dialog.get_by_role("status")).to_have_text("Picture 1 of 3 · 64 × 64")
    picture = dialog.locator("img")
    see(picture)
    assert picture.evaluate("(node) => node.clientWidth") > 64
    dialog.get_by_role("button", name="Actual size").click()
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


def test_a_large_picture_is_scrolled_in_actual_size(guest: Visitor, published: dict[str, Any]) -> None:
    page = guest.page
    page.goto(f"{guest.url}/gallery/{published['large']['id']}")
    page.get_by_role("button", name="Open full size").click()
    dialog = page.get_by_role("dialog", name="Full size")
    see(dialog.locator("img"))
    page.set_viewport_size({"width": 400, "height": 600})
    dialog.locator("img").click()
    expect(dialog.get_by_role("button", name="Actual size")).to_have_attribute("aria-pressed", "true")
    expect(dialog.locator("img")).to_have_js_property("clientWidth", 640)
    board = dialog.get_by_role("group", name="Picture", exact=True)
    assert board.evaluate("(node) => node.scrollWidth > node.clientWidth && node.scrollLeft > 0")
    assert guest.complaints == []


def test_a_report_is_sent(guest: Visitor, published: dict[str, Any]) -> None:
    page, job = guest.page, published["large"]
    guest.expected = [f"/v1/gallery/{job['id']}/reports"]
    page.goto(f"{guest.url}/gallery/{job['id']}")
    page.get_by_role("button", name="Report this picture").click()
    dialog = page.get_by_role("dialog", name="What is wrong with this picture?")
    send = dialog.get_by_role("button", name="Send report")
    send.click()
    expect(dialog.get_by_text("Please choose a reason.")).to_be_visible()
    dialog.get_by_role("radio", name="Something else").check()
    dialog.get_by_label("Details").fill("It is upside down.")

    refusal = {"status": 422, "code": "invalid", "errors": [{"field": "detail", "message": "is not polite"}]}
    page.route("**/reports", lambda route: route.fulfill(status=422, json=refusal))
    send.click()
    expect(dialog.get_by_text("Is not polite.")).to_be_visible()
    page.unroute("**/reports")
    with page.expect_request("**/reports") as sent:
        send.click()
    assert sent.value.post_data_json == {"reason": "other", "detail": "It is upside down."}
    thanks = page.get_by_role("dialog", name="Thank you")
    expect(thanks.get_by_text("We have received your report")).to_be_visible()
    expect(thanks.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Report this picture")).to_be_focused()
    assert guest.complaints == []


def test_an_unpublished_picture_is_reported_as_gone(guest: Visitor, published: dict[str, Any]) -> None:
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
    expect(page.get_by_role("heading", level=1)).to_have_text("This picture is no longer in the gallery")
    page.goto(f"{guest.url}/gallery/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("This picture is no longer in the gallery")
    page.locator("main").get_by_role("link", name="All pictures").last.click()
    expect(tiles(page).first).to_be_attached()
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
