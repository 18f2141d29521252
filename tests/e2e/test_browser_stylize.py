"""A photo in several styles, in a real browser: from a dropped file to pictures compared by keyboard."""

import base64
import io
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.api_user import ApiUser
from tests.support.cabinet import log_in
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")

ARTISTS = ("Banksy", "Malevich", "Monet", "Klimt")
MADE_WITHIN_MS = 90_000
DROP = """([encoded, name]) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, {type: "image/png"}));
  for (const type of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(params=[1280, 360])
def painter(site: RunningSite, user: ApiUser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Open the site logged in, on a desktop and on a phone."""
    with visitor(site.url, site.s3_url, viewport={"width": request.param, "height": 900}) as person:
        log_in(person, user)
        yield person


def drop_photo(page: Page) -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((128, 128)).convert("RGB").save(buffer, "PNG")
    page.evaluate(DROP, [base64.b64encode(buffer.getvalue()).decode(), "beach.png"])
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
