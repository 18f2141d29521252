"""The create form and picture files: Easel's own fill it in, and unusable ones are refused before they are sent."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from shared.images.codec import Recipe, encode_png
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")

SETTINGS = {
    "type": "pixel_art",
    "style": "ink",
    "quality": "draft",
    "aspect": "square",
    "width": 512,
    "height": 512,
    "steps": 33,
    "scale": 7.5,
    "upscale": 1,
    "strength": 0.75,
}
DROP = """([bytes, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
  document.querySelector(".canvas").dispatchEvent(event);
}"""


@pytest.fixture
def guest(site: RunningSite) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        yield person


@pytest.fixture
def page(guest: Visitor) -> Page:
    guest.page.goto(f"{guest.url}/create")
    expect(prompt_of(guest.page)).to_be_visible()
    return guest.page


def prompt_of(page: Page) -> Locator:
    return page.get_by_label("Describe your picture")


def tiles(page: Page) -> Locator:
    return page.get_by_role("list", name="Starting images").get_by_role("listitem")


def payload(data: bytes, name: str = "lighthouse.png") -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": data}


def give(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def saved(size: tuple[int, int] = (64, 64), kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "green").save(buffer, kind, **options)
    return buffer.getvalue()


def of_easel(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "prompt": "a lighthouse\nмаяк",
        "negative_prompt": "fog",
        "settings": SETTINGS | {"negative_prompt": "fog"},
        "seed": 11,
        "index": 0,
        "generator": "img_generator",
        "job_id": "01890000-0000-7000-8000-000000000000",
        "created_at": "2026-01-02T03:04:05Z",
        "sent_prompt": "a lighthouse\nмаяк, pixel art, ink drawing, black and white",
    }
    return encode_png(Image.new("RGB", (64, 64), "navy"), Recipe(**(values | changes)))


@pytest.mark.parametrize("way", ["drop", "file"])
def test_a_picture_of_easel_fills_in_the_form(guest: Visitor, page: Page, way: str) -> None:
    prompt_of(page).fill("my own words")
    if way == "drop":
        page.evaluate(DROP, [list(of_easel()), "lighthouse.png"])
    else:
        give(page, payload(of_easel()))
    expect(prompt_of(page)).to_have_value("a lighthouse\nмаяк")
    expect(prompt_of(page)).to_be_focused()
    expect(page.get_by_role("textbox", name="Leave out", exact=True)).to_have_value("fog")
    expect(page.get_by_role("textbox", name="Seed", exact=True)).to_have_value("11")
    expect(page.get_by_role("radio", name="Pixel art")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Ink", exact=True)).to_be_checked()
    expect(page.get_by_text("Your own values apply: Steps 33.")).to_be_visible()
    expect(tiles(page)).to_have_count(0)
    page.get_by_role("button", name="Restore").click()
    expect(prompt_of(page)).to_have_value("my own words")
    assert guest.complaints == []


def test_the_picture_that_filled_in_the_form_can_be_started_from(guest: Visitor, page: Page) -> None:
    give(page, payload(of_easel()))
    expect(page.get_by_text("The form is filled in from lighthouse.png.").first).to_be_visible()
    page.get_by_role("button", name="Start from this picture").click()
    expect(tiles(page)).to_have_count(1)
    expect(prompt_of(page)).to_have_value("a lighthouse\nмаяк")
    assert guest.complaints == []


def test_a_picture_of_another_model_says_so(guest: Visitor, page: Page) -> None:
    give(page, payload(of_easel(engine="diffusion", model="large", model_revision="0123456789ab")))
    said = "It was made with the model large; here the pixels will differ."
    expect(page.get_by_text(said).first).to_be_visible()
    expect(prompt_of(page)).to_have_value("a lighthouse\nмаяк")
    assert guest.complaints == []


def test_a_strange_recipe_fills_in_what_is_usable(guest: Visitor, page: Page) -> None:
    strange = {"type": "<b>", "style": 7, "steps": "many", "width": None, "quality": {}, "scale": 3}
    give(page, payload(of_easel(settings=strange, seed=None)))
    expect(prompt_of(page)).to_have_value("a lighthouse\nмаяк")
    expect(page.get_by_role("textbox", name="Seed", exact=True)).to_have_value("")
    expect(page.get_by_text("Your own values apply: Guidance 3.")).to_be_visible()
    assert guest.complaints == []


def test_several_pictures_are_start_pictures(page: Page) -> None:
    give(page, payload(of_easel()), payload(saved(), "green.png"))
    expect(tiles(page)).to_have_count(2)
    expect(prompt_of(page)).to_have_value("")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved((1, 1)), "a.png is too small"),
        (saved((4000, 6)), "a.png is too small"),
        (saved(kind="GIF"), "a.png is not a PNG, JPEG or WebP picture."),
        (saved(save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]), "a.png is animated"),
        (
            saved(kind="WEBP", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]),
            "a.png is animated",
        ),
    ],
    ids=["one pixel", "narrow", "GIF", "APNG", "WebP"],
)
def test_an_unusable_picture_is_refused_before_it_is_sent(page: Page, data: bytes, words: str) -> None:
    give(page, payload(data, "a.png"))
    expect(page.get_by_text(words)).to_be_visible()
    expect(tiles(page)).to_have_count(0)
