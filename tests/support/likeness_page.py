"""The page "Put me in" in a browser: a stack that trains, and what its user does with photos."""

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageFilter
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.photos import encode, photo
from tests.support.running_site import RunningSite
from tests.support.training_generator import training_generator

LOOKED_AT = ".start:is([data-state=good], [data-state=refused])"
DROP = """(photos) => {
  const data = new DataTransfer();
  photos.forEach((encoded, place) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], `${place}.jpg`, {type: "image/jpeg"}));
  });
  for (const type of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}"""


@contextmanager
def school_in(folder: Path) -> Iterator[RunningSite]:
    """Run the whole stack with a generator that trains, in a folder that the account of Postgres may enter."""
    with training_generator(folder) as address:
        site = RunningSite(folder / "home")
        site.environment["EASEL_GENERATORS"] = f"img_generator+{address}"
        try:
            site.start()
            yield site
        finally:
            site.stop()


def blurred(side: int = 320) -> bytes:
    with Image.open(io.BytesIO(photo(7, side))) as sharp:
        return encode(sharp.filter(ImageFilter.GaussianBlur(12)))


def add(page: Page, *photos: bytes) -> None:
    files: list[FilePayload] = [
        {"name": f"{place}.jpg", "mimeType": "image/jpeg", "buffer": data} for place, data in enumerate(photos)
    ]
    before = tiles(page).count()
    page.locator(".likeness-form input[type=file]").first.set_input_files(files)
    expect(page.locator(LOOKED_AT)).to_have_count(before + len(photos))


def see_refused(page: Page, place: int, words: str) -> None:
    """Check that only the photo at this place is refused, and why."""
    expect(tiles(page).nth(place).get_by_text(re.compile(words))).to_be_visible()
    expect(page.locator(".start[data-state=refused]")).to_have_count(1)


def take_away(page: Page, place: int) -> None:
    tiles(page).nth(place).get_by_role("button", name="Remove").press("Enter")


def tiles(page: Page) -> Locator:
    return page.get_by_role("list", name="Photos").get_by_role("listitem")


def cards(page: Page) -> Locator:
    return page.get_by_role("list", name="Your likenesses").locator(":scope > li")


def submit(page: Page) -> None:
    page.get_by_role("button", name="Make a code").press("Enter")


def drop(page: Page, *photos: bytes) -> None:
    before = tiles(page).count()
    page.evaluate(DROP, [base64.b64encode(data).decode() for data in photos])
    expect(page.locator(LOOKED_AT)).to_have_count(before + len(photos))
