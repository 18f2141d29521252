"""A photo in several styles, in a real browser: from a dropped file to pictures compared by keyboard."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from shared.services import Services
from tests.e2e.test_browser_previews import DECODED_ADDRESSES
from tests.support.api_user import ApiUser
from tests.support.cabinet import log_in
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")

ARTISTS = ("Banksy", "Malevich", "Monet", "Klimt")
MADE_WITHIN_MS = 240_000
GIVE = """([encoded, types]) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "beach.png", {type: "image/png"}));
  for (const type of types) {
    const options = {dataTransfer: data, clipboardData: data, bubbles: true, cancelable: true};
    const event = type === "paste" ? new ClipboardEvent(type, options) : new DragEvent(type, options);
    document.body.dispatchEvent(event);
  }
}"""


@pytest.fixture(params=[1280, *repeats(360)])
def painter(site: RunningSite, user: ApiUser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Open the site logged in, on a desktop and on a phone."""
    with visitor(site.url, site.s3_url, viewport={"width": request.param, "height": 900}) as person:
        log_in(person, user)
        yield person


@pytest.fixture
def phone(site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    """Open the site logged in, on a device held in the hand."""
    options = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
    with visitor(site.url, site.s3_url, **options) as person:
        log_in(person, user)
        yield person
        assert person.complaints == []


def make_photo() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((128, 128)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def give_photo(page: Page, *events: str) -> None:
    """Drop or paste a photo."""
    page.evaluate(GIVE, [base64.b64encode(make_photo()).decode(), events])
    see_uploaded(page)


def drop_photo(page: Page) -> None:
    give_photo(page, "dragover", "drop")


def see_uploaded(page: Page) -> None:
    expect(page.get_by_role("list", name="Starting images").get_by_text("Uploaded")).to_be_visible()


def choose(page: Page, *styles: str) -> None:
    for style in styles:
        box = page.get_by_role("checkbox", name=style)
        box.focus()
        page.keyboard.press("Space")
        expect(box).to_be_checked()


def sliders(page: Page) -> Locator:
    return page.get_by_role("slider")


def test_a_dropped_photo_becomes_four_pictures_compared_by_keyboard(painter: Visitor) -> None:
    page = painter.page
    page.goto(f"{painter.url}/create")
    page.get_by_role("link", name="A photo in several styles").click()
    expect(page.get_by_role("button", name="Make the pictures")).to_be_visible()
    drop_photo(page)
    choose(page, *ARTISTS)
    page.get_by_role("button", name="Make the pictures").press("Enter")
    page.wait_for_url("**/stylize?group=*")
    expect(sliders(page)).to_have_count(4, timeout=MADE_WITHIN_MS)
    assert page.get_by_label("What the photo shows").input_value() != ""

    page.reload()
    expect(sliders(page)).to_have_count(4)
    slider = page.get_by_role("slider", name="Share of the photo in front of Banksy")
    slider.focus()
    before = slider.evaluate(
        "(input) => getComputedStyle(input.closest('.comparison').querySelector('.comparison-photo')).clipPath"
    )
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "51 % photo")
    page.keyboard.press("Home")
    after = slider.evaluate(
        "(input) => getComputedStyle(input.closest('.comparison').querySelector('.comparison-photo')).clipPath"
    )
    assert before != after
    with page.expect_download() as download:
        page.get_by_role("link", name="Download: Banksy").click()
    with Image.open(download.value.path()) as picture:
        assert picture.size[0] == picture.size[1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert painter.complaints == []


def submitted(page: Page, button: str) -> dict[str, Any]:
    """Press a button that makes another set, and return its group once its page is shown."""
    with page.expect_response("**/v1/stylizations") as answer:
        page.get_by_role("button", name=button).click()
    group: dict[str, Any] = answer.value.json()
    page.wait_for_url(f"**/stylize?group={group['id']}")
    return group


def styles_of(group: dict[str, Any]) -> list[tuple[str, str]]:
    return [(job["prompt"], job["settings"]["style"]) for job in group["jobs"]]


@pytest.mark.parametrize("painter", [1280], indirect=True)
def test_a_pasted_photo_is_made_again_from_a_corrected_caption(painter: Visitor, user: ApiUser) -> None:
    page = painter.page
    page.goto(f"{painter.url}/stylize")
    page.get_by_label("What the photo shows").fill("a beach")
    give_photo(page, "paste")
    choose(page, "Monet")
    group = submitted(page, "Make the pictures")
    assert styles_of(group) == [("a beach", "monet")], "there is nothing to describe"
    expect(sliders(page)).to_have_count(1, timeout=MADE_WITHIN_MS)
    expect(page.get_by_role("button", name="Make the missing pictures")).to_be_hidden()
    caption = page.get_by_label("What the photo shows")
    expect(caption).to_have_value("a beach")
    caption.fill("a stormy sea")
    again = submitted(page, "Make the pictures again with these words")
    assert styles_of(again) == [("a stormy sea", "monet")]
    expect(caption).to_have_value("a stormy sea")
    user.call("POST", f"/v1/batches/{again['id']}/cancel")


def test_a_set_in_the_making_can_be_watched_and_cancelled_and_what_is_missing_made(
    phone: Visitor, user: ApiUser, site_services: Services
) -> None:
    page = phone.page
    page.goto(f"{phone.url}/stylize")
    with page.expect_file_chooser() as camera:
        page.get_by_role("button", name="Take a photo").tap()
    assert camera.value.element.get_attribute("capture") == "environment"
    camera.value.set_files({"name": "beach.png", "mimeType": "image/png", "buffer": make_photo()})
    see_uploaded(page)
    [kept] = page.evaluate("JSON.parse(localStorage['easel.starts'])")
    common = {"prompt": "a beach", "source_images": [kept["key"]], "n": 8, "width": 768, "height": 512, "steps": 150}
    requests = [common | {"style": style} for style in ("monet", "klimt")]
    made = user.call("POST", "/v1/batches", json={"requests": requests}).json()

    page.goto(f"{phone.url}/stylize?group={made['id']}")
    pictures = page.get_by_role("list", name="Pictures").get_by_role("listitem")
    preview = pictures.get_by_role("img").first
    seen: set[str] = set()

    def shows_another() -> bool:
        seen.update(preview.evaluate_all(DECODED_ADDRESSES))
        return len(seen) >= 2

    until(shows_another, "another preview is shown", 120, 0.1)
    assert all("/preview/" in address for address in seen)
    page.get_by_role("button", name="Cancel all").tap()
    expect(pictures.get_by_text("Cancelled")).to_have_count(2)
    expect(pictures.get_by_role("img")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel all")).to_be_hidden()

    with site_services.db.begin() as connection:
        failing = "UPDATE jobs SET state = 'failed', error_code = :code, error_message = '-' WHERE id = :id"
        connection.execute(text(failing), {"code": "generator_failed", "id": made["jobs"][1]["id"]})
    page.reload()
    expect(pictures.nth(1)).to_contain_text("The generator reported an error")
    again = submitted(page, "Make the missing pictures")
    assert styles_of(again) == [("a beach", "monet"), ("a beach", "klimt")]
    user.call("POST", f"/v1/batches/{again['id']}/cancel")


def test_what_is_missing_is_said_at_its_field(painter: Visitor) -> None:
    page = painter.page
    page.goto(f"{painter.url}/stylize")
    page.get_by_role("button", name="Make the pictures").click()
    expect(page.get_by_text("Add a photo first.")).to_be_visible()
    expect(page.get_by_text("Choose at least one style.")).to_be_visible()
    drop_photo(page)
    choose(page, "Monet")
    expect(page.get_by_text("Choose at least one style.")).to_be_hidden()


def test_a_set_that_does_not_exist_is_said_in_words(painter: Visitor) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    painter.expected = [f"/v1/batches/{nobody}"]
    painter.page.goto(f"{painter.url}/stylize?group={nobody}")
    expect(painter.page.get_by_text("This set of pictures does not exist, or it was deleted.")).to_be_visible()
